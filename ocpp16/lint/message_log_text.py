"""The message log of libocpp as text, which is that of this library too: a header line, the body, an empty line.

    2026-01-31T10:15:30.123Z: ChargePoint>CentralSystem Heartbeat
    [
      2,
      "7",
      …

Raw logs have the frame in one line: in the header (libocpp) or as the body. Events of the connection have no body.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ocpp16.lint.frame import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame, connected, disconnected, frame_of
from ocpp16.lint.reader import LONGEST_LINE, NotMine, Reader, time_in

HEADER: Final = re.compile(
    rb"^(?P<time>\d{4}-\d\d-\d\d[T ][\d:.,]{8,18}(?:Z|[+-]\d\d:?\d\d)?): "
    rb"(?P<by>ChargePoint|CentralSystem|SYS)>(?:ChargePoint|CentralSystem)?(?P<title>.*)",
    re.DOTALL,
)
_KNOWN: Final = re.compile(HEADER.pattern, re.MULTILINE)
DIRECTIONS: Final = {"ChargePoint": FROM_CHARGE_POINT, "CentralSystem": FROM_CENTRAL_SYSTEM}
_CUT: Final = re.compile(r"…\(\+\d+\)\s*$")


class MessageLogText(Reader):
    name = "message-log"
    what = "the message log of libocpp, or of this library, as text"

    def __init__(self, head: bytes, charge_point: str) -> None:
        super().__init__(head, charge_point)
        self._header: tuple[int, str, str] | None = None
        """Line, time and direction of the message whose body is read."""
        self._body: list[bytes] = []
        self._size = 0

    @classmethod
    def knows(cls, head: bytes) -> bool:
        return _KNOWN.search(head) is not None

    def read(self, number: int, line: bytes) -> Iterable[Frame]:
        found = HEADER.match(line)
        if found is not None:
            before = self._complete()
            return [*before, *self._begin(number, found)]
        if self._header is None:
            if line.strip():
                raise NotMine
            return ()
        if not line.strip():
            return self._complete()
        self._size += len(line)
        if self._size > LONGEST_LINE:
            self._header, self._body, self._size = None, [], 0
            raise ValueError("the body of a message is too long")
        self._body.append(line)
        return ()

    def _begin(self, number: int, found: re.Match[bytes]) -> Iterable[Frame]:
        timestamp, by = time_in(found["time"].decode()), found["by"].decode()
        title = found["title"].decode(errors="replace").strip()
        if by == "SYS":
            return event_of(title, self._charge_point, number, timestamp)
        if title.startswith("["):
            self._header = None
            return (frame_in_log(title, DIRECTIONS[by], self._charge_point, number, timestamp),)
        self._header = number, timestamp, DIRECTIONS[by]
        return ()

    def _complete(self) -> list[Frame]:
        header, body = self._header, b"".join(self._body).decode(errors="replace").strip()
        self._header, self._body, self._size = None, [], 0
        if header is None or not body:
            return []
        number, timestamp, direction = header
        return [frame_in_log(body, direction, self._charge_point, number, timestamp)]

    def end(self) -> Iterator[Frame]:
        is_whole = bool(self._body) and is_whole_message(self._body[-1])
        for frame in self._complete():
            if not frame.fault or is_whole:  # else a killed program has left it
                yield frame


def is_whole_message(line: bytes) -> bool:
    """Does a message end with this line, the last of a file?"""
    return line.rstrip().endswith(b"]")


def frame_in_log(text: str, direction: str, charge_point: str, number: int, timestamp: str) -> Frame:
    if _CUT.search(text):
        raise ValueError("a message that was cut when it was written")
    return frame_of(text, direction, charge_point=charge_point, line=number, timestamp=timestamp)


def event_of(title: str, charge_point: str, number: int, timestamp: str) -> Iterable[Frame]:
    """What an event of the connection says."""
    words = title.lower()
    if words.startswith("connected"):
        return (connected(charge_point, line=number, timestamp=timestamp),)
    if words.startswith(("disconnected", "reconnecting")):
        return (disconnected(charge_point, line=number, timestamp=timestamp),)
    return ()
