"""Which message is next, and when: the outbox alone, with numbers as time."""

from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.outbox import Outbox
from ocpp16.rpc.pending import Asker, Entry, Lane
from ocpp16.rpc.policy import OutboxLimits

ACCEPTED, PENDING, REJECTED = RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING, RegistrationStatus.REJECTED


def entry(what: str, sequence: int, **members: Any) -> Entry:
    """`what`: B(oot), T(ransaction), R(eading), N(ormal), P(ersistent normal), ?(somebody waits)."""
    action, lane = {
        "B": ("BootNotification", Lane.BOOT),
        "T": ("StartTransaction", Lane.TRANSACTION),
        "R": ("MeterValues", Lane.TRANSACTION),
    }.get(what, ("StatusNotification", Lane.NORMAL))
    if what in "TRP":
        members.setdefault("is_persistent", True)
    if what == "?":
        members["asker"] = Asker(on_failure=lambda failure: None)
    return Entry(action, {}, lane, sequence, **members)


def outbox(*entries: Entry, **limits: Any) -> Outbox:
    box = Outbox(OutboxLimits(**limits))
    for item in entries:
        box.add(item)
    return box


def order(
    box: Outbox, now: float = 10.0, durable: int = 0, registration: RegistrationStatus | None = ACCEPTED
) -> list[int]:
    taken = []
    while (item := box.next(now, durable, registration)) is not None:
        taken.append(item.sequence)
    return taken


def first(box: Outbox, now: float, durable: int, registration: RegistrationStatus | None) -> Entry:
    """What goes next; there is something."""
    item = box.next(now, durable, registration)
    assert item is not None
    return item


def test_an_empty_outbox_has_nothing_ever() -> None:
    box = outbox()
    assert box.next(0.0, 0, ACCEPTED) is None
    assert box.next_due(0, ACCEPTED) == inf
    assert (box.depth, box.bytes) == (0, 0)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (["T1", "N2", "T3", "N4"], [1, 2, 3, 4]),
        (["N1", "T2"], [1, 2]),
        (["T1", "B2", "N3"], [2, 1, 3]),
        (["T1", "N2", "?3", "?4"], [3, 4, 1, 2]),
        (["B1", "?2"], [1, 2]),
        (["T2", "T1"], [1, 2]),
    ],
)
def test_order_when_accepted(entries: list[str], expected: list[int]) -> None:
    assert order(outbox(*(entry(name[0], int(name[1])) for name in entries))) == expected


@pytest.mark.parametrize("registration", [None, PENDING, REJECTED])
def test_boot_is_alone_until_accepted(registration: RegistrationStatus | None) -> None:
    box = outbox(entry("T", 1), entry("N", 2), entry("?", 3), entry("B", 4))
    assert order(box, registration=registration) == [4]
    assert box.next_due(0, registration) == inf
    assert order(box) == [3, 1, 2]


@pytest.mark.parametrize(("registration", "expected"), [(None, []), (REJECTED, []), (PENDING, [3, 4])])
def test_triggered_messages_go_while_pending(registration: RegistrationStatus | None, expected: list[int]) -> None:
    held = [entry("N", 1), entry("?", 2)]
    triggered = [entry("N", 3, is_triggered=True), entry("?", 4, is_triggered=True)]
    box = outbox(*held, *triggered)
    assert (box.next_due(0, registration) == 0.0) is bool(expected)
    assert order(box, registration=registration) == expected


@pytest.mark.parametrize(("registration", "expected"), [(None, []), (REJECTED, []), (PENDING, [1])])
def test_triggered_readings_go_while_pending_if_they_are_the_head(
    registration: RegistrationStatus | None, expected: list[int]
) -> None:
    assert order(outbox(entry("R", 1, is_triggered=True), entry("T", 2)), registration=registration) == expected
    assert order(outbox(entry("T", 1), entry("R", 2, is_triggered=True)), registration=registration) == []


def test_triggered_messages_keep_their_place_when_accepted() -> None:
    assert order(outbox(entry("N", 1), entry("N", 2, is_triggered=True), entry("T", 3))) == [1, 2, 3]


def test_only_the_head_of_the_transaction_lane_is_considered() -> None:
    box = outbox(entry("T", 1, due=50.0), entry("T", 2), entry("N", 3))
    assert order(box, now=49.9) == [3]
    assert box.next_due(0, ACCEPTED) == 50.0
    assert order(box, now=50.0) == [1, 2]


def test_what_is_not_durable_waits_without_a_deadline() -> None:
    box = outbox(entry("T", 1, number=5), entry("T", 2, number=3), entry("P", 3, number=4), entry("N", 4))
    assert order(box, durable=4) == [3, 4]
    assert box.next_due(4, ACCEPTED) == inf
    assert box.next_due(5, ACCEPTED) == 0.0
    assert order(box, durable=5) == [1, 2]


def test_a_boot_notification_that_is_not_durable_or_not_due_waits() -> None:
    box = outbox(entry("B", 1, number=2, due=20.0))
    assert box.next_due(1, None) == inf
    assert box.next_due(2, None) == 20.0
    assert box.next(20.0, 1, None) is None
    assert box.next(19.9, 2, None) is None
    assert first(box, 20.0, 2, None).sequence == 1


def test_a_boot_notification_that_waits_holds_up_nobody_once_accepted() -> None:
    box = outbox(entry("B", 1, due=99.0), entry("T", 2), entry("N", 3))
    assert order(box) == [2, 3]
    assert box.next_due(0, ACCEPTED) == 99.0


def test_a_normal_message_that_waits_for_its_retry_lets_others_pass() -> None:
    box = outbox(entry("P", 1, due=30.0), entry("P", 2, due=20.0), entry("N", 3))
    assert box.next_due(0, ACCEPTED) == 0.0
    assert order(box) == [3]
    assert box.next_due(0, ACCEPTED) == 20.0
    assert order(box, now=30.0) == [1, 2]


def test_a_message_put_back_is_in_front_again() -> None:
    box = outbox(entry("T", 1), entry("T", 2), entry("N", 3), entry("N", 4))
    box.requeue(first(box, 0.0, 0, ACCEPTED))
    assert order(box) == [1, 2, 3, 4]


def test_due_times_of_retries_while_pending_are_those_of_triggered_messages() -> None:
    box = outbox(entry("P", 1, due=20.0), entry("P", 2, due=30.0, is_triggered=True))
    assert box.next_due(0, PENDING) == 30.0
    assert box.next_due(0, REJECTED) == inf


def test_restored_messages_are_put_in_order_and_keep_it_with_new_ones() -> None:
    box = outbox(entry("T", 9))
    box.restore([entry("T", 5), entry("T", 3), entry("P", 4)])
    assert box.depth == 4
    assert order(box) == [3, 4, 5, 9]


def test_a_second_boot_notification_is_a_mistake() -> None:
    box = outbox(entry("B", 1))
    with pytest.raises(AssertionError):
        box.add(entry("B", 2))


def test_what_does_not_wait_can_be_taken_out_without_harm() -> None:
    box = outbox(entry("T", 1), entry("N", 2))
    taken = first(box, 0.0, 0, ACCEPTED)
    for item in (taken, entry("N", 3), entry("?", 4), entry("R", 5), entry("B", 6)):
        box.remove(item)
    assert box.depth == 1
    assert order(box) == [2]


@pytest.mark.parametrize("name", ["B1", "T1", "T2", "N3", "?4", "P5", "P6"])
def test_remove(name: str) -> None:
    entries = {
        "B1": entry("B", 11),
        "T1": entry("T", 1),
        "T2": entry("T", 2),
        "N3": entry("N", 3),
        "?4": entry("?", 4),
        "P5": entry("P", 5, due=5.0),
        "P6": entry("P", 6, number=1),
    }
    box = outbox(*entries.values())
    gone = entries[name]
    box.remove(gone)
    assert box.depth == 6
    assert sorted(order(box, durable=1)) == sorted(item.sequence for item in entries.values() if item is not gone)
    assert (box.depth, box.bytes) == (0, 0)


# Backlog


def test_newer_normal_messages_overtake_the_backlog() -> None:
    box = outbox(entry("T", 1), entry("T", 2), entry("N", 3))
    box.mark_backlog(0.0)
    box.add(entry("T", 4))
    box.add(entry("N", 5))
    box.add(entry("?", 6))
    assert order(box) == [6, 1, 2, 3, 4, 5]


def test_the_newest_normal_messages_go_before_old_transactions_but_keep_their_own_order() -> None:
    box = outbox(entry("T", 1), entry("T", 2))
    box.mark_backlog(0.0)
    box.add(entry("N", 3))
    box.add(entry("N", 4))
    assert order(box) == [3, 4, 1, 2]


def test_the_replay_rate_paces_the_backlog_and_nothing_else() -> None:
    box = outbox(entry("T", 1), entry("P", 2), entry("T", 3), replay_rate=2.0)
    box.mark_backlog(100.0)
    box.add(entry("T", 4))
    box.add(entry("?", 5))
    assert order(box, now=100.0) == [5, 1]
    assert box.next_due(0, ACCEPTED) == 100.5
    assert order(box, now=100.4) == []
    assert order(box, now=100.5) == [2]
    assert order(box, now=101.0) == [3, 4]
    assert box.next_due(0, ACCEPTED) == inf


def test_a_paced_message_holds_back_newer_ones_of_its_lane_but_not_who_waits_or_was_triggered() -> None:
    box = outbox(entry("P", 1), entry("P", 2), replay_rate=1.0)
    box.mark_backlog(0.0)
    assert first(box, 0.0, 0, ACCEPTED).sequence == 1
    box.add(entry("N", 3))
    box.add(entry("?", 4))
    box.add(entry("N", 5, is_triggered=True))
    assert order(box, now=0.5) == [4, 5]
    assert box.next_due(0, ACCEPTED) == 1.0
    assert order(box, now=1.0) == [2, 3]


def test_a_retry_behind_a_paced_message_waits_for_it() -> None:
    box = outbox(entry("P", 1), entry("P", 2), replay_rate=0.1)
    box.mark_backlog(0.0)
    assert first(box, 0.0, 0, ACCEPTED).sequence == 1
    box.add(entry("P", 3, due=4.0))
    assert box.next_due(0, ACCEPTED) == 10.0
    assert order(box, now=4.0) == []
    assert order(box, now=10.0) == [2, 3]


def test_a_triggered_retry_does_not_wait_for_the_pace() -> None:
    box = outbox(entry("P", 1), entry("P", 2, due=4.0), replay_rate=0.1)
    box.mark_backlog(0.0)
    assert first(box, 0.0, 0, ACCEPTED).sequence == 1
    box.add(entry("P", 3, due=6.0, is_triggered=True))
    assert box.next_due(0, ACCEPTED) == 6.0
    assert order(box, now=6.0) == [3]
    assert box.next_due(0, ACCEPTED) == 10.0


def test_the_pace_is_kept_over_a_reconnect() -> None:
    box = outbox(entry("T", 1), entry("T", 2), replay_rate=0.5)
    box.mark_backlog(0.0)
    assert order(box, now=0.0) == [1]
    box.mark_backlog(1.0)
    assert order(box, now=1.0) == []
    assert box.next_due(0, ACCEPTED) == 2.0


def test_without_a_rate_the_backlog_goes_at_once() -> None:
    box = outbox(*(entry("T", n) for n in range(1, 6)))
    box.mark_backlog(0.0)
    assert order(box, now=0.0) == [1, 2, 3, 4, 5]


# Who waits


def test_whoever_waits_is_taken_out_in_order() -> None:
    box = outbox(entry("?", 2), entry("?", 1, number=9), entry("?", 3, is_triggered=True), entry("N", 4), entry("T", 5))
    assert [item.sequence for item in box.take_waiting(also_triggered=False)] == [1, 2]
    assert [item.sequence for item in box.take_waiting(also_triggered=True)] == [3]
    assert order(box, durable=9) == [4, 5]
    assert box.depth == 0


Message = tuple[str, float, int, bool]
"""what, due, number, is_triggered"""

ENTRIES = st.lists(
    st.tuples(
        st.sampled_from("BTRNP?"),
        st.sampled_from([0.0, 0.0, 5.0, 12.0, 20.0, 25.0]),
        st.sampled_from([0, 0, 1, 2]),
        st.booleans(),
    ),
    max_size=7,
)


@settings(max_examples=400, derandomize=True, database=None, deadline=None)
@given(
    entries=ENTRIES,
    newer=ENTRIES,
    rate=st.sampled_from([0.0, 0.1, 1.0]),
    taken=st.integers(0, 2),
    apart=st.integers(0, 3),
    registration=st.sampled_from([None, ACCEPTED, ACCEPTED, PENDING, REJECTED]),
)
def test_the_next_due_time_is_exact(
    entries: list[Message],
    newer: list[Message],
    rate: float,
    taken: int,
    apart: int,
    registration: RegistrationStatus | None,
) -> None:
    """At that time there is a message to send, and not a moment earlier."""

    def build() -> Outbox:
        box, has_boot = outbox(replay_rate=rate), False
        for sequence, (what, due, number, triggered) in enumerate(entries + newer, 1):
            if sequence == len(entries) + 1:
                box.mark_backlog(8.0)
                for _ in range(taken):
                    item = box.next(8.0, 1, ACCEPTED)
                    has_boot = has_boot and box.boot is not None
                    if item is not None and item.lane is not Lane.BOOT:
                        item.due = 20.0
                        box.requeue(item)
            if what == "B" and has_boot:
                continue
            has_boot = has_boot or what == "B"
            box.add(entry(what, sequence, due=due, number=number, is_triggered=triggered))
        for item in sorted(box._transactions)[:apart]:
            box.remove(item)
            box.set_aside(item, 3.0, 8.0)
            if apart == 3:
                assert box.apart is not None
                box.apart.tried(item, 8.0, 2.0)
        return box

    due = build().next_due(1, registration)
    if due == inf:
        assert build().next(1e9, 1, registration) is None
    else:
        assert build().next(due, 1, registration) is not None
        if due > 0:
            assert build().next(due - 1e-6, 1, registration) is None


def test_the_oldest_of_all_lanes() -> None:
    box = outbox(
        entry("N", 5), entry("T", 4), entry("?", 6), entry("R", 2), entry("P", 3, number=9), entry("N", 7, due=90.0)
    )
    assert [item.sequence for item in box.oldest(4)] == [2, 3, 4, 5]
    box.add(entry("B", 8))
    assert [item.sequence for item in box.oldest(100)] == [8, 2, 3, 4, 5, 6, 7]
    assert [item.sequence for item in box.oldest(1)] == [8]
    assert box.depth == 7


def test_what_waits_apart_and_what_was_replaced_among_the_oldest() -> None:
    box = outbox(entry("T", 1), entry("N", 2, topic="connector 1"))
    box.set_aside(entry("T", 0), 60.0, 10.0)
    replaced = box.newest("connector 1", is_triggered=False)
    assert replaced is not None
    box.replace(replaced)
    box.add(entry("N", 3, topic="connector 1"))
    assert [item.sequence for item in box.oldest(100)] == [0, 1, 3]
