"""What went otherwise than in the trace."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ocpp16.replay.story import Answer
from ocpp16.texts import shown

MOST_DIFFERENCES: Final = 1_000
"""That are kept of a charge point; all are counted."""
NOT_COMPARED: Final = frozenset({"currentTime", "transactionId"})
"""Members that cannot be the same again."""
INTERRUPTED: Final = "interrupted before all was played"
_DEPTH: Final = 32


class Difference(NamedTuple):
    """line: of the request in the trace, 0 where it is not in the trace; text: what is otherwise, harmless to show."""

    line: int
    action: str
    text: str


@dataclass(slots=True)
class Outcome:
    """Of one charge point. played: requests that were sent; answered: how many of them were; count: of differences.
    connections: how many there were. end: why it ended before all was played, or ""."""

    identity: str
    """Its id, in the trace and now."""
    played: int = 0
    answered: int = 0
    count: int = 0
    connections: int = 1
    differences: list[Difference] = field(default_factory=list)
    end: str = ""

    @property
    def is_same(self) -> bool:
        """Did nothing differ, and was all of it played?"""
        return not self.count and not self.end

    @contextmanager
    def ends_with(self) -> Iterator[None]:
        """A block that plays it: left by an exception, as when it is cancelled, not all was played."""
        try:
            yield
        except BaseException:
            self.end = self.end or INTERRUPTED
            raise

    def differ(self, line: int, action: str, text: str) -> None:
        """Note a difference."""
        self.count += 1
        if len(self.differences) < MOST_DIFFERENCES:
            self.differences.append(Difference(line, shown(action, 60), text))

    def compare(self, line: int, action: str, before: Answer | None, now: Answer) -> None:
        """Note what is otherwise in the answer of now."""
        if before is None:
            return
        for text in differences(before, now):
            self.differ(line, action, text)


def differences(before: Answer, now: Answer) -> Iterator[str]:
    """In what an answer is otherwise: as a result or an error, in status, and in shape, which is names and kinds of
    members. Values that are no status are not compared."""
    if before.code or now.code:
        if before.code != now.code:
            was, is_now = (shown(one.code, 60) or "a result" for one in (before, now))
            yield f"the answer is {is_now}, was {was}"
        return
    yield from _of(before.payload, now.payload, "", _DEPTH)


def _of(before: Any, now: Any, place: str, depth: int) -> Iterator[str]:
    if not depth:
        return
    if isinstance(before, dict) and isinstance(now, dict):
        for name in before:
            where = f"{place}.{shown(name, 60)}".lstrip(".")
            if name not in now:
                yield f"{where} is missing"
            elif name not in NOT_COMPARED:
                yield from _of(before[name], now[name], where, depth - 1)
        for name in now:
            if name not in before:
                yield f"{place}.{shown(name, 60)}".lstrip(".") + " is new"
    elif isinstance(before, list) and isinstance(now, list):
        for number, (one, other) in enumerate(zip(before, now, strict=False)):
            yield from _of(one, other, f"{place}[{number}]", depth - 1)
    elif _kind(before) != _kind(now):
        yield f"{place} is {_kind(now)}, was {_kind(before)}"
    elif place.rpartition(".")[2] == "status" and before != now:
        yield f"{place} is {shown(now, 60)}, was {shown(before, 60)}"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    return {str: "a text", dict: "an object", list: "a list", type(None): "null"}.get(type(value), "something else")


def counted(exchanges: Any, *, is_ours: bool) -> "Counter[str]":
    """Requests of one side by action."""
    return Counter(one.action for one in exchanges if one.is_ours is is_ours)
