"""What a reader of a file's format is; `readers` is the table of them.

A reader is given lines, one after another, and gives frames. Of a line that belongs to something else, as a log has
many, it says so by `NotMine`; of one that is broken by ValueError with the reason. Neither ends the reading.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ocpp16.lint.frame import Frame

LONGEST_LINE: Final = 64 * 1024 * 1024
"""Bytes: a frame of the largest size that can be configured, as text and as members."""
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?(?![\d:])", re.ASCII
)


class NotMine(Exception):
    """The line is of something else than messages."""


class Reader(ABC):
    """name: by which it is chosen; what: whose files it reads, for people.

    Parameters: `head` is the beginning of the file; `charge_point` is the id where the file has none.
    """

    name: ClassVar[str]
    what: ClassVar[str]

    def __init__(self, head: bytes, charge_point: str) -> None:
        self._charge_point = charge_point

    @classmethod
    @abstractmethod
    def knows(cls, head: bytes) -> bool:
        """Does a file that begins like this look like one of its files?"""

    @abstractmethod
    def read(self, number: int, line: bytes) -> Iterable[Frame]:
        """The frames that are complete with this line. Raises NotMine and ValueError."""

    def end(self) -> Iterator[Frame]:
        """What is complete with the end of the file. Raises ValueError."""
        yield from ()


def time_in(text: str) -> str:
    """The first time of a line of a log, in the form of RFC 3339, without a zone where it has none; "" if there is no
    time."""
    found = _TIME.search(text)
    if found is None:
        return ""
    day, clock, fraction, zone = found.groups()
    if zone and zone != "Z" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{day}T{clock}" + (f".{fraction}" if fraction else "") + (zone or "")
