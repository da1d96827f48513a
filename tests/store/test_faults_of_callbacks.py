"""Whatever callbacks of the store, of its proposals and of its files raise: no Exception either, they end nothing."""

import logging
from pathlib import Path

import pytest
import trio
from strange_errors import STRANGE

from ocpp16.rpc.folding import VARIANTS
from ocpp16.store.base import Put
from ocpp16.store.files import FileKeeper
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import settings


def row(value: object) -> Put:
    return settings.put(settings.SettingRow("x", value))


@pytest.fixture(params=STRANGE)
def wrong(request: pytest.FixtureRequest) -> object:
    def callback(*_: object) -> None:
        raise STRANGE[request.param]()

    return callback


async def test_watchers_and_subscribers(nursery: trio.Nursery, wrong: object, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(MemoryStore(is_volatile=False), inline=True)
    journal.subscribe(wrong, "a")  # type: ignore[arg-type]
    journal.watch("a", on_failing=wrong, on_recovered=wrong, on_internal_error=wrong)  # type: ignore[arg-type]
    nursery.start_soon(journal.run)
    with caplog.at_level(logging.ERROR, "ocpp16"):
        for number in range(100):
            await journal.wait_durable(journal.append("a", row(number)))
    assert 1 <= len(caplog.messages) <= VARIANTS


async def test_a_change_that_cannot_be_applied(nursery: trio.Nursery, wrong: object) -> None:
    """Who asked is told by an exception that ends nothing of it, and the rows are put right."""
    store, told = MemoryStore(is_volatile=False), list[str]()
    journal = Journal(store, inline=True, on_internal_error=lambda place, error: told.append(place))
    nursery.start_soon(journal.run)
    proposal = journal.propose("a", [row(1)], apply=wrong, restore=lambda: [settings.delete("x")])  # type: ignore[arg-type]
    with pytest.raises((RuntimeError, ValueError)):
        await proposal.wait(10)
    await journal.wait_durable(journal.number)
    assert told == ["apply"]
    assert list(store.load("a", settings.TABLE)) == []
    unrestorable = journal.propose("a", [row(1)], apply=wrong, restore=wrong)  # type: ignore[arg-type]
    with pytest.raises((RuntimeError, ValueError)):
        await unrestorable.wait(10)
    assert told == ["apply", "apply", "restore"]
    await journal.wait_durable(journal.append("a", row(2)))


class Write:
    target = Path("/etc/f")

    def prepare(self) -> None:
        pass

    finish = drop = prepare


async def test_files(nursery: trio.Nursery, wrong: object) -> None:
    keeper = FileKeeper(inline=True, on_failing=wrong, on_recovered=wrong, on_internal_error=wrong)  # type: ignore[arg-type]
    nursery.start_soon(keeper.run)
    with pytest.raises((RuntimeError, ValueError)):
        await keeper.propose([Write()], apply=wrong, restore=wrong).wait(10)  # type: ignore[arg-type]
    applied: list[int] = []
    await keeper.propose([Write()], apply=lambda: applied.append(1), restore=list).wait(10)
    assert applied == [1]
