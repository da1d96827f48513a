"""What is shed when too much waits: by count, by bytes, and never what money depends on."""

from typing import Any

import pytest

from ocpp16.enums import RegistrationStatus
from ocpp16.rpc import shedding
from ocpp16.rpc.outbox import Outbox, taken_of_disk
from ocpp16.rpc.pending import Entry, Lane
from ocpp16.rpc.policy import OutboxLimits

ROW = taken_of_disk(100)
"""What each of the messages here counts."""
ACTIONS = {
    "R": "MeterValues",
    "S": "StartTransaction",
    "E": "StopTransaction",
    "X": "SecurityEventNotification",
    "N": "Heartbeat",
    "P": "StatusNotification",
    "B": "BootNotification",
}


def filled(text: str, size: int = 100, **limits: Any) -> Outbox:
    """One entry per letter, sequences from 1. P is a stored normal message, N one that is not; B has no bytes."""
    box = Outbox(OutboxLimits(**limits))
    for sequence, letter in enumerate(text, 1):
        lane = Lane.TRANSACTION if letter in "RSEX" else Lane.BOOT if letter == "B" else Lane.NORMAL
        box.add(Entry(ACTIONS[letter], {}, lane, sequence, is_persistent=letter in "RSEXP", size=size))
    return box


def shed(text: str, **limits: Any) -> str:
    box = filled(text, **limits)
    dropped = {entry.sequence for entry in shedding.shed(box)}
    kept = [letter for sequence, letter in enumerate(text, 1) if sequence not in dropped]
    assert box.depth == len(kept)
    assert box.bytes == ROW * sum(letter != "B" for letter in kept)
    return "".join("." if sequence in dropped else letter for sequence, letter in enumerate(text, 1))


@pytest.mark.parametrize(
    ("threshold", "before", "after"),
    [
        # at the limit nothing goes
        (4, "NNNN", "NNNN"),
        # the oldest normal messages, a tenth of the threshold but at least one
        (4, "NNNNN", ".NNNN"),
        (4, "SNSNE", "S.SNE"),
        (20, "N" * 21, ".." + "N" * 19),
        (20, "N" * 25, "." * 6 + "N" * 19),
        (30, "P" * 31, "..." + "P" * 28),
        # never BootNotification
        (2, "BNNN", "B..N"),
        (1, "BSE", "BSE"),
        # normal ones first even if readings are older
        (4, "RRRRN", "RRRR."),
        # then every other reading; the last two stay
        (5, "RRRRRR", ".R.RRR"),
        (3, "RRRRRR", "...RRR"),
        (1, "RRRR", "..RR"),
        # a kept message of any kind makes the next reading a candidate
        (6, "SRRSRRE", "S.RS.RE"),
        (3, "SRE", "SRE"),
        (2, "RSE", ".SE"),
        (2, "SRE", "SRE"),
        # starts, stops and security events stay whatever the limit
        (1, "SXESXE", "SXESXE"),
        (1, "SRXRE", "S.XRE"),
    ],
)
def test_by_count(threshold: int, before: str, after: str) -> None:
    assert shed(before, threshold=threshold) == after


@pytest.mark.parametrize(
    ("rows", "before", "after"),
    [
        (4, "RRRR", "RRRR"),
        # normal messages go first, stored or not, the oldest of them before the others
        (4, "PRRRR", ".RRRR"),
        (4, "RNPRR", "R.PRR"),
        (3, "PNRRRR", "...RRR"),
        (2, "PPRRRR", "....RR"),
        (5, "NNNNRRRR", "...NRRRR"),
        (3, "NNNNSRRR", "....S.RR"),
        (1, "SXEP", "SXE."),
        # a tenth of them at a time, so that it is not done for each
        (24, "N" * 25, ".." + "N" * 23),
        (1, "SXEB", "SXEB"),
        (0, "RRRRRRRR", "RRRRRRRR"),
    ],
)
def test_by_bytes(rows: int, before: str, after: str) -> None:
    assert shed(before, byte_limit=rows * ROW) == after


@pytest.mark.parametrize(
    ("text", "limits", "expected"),
    [
        ("RRR", {"threshold": 3}, False),
        ("RRRR", {"threshold": 3}, True),
        ("RRR", {"byte_limit": 3 * ROW}, False),
        ("RRR", {"byte_limit": 3 * ROW - 1}, True),
        ("RRR", {"byte_limit": 0}, False),
        ("R" * 2000, {}, False),
        # without MessageQueueSizeThreshold the normal lane has a bound of its own
        ("N" * 10_000, {}, False),
        ("N" * 10_001, {}, True),
        ("NNNRRR", {"normal": 3}, False),
        ("NNNNR", {"normal": 3}, True),
    ],
)
def test_is_over_limit(text: str, limits: dict[str, int], expected: bool) -> None:
    assert filled(text, **limits).is_over_limit is expected


def test_entries_without_a_size_are_measured_as_they_would_be_sent() -> None:
    box = Outbox(OutboxLimits())
    box.add(Entry("BootNotification", {"a": "x" * 500}, Lane.BOOT, 1))
    assert box.bytes == 0
    box.add(Entry("Heartbeat", {"a": "x" * 500}, Lane.NORMAL, 2))
    assert taken_of_disk(500) < box.bytes < taken_of_disk(600)
    box.add(Entry("MeterValues", {"a": "x" * 500}, Lane.TRANSACTION, 3, is_persistent=True))
    assert 2 * taken_of_disk(500) < box.bytes < 2 * taken_of_disk(600)
    box.add(Entry("MeterValues", {"a": "x" * 500}, Lane.TRANSACTION, 4, is_persistent=True, size=10_000))
    assert taken_of_disk(10_000) < box.bytes - 2 * taken_of_disk(500) < taken_of_disk(10_000) + 200


def test_a_message_that_cannot_be_written_down_is_not_measured() -> None:
    box = Outbox(OutboxLimits())
    box.add(Entry("MeterValues", {"a": object()}, Lane.TRANSACTION, 1, is_persistent=True))
    assert (box.depth, box.bytes) == (1, taken_of_disk(0))


def test_what_waits_in_any_corner_can_be_shed() -> None:
    box = Outbox(OutboxLimits(threshold=1))
    corners = [
        Entry("Heartbeat", {}, Lane.NORMAL, 1, number=9),
        Entry("Heartbeat", {}, Lane.NORMAL, 2, due=99.0),
        Entry("Heartbeat", {}, Lane.NORMAL, 3, is_triggered=True),
        Entry("Authorize", {}, Lane.NORMAL, 4),
        Entry("Heartbeat", {}, Lane.NORMAL, 5),
    ]
    for entry in corners:
        box.add(entry)
    assert shedding.shed(box) == corners[:4]
    assert box.depth == 1


def test_without_a_threshold_the_oldest_normal_messages_go() -> None:
    assert shed("RRR" + "N" * 21, normal=20) == "RRR" + ".." + "N" * 19


def test_what_waits_apart_is_thinned_like_the_rest() -> None:
    box = filled("RRRRRR", threshold=5)
    first = box.next(0.0, 0, RegistrationStatus.ACCEPTED)
    assert first is not None
    box.set_aside(first, 60.0, 0.0)
    assert [entry.sequence for entry in shedding.shed(box)] == [1, 3]
    assert (box.depth, box.bytes) == (4, 4 * ROW)


@pytest.mark.parametrize(
    ("text", "passes"),
    [("SE" + "E" * 6_400, 0), ("SRE" + "E" * 6_400, 1), ("E" * 6_400 + "R" * 640, 20)],
    ids=["nothing may go", "all went", "one more each time"],
)
def test_a_lane_that_cannot_be_shed_is_not_looked_through_for_every_message(text: str, passes: int) -> None:
    """Readings that come one by one to a long lane are thinned when it has grown by a fraction."""
    done = 0

    class CountedOutbox(Outbox):
        def waiting_of(self, transaction: object | None = None) -> list[Entry]:
            nonlocal done
            done += 1
            return super().waiting_of(transaction)

    box = CountedOutbox(OutboxLimits(threshold=10))
    for sequence, letter in enumerate(text):
        box.add(Entry(ACTIONS[letter], {}, Lane.TRANSACTION, sequence, is_persistent=True, size=100))
        if box.is_over_limit:
            shedding.shed(box)
    assert box.depth < len(text) or "R" not in text
    assert done <= passes
    assert (done > 0) is ("R" in text), "only readings may go"


def test_thinning_halves_the_readings_of_a_long_queue_in_one_pass() -> None:
    box = filled("R" * 1001, threshold=1000)
    dropped = shedding.shed(box)
    assert [entry.sequence for entry in dropped[:3]] == [1, 3, 5]
    assert box.depth == 501
