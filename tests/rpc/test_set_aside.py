"""One message that stays unanswered on a link that is alive does not silence the station."""

from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

import pytest

from ocpp16.rpc.pending import Entry, Lane
from ocpp16.rpc.policy import RetryRules
from ocpp16.rpc.set_aside import SetAside

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def silent(line: "Line") -> None:
    """The open call is left unanswered until its time is up, while something else is received."""
    line.session.heard(line.now)
    line.now = line.session.deadline(-1)
    line.session.on_time(line.now)
    assert line.session.in_flight is None


def set_aside(line: "Line") -> None:
    """Leave the message that is next unanswered until it is set aside."""
    before = len(line.ledger.of("set aside"))
    while len(line.ledger.of("set aside")) == before:
        assert line.take() or line.wait()
        silent(line)


def start(line: "Line", transaction: object) -> Entry:
    return line.put("StartTransaction", transaction=transaction)


def sequences(line: "Line") -> list[int]:
    """Take and answer all that goes at once; the sequences in the order in which they were confirmed."""
    told = len(line.ledger.of("confirmed"))
    line.drain()
    return line.ledger.of("confirmed")[told:]


def test_after_its_attempts_the_message_and_what_needs_it_wait_apart(line: "Line") -> None:
    poison, other = object(), object()
    start(line, poison)
    line.put("MeterValues", transaction=poison)
    line.put("StopTransaction", transaction=poison)
    start(line, other)
    line.put("StopTransaction", transaction=other)
    begun = line.now
    set_aside(line)
    assert line.now - begun == 30 + 60 + 30 + 120 + 30
    assert line.ledger.told == [("set aside", 1, 3)]
    assert [call.action for call in line.sent] == ["StartTransaction"] * 3
    assert sequences(line) == [4, 5]
    assert line.session.outbox.depth == 3
    assert line.counters.timeouts == 3


def test_what_is_queued_afterwards_joins_it(line: "Line") -> None:
    poison = object()
    start(line, poison)
    set_aside(line)
    line.put("MeterValues", transaction=poison)
    line.put("StopTransaction", transaction=poison)
    assert line.take() == []
    start(line, object())
    assert sequences(line) == [4]


def test_it_is_tried_at_growing_intervals_for_ever(line: "Line") -> None:
    start(line, object())
    set_aside(line)
    tries = [line.now]
    for _ in range(12):
        assert line.wait() == ["StartTransaction"]
        tries.append(line.now)
        silent(line)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits[0] == 180
    # the interval runs from the end of a try, which takes 30 s
    assert waits[1:7] == [390, 750, 1470, 2910, 3630, 3630]
    assert set(waits[5:]) == {3630}
    assert line.ledger.of("given up") == []
    assert (line.in_flight if line.take() else line.session.in_flight) is None


def test_its_answer_brings_the_rest_of_its_transaction_in_order(line: "Line") -> None:
    poison = object()
    start(line, poison)
    line.put("MeterValues", transaction=poison)
    set_aside(line)
    line.put("StopTransaction", transaction=poison)
    start(line, object())
    line.take()
    line.answer()
    line.wait()
    assert line.in_flight.sequence == 1
    assert sequences(line) == [1, 2, 3]
    assert line.session.outbox.depth == 0


def test_a_late_answer_under_an_earlier_id_does_the_same(line: "Line") -> None:
    poison = object()
    start(line, poison)
    line.put("StopTransaction", transaction=poison)
    set_aside(line)
    line.answer(unique_id="id-2")
    assert line.ledger.of("confirmed") == [1]
    assert sequences(line) == [2]


def test_a_refusal_is_an_answer_too_and_counts_as_an_attempt(line: "Line") -> None:
    poison = object()
    entry = start(line, poison)
    line.put("StopTransaction", transaction=poison)
    set_aside(line)
    line.wait()
    line.refuse()
    assert (entry.attempts, entry.silences) == (1, 0)
    start(line, object())
    assert line.take() == []  # it is the head of its lane again, and waits for its retry
    assert line.session.deadline(0) == line.now + 60
    line.advance(60)
    assert sequences(line) == [1, 2, 3]


def test_silence_is_never_counted_towards_the_dead_letters(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=1, interval=10.0))
    entry = start(line, object())
    for _ in range(40):
        assert line.wait() == ["StartTransaction"]
        silent(line)
    assert entry.attempts == 0
    assert line.ledger.told == [("set aside", 1, 1)]


def test_readings_that_stay_unanswered_do_not_hold_up_the_end_of_their_transaction(line: "Line") -> None:
    running = object()
    start(line, running)
    line.put("MeterValues", transaction=running)
    line.put("MeterValues", transaction=running)
    line.put("StopTransaction", transaction=running)
    line.take()
    line.answer()
    set_aside(line)
    assert line.ledger.told[-1] == ("set aside", 2, 2)
    line.put("MeterValues", transaction=running)
    assert sequences(line) == [4]
    line.wait()
    assert sequences(line) == [2, 3, 5]


def test_a_reading_whose_try_is_open_still_was_answered_under_an_earlier_id(line: "Line") -> None:
    """It does not outlive the end of its transaction: nobody would delete its row again."""
    running = object()
    reading, later = (line.put("MeterValues", transaction=running) for _ in range(2))
    set_aside(line)
    line.wait()
    assert line.session.unanswered_of(running) == [reading, later]
    line.answer(unique_id="id-1")
    assert line.in_flight is reading
    assert line.session.unanswered_of(running) == [later]


@pytest.mark.parametrize("action", ["StopTransaction", "SecurityEventNotification", "MeterValues", "StartTransaction"])
def test_a_message_of_no_known_transaction_is_set_aside_alone(line: "Line", action: str) -> None:
    line.put(action)
    line.put(action)
    line.put("StartTransaction")
    set_aside(line)
    assert line.ledger.told == [("set aside", 1, 1)]
    assert sequences(line) == [2, 3]


def test_a_stop_that_stays_unanswered_holds_up_nothing_of_others(line: "Line") -> None:
    first, second = object(), object()
    line.put("StopTransaction", transaction=first)
    start(line, second)
    set_aside(line)
    assert sequences(line) == [2]


def test_once_others_of_its_action_are_set_aside_one_silence_is_enough(line: "Line") -> None:
    for _ in range(3):
        start(line, object())
    line.put("SecurityEventNotification")
    set_aside(line)
    sent = len(line.sent)
    set_aside(line)
    set_aside(line)
    assert len(line.sent) == sent + 2
    assert line.ledger.of("set aside") == [1, 2, 3]
    assert sequences(line) == [4]


def test_an_answer_to_another_of_its_action_ends_that_suspicion(line: "Line") -> None:
    start(line, object())
    set_aside(line)
    start(line, object())
    line.take()
    line.answer()
    start(line, object())
    before = line.now
    set_aside(line)
    assert line.now - before == 270


def test_as_soon_as_one_is_answered_all_others_are_due(line: "Line") -> None:
    for _ in range(4):
        start(line, object())
    for _ in range(4):
        set_aside(line)
    for _ in range(6):
        line.wait()
        silent(line)
    line.wait()
    assert len(sequences(line)) == 4
    assert line.session.outbox.depth == 0


@pytest.mark.parametrize("how", ["confirmed", "refused"])
def test_a_late_answer_to_one_makes_all_others_due(line: "Line", how: str) -> None:
    for _ in range(3):
        start(line, object())
    for _ in range(3):
        set_aside(line)
    ids = [call.unique_id for call in line.sent]
    if how == "confirmed":
        line.answer(unique_id=ids[0])
        assert line.ledger.of("confirmed") == [1]
    else:
        line.refuse(unique_id=ids[0])
        assert line.ledger.of("attempted") == [1]
    assert sequences(line) == [2, 3]
    assert line.session.outbox.depth == (how == "refused")


def test_tries_take_a_quarter_of_the_time_at_most(line: "Line") -> None:
    for _ in range(30):
        start(line, object())
    for _ in range(30):
        set_aside(line)
    begun, tries = line.now, 0
    while line.now < begun + 20_000:
        line.wait()
        tries += 1
        silent(line)
    assert 20_000 / 4 * 0.9 <= 30 * tries <= 20_000 / 4 * 1.1


def test_everything_else_goes_before_a_try(line: "Line") -> None:
    start(line, object())
    set_aside(line)
    line.now += 10_000
    start(line, object())
    line.put("Heartbeat")
    line.put("Authorize", waits=True)
    line.put("BootNotification")
    assert line.take() == ["BootNotification"]
    for expected in (["Authorize"], ["StartTransaction"], ["Heartbeat"]):
        line.answer()
        assert line.take() == expected
    assert line.session.outbox.depth == 1
    line.answer()
    assert line.take() == ["StartTransaction"]
    assert line.in_flight.sequence == 1


def test_a_reconnect_makes_all_of_them_due(line: "Line") -> None:
    for _ in range(2):
        start(line, object())
    for _ in range(2):
        set_aside(line)
    line.lose()
    line.connect()
    assert line.take() == ["StartTransaction"]
    assert line.in_flight.sequence == 1
    silent(line)
    assert line.take() == []
    assert line.session.deadline(0) == line.now - 30 + 4 * 30
    line.lose()
    line.connect()
    assert len(sequences(line)) == 2


def test_one_that_is_patient_is_in_nobodys_way_when_all_others_are_due() -> None:
    apart = SetAside()
    for sequence, is_patient in ((1, True), (2, False), (3, False)):
        entry = Entry("StartTransaction", {}, Lane.TRANSACTION, sequence, transaction=object())
        apart.begin(entry, 100.0, 0.0, is_patient=is_patient)
        apart.put(entry)
    apart.all_due()
    tried = []
    while (due := apart.due(0)) == 0.0:
        tried.append(apart.take().sequence)
    assert (tried, due) == ([2, 3], 100.0)


def test_a_try_that_the_connection_ends_is_no_silence(line: "Line") -> None:
    start(line, object())
    set_aside(line)
    line.wait()
    line.lose()
    assert line.session.outbox.depth == 1
    line.connect()
    assert line.take() == ["StartTransaction"]


def test_what_waits_apart_goes_only_when_accepted(line: "Line") -> None:
    start(line, object())
    set_aside(line)
    line.session.set_registration(None, line.now)
    assert line.session.deadline(0) == inf
    assert line.advance(10_000) == []


def test_what_waits_apart_and_is_not_on_disk_yet_waits_for_the_disk(line: "Line") -> None:
    poison = object()
    start(line, poison)
    set_aside(line)
    line.put("StopTransaction", transaction=poison, number=7)
    line.wait()
    line.answer()
    assert line.take() == []
    assert line.session.deadline(0) == inf
    line.durable = 7
    assert line.take() == ["StopTransaction"]


@pytest.mark.parametrize(("attempts", "sends"), [(0, 1), (1, 1), (2, 2), (4, 4), (5, 5), (6, 5), (1_000_000, 5)])
def test_how_often_a_message_may_be_left_unanswered(new_line: "type[Line]", attempts: int, sends: int) -> None:
    line = new_line(retry=RetryRules(attempts=attempts, interval=1.0))
    start(line, object())
    set_aside(line)
    assert len(line.sent) == sends


def test_a_long_retry_interval_does_not_hold_up_the_lane(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=3, interval=86_400.0))
    start(line, object())
    start(line, object())
    set_aside(line)
    assert len(line.sent) == 1
    assert sequences(line) == [2]
    assert line.session.deadline(0) == line.now + 3600


def test_without_an_interval_the_tries_are_spaced_all_the_same(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=3, interval=0.0))
    start(line, object())
    set_aside(line)
    assert line.session.deadline(0) == line.now + 120


def test_a_message_set_aside_that_was_shed_is_gone(line: "Line") -> None:
    running = object()
    for _ in range(4):
        line.put("MeterValues", transaction=running)
    set_aside(line)
    outbox = line.session.outbox
    assert outbox.apart is not None
    outbox.apart.discard({entry for entry in outbox.apart if entry.sequence in (1, 3)})
    assert sorted(entry.sequence for entry in outbox.apart) == [2, 4]
    line.wait()
    assert line.in_flight.sequence == 2


def test_ten_thousand_groups_cost_no_more_to_ask(line: "Line") -> None:
    """Making all due, and asking when, looks at each group a bounded number of times."""
    outbox = line.session.outbox
    for _ in range(10_000):
        entry = line.entry("MeterValues", transaction=object(), size=100)
        line.ledger.rows[entry.sequence] = entry
        outbox.set_aside(entry, 120.0, line.now)
    assert outbox.depth == 10_000
    line.now += 10_000
    assert len(sequences_of(line, 10_000)) == 10_000


def sequences_of(line: "Line", limit: int) -> list[int]:
    line.drain(limit=limit + 1)
    return line.ledger.of("confirmed")
