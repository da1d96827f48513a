"""Messages out of what arrives of them: fragments, and the pieces in which frames come (RFC 6455 §5.4).

A message is bounded in bytes and in fragments while it grows, so that none has to be kept that will be refused. Knows
no connection: who asks closes it.
"""

from typing import Any, Final

from wsproto.events import BytesMessage, TextMessage

__all__ = ["Assembly", "Unacceptable"]

MAX_FRAGMENTS: Final = 1 << 14  # of one message: 64 bytes each in the largest one; without a limit empty ones never end
MAX_PARTS: Final = 1 << 10  # pieces that wait to be joined: each costs more than its letters


class Unacceptable(Exception):
    """A message that the connection must not outlive: `code` and `reason` for the close frame (RFC 6455 §7.4)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Assembly:
    """One message that arrives in parts. `limit` is the size of the largest one in bytes; keeps_bytes: a byte of a
    binary message that belongs to no UTF-8 is kept as a surrogate (PEP 383)."""

    __slots__ = ("_errors", "_fragments", "_limit", "_parts", "_size")

    def __init__(self, limit: int, *, keeps_bytes: bool = False) -> None:
        self._limit = limit
        self._errors = "surrogateescape" if keeps_bytes else "strict"
        self._parts: list[Any] = []  # all str or all bytes
        self._size = 0  # bytes
        self._fragments = 0

    def take(self, event: TextMessage | BytesMessage) -> str | None:
        """Take in one part; of a binary message, too, which has to hold UTF-8, unless bytes are kept.

        Returns the message if it is whole now. Raises `Unacceptable`.
        """
        part = event.data
        # A part is what one read or one fragment brought; ASCII is told from a flag of the string.
        self._size += len(part) if not isinstance(part, str) or part.isascii() else len(part.encode())
        if self._size > self._limit:
            raise Unacceptable(1009, f"message larger than {self._limit} bytes")
        if not event.message_finished:
            self._keep(part, is_fragment=event.frame_finished)
            return None
        if self._parts:
            self._parts.append(part)
            part = self._joined()
        return part if isinstance(part, str) else self._text(part)

    def _keep(self, part: str | bytes | bytearray, *, is_fragment: bool) -> None:
        if is_fragment:
            self._fragments += 1
            if self._fragments >= MAX_FRAGMENTS:
                raise Unacceptable(1008, f"message of more than {MAX_FRAGMENTS} fragments")
        if part:
            self._parts.append(part)
            if len(self._parts) >= MAX_PARTS:
                self._parts = [self._joined()]

    def _joined(self) -> Any:
        return ("" if isinstance(self._parts[0], str) else b"").join(self._parts)

    def _text(self, data: bytes | bytearray) -> str:
        try:
            return data.decode(errors=self._errors)
        except UnicodeDecodeError:
            raise Unacceptable(1007, "binary message that is no UTF-8") from None
