"""What a script can look back on: of each action that it asks for, the exchanges of one charge point that came last."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from ocpp16.scenario.model import Seen

MOST_KEPT: Final = 256
"""Of one action; a CALL and its answer are two."""


class Exchange(NamedTuple):
    """A CALL with its answer. `number` grows with each that is answered or seen; `is_answered`: is it?"""

    number: int
    seen: Seen
    action: str
    payload: Any
    at: float
    is_answered: bool = False
    answer: Any = None
    code: str = ""


class Exchanges:
    """Parameters: the `actions` that the script asks for; of others nothing is kept."""

    __slots__ = ("_forgotten", "_kept")

    def __init__(self, actions: Iterable[str]) -> None:
        self._kept: dict[str, deque[Exchange]] = {action: deque() for action in actions}
        self._forgotten: dict[str, int] = {}

    def add(self, one: Exchange) -> None:
        """The next; the oldest of its action goes, where there are too many."""
        kept = self._kept.get(one.action)
        if kept is None:
            return
        kept.append(one)
        if len(kept) > MOST_KEPT:
            self._forgotten[one.action] = kept.popleft().number

    def since(self, mark: int, action: str) -> list[Exchange]:
        """Those of this action behind the number `mark` that are known."""
        return [one for one in self._kept.get(action, ()) if one.number > mark]

    def forgot(self, mark: int, action: str) -> bool:
        """Were there more behind this number?"""
        return self._forgotten.get(action, 0) > mark
