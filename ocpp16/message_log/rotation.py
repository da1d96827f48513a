"""Which files a log was rotated into, in which order, and which of them stay.

Rules of this file:
1. Rotated files are ordered by what their suffix means, not by its text: `.10` is older than `.9`, and of two of one
   second (`.20260131101530`, `.20260131101530-1`) the second is newer.
2. Only files whose name is one that rotation gives are touched.
3. A number that is taken is never written over; nor is a date.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ocpp16.state.clock import to_datetime

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_DATE = re.compile(r"([0-9]{14})(?:-([1-9][0-9]{0,8}))?")


@dataclass(frozen=True, slots=True)
class Rotation:
    """The LogRotation… keys. `size`: bytes at which a file is rotated, 0: never. `count`: files kept, the live one
    included, 0: all. `is_dated`: suffixes are times instead of numbers."""

    size: int
    count: int
    is_dated: bool

    def rotate(self, live: Path, at: int) -> int:
        """Give the live file its suffix; `at` is the time in µs. Returns how many were deleted. Raises OSError, but not
        for a file that somebody else has taken away meanwhile."""
        deleted = self._make_room(live)
        if self.count == 1:
            return deleted + _done(live.unlink)
        if self.is_dated:
            second = to_datetime(at).strftime("%Y%m%d%H%M%S")
            free, again = _with(live, second), 0
            while os.path.lexists(free):
                again += 1
                free = _with(live, f"{second}-{again}")
            _done(partial(live.rename, free))
        else:
            taken = {int(suffix) for suffix in _suffixes(live) if _NUMBER.fullmatch(suffix)}
            first_free = next(number for number in range(len(taken) + 1) if number not in taken)
            for number in range(first_free, 0, -1):
                _done(partial(_with(live, str(number - 1)).rename, _with(live, str(number))))
            _done(partial(live.rename, _with(live, "0")))
        return deleted

    def _make_room(self, live: Path) -> int:
        """Delete the oldest, so that with the one that comes there are no more than may stay."""
        if self.count == 0:
            return 0
        deleted = 0
        rotated = sorted(filter(_is_rotated, _suffixes(live)), key=self._age)
        # The live file becomes one of them, and a new one begins.
        for suffix in rotated[: max(len(rotated) + 2 - self.count, 0)]:
            deleted += _done(_with(live, suffix).unlink)
        return deleted

    def _age(self, suffix: str) -> tuple[bool, str, int]:
        """To sort by, oldest first; those of the other manner are of a time before this one."""
        if date := _DATE.fullmatch(suffix):
            return self.is_dated, date[1], int(date[2] or 0)
        return not self.is_dated, "", -int(suffix)


def _done(step: Callable[[], object]) -> bool:
    """Was there still a file for it?"""
    try:
        step()
    except FileNotFoundError:  # somebody else tidies up, or rotates, as well
        return False
    return True


def _is_rotated(suffix: str) -> bool:
    return (_NUMBER.fullmatch(suffix) or _DATE.fullmatch(suffix)) is not None


def _with(live: Path, suffix: str) -> Path:
    return live.with_name(f"{live.name}.{suffix}")


def _suffixes(live: Path) -> list[str]:
    """Of all files whose name begins with that of the live one."""
    beginning = f"{live.name}."
    return [name.removeprefix(beginning) for name in os.listdir(live.parent) if name.startswith(beginning)]
