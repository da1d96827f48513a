"""The message log as a page: libocpp's table, and the page that this library writes. A row is read when it is whole."""

import re
from collections.abc import Iterable
from html import unescape
from typing import Final

from ocpp16.lint.frame import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame
from ocpp16.lint.message_log_text import event_of, frame_in_log
from ocpp16.lint.reader import LONGEST_LINE, NotMine, Reader, time_in

_ROW: Final = re.compile(r"<(?P<tag>tr|details) class=\"(?P<by>ChargePoint|CentralSystem|SYS|cp|csms|sys)\b")
_TITLE: Final = re.compile(r"<b>([^<]*)</b>")
_TAG: Final = re.compile(r"<[^<>]*>")
_GLANCE: Final = 2_000
"""Characters of a row in which its time, and the words of an event, are looked for."""
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
        begin, (head, body) = _ROW.match(row), _split(row)
        assert begin is not None
        is_ours = begin["tag"] == "details"
        timestamp = time_in(head)
        direction = _DIRECTIONS.get(begin["by"])
        if direction is None:
            title = _TITLE.search(head) if is_ours else None
            words = title[1] if title else _after_time(_TAG.sub(" ", head))
            return event_of(words.strip(), self._charge_point, number, timestamp)
        if not body.strip():
            raise NotMine
        # libocpp escapes no more than these two.
        text = unescape(body) if is_ours else body.replace("&lt;", "<").replace("&gt;", ">")
        return (frame_in_log(text, direction, self._charge_point, number, timestamp),)


def _split(row: str) -> tuple[str, str]:
    """What is before the body, as much as is looked at, and the body, "" if there is none. Each is found in one pass,
    whatever a row holds."""
    begin = row.find("<pre")
    content = row.find(">", begin) + 1 if begin >= 0 else 0
    end = row.find("</pre>", content) if content else -1
    return row[: begin if begin >= 0 else len(row)][:_GLANCE], row[content:end] if end >= 0 else ""


def _after_time(text: str) -> str:
    """The words of a row behind its time and who says it."""
    return re.sub(r"^.*?SYS\W*", "", unescape(text), count=1, flags=re.DOTALL)
