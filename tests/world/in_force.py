"""What may be in force on a charge point: what was asked for and answered, and what was asked for and never answered.

`Subject` keeps every value that one subject may have. A request that was accepted leads each of them on; one that was
refused, none; one whose answer nobody heard makes two possibilities of each. What is then seen must be among them.

Values are compared by ==, so they are plain: texts, numbers, tuples, frozensets.
"""

from collections.abc import Callable, Mapping
from typing import Any

Change = Callable[[Any], Any]
"""From the value before an accepted request to the one after it."""

UNKNOWN = object()
"""Whatever is seen first is right."""
MOST = 4096
"""Possible values that are kept apart; more of them prove nothing any more."""


class Subject:
    """One subject. Requests are given in the order in which they were sent."""

    def __init__(self, name: str, value: Any = UNKNOWN) -> None:
        self.name = name
        self.possible = [value]
        self._asked: list[tuple[str | None, Change, str]] = []

    def ask(self, unique_id: str, change: Change, what: str) -> None:
        """A request was sent that would have this effect."""
        self._asked.append((unique_id, change, what))

    def may_have(self, change: Change, what: str) -> None:
        """Something happened that nobody answers and that may have this effect."""
        self._asked.append((None, change, what))

    def seen(self, value: Any, verdicts: Mapping[str, bool]) -> str | None:
        """What it is now; `verdicts`: which requests were accepted (True) or refused. Returns what is wrong.

        All that was asked before counts as settled from here on.
        """
        before = self.possible
        for unique_id, change, _ in self._asked:
            self._settle(change, None if unique_id is None else verdicts.get(unique_id))
        wrong = None
        if UNKNOWN not in self.possible and value not in self.possible:
            story = ", ".join(
                f"{what}: {_WORDS[None if unique_id is None else verdicts.get(unique_id)]}"
                for unique_id, _, what in self._asked
            )
            wrong = f"{self.name} is {value!r}; it was one of {before!r}, then [{story}]"
        self.possible = [value]
        self._asked.clear()
        return wrong

    def _settle(self, change: Change, verdict: bool | None) -> None:
        if verdict is False:
            return
        changed = [UNKNOWN if value is UNKNOWN else change(value) for value in self.possible]
        for value in changed if verdict is None else ():
            if value not in self.possible:
                self.possible.append(value)
        if verdict:
            self.possible = changed
        if len(self.possible) > MOST:
            self.possible = [UNKNOWN]


_WORDS = {True: "accepted", False: "refused", None: "not answered"}


def put(value: Any) -> Change:
    """A request that sets it, whatever it was."""
    return lambda _: value


# The local authorization list: (version, {(id tag, status)}); the version of an empty one is 0 (§5.10).


def list_update(version: int, entries: Mapping[str, str | None], *, is_full: bool) -> Change:
    """An accepted SendLocalList; a status of None deletes the entry."""

    def change(before: tuple[int, frozenset[tuple[str, str]]]) -> tuple[int, frozenset[tuple[str, str]]]:
        merged: dict[str, str | None] = {} if is_full else dict(before[1])
        merged |= {tag.lower(): status for tag, status in entries.items()}
        kept = frozenset((tag, status) for tag, status in merged.items() if status is not None)
        return version if kept else 0, kept

    return change


# Charging profiles: {(id, connector, purpose, stack level)}

Profile = tuple[int, int, str, int]


def profile_set(profile: Profile) -> Change:
    """It takes the place of the one with its id, and of the one with its connector, purpose and level (§3.13.2); a
    TxDefaultProfile of connector 0 of those of every connector.
    """
    number, connector, *rest = profile
    is_for_all = connector == 0 and profile[2] == "TxDefaultProfile"

    def is_replaced(one: Profile) -> bool:
        return one[0] == number or ([*one[2:]] == rest and (is_for_all or one[1] == connector))

    def change(before: frozenset[Profile]) -> frozenset[Profile]:
        return frozenset(one for one in before if not is_replaced(one)) | {profile}

    return change


def profiles_cleared(profile_id: int | None = None, purpose: str | None = None) -> Change:
    """Those with this id, or else with this purpose, are gone; neither: all are."""

    def is_meant(one: Profile) -> bool:
        return profile_id == one[0] if profile_id is not None else purpose in (None, one[2])

    return lambda before: frozenset(one for one in before if not is_meant(one))
