"""Anything may happen in any order: what must hold all the same.

A hypothesis state machine drives one session, its store (rows of the ledger, kept over restarts) and a Central System
that answers late, twice, wrongly, with SecurityError or not at all, on a link that is alive or silent.
"""

from math import inf
from typing import TYPE_CHECKING, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from ocpp16._core import Call, CallResult
from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.outbox import taken_of_disk
from ocpp16.rpc.pending import Asker, Entry, Lane
from ocpp16.rpc.policy import OutboxLimits, RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Ledger, Line

ATTEMPTS = 2
CONNECTORS = 2
DELIVERED_BY_ANYTHING = ("MeterValues", "StopTransaction")
MARKED = {
    "StartTransaction": "meterStart",
    "StopTransaction": "meterStop",
    "MeterValues": "connectorId",
    "StatusNotification": "connectorId",
    "Authorize": "idTag",
    "BootNotification": "chargePointModel",
}


def mark_of(call: Call) -> int:
    """Sequence of the entry that a CALL was made of."""
    return int(call.payload[MARKED[call.action]])


def must_go_before(one: Entry, other: Entry) -> bool:
    """Whatever is set aside: of one transaction its start goes first, and its readings in order."""
    if one.transaction is None or one.transaction is not other.transaction or one.sequence > other.sequence:
        return False
    return one.action == "StartTransaction" or one.action == other.action == "MeterValues"


class Delivery(RuleBasedStateMachine):
    def __init__(self, new_line: "type[Line]", new_ledger: "type[Ledger]") -> None:
        super().__init__()
        self.new_line = new_line
        self.ledger = new_ledger()
        self.limits = OutboxLimits(replay_rate=2.0)
        self.last_sequence = 0
        self.running: dict[int, str] = {}
        """Connector → what its transaction is known by; a start makes a new one."""
        self.line = self.opened(connected=True)
        self.open_id: str | None = None
        self.calls: list[Call] = []
        """All CALLs the Central System ever got, over all restarts."""
        self.unanswered: list[Call] = []
        self.refusals: dict[int, int] = {}
        self.asked: set[int] = set()
        self.ends: dict[int, str] = {}
        self.handed_out = 0
        self.followed: list[str] = []

    def opened(self, *, connected: bool) -> "Line":
        retry = RetryRules(attempts=ATTEMPTS)
        line = self.new_line(ledger=self.ledger, limits=self.limits, retry=retry, accepted=False, connected=connected)
        line.session.on_boot_wanted = self.boot_again
        return line

    def boot_again(self) -> None:
        line = self.line
        self.last_sequence += 1
        entry = line.entry("BootNotification", sequence=self.last_sequence)
        entry.payload["chargePointModel"] = str(self.last_sequence)
        entry.asker = Asker(lambda payload: line.session.set_registration(RegistrationStatus.ACCEPTED, line.now))
        line.session.enqueue(entry, line.now)

    # What the station and the Central System do

    @rule(
        action=st.sampled_from([*sorted(MARKED), "StartTransaction", "MeterValues", "StopTransaction"]),
        connector=st.integers(0, CONNECTORS),
        is_triggered=st.booleans(),
        number=st.integers(0, 2),
    )
    def enqueue(self, action: str, connector: int, is_triggered: bool, number: int) -> None:
        """Connector 0: of a transaction whose row could not be read."""
        line = self.line
        self.last_sequence += 1
        sequence = self.last_sequence
        field = MARKED[action]
        entry = line.entry(action, waits=action == "Authorize", sequence=sequence, is_triggered=is_triggered)
        if action == "StartTransaction" and connector:
            self.running[connector] = f"transaction {sequence}"
        entry.transaction = self.running.get(connector) if entry.lane is Lane.TRANSACTION else None
        entry.payload[field] = sequence if isinstance(entry.payload.get(field, 0), int) else str(sequence)
        if entry.lane is Lane.TRANSACTION:
            entry.number = line.durable + number
            self.ledger.rows[sequence] = entry
        may_go = line.session.is_connected and line.session.registration is RegistrationStatus.ACCEPTED
        if action == "Authorize":
            self.asked.add(sequence)
        taken = line.session.enqueue(entry, line.now)
        if entry.lane is not Lane.NORMAL:
            assert taken
        elif not is_triggered:
            assert taken is may_go

    @rule()
    def write(self) -> None:
        line = self.line
        before = len(line.sent)
        line.take()
        for call in line.sent[before:]:
            assert self.open_id is None, "a second CALL while one is open"
            self.open_id = call.unique_id
            self.calls.append(call)
            self.unanswered.append(call)
            self.check_written(call)
        assert line.session.deadline(line.durable) > line.now, "something could have been written"

    def check_written(self, call: Call) -> None:
        session, mark = self.line.session, mark_of(call)
        entry = self.line.in_flight
        assert entry.sequence == mark
        assert entry.number <= self.line.durable, "told before it was on disk"
        assert entry.due <= self.line.now, "sent before its time"
        if session.registration is not RegistrationStatus.ACCEPTED:
            is_asked_for = entry.is_triggered and session.registration is RegistrationStatus.PENDING
            assert entry.lane is Lane.BOOT or is_asked_for
        if entry.lane is Lane.TRANSACTION:
            assert not any(must_go_before(row, entry) for row in self.ledger.rows.values() if row is not entry)
            if session.outbox.apart is None:
                assert mark == min(self.ledger.rows), "out of order"
            earlier = [other for other in self.calls[:-1] if mark_of(other) == mark and other.action == call.action]
            assert all(other.payload == call.payload for other in earlier)

    @precondition(lambda self: self.line.session.is_connected and self.unanswered)
    @rule(
        data=st.data(),
        how=st.sampled_from(["confirm", "confirm", "confirm", "refuse", "security", "garbage"]),
        is_last=st.booleans(),
    )
    def answer(self, data: st.DataObject, how: str, is_last: bool) -> None:
        line = self.line
        call = self.unanswered[-1] if is_last else data.draw(st.sampled_from(self.unanswered))
        if how == "confirm":
            line.answer(unique_id=call.unique_id)
        elif how == "refuse":
            line.refuse(unique_id=call.unique_id)
        elif how == "security":
            line.refuse("SecurityError", unique_id=call.unique_id)
        else:
            line.receive(f'[3,"{call.unique_id}",[]]')
        self.unanswered.remove(call)
        if how in ("refuse", "security") or (how == "garbage" and call.action not in DELIVERED_BY_ANYTHING):
            self.refusals[mark_of(call)] = self.refusals.get(mark_of(call), 0) + 1
        if call.unique_id == self.open_id:
            self.open_id = None
            assert line.session.in_flight is None

    @precondition(lambda self: self.line.session.is_connected and len(self.calls) > len(self.unanswered))
    @rule(data=st.data())
    def answer_again(self, data: st.DataObject) -> None:
        line = self.line
        answered = [call for call in self.calls if call not in self.unanswered]
        told, unknown = len(self.ledger.told), line.counters.unknown_ids
        line.answer(unique_id=data.draw(st.sampled_from(answered)).unique_id)
        assert len(self.ledger.told) == told
        assert line.counters.unknown_ids == unknown + 1

    @precondition(lambda self: self.line.session.in_flight is not None)
    @rule(is_alive=st.booleans())
    def time_out(self, is_alive: bool) -> None:
        line = self.line
        if is_alive:
            line.session.heard(line.now)
        line.now = line.session.deadline(-1)
        line.session.on_time(line.now)
        assert line.session.in_flight is None
        assert not (is_alive and line.session.wants_probe)
        self.open_id = None

    @precondition(lambda self: self.line.session.is_connected)
    @rule(tries=st.integers(2, 6))
    def central_system_is_silent(self, tries: int) -> None:
        """And the link is alive: what single steps seldom come to."""
        line = self.line
        line.session.set_registration(RegistrationStatus.ACCEPTED, line.now)
        line.durable += 3
        for _ in range(tries):
            due = line.session.deadline(line.durable)
            if line.session.in_flight is None and due < inf:
                line.now = max(line.now, due)
            self.write()
            if line.session.in_flight is not None:
                self.time_out(is_alive=True)

    @precondition(lambda self: self.line.session.is_connected)
    @rule()
    def central_system_has_forgotten(self) -> None:
        line = self.line
        line.session.set_registration(RegistrationStatus.ACCEPTED, line.now)
        self.write()
        entry = line.session.in_flight
        if entry is not None and self.open_id is not None:
            call = line.sent[-1]
            self.unanswered.remove(call)
            self.open_id = None
            self.refusals[entry.sequence] = self.refusals.get(entry.sequence, 0) + 1
            line.refuse("SecurityError")

    @precondition(lambda self: self.line.session.is_connected)
    @rule()
    def pong(self) -> None:
        self.line.session.heard(self.line.now)
        assert not self.line.session.wants_probe

    @rule(seconds=st.sampled_from([0.1, 1.0, 29.0, 70.0, 200.0]))
    def wait(self, seconds: float) -> None:
        line = self.line
        line.now += seconds
        if line.session.in_flight is not None and line.session.deadline(-1) <= line.now:
            self.open_id = None
        line.session.on_time(line.now)

    @rule(status=st.sampled_from([None, *RegistrationStatus, RegistrationStatus.ACCEPTED]))
    def register(self, status: RegistrationStatus | None) -> None:
        self.line.session.set_registration(status, self.line.now)

    @rule(step=st.integers(1, 3))
    def commit(self, step: int) -> None:
        self.line.durable += step

    @precondition(lambda self: not self.line.session.is_connected)
    @rule(delay=st.sampled_from([0.0, 5.0]))
    def connect(self, delay: float) -> None:
        self.line.connect(delay)

    @precondition(lambda self: self.line.session.is_connected)
    @rule()
    def disconnect(self) -> None:
        self.line.lose()
        self.open_id = None

    @precondition(lambda self: self.line.session.is_connected)
    @rule(is_answered=st.booleans(), number=st.integers(0, 2))
    def ask_charge_point(self, is_answered: bool, number: int) -> None:
        line = self.line
        self.handed_out += 1
        name = f"cs-{self.handed_out}"
        is_heard = line.call("ClearCache", unique_id=name) is not None
        assert is_heard is (line.session.registration is not RegistrationStatus.REJECTED)
        if is_heard and is_answered:
            line.session.reply(
                CallResult(name, {"status": "Accepted"}),
                number=line.durable + number,
                then=lambda: self.followed.append(name),
            )
            assert self.followed.count(name) == 0

    @rule()
    def restart(self) -> None:
        """The process ends; rows that were committed are read again, attempts as they were stored."""
        old = self.line
        old.session.stop(old.now)
        self.collect()
        self.open_id = None
        self.unanswered.clear()
        line = self.opened(connected=False)
        line.now, line.durable, line.sent = old.now, 0, old.sent
        line.session._requests._new_id = old.session._requests._new_id  # ids never recur
        attempts = {row[1]: row[2] for row in self.ledger.told if row[0] == "attempted"}
        for sequence, row in self.ledger.rows.items():
            fresh = line.entry(row.action, row.payload, sequence=sequence, attempts=attempts.get(sequence, 0))
            fresh.transaction = row.transaction
            assert fresh.attempts == row.attempts
            self.ledger.rows[sequence] = fresh
        line.session.outbox.restore(self.ledger.rows.values())
        self.line = line

    # What must hold

    def collect(self) -> None:
        for sequence, reason, _ in self.line.ends:
            assert sequence not in self.ends, "ended twice"
            self.ends[sequence] = reason
        self.line.ends.clear()

    @invariant()
    def every_question_ends_once(self) -> None:
        self.collect()
        if not self.line.session.is_connected:
            assert self.asked == self.ends.keys()

    @invariant()
    def nothing_is_lost_or_told_twice(self) -> None:
        ended = [row[1] for row in self.ledger.told if row[0] in ("confirmed", "given up", "dropped")]
        assert len(ended) == len(set(ended))
        assert not set(ended) & self.ledger.rows.keys()
        heard = {mark_of(call) for call in self.calls}
        assert set(self.ledger.of("confirmed")) <= heard
        for sequence in self.ledger.of("given up"):
            assert self.refusals[sequence] >= ATTEMPTS
        assert self.ledger.of("dropped") == []

    @invariant()
    def every_row_waits_or_is_in_flight(self) -> None:
        session = self.line.session
        outbox = session.outbox
        lane = [*outbox._transactions, *(outbox.apart or ())]
        waiting = [entry.sequence for entry in lane]
        entry = session.in_flight
        if entry is not None and entry.sequence in self.ledger.rows:
            waiting.append(entry.sequence)
        assert sorted(waiting) == sorted(self.ledger.rows)
        normal = outbox.normal()
        assert outbox.depth == len(lane) + len(normal) + (outbox.boot is not None)
        assert outbox.bytes == sum(taken_of_disk(entry.size) for entry in lane + normal)

    @invariant()
    def of_each_topic_the_newest_is_known(self) -> None:
        outbox = self.line.session.outbox
        newest = {(entry.topic, entry.is_triggered): entry for entry in outbox.normal() if entry.topic is not None}
        assert newest == (outbox._newest or {})

    @invariant()
    def the_slot_is_taken_while_a_call_is_open(self) -> None:
        session = self.line.session
        assert (session.in_flight is not None) is (self.open_id is not None)
        if not session.is_connected:
            assert session.in_flight is None
            assert session.deadline(self.line.durable) == inf

    @invariant()
    def what_follows_a_reply_happens_at_most_once(self) -> None:
        assert len(self.followed) == len(set(self.followed))

    def teardown(self) -> None:
        """In the end everything is delivered."""
        line = self.line
        if line.session.is_connected:
            line.lose()
        line.connect()
        line.session.set_registration(RegistrationStatus.ACCEPTED, line.now)
        line.durable += 1000
        self.open_id = None
        for _ in range(10_000):
            line.take()
            if line.session.in_flight is not None:
                line.answer()
            elif (due := line.session.deadline(line.durable)) < inf:
                line.now = max(line.now, due)
            else:
                break
        assert self.ledger.rows == {}
        assert line.session.outbox.depth == 0
        assert line.session.outbox.bytes == 0
        self.collect()
        assert self.asked == self.ends.keys()


def test_delivery(new_line: "type[Line]", new_ledger: "type[Ledger]") -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: Delivery(new_line, new_ledger)),  # any factory will do
        settings=settings(
            max_examples=250,
            stateful_step_count=50,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
