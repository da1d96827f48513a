"""The journal: numbers, coalescing, who is told and who serves. See also test_proposals, test_journal_failures."""

import gc
from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges, Delete, Put, Row, RowChange, Table
from ocpp16.store.claims import claimant
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import TABLES, local_list_version, message_queue, samples, settings
from ocpp16.store.watchers import Waiters


class Recording(MemoryStore):
    """A store that is not volatile, and remembers what each commit held."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.commits: list[list[ChargePointChanges]] = []

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        self.commits.append(list(batches))
        return super().apply(batches)


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


async def committed(journal: Journal) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.run)
        await journal.wait_durable(journal.number)
        nursery.cancel_scope.cancel()


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

    trio.run(committed, journal)
    for table in (samples.TABLE, local_list_version.TABLE):
        assert store.load("a", table) == plain.load("a", table)
    assert len(store.commits) <= 1


async def test_volatile_store_is_durable_at_once() -> None:
    store = MemoryStore()
    journal = Journal(store)
    kicks: list[int] = []
    journal.subscribe(lambda: kicks.append(journal.durable))
    assert journal.append("a", setting("x")) == 1
    assert (journal.durable, kicks) == (1, [1])
    assert len(store.load("a", settings.TABLE)) == 1
    await journal.wait_durable(1)


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


# Impossible facts


async def test_impossible_append_is_left_out_alone(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    store = Recording()
    told: list[tuple[str, str]] = []
    journal = Journal(store, inline=True, on_internal_error=lambda place, error: told.append((place, str(error))))
    ends = [
        journal.watch(who, on_internal_error=lambda place, error, who=who: told.append((who, place)))  # type: ignore[misc]
        for who in ("bad", "good")
    ]
    journal.append("bad", setting("before"))
    journal.append("bad", setting("with"), TOO_SHORT)
    journal.append("bad", setting("after"))
    journal.append("good", setting("x"))
    nursery.start_soon(journal.run)
    await journal.wait_durable(4)
    assert [row[0] for row in store.load("bad", settings.TABLE)] == ["after", "before"]
    assert len(store.load("good", settings.TABLE)) == 1
    assert told == [("store", "settings has 2 columns, not 1"), ("bad", "store")]
    assert "bad: the store cannot take what was told, it is left out: settings has 2 columns" in caplog.text
    for end in ends:
        end()
    await journal.wait_durable(journal.append("bad", TOO_SHORT))
    assert told[2:] == [("store", "settings has 2 columns, not 1")]
    await journal.wait_durable(journal.append("bad", setting("later")))
    assert len(store.load("bad", settings.TABLE)) == 3


# Of rows that nothing possible replaces, and of rows that something does.
IMPOSSIBLE: tuple[RowChange, ...] = (
    TOO_SHORT,
    Put(settings.TABLE, ("x", 2**63)),
    Put(settings.TABLE, ("w", "\ud800")),
    Put(settings.TABLE, ("w", {})),  # type: ignore[arg-type]
    Put(settings.TABLE, ({}, "x")),  # type: ignore[arg-type]
    Put(settings.TABLE, (2**63, "x")),
    Put(settings.TABLE, (None, "x")),
    Put(settings.TABLE, ["x", "y"]),  # type: ignore[arg-type]
    Delete(settings.TABLE, ("x", "y")),
    Delete(settings.TABLE, ([],)),  # type: ignore[arg-type]
)


@given(
    st.lists(
        st.tuples(
            st.lists(st.builds(setting, st.sampled_from("xyz"), st.integers(0, 9)), min_size=1, max_size=3),
            st.none() | st.sampled_from(IMPOSSIBLE),
        ),
        max_size=8,
    )
)
def test_whatever_is_impossible_leaves_the_rest_as_it_would_be(
    appended: list[tuple[list[Put], RowChange | None]],
) -> None:
    plain, store = MemoryStore(), Recording()
    journal = Journal(store, inline=True)
    for changes, impossible in appended:
        if impossible is None:
            plain.apply([("a", changes)])
            journal.append("a", *changes)
        else:
            journal.append("a", *changes, impossible)

    trio.run(committed, journal)
    assert store.load("a", settings.TABLE) == plain.load("a", settings.TABLE)


async def test_refusal_costs_few_commits(nursery: trio.Nursery) -> None:
    """Halves are tried, not single rows: an outage of a day may end with tens of thousands of them."""
    store = Recording()
    journal = Journal(store, inline=True)
    for n in range(1000):
        journal.append("a", setting(f"{n:03}") if n != 777 else TOO_SHORT)
    nursery.start_soon(journal.run)
    await journal.wait_durable(1000)
    assert len(store.load("a", settings.TABLE)) == 999
    assert len(store.commits) <= 1 + 2 * 10


# Who serves


async def test_several_serve_and_one_takes_over(nursery: trio.Nursery) -> None:
    store = Recording()
    journal = Journal(store, inline=True)
    scopes = [trio.CancelScope() for _ in range(3)]

    async def serve(scope: trio.CancelScope) -> None:
        with scope:
            await journal.run()

    for scope in scopes:
        nursery.start_soon(serve, scope)
    for n, scope in enumerate(scopes, 1):
        await journal.wait_durable(journal.append("a", setting(f"{n}")))
        scope.cancel()
        journal.append("a", setting(f"left by {n}"))
        await trio.testing.wait_all_tasks_blocked()
        assert (journal.has_ended, journal.left()) == (n == 3, 0)
    assert len(store.load("a", settings.TABLE)) == 6


async def test_all_who_serve_are_cancelled_at_once() -> None:
    store = Recording()
    journal = Journal(store, inline=True)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(journal.run)
        await trio.testing.wait_all_tasks_blocked()
        journal.append("a", setting("x"))
        nursery.cancel_scope.cancel()
    assert (journal.has_ended, journal.left(), journal.durable) == (True, 0, 1)


async def test_one_journal_for_a_store(nursery: trio.Nursery) -> None:
    store = Recording()
    journal = Journal(store, inline=True)
    with pytest.raises(ValueError, match="has a journal already"):
        Journal(store)
    assert claimant(store) is journal
    async with trio.open_nursery() as serving:
        serving.start_soon(journal.run)
        serving.cancel_scope.cancel()
    second = Journal(store, inline=True)  # the first one has ended and left nothing
    assert claimant(store) is second
    try:
        await journal.run()
    except ValueError as error:
        assert "has a journal already" in str(error)  # noqa: PT017 - a context would keep the second one alive
    del second
    gc.collect()
    assert claimant(store) is None
    Journal(Recording())
    await nursery.start(journal.run)
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
        assert settings.read(store.load("a", settings.TABLE))[0].value == round_number


async def test_only_who_waits_for_what_is_stored_is_woken(nursery: trio.Nursery) -> None:
    waiters = Waiters()
    woken: list[int] = []

    async def wait(number: int) -> None:
        await waiters.wait(number)
        woken.append(number)

    for number in (5, 1, 3, 1, 2):
        nursery.start_soon(wait, number)
    await trio.testing.wait_all_tasks_blocked()
    for number, expected in ((0, []), (2, [1, 1, 2]), (2, []), (4, [3]), (9, [5])):
        waiters.wake(number)
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(woken) == expected
        woken.clear()


async def test_numbers_that_nobody_waits_for_any_more_are_forgotten(nursery: trio.Nursery) -> None:
    waiters = Waiters()
    woken: list[int] = []

    async def wait(number: int) -> None:
        await waiters.wait(number)
        woken.append(number)

    nursery.start_soon(wait, 1_000_000)
    for number in range(1000):
        async with trio.open_nursery() as impatient:
            for _ in range(2):
                impatient.start_soon(wait, number)
            await trio.testing.wait_all_tasks_blocked()
            impatient.cancel_scope.cancel()
    assert len(waiters) < 100
    nursery.start_soon(wait, 7)  # a number that was given up may be waited for again
    await trio.testing.wait_all_tasks_blocked()
    waiters.wake(8)
    await trio.testing.wait_all_tasks_blocked()
    assert woken == [7]
    waiters.wake(1_000_000)
    await trio.testing.wait_all_tasks_blocked()
    assert woken == [7, 1_000_000]
    assert len(waiters) == 0


async def test_kick_that_raises_is_logged(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(Recording(), inline=True)
    kicks: list[str] = []

    def wrong() -> None:
        raise RuntimeError("not ready")

    for kick in (wrong, lambda: kicks.append("kicked")):
        journal.subscribe(kick, "a")
    nursery.start_soon(journal.run)
    await journal.wait_durable(journal.append("a", setting("x")))
    assert kicks == ["kicked"]
    assert "not ready" in caplog.text


# Reading


async def test_reading_is_in_turn(nursery: trio.Nursery) -> None:
    journal = Journal(Recording())  # with threads
    with pytest.raises(StoreError, match="nobody serves"):
        await journal.load("a", settings.TABLE)
    nursery.start_soon(journal.run)
    await trio.testing.wait_all_tasks_blocked()
    journal.append("a", setting("x"))
    journal.append("a", message_queue.put(message_queue.MessageRow(1, 1, "A", {})))
    await journal.wait_durable(2)
    assert await journal.load("a", settings.TABLE, ("x",)) == [("x", "1")]
    loaded = await journal.load_all("a")
    assert len(loaded["message_queue"]) == 1
    assert loaded.keys() == {table.name for table in TABLES}
    with pytest.raises(ValueError, match="no table"):
        await journal.load("a", Table("none", (), ("a",)))


async def test_driver_that_raises_when_read_is_a_store_error() -> None:
    class Wrong(MemoryStore):
        def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
            raise LookupError("its own fault")

    with pytest.raises(StoreError, match="cannot be read: LookupError: its own fault"):
        await Journal(Wrong()).load_all("a")
