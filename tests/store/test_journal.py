"""The journal: numbers, coalescing, who is told what and when; committed inline. Outages: test_journal_failures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.errors import StoreError
from ocpp16.store.base import Batch, Delete, Put, RowChange
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import local_list_version, message_queue, samples, settings


class Recording(MemoryStore):
    """A store that is not volatile, and remembers what each commit held."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.commits: list[list[Batch]] = []

    def apply(self, batches: Sequence[Batch]) -> dict[str, Exception]:
        self.commits.append(list(batches))
        return super().apply(batches)


@dataclass
class RecordingFile:
    target: Path
    content: str
    log: list[str] = field(default_factory=list)

    def write(self) -> None:
        self.log.append(self.content)


def setting(key: str, value: Any = 1) -> Put:
    return settings.put(settings.SettingRow(key, value))


TOO_SHORT = Put(settings.TABLE, ("only a key",))


async def test_nothing_is_durable_before_the_commit(nursery: trio.Nursery) -> None:
    store = Recording()
    journal = Journal(store, inline=True)
    assert [journal.append("a", setting("x")), journal.append("b", setting("x"))] == [1, 2]
    assert (journal.number, journal.durable, store.commits) == (2, 0, [])
    nursery.start_soon(journal.run)
    await journal.wait_durable(2)
    assert journal.durable == 2
    assert len(store.commits) == 1


async def test_order_is_kept_and_what_comes_meanwhile_is_the_next_batch(nursery: trio.Nursery) -> None:
    store = Recording()
    journal = Journal(store, inline=True)
    nursery.start_soon(journal.run)
    await trio.testing.wait_all_tasks_blocked()
    for n in range(5):
        journal.append("a", setting(f"{n}"), message_queue.put(message_queue.MessageRow(n, 1, "A", {})))
    await trio.testing.wait_all_tasks_blocked()
    journal.append("a", setting("later"))
    await trio.testing.wait_all_tasks_blocked()
    assert [sum(len(changes) for _, changes in commit) for commit in store.commits] == [10, 1]
    assert [change.row[0] for change in store.commits[0][0][1] if isinstance(change, Put)][:4] == ["0", 0, "1", 1]


async def test_subscribers_are_kicked_after_durable_rose(nursery: trio.Nursery) -> None:
    journal = Journal(Recording(), inline=True)
    nursery.start_soon(journal.run)
    seen: list[tuple[str, int]] = []
    journal.subscribe(lambda: seen.append(("all", journal.durable)))
    stop = journal.subscribe(lambda: seen.append(("a", journal.durable)), "a")
    journal.subscribe(lambda: seen.append(("b", journal.durable)), "b")
    journal.append("a", setting("x"))
    await journal.wait_durable(1)
    assert seen == [("all", 1), ("a", 1)]
    stop()
    stop()
    await journal.wait_durable(journal.append("a", setting("y")))
    await journal.wait_durable(journal.append("b", setting("y")))
    assert seen[2:] == [("all", 2), ("all", 3), ("b", 3)]


async def test_last_change_of_a_row_is_the_one_written(nursery: trio.Nursery) -> None:
    store = Recording()
    journal = Journal(store, inline=True)
    for n in range(100):
        journal.append("a", setting("x", n))
    journal.append("a", setting("y"), settings.delete("y"))
    nursery.start_soon(journal.run)
    await journal.wait_durable(101)
    assert store.commits == [[("a", (setting("x", 99), settings.delete("y")))]]


KEYS = st.tuples(st.integers(1, 2), st.integers(1, 2))
CHANGES = st.one_of(
    st.builds(lambda key, value: Put(samples.TABLE, (*key, value, "{}")), KEYS, st.integers(0, 9)),
    st.builds(lambda key, length: Delete(samples.TABLE, key[:length]), KEYS, st.integers(0, 2)),
    st.builds(lambda value: Put(local_list_version.TABLE, (value,)), st.integers(0, 9)),
    st.just(Delete(local_list_version.TABLE, ())),
)


@given(st.lists(st.lists(CHANGES, max_size=6), max_size=8))
def test_coalesced_batch_leaves_what_single_changes_leave(appended: list[list[RowChange]]) -> None:
    plain, store = MemoryStore(), Recording()
    journal = Journal(store, inline=True)
    for changes in appended:
        plain.apply([("a", changes)])
        journal.append("a", *changes)

    async def commit() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.run)
            await journal.wait_durable(journal.number)
            nursery.cancel_scope.cancel()

    trio.run(commit)
    assert store.load("a") == plain.load("a")
    assert len(store.commits) <= 1


async def test_volatile_store_is_durable_at_once() -> None:
    store = MemoryStore()
    journal = Journal(store)
    kicks: list[int] = []
    journal.subscribe(lambda: kicks.append(journal.durable))
    log: list[str] = []
    assert journal.append("a", setting("x"), RecordingFile(Path("/f"), "1", log)) == 1
    assert (journal.durable, kicks, log) == (1, [1], ["1"])
    assert len(store.load("a")["settings"]) == 1
    await journal.wait_durable(1)


async def test_files_are_written_first_and_only_their_last_state(nursery: trio.Nursery) -> None:
    store = Recording()
    journal = Journal(store, inline=True)
    log: list[str] = []
    journal.append("a", RecordingFile(Path("/f"), "f1", log), RecordingFile(Path("/g"), "g1", log))
    journal.append("a", RecordingFile(Path("/f"), "f2", log), setting("x"))
    nursery.start_soon(journal.run)
    await journal.wait_durable(2)
    assert log == ["g1", "f2"]
    number = journal.append("a", RecordingFile(Path("/f"), "f3", log))
    await journal.wait_durable(number)
    assert len(store.commits) == 1  # a batch of files alone needs no commit


async def test_append_of_nothing_is_the_number_to_wait_for(nursery: trio.Nursery) -> None:
    journal = Journal(Recording(), inline=True)
    assert journal.append("a") == 0
    journal.append("a", setting("x"))
    journal.append("b", setting("x"))
    assert (journal.append("a"), journal.append("b"), journal.append("c"), journal.number) == (1, 2, 0, 2)
    nursery.start_soon(journal.run)
    await journal.wait_durable(2)
    assert journal.append("a") == 2


async def test_waiting_for_a_number_never_given_out() -> None:
    with pytest.raises(ValueError, match="number 1"):
        await Journal(Recording()).wait_durable(1)


async def test_refused_charge_point_hears_of_it_before_durable_rises(nursery: trio.Nursery) -> None:
    store = Recording()
    heard: list[tuple[str, int, str]] = []
    journal = Journal(
        store, inline=True, on_refused=lambda who, error: heard.append((who, journal.durable, str(error)))
    )
    nursery.start_soon(journal.run)
    good, bad, also_bad = (
        journal.append("good", setting("x")),
        journal.append("bad", TOO_SHORT),
        journal.append("bad", setting("x")),
    )
    await journal.wait_durable(good)
    assert [(who, durable) for who, durable, _ in heard] == [("bad", 0)]
    for number in (bad, also_bad):
        with pytest.raises(StoreError, match="refused this: settings has 2 columns"):
            await journal.wait_durable(number)
    assert len(store.load("good")["settings"]) == 1
    assert store.load("bad")["settings"] == []
    await journal.wait_durable(journal.append("bad", setting("again")))  # after it was started again
    assert len(store.load("bad")["settings"]) == 1


async def test_what_a_refused_charge_point_appended_since_is_refused_too(nursery: trio.Nursery) -> None:
    class Busy(Recording):
        def apply(self, batches: Sequence[Batch]) -> dict[str, Exception]:
            if not self.commits:
                journal.append("bad", setting("since"), RecordingFile(Path("/f"), "x", log))
                journal.append("good", setting("since"))
            return super().apply(batches)

    log: list[str] = []
    store = Busy()
    journal = Journal(store, inline=True, on_refused=lambda who, error: None)
    nursery.start_soon(journal.run)
    journal.append("bad", TOO_SHORT)
    await trio.testing.wait_all_tasks_blocked()
    assert (journal.number, journal.durable, log) == (3, 3, [])
    with pytest.raises(StoreError, match="refused"):
        await journal.wait_durable(2)
    assert store.load("bad")["settings"] == []
    assert len(store.load("good")["settings"]) == 1


async def test_refusal_that_nobody_hears_ends_the_committer() -> None:
    journal = Journal(Recording(), inline=True)
    journal.append("bad", TOO_SHORT)
    with pytest.raises(StoreError, match="refused changes of bad"):
        await journal.run()
    with pytest.raises(StoreError, match="ended"):
        await journal.wait_durable(1)


async def test_impossible_file_is_a_refusal(nursery: trio.Nursery) -> None:
    class Impossible(RecordingFile):
        def write(self) -> None:
            raise ValueError("no such thing")

    heard: list[str] = []
    store = Recording()
    journal = Journal(store, inline=True, on_refused=lambda who, error: heard.append(who))
    nursery.start_soon(journal.run)
    journal.append("bad", Impossible(Path("/f"), ""), setting("x"))
    await journal.wait_durable(journal.append("good", setting("x")))
    assert heard == ["bad"]
    assert store.load("bad")["settings"] == []


async def test_one_committer(nursery: trio.Nursery) -> None:
    journal = Journal(Recording(), inline=True)
    nursery.start_soon(journal.run)
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(RuntimeError, match="committer already"):
        await journal.run()
    await journal.wait_durable(journal.append("a", setting("x")))


async def test_cancelled_committer_writes_what_is_there_and_can_run_again() -> None:
    store = Recording()
    journal = Journal(store, inline=True)
    for round_number in (1, 2):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.run)
            await trio.testing.wait_all_tasks_blocked()
            journal.append("a", setting("x", round_number))
            nursery.cancel_scope.cancel()
        assert journal.durable == round_number
        assert settings.read(store.load("a")["settings"])[0].value == round_number
