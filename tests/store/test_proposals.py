"""What somebody asks for: stored first, then applied, then answered; or refused with nothing changed, at any moment."""

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges, Put, RowChange
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.proposal import Proposal
from ocpp16.store.tables import settings

TOO_SHORT = Put(settings.TABLE, ("only a key",))


def nothing() -> None:
    pass


def row(key: str, value: object) -> Put:
    return settings.put(settings.SettingRow(key, value))


class Disk(MemoryStore):
    """Fails while `broken`; `meanwhile` is called within the next commit, as other tasks run beside a thread."""

    def __init__(self, *, is_volatile: bool = False) -> None:
        super().__init__(is_volatile=is_volatile)
        self.broken = ""
        self.fails_after_writing = False
        self.meanwhile: Callable[[], object] | None = None
        self.commits: list[list[ChargePointChanges]] = []

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        if self.broken and not self.fails_after_writing:
            raise StoreError(self.broken)
        self.commits.append(list(batches))
        refused = super().apply(batches)
        if self.broken:
            raise StoreError(self.broken)
        return refused

    def values(self, charge_point_id: str = "a") -> dict[str, object]:
        rows = settings.read(self.load(charge_point_id, settings.TABLE))
        return {found.key: found.value for found in rows}


class Memory:
    """A state in memory whose keys are rows, changed in both ways."""

    def __init__(self, journal: Journal) -> None:
        self.values: dict[str, object] = {}
        self.journal = journal
        self.log: list[str] = []

    def tell(self, key: str, value: object) -> int:
        self.values[key] = value
        return self.journal.append("a", row(key, value))

    def ask(self, key: str, value: object, error: Exception | None = None) -> Proposal:
        def apply() -> None:
            self.log.append(f"{key}={value} at {self.journal.durable}")
            if error is not None:
                raise error
            self.values[key] = value

        return self.journal.propose("a", [row(key, value)], apply=apply, restore=lambda: self.rows(key))

    def rows(self, key: str) -> Sequence[RowChange]:
        return [row(key, self.values[key]) if key in self.values else settings.delete(key)]


class Setting:
    def __init__(self, *, is_volatile: bool = False) -> None:
        self.disk = Disk(is_volatile=is_volatile)
        self.told: list[str] = []
        self.journal = Journal(
            self.disk,
            inline=True,
            retry_delays=(1.0,),
            on_failing=self.told.append,
            on_recovered=lambda: self.told.append("recovered"),
            on_internal_error=lambda place, error: self.told.append(f"{place}: {error}"),
        )
        self.memory = Memory(self.journal)


@pytest.fixture
def it() -> Setting:
    return Setting()


async def test_applied_when_stored_and_before_anybody_wakes(it: Setting, nursery: trio.Nursery) -> None:
    it.journal.subscribe(lambda: it.memory.log.append(f"kicked at {it.journal.durable}"))

    async def wait() -> None:
        await it.journal.wait_durable(2)
        it.memory.log.append("woken")

    it.memory.tell("before", 1)
    proposal = it.memory.ask("x", 1)
    after = it.memory.tell("after", 1)
    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    assert (proposal.number, after, proposal.is_settled, it.memory.values.get("x")) == (2, 3, False, None)
    nursery.start_soon(it.journal.run)
    await proposal.wait(10)
    assert (proposal.is_settled, proposal.is_applied) == (True, True)
    assert it.memory.values["x"] == 1
    await trio.testing.wait_all_tasks_blocked()
    assert it.memory.log == ["x=1 at 0", "kicked at 3", "woken"]
    assert it.disk.values() == {"before": 1, "x": 1, "after": 1}
    assert len(it.disk.commits) == 1
    assert not proposal.withdraw()
    await proposal.wait(0)


async def test_withdrawn_before_a_thread_has_it_leaves_nothing(it: Setting, nursery: trio.Nursery) -> None:
    it.memory.tell("x", 1)
    proposal = it.memory.ask("x", 2)
    it.memory.tell("y", 1)
    only = it.journal.propose("b", [row("x", 1)], apply=nothing, restore=tuple)
    assert proposal.withdraw()
    assert only.withdraw()
    assert proposal.withdraw()
    nursery.start_soon(it.journal.run)
    await it.journal.wait_durable(4)
    assert it.disk.commits == [[("a", (row("x", 1), row("y", 1)))]]
    assert it.memory.log == []
    with pytest.raises(StoreError, match="withdrawn"):
        await proposal.wait(1)


async def test_withdrawn_while_a_thread_writes_it_is_put_right(it: Setting, nursery: trio.Nursery) -> None:
    it.memory.tell("x", 1)
    proposal = it.memory.ask("x", 2)
    it.disk.meanwhile = proposal.withdraw
    nursery.start_soon(it.journal.run)
    await it.journal.wait_durable(2)
    await trio.testing.wait_all_tasks_blocked()
    assert it.memory.log == []
    assert it.disk.values() == it.memory.values == {"x": 1}
    assert len(it.disk.commits) == 2


async def test_time_is_up(it: Setting, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock) -> None:
    it.disk.broken = "disk full"
    nursery.start_soon(it.journal.run)
    it.memory.tell("y", 1)
    proposal = it.memory.ask("x", 1)
    with pytest.raises(StoreError, match=r"this was not stored within 2\.5 s: disk full"):
        await proposal.wait(2.5)
    it.disk.broken = ""
    await it.journal.wait_durable(it.journal.number)
    assert it.disk.values() == it.memory.values == {"y": 1}
    assert it.told == ["disk full", "recovered"]


async def test_failed_commit_may_have_been_made_all_the_same(
    it: Setting, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """What became of it nobody knows: what was withdrawn since is followed by what memory has."""
    it.disk.broken, it.disk.fails_after_writing = "fsync failed", True
    nursery.start_soon(it.journal.run)
    proposal = it.memory.ask("x", 1)
    with pytest.raises(StoreError, match="fsync failed"):
        await proposal.wait(2)
    assert it.disk.values() == {"x": 1}
    it.disk.broken = ""
    await it.journal.wait_durable(it.journal.number)
    assert it.disk.values() == it.memory.values == {}


async def test_cancelled_waiting_is_withdrawn(it: Setting, nursery: trio.Nursery) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await it.memory.ask("x", 1).wait(10)
    assert scope.cancelled_caught
    nursery.start_soon(it.journal.run)
    await trio.testing.wait_all_tasks_blocked()
    assert (it.memory.values, it.disk.values(), it.memory.log) == ({}, {}, [])


async def test_what_is_applied_is_told_even_to_who_is_cancelled(it: Setting, nursery: trio.Nursery) -> None:
    nursery.start_soon(it.journal.run)
    proposal = it.memory.ask("x", 1)
    await it.journal.wait_durable(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await proposal.wait(10)
        it.memory.log.append("told")
    assert it.memory.log[-1] == "told"


@pytest.mark.parametrize("timeout", [nan, "soon"])
async def test_time_limit_that_is_none_leaves_nothing(it: Setting, timeout: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        await (proposal := it.memory.ask("x", 1)).wait(timeout)
    assert proposal.is_withdrawn


@pytest.mark.parametrize("checkpoints", range(12))
async def test_cancelled_at_any_moment_it_is_all_or_nothing(
    it: Setting, nursery: trio.Nursery, checkpoints: int
) -> None:
    it.memory.tell("x", 0)
    nursery.start_soon(it.journal.run)
    outcome: list[str] = []

    scope = trio.CancelScope()

    async def ask() -> None:
        with scope:
            await it.memory.ask("x", 1).wait(10)
            outcome.append("applied")

    nursery.start_soon(ask)
    for _ in range(checkpoints):
        await trio.lowlevel.checkpoint()
    scope.cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert it.memory.values["x"] == (1 if outcome else 0)
    assert it.disk.values() == it.memory.values
    assert outcome or checkpoints < 11


async def test_impossible_proposal_fails_alone(it: Setting, nursery: trio.Nursery) -> None:
    it.memory.tell("x", 1)
    impossible = it.journal.propose("a", [row("z", 1), TOO_SHORT], apply=it.memory.log.clear, restore=tuple)
    possible = it.memory.ask("y", 1)
    other = it.journal.append("b", row("x", 1))
    nursery.start_soon(it.journal.run)
    with pytest.raises(StoreError, match="the store cannot take this: settings has 2 columns"):
        await impossible.wait(10)
    await possible.wait(10)
    assert it.disk.values() == it.memory.values == {"x": 1, "y": 1}
    assert it.journal.durable >= other
    assert it.told == []
    assert impossible.withdraw()


async def test_apply_that_raises_is_told_and_put_right(
    it: Setting, nursery: trio.Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    it.memory.tell("x", 1)
    proposal = it.memory.ask("x", 2, error=RuntimeError("half way"))
    behind = it.memory.ask("y", 2)
    nursery.start_soon(it.journal.run)
    with pytest.raises(RuntimeError, match="half way"):
        await proposal.wait(10)
    await behind.wait(10)
    await it.journal.wait_durable(it.journal.number)
    assert it.told == ["apply: half way"]
    assert "Traceback" in caplog.text
    assert it.disk.values() == it.memory.values == {"x": 1, "y": 2}
    with pytest.raises(RuntimeError, match="half way"):
        await proposal.wait(10)


async def test_restore_that_raises_is_told(it: Setting, nursery: trio.Nursery) -> None:
    def restore() -> Sequence[RowChange]:
        raise RuntimeError("no idea")

    proposal = it.journal.propose("a", [row("x", 1)], apply=nothing, restore=restore)
    it.disk.meanwhile = proposal.withdraw
    nursery.start_soon(it.journal.run)
    await it.journal.wait_durable(it.memory.tell("y", 1))
    assert it.told == ["restore: no idea"]


async def test_the_end_of_the_journal_is_the_end_of_proposals(
    it: Setting, autojump_clock: trio.testing.MockClock
) -> None:
    it.disk.broken = "disk full"
    outcomes: list[str] = []

    async def wait(proposal: Proposal) -> None:
        with trio.CancelScope(shield=True), pytest.raises(StoreError) as caught:
            await proposal.wait(1000)
        outcomes.append(str(caught.value))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(it.journal.run)
        nursery.start_soon(wait, it.memory.ask("x", 1))
        await trio.sleep(0.5)
        nursery.cancel_scope.cancel()
    assert outcomes == ["the journal ended before this was stored"]
    await wait(it.memory.ask("x", 2))
    assert "the journal ended" in outcomes[1]
    it.disk.broken = ""
    async with trio.open_nursery() as nursery:
        await nursery.start(it.journal.run)
        await it.journal.wait_durable(it.journal.number)
        nursery.cancel_scope.cancel()
    assert (it.disk.values(), it.memory.values) == ({}, {})


async def test_volatile_store_applies_at_once() -> None:
    it = Setting(is_volatile=True)
    proposal = it.memory.ask("x", 1)
    assert (proposal.is_applied, it.journal.durable, it.memory.values) == (True, 1, {"x": 1})
    await proposal.wait(0)
    impossible = it.journal.propose("a", [TOO_SHORT], apply=nothing, restore=tuple)
    assert impossible.is_settled
    with pytest.raises(StoreError, match="cannot take"):
        await impossible.wait(1)


async def test_what_is_told_while_something_is_applied_follows_it() -> None:
    it = Setting(is_volatile=True)
    seen: list[int] = []
    it.journal.subscribe(lambda: seen.append(it.journal.durable))

    def apply() -> None:
        it.memory.tell("y", 1)
        assert it.journal.durable == 0

    it.journal.propose("a", [row("x", 1)], apply=apply, restore=tuple)
    assert seen == [1, 2]
    assert it.disk.values() == {"x": 1, "y": 1}


async def test_volatile_store_in_an_outage_keeps_the_rules(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    it = Setting(is_volatile=True)
    nursery.start_soon(it.journal.run)
    it.disk.broken = "no room"
    withdrawn, applied = it.memory.ask("x", 1), it.memory.ask("y", 1)
    with pytest.raises(StoreError, match="no room"):
        await withdrawn.wait(0.1)
    it.disk.broken = ""
    await applied.wait(10)
    await it.journal.wait_durable(it.journal.number)
    assert it.disk.values() == it.memory.values == {"y": 1}


async def test_withdrawing_during_an_outage_keeps_nothing(
    it: Setting, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """A Central System that tries a change every second for a day must not fill the memory."""
    it.disk.broken = "disk full"
    nursery.start_soon(it.journal.run)
    for n in range(300):
        it.memory.tell("fact", n)
        with pytest.raises(StoreError):
            await it.memory.ask("x", n).wait(1)
    assert it.journal.left() <= 2
    it.disk.broken = ""
    await it.journal.wait_durable(it.journal.number)
    assert it.disk.values() == it.memory.values == {"fact": 299}


STEP = st.sampled_from(["tell", "ask", "ask", "withdraw", "withdraw in hand", "break", "mend", "commit"])


@given(st.lists(st.tuples(STEP, st.sampled_from("xyz"), st.integers(0, 9)), max_size=30))
def test_memory_and_disk_agree_whatever_happens(steps: list[tuple[str, str, int]]) -> None:
    """In any order: in the end both have the same, and only what was applied."""
    it = Setting()
    asked: list[Proposal] = []

    async def act() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(it.journal.run)
            for step, key, value in steps:
                if step == "tell":
                    it.memory.tell(key, value)
                elif step == "ask":
                    asked.append(it.memory.ask(key, value))
                elif step == "withdraw" and asked:
                    asked[value % len(asked)].withdraw()
                elif step == "withdraw in hand" and asked:
                    it.disk.meanwhile = asked[value % len(asked)].withdraw
                elif step == "break":
                    it.disk.broken, it.disk.fails_after_writing = "disk full", bool(value % 2)
                elif step == "mend":
                    it.disk.broken = ""
                elif step == "commit":
                    await trio.sleep(1.5)
            it.disk.broken = ""
            while it.journal.durable < it.journal.number:
                await it.journal.wait_durable(it.journal.number)
            nursery.cancel_scope.cancel()

    trio.run(act, clock=trio.testing.MockClock(autojump_threshold=0))
    assert it.disk.values() == it.memory.values
    assert all(proposal.is_settled for proposal in asked)
    assert len(it.memory.log) == sum(proposal.is_applied for proposal in asked)
    assert it.journal.left() == 0
