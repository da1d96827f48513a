"""What a start reads: what is stored, and what was told and is not stored yet."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.enums import AuthorizationStatus
from ocpp16.errors import StoreError
from ocpp16.store import committer
from ocpp16.store.base import ChargePointChanges, Delete, Put, Row, Table
from ocpp16.store.commit import in_a_thread
from ocpp16.store.journal import Journal
from ocpp16.store.loading import load_rows
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import id_tag_cache, message_queue, settings


class Disk(MemoryStore):
    """While `is_full` nothing can be written."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.is_full = False

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("no space left on device")
        return super().apply(batches)


def setting(key: str, value: object) -> Put:
    return settings.put(settings.SettingRow(key, value))


def message(sequence: int, action: str) -> Put:
    return message_queue.put(message_queue.MessageRow(sequence, 1, action, {}))


async def _on_a_full_disk(nursery: trio.Nursery, is_inline: bool) -> tuple[Disk, Journal]:
    disk = Disk()
    journal = Journal(disk, inline=is_inline, retry_delays=(1000,), flush_timeout=0)
    nursery.start_soon(journal.run)
    await trio.testing.wait_all_tasks_blocked()
    number = journal.append("a", setting("x", 1), setting("y", 1), message(1, "A"), message(2, "B"))
    await journal.wait_durable(number)
    disk.is_full = True
    return disk, journal


@pytest.mark.parametrize("is_inline", [True, False])
async def test_what_was_told_on_a_full_disk_is_read(nursery: trio.Nursery, is_inline: bool) -> None:
    _, journal = await _on_a_full_disk(nursery, is_inline)
    journal.append("a", setting("x", 2), Delete(message_queue.TABLE, (1,)), message(3, "C"))
    journal.append("b", setting("y", 9))
    while not journal.is_failing:
        await trio.lowlevel.checkpoint()
    journal.append("a", message(3, "D"), setting("z", 3))
    journal.append("a", Put(settings.TABLE, ("impossible",)))
    journal.append("a", id_tag_cache.put(id_tag_cache.CachedTagRow("tag", AuthorizationStatus.ACCEPTED)))
    proposal = journal.propose("a", [setting("x", 7)], apply=lambda: None, restore=list)
    loaded = await journal.load_all("a")
    assert loaded["settings"] == [("x", "2"), ("y", "1"), ("z", "3")]
    assert [row[:3] for row in loaded["message_queue"]] == [(2, 1, "B"), (3, 1, "D")]
    assert [row[0] for row in loaded["id_tag_cache"]] == ["tag"]
    assert not proposal.is_settled


async def test_a_withdrawn_proposal_is_not_read(nursery: trio.Nursery) -> None:
    """Nor where it was in vain at the disk: what memory has instead is."""
    _, journal = await _on_a_full_disk(nursery, is_inline=True)
    proposal = journal.propose("a", [setting("x", 7)], apply=lambda: None, restore=lambda: [setting("x", 1)])
    while not journal.is_failing:
        await trio.lowlevel.checkpoint()
    proposal.withdraw()
    assert (await journal.load_all("a"))["settings"] == [("x", "1"), ("y", "1")]


async def test_reading_does_not_wait_for_the_next_attempt_to_write(nursery: trio.Nursery) -> None:
    """With threads: else a restart on a full disk would have to wait for it, and give up before."""
    _, journal = await _on_a_full_disk(nursery, is_inline=False)
    journal.append("a", setting("x", 2))
    while not journal.is_failing:
        await trio.lowlevel.checkpoint()
    with trio.fail_after(5):
        assert (await journal.load_all("a"))["settings"][0] == ("x", "2")


async def test_what_is_stored_in_that_moment_is_read(nursery: trio.Nursery) -> None:
    """A commit between the reading and who asked for it. Which of two that wake together is first is left to chance."""
    for _ in range(20):
        disk = Disk()
        journal = Journal(disk, inline=True)
        async with trio.open_nursery() as serving:
            serving.start_soon(journal.run)
            await trio.testing.wait_all_tasks_blocked()

            def load(*arguments: Any, journal: Journal = journal, disk: Disk = disk) -> list[Row]:
                del disk.load
                rows = MemoryStore.load(disk, *arguments)
                journal.append("a", setting("x", 1))
                return rows

            disk.load = load  # type: ignore[assignment,method-assign]
            assert (await journal.load_all("a"))["settings"] == [("x", "1")]
            serving.cancel_scope.cancel()


async def test_reading_for_many_is_few_trips_to_the_thread(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that fails is alone in that."""
    trips: list[object] = []

    def counted(work: Callable[[], object], landed: Callable[[], object]) -> None:
        trips.append(work)
        in_a_thread(work, landed)

    monkeypatch.setattr(committer, "in_a_thread", counted)
    store = Disk()
    store.apply([(f"cp{n}", [setting("x", n)]) for n in range(100)])
    journal = Journal(store)
    await nursery.start(journal.run)
    found: dict[int, Any] = {}

    async def read(n: int) -> None:
        found[n] = await journal.load(f"cp{n}", settings.TABLE)

    async def wrong() -> None:
        with pytest.raises(ValueError, match="no table"):
            await journal.load("cp1", Table("none", (), ("a",)))

    async with trio.open_nursery() as readers:
        for n in range(100):
            readers.start_soon(read, n)
        readers.start_soon(wrong)
    assert found == {n: [("x", f"{n}")] for n in range(100)}
    assert len(trips) <= 3


class Raising(tuple[Any, ...]):
    def __iter__(self) -> Iterator[Any]:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "TypeError: 'NoneType' object is not iterable"),
        ("rows", "a row of settings must be a tuple, not 'r'"),
        ([("a", "1"), None], "a row of settings must be a tuple, not None"),
        ([Raising()], "ZeroDivisionError"),
    ],
)
def test_a_driver_that_gives_no_rows_is_one_that_cannot_be_read(given: Any, why: str) -> None:
    class Lying(MemoryStore):
        def load(self, charge_point_id: str, table: Table, key: Row = ()) -> Any:
            return given

    with pytest.raises(StoreError, match=f"^the store cannot be read: {re.escape(why)}$"):
        load_rows(Lying(), "cp", settings.TABLE)
