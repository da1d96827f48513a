"""Where frames of WebSocket begin and end in bytes that come in any pieces (RFC 6455 §5.2).

Nothing is unmasked, nothing is kept but an incomplete header: what comes in goes out, told what it is. What stands
before the first frame, the handshake, passes as it is; and so does all that follows a header that cannot be read, or an
answer that is no consent.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_CONSENT: Final = re.compile(rb"HTTP/1\.[01] 101")
_FIN, _OPCODE, _CONTROL, _MASKED, _LENGTH = 0x80, 0x0F, 0x08, 0x80, 0x7F
_BEGIN: Final = 12
"""Bytes of an answer that say whether it is a consent."""


class Part(NamedTuple):
    """Some bytes. is_message: they are of a text or binary message, which begins (`begins`) or ends (`ends`) with
    them; else of the handshake or a control frame."""

    data: bytes
    is_message: bool = False
    begins: bool = False
    ends: bool = False


class Borders:
    """What one end sends. `is_answer`: it is the server, whose handshake says whether there will be frames.

    is_between: no message is under way, and a frame may stand here.
    """

    __slots__ = (
        "_before",
        "_beginning",
        "_header",
        "_in_handshake",
        "_in_message",
        "_is_answer",
        "_is_lost",
        "_last",
        "_left",
        "_of_message",
    )

    def __init__(self, *, is_answer: bool) -> None:
        self._is_answer = is_answer
        self._in_handshake = True
        self._beginning = self._before = b""
        self._is_lost = False
        self._header = b""
        self._left = 0
        """Bytes of the present frame's payload that are to come."""
        self._of_message = False
        """The present frame is one of a message."""
        self._last = False
        """The present frame is the last one of its message."""
        self._in_message = False

    @property
    def is_between(self) -> bool:
        return not (self._in_handshake or self._is_lost or self._in_message or self._left or self._header)

    def feed(self, data: bytes) -> Iterator[Part]:
        """The same bytes, but for a header that is not whole yet: it comes with the next."""
        if self._in_handshake:
            blank = _BLANK_LINE.search(self._before + data)
            end = len(data) if blank is None else blank.end() - len(self._before)
            self._before = (self._before + data)[-2:]
            if len(self._beginning) < _BEGIN:
                self._beginning = (self._beginning + data)[:_BEGIN]
            if blank is not None:
                self._in_handshake = False
                self._is_lost = self._is_answer and _CONSENT.match(self._beginning) is None
            yield Part(data[:end])
            data = data[end:]
        while data:
            if self._is_lost:
                yield Part(data)
                return
            if self._left:
                part, data = data[: self._left], data[self._left :]
                self._left -= len(part)
                yield self._part(part, begins=False)
                continue
            whole = self._header + data
            size = _header_size(whole)
            if len(whole) < size:
                self._header = whole
                return
            self._header = b""
            begins = self._begin(whole, size)
            end = min(len(whole), size + self._left)
            self._left -= end - size
            part, data = whole[:end], whole[end:]
            yield self._part(part, begins=begins)

    def _begin(self, header: bytes, size: int) -> bool:
        """A frame begins; is it the first of a message?"""
        opcode, length = header[0] & _OPCODE, header[1] & _LENGTH
        if length == 126:
            length = int.from_bytes(header[2:4])
        elif length == 127:
            length = int.from_bytes(header[2:10])
        self._left = length
        self._of_message = opcode < _CONTROL
        if 2 < opcode < _CONTROL or opcode > 10:
            self._is_lost, self._of_message, self._left = True, False, len(header) - size
            return False
        if not self._of_message:
            return False
        begins, self._last = not self._in_message, bool(header[0] & _FIN)
        self._in_message = True
        return begins

    def _part(self, data: bytes, *, begins: bool) -> Part:
        ends = self._of_message and self._last and not self._left
        if ends:
            self._in_message = False
        return Part(data, self._of_message, begins, ends)


def _header_size(data: bytes) -> int:
    """Bytes of the header that begins here, as far as it can be told: more than there are if it is not whole."""
    if len(data) < 2:
        return 2
    length = data[1] & _LENGTH
    return 2 + (2 if length == 126 else 8 if length == 127 else 0) + (4 if data[1] & _MASKED else 0)
