"""What a Central System heard during a long run, and everything that is wrong with it.

`Record` reads the lines of csms_process.py as they come. The transactions are judged by transaction_check.py, one after
another: over connections that break at any moment, messages of different transactions may overtake each other (one
is set aside, or given up and sent again), those of one may not.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from judge import check_message
from kill_campaign import received, told_of
from transaction_check import TRANSACTION_ACTIONS, Fact, Request, check

Frame = list[Any]

EXCUSE = 3
"""So often at least was a message sent that was then set aside, or given up and sent again: its transaction may be told
in another order."""
ACCEPTING = frozenset({"Accepted", "RebootRequired", "Scheduled"})
"""Statuses of requests that changed something."""
_ON_THEIR_OWN = frozenset({"Sample.Clock", "Trigger"})
"""Contexts of readings that need no transaction."""


class Record:
    """Of one charge point; `lines` are those of its Central System, which grow."""

    def __init__(self, lines: Sequence[Mapping[str, Any]]) -> None:
        self._lines = lines
        self._read = 0
        self.frames: list[Frame] = []
        """What was received and sent, in order."""
        self.calls: list[Frame] = []
        """Calls of the charge point."""
        self.asked: dict[str, str] = {}
        """Calls to it: message id → action."""
        self.answers: dict[str, list[Frame]] = {}
        """What it answered to them."""
        self.replies: dict[int, bool] = {}
        """To commands to the Central System: were they carried out?"""
        self._came: set[str] = set()

    def read(self) -> None:
        """Take in what came since."""
        while self._read < len(self._lines):
            line = self._lines[self._read]
            self._read += 1
            event = line.get("event")
            if event is None:
                self.replies[line["id"]] = line["ok"]
            if event not in ("received", "sent"):
                continue
            frame: Frame = json.loads(line["text"])
            self.frames.append(frame)
            if event == "sent":
                if frame[0] == 2:
                    self.asked[frame[1]] = frame[2]
            elif frame[0] == 2:
                self.calls.append(frame)
                self._came.add(frame[2])
            else:
                self.answers.setdefault(frame[1], []).append(frame)

    def verdicts(self) -> dict[str, bool]:
        """Of each answered call to it: did it say that it does what is asked for?"""
        self.read()
        return {
            unique_id: frames[0][0] == 3 and frames[0][2].get("status") in ACCEPTING
            for unique_id, frames in self.answers.items()
        }

    def has_answer(self, unique_id: str) -> bool:
        self.read()
        return unique_id in self.answers

    def has_ended(self, number: int) -> bool:
        """Did the Central System say what became of this command?"""
        self.read()
        return number in self.replies

    def arrivals(self, action: str) -> int:
        """Calls of this action so far."""
        self.read()
        return sum(call[2] == action for call in self.calls) if action in self._came else 0

    def ids_since_boot(self) -> list[str]:
        """Of the calls that came after the last BootNotification, oldest first: all of the life that goes on."""
        self.read()
        boots = [number for number, call in enumerate(self.calls) if call[2] == "BootNotification"]
        return [call[1] for call in self.calls[boots[-1] :]]

    # What is wrong

    def problems(self, events: Sequence[Mapping[str, Any]]) -> list[str]:
        """`events`: what the charge point told its host, over all lives."""
        self.read()
        return [
            *self._bad_frames(),
            *transaction_problems(self.frames, events),
            *reservation_problems(self.calls, events),
        ]

    def _bad_frames(self) -> Iterator[str]:
        for unique_id, count in Counter(call[1] for call in self.calls).items():
            if count > 1:
                yield f"the message id {unique_id} came {count} times"
        for unique_id, frames in self.answers.items():
            if len(frames) > 1:
                yield f"{self.asked.get(unique_id)} {unique_id} was answered {len(frames)} times: {frames}"
            if unique_id not in self.asked:
                yield f"an answer to nothing: {frames}"
        for frame in [*self.calls, *(frame for frames in self.answers.values() for frame in frames)]:
            try:
                check_message(frame, self.asked)
            except Exception as error:  # whatever a schema has against it
                yield f"{frame}: {error}"


def in_order(requests: Sequence[Request]) -> list[Request]:
    """One transaction after another, by their ids, without readings that were triggered.

    A transaction with a message that may have been set aside or given up is put in the order of its times, each message
    once; all others stay as they came.
    """
    groups: dict[int, list[Request]] = {}
    for request in requests:
        if request.action in TRANSACTION_ACTIONS:
            number = request.transaction_id if request.action == "StartTransaction" else None
            number = request.payload.get("transactionId", number)
            if number is not None and not _is_triggered(request):
                groups.setdefault(number, []).append(request)
    ordered = []
    for group in groups.values():
        ordered += group if is_strict(group) else sorted(_once(group), key=_time)
    return ordered


def is_strict(group: Sequence[Request]) -> bool:
    """Was every message of the transaction sent less often than one that was set aside or given up?"""
    return max(Counter(map(_content, group)).values()) < EXCUSE


def strict_transactions(frames: Sequence[Frame]) -> int:
    """How many transactions have to be in the order in which they came."""
    groups: dict[int | None, list[Request]] = {}
    for request in _requests(frames):
        if request.action in TRANSACTION_ACTIONS:
            groups.setdefault(request.payload.get("transactionId", request.transaction_id), []).append(request)
    groups.pop(None, None)
    return sum(map(is_strict, groups.values()))


def transaction_problems(frames: Sequence[Frame], events: Sequence[Mapping[str, Any]]) -> list[str]:
    requests = _requests(frames)
    facts = [Fact(*fact) for fact in told_of(events)]
    problems: list[str] = [*check(in_order(requests), facts), *_triggered_outside(requests)]
    for request in requests:
        if request.action == "MeterValues" and "transactionId" not in request.payload:
            if not _contexts(request) <= _ON_THEIR_OWN:
                problems.append(f"readings belong to no transaction: {request.payload}")
        elif request.action == "StopTransaction" and request.payload["transactionId"] == -1:
            problems.append(f"the end of a transaction without an id: {request.payload}")
    numbers = {request.payload["idTag"]: request.transaction_id for request in requests if _is_start(request)}
    tags = {event["session_id"]: event["id_tag"] for event in events if event.get("phase") == "started"}
    for event in events:
        if event.get("phase") == "confirmed":
            tag = tags.get(event["session_id"])
            if tag is not None and numbers.get(tag) != event["transaction_id"]:
                problems.append(f"{tag} is transaction {numbers.get(tag)}, and the host was told {event}")
    return problems


def _triggered_outside(requests: Sequence[Request]) -> Iterator[str]:
    """A reading that is asked for tells the present, and goes ahead of what waits; but it is within its transaction."""
    starts = {request.transaction_id: request.payload for request in requests if _is_start(request)}
    ends = {one.payload["transactionId"]: one.payload for one in requests if one.action == "StopTransaction"}
    for request in filter(_is_triggered, requests):
        number = request.payload.get("transactionId")
        if number is None:
            continue
        start, end = starts.get(number), ends.get(number)
        if start is None or end is None or request.payload["connectorId"] != start["connectorId"]:
            yield f"a triggered reading of no transaction: {request.payload}"
            continue
        for value in request.payload["meterValue"]:
            if not start["timestamp"] <= value["timestamp"] <= end["timestamp"]:
                yield f"a triggered reading outside of transaction {number}: {value}"


def reservation_problems(calls: Sequence[Frame], events: Sequence[Mapping[str, Any]]) -> list[str]:
    """A reservation is for one transaction of its own id tag, which names it, and for none once it was cancelled.

    No number was given to two id tags, and no id tag had two transactions.
    """
    owners: dict[int, str] = {}
    ends: dict[int, str] = {}
    for event in events:
        if event["event"] == "reservation":
            owners[event["reservation_id"]] = event["id_tag"]
            ends[event["reservation_id"]] = event["state"]
    starts = {call[3]["idTag"]: call[3].get("reservationId") for call in calls if call[2] == "StartTransaction"}
    users: dict[int, set[str]] = {}
    for tag, number in starts.items():
        if number is not None:
            users.setdefault(number, set()).add(tag)
    problems = []
    for number, tags in users.items():
        if len(tags) > 1:
            problems.append(f"reservation {number} was used by {sorted(tags)}")
        owner = owners.get(number)
        if owner is not None and {tag.lower() for tag in tags} != {owner.lower()}:
            problems.append(f"reservation {number} of {owner} was used by {sorted(tags)}")
        if ends.get(number) == "cancelled":
            problems.append(f"reservation {number} was cancelled and used by {sorted(tags)}")
    for number, state in ends.items():
        if state == "used" and starts.get(owners[number], number) != number:
            problems.append(f"the transaction of {owners[number]} does not name its reservation {number}")
    return problems


def last_statuses(calls: Sequence[Frame]) -> dict[int, str]:
    """What the Central System was last told of each connector."""
    told = (call[3] for call in calls if call[2] == "StatusNotification")
    return {payload["connectorId"]: payload["status"] for payload in told}


def _requests(frames: Sequence[Frame]) -> list[Request]:
    return [Request(action, dict(payload), number) for action, payload, number in received(frames)]


def _is_triggered(request: Request) -> bool:
    return request.action == "MeterValues" and _contexts(request) == {"Trigger"}


def _contexts(request: Request) -> set[str]:
    return {
        sample.get("context", "Sample.Periodic")
        for value in request.payload["meterValue"]
        for sample in value["sampledValue"]
    }


def _is_start(request: Request) -> bool:
    return request.action == "StartTransaction"


def _content(request: Request) -> str:
    return f"{request.action} {sorted(request.payload.items())}"


def _once(group: Sequence[Request]) -> list[Request]:
    return list({_content(request): request for request in group}.values())


def _time(request: Request) -> tuple[int, str]:
    place = {"StartTransaction": 0, "MeterValues": 1, "StopTransaction": 2}[request.action]
    at = request.payload["meterValue"][0]["timestamp"] if request.action == "MeterValues" else ""
    return place, at
