"""What a session costs: by the length of its queue nothing, and while idle next to nothing."""

import gc
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from ocpp16.models import Counters
from ocpp16.rpc import pending
from ocpp16.rpc.outbox import Outbox
from ocpp16.rpc.pending import OpenCall
from ocpp16.rpc.policy import OutboxLimits, RetryRules
from ocpp16.rpc.replies import OutgoingFrame, ReplyLane
from ocpp16.rpc.requests import Requests
from ocpp16.rpc.session import Session

if TYPE_CHECKING:
    from _typeshed import TraceFunction

    from tests.rpc.conftest import Ledger, Line


def steps_of(work: Callable[[], object]) -> int:
    """Instructions of the interpreter that `work` runs through, so that a loop over a queue shows in one call too."""
    steps = 0

    def count(frame: FrameType, event: str, argument: Any) -> "TraceFunction":
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return count

    before = sys.gettrace()
    gc.disable()  # its callbacks would be counted
    sys._getframe().f_trace_opcodes = True  # CPython 3.12 looks only now whether anybody wants them
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
        gc.enable()
    return steps


def cycle(line: "Line") -> OutgoingFrame:
    """Ask, write, ask again, take the answer: what the link does for each message."""
    session = line.session
    line.now += 1
    session.deadline(line.durable)
    frame = line.frame()
    assert session.next_frame(line.now, line.durable) is None
    session.deadline(line.durable)
    session.on_time(line.now)
    session.receive(f'[3,"{frame.unique_id}",{{}}]', line.now)
    return frame


@pytest.mark.parametrize("replay_rate", [0.0, 1e9])
@pytest.mark.parametrize("kind", ["waiting", "not durable", "normal waiting", "normal not durable"])
def test_a_long_queue_costs_no_more_per_message(new_line: "type[Line]", kind: str, replay_rate: float) -> None:
    steps = []
    for length in (10, 20_000):
        limits = OutboxLimits(queue_all=True, threshold=50_000, replay_rate=replay_rate)
        line = new_line(connected=False, limits=limits)
        is_normal = kind.startswith("normal")
        for _ in range(length):
            members: dict[str, Any] = {"is_persistent": True} if is_normal else {}
            entry = line.entry("StatusNotification" if is_normal else "MeterValues", size=100, **members)
            entry.number = 1 if kind.endswith("not durable") and entry.sequence > 4 else 0
            line.ledger.rows[entry.sequence] = entry
            line.session.outbox.add(entry)
        line.connect()
        cycle(line)
        steps.append(steps_of(partial(cycle, line)))
        assert line.ledger.of("confirmed") == [1, 2]
    # A heap compares once for each of its levels, which are steps of Python only where this runs uncompiled.
    levels = 6 * (20_000).bit_length() if pending.__file__.endswith(".py") else 0
    assert steps[1] <= steps[0] + 20 + levels


def test_enqueueing_costs_no_more_in_a_long_queue(new_line: "type[Line]") -> None:
    steps = []
    for length in (10, 20_000):
        line = new_line(connected=False, limits=OutboxLimits(threshold=50_000))
        for _ in range(length):
            line.session.outbox.add(line.entry("MeterValues", size=100))
        entry = line.entry("MeterValues")
        steps.append(steps_of(partial(line.session.enqueue, entry, line.now)))
    assert steps[1] <= steps[0] + 20


def test_an_idle_session_is_small(new_ledger: "type[Ledger]") -> None:
    session = Session(delivery=new_ledger(), new_id=str, counters=Counters())
    ours = (Session, Requests, Outbox, OpenCall, ReplyLane, OutboxLimits, RetryRules, list, dict, deque, set)
    seen: set[int] = set()
    stack: list[object] = [session]
    size = 0
    while stack:
        item = stack.pop()
        if id(item) in seen or not isinstance(item, ours):
            continue
        seen.add(id(item))
        size += sys.getsizeof(item)
        stack += gc.get_referents(item)
        assert not hasattr(item, "__dict__")
    assert size < 2048
