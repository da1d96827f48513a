"""The message log as a page: libocpp's table, and the page that this library writes. A row is read when it is whole."""

import re
from collections.abc import Iterable
from html import unescape
from typing import Final

from ocpp16.lint.frame import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame
from ocpp16.lint.message_log_text import event_of, frame_in_log
from ocpp16.lint.reader import LONGEST_LINE, NotMine, Reader, time_in

_ROW: Final = re.compile(r"<(?P<tag>tr|details) class=\"(?P<by>ChargePoint|CentralSystem|SYS|cp|csms|sys)\b")
_BODY: Final = re.compile(r"<pre[^>]*>(.*?)</pre>", re.DOTALL)
_TITLE: Final = re.compile(r"<b>(.*?)</b>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_DIRECTIONS: Final = {
    "ChargePoint": FROM_CHARGE_POINT,
    "CentralSystem": FROM_CENTRAL_SYSTEM,
    "cp": FROM_CHARGE_POINT,
    "csms": FROM_CENTRAL_SYSTEM,
}


class MessageLogHtml(Reader):
    name = "message-log-html"
    what = "the message log of libocpp, or of this library, as a page"

    def __init__(self, head: bytes, charge_point: str) -> None:
        super().__init__(head, charge_point)
        self._row: list[str] = []
        self._begun = 0
        self._size = 0

    @classmethod
    def knows(cls, head: bytes) -> bool:
        return re.search(rb"<html|<!doctype html", head[:4096], re.IGNORECASE) is not None

    def read(self, number: int, line: bytes) -> Iterable[Frame]:
        text = line.decode(errors="replace")
        frames: list[Frame] = []
        # A row may begin in the line in which another ends.
        for part in re.split(r"(?<=</tr>)|(?<=</details>)", text):
            frames += self._part(number, part)
        return frames

    def _part(self, number: int, part: str) -> Iterable[Frame]:
        begin = _ROW.search(part)
        if begin is not None:
            self._row, self._begun, self._size = [], number, 0
            part = part[begin.start() :]
        elif not self._begun:
            return ()
        self._size += len(part)
        if self._size > LONGEST_LINE:
            self._row, self._begun = [], 0
            raise ValueError("a row is too long")
        self._row.append(part)
        if "</tr>" not in part and "</details>" not in part:
            return ()
        row, number = "".join(self._row), self._begun
        self._row, self._begun = [], 0
        return self._frames(row, number)

    def _frames(self, row: str, number: int) -> Iterable[Frame]:
        begin, body = _ROW.match(row), _BODY.search(row)
        assert begin is not None
        is_ours = begin["tag"] == "details"
        timestamp = time_in(row[: body.start()] if body else row)
        direction = _DIRECTIONS.get(begin["by"])
        if direction is None:
            title = _TITLE.search(row) if is_ours else None
            words = title[1] if title else _after_time(_TAG.sub(" ", row))
            return event_of(words.strip(), self._charge_point, number, timestamp)
        if body is None or not body[1].strip():
            raise NotMine
        # libocpp escapes no more than these two.
        text = unescape(body[1]) if is_ours else body[1].replace("&lt;", "<").replace("&gt;", ">")
        return (frame_in_log(text, direction, self._charge_point, number, timestamp),)


def _after_time(text: str) -> str:
    """The words of a row behind its time and who says it."""
    return re.sub(r"^.*?SYS\W*", "", unescape(text), count=1, flags=re.DOTALL)
