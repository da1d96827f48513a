"""The control connection of FTP (RFC 959): commands go out, replies come in, one after the other.

Nothing of a URL can end a line and begin another command: `Location` lets no control character through, and what is
sent is checked here once more. Replies are bounded.
"""

import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import trio

from ocpp16.transfer.connection import close, receive, send, start_tls
from ocpp16.transfer.ends import Receiver, Source
from ocpp16.transfer.failures import TransferError, TransferFailure
from ocpp16.transfer.location import Location

__all__ = ["Control", "Reply"]

_LONGEST_REPLY: Final = 16 * 1024
"""Bytes of a reply with all of its lines."""

_FAILURES: Final = {
    421: TransferFailure.UNAVAILABLE,
    425: TransferFailure.UNAVAILABLE,
    426: TransferFailure.CUT_OFF,
    430: TransferFailure.AUTHENTICATION,
    450: TransferFailure.UNAVAILABLE,
    451: TransferFailure.UNAVAILABLE,
    452: TransferFailure.REMOTE_FULL,
    530: TransferFailure.AUTHENTICATION,
    532: TransferFailure.AUTHENTICATION,
    550: TransferFailure.NOT_FOUND,
    552: TransferFailure.REMOTE_FULL,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` is what the server said, without the code; of several lines the first."""

    code: int
    text: str

    @property
    def is_good(self) -> bool:
        """Done, or go on."""
        return self.code < 400


class Control:
    """Raises TransferError wherever it waits. `stream` is closed by `aclose`."""

    def __init__(self, stream: trio.SocketStream, location: Location, end: Receiver | Source) -> None:
        self.stream: trio.SocketStream | trio.SSLStream[trio.SocketStream] = stream
        self._tcp = stream
        self._location = location
        self._end = end
        self._ahead = b""

    @property
    def peer(self) -> str:
        """The address of the server; it is that of its data connections, too, whatever it says."""
        try:
            address: tuple[str, int] = self._tcp.socket.getpeername()
        except OSError:  # it hung up
            raise self._cut_off() from None
        return address[0]

    @property
    def session(self) -> ssl.SSLSession | None:
        """Of its TLS."""
        return self.stream.session if isinstance(self.stream, trio.SSLStream) else None

    async def secure(self, context: ssl.SSLContext) -> None:
        """TLS from here on; what was said in the clear before counts no more."""
        self._ahead = b""
        self.stream = await start_tls(self._tcp, context, self._location.host, is_end_told=False)

    async def command(self, line: str) -> Reply:
        """Say something, and wait for the reply."""
        await self.say(line)
        return await self.reply()

    async def needed(self, line: str) -> Reply:
        """The same; raises for a reply that refuses it."""
        return self.good(await self.command(line))

    async def say(self, line: str) -> None:
        if any(character in line for character in "\r\n\0"):
            raise TransferError(TransferFailure.BAD_URL, "the URL has a control character")
        await send(self.stream, line.encode() + b"\r\n")

    async def reply(self) -> Reply:
        """The next one (RFC 959 §4.2): a code; with a hyphen behind it more lines, until the code and a space."""
        first = await self._line()
        size = len(first)
        code = first[:3]
        if not (code.isascii() and code.isdigit() and "100" <= code <= "659" and first[3:4] in ("", " ", "-")):
            raise TransferError(TransferFailure.PROTOCOL, f"{self._location}: no FTP: {self._location.quoted(first)}")
        if first[3:4] == "-":
            last = first
            while last[:4] not in (f"{code} ", code):
                if size > _LONGEST_REPLY:
                    raise TransferError(TransferFailure.PROTOCOL, f"{self._location}: an endless reply")
                last = await self._line()
                size += len(last)
        self._end.alive()
        return Reply(int(code), first[4:].strip())

    async def final(self) -> Reply:
        """The next one that is not preliminary (1yz), as the 120 of a server that is not ready yet."""
        while (reply := await self.reply()).code < 200:
            pass
        return reply

    def _cut_off(self) -> TransferError:
        return TransferError(TransferFailure.CUT_OFF, f"{self._location}: the connection was cut off")

    async def _line(self) -> str:
        while b"\n" not in self._ahead:
            if len(self._ahead) > _LONGEST_REPLY:
                raise TransferError(TransferFailure.PROTOCOL, f"{self._location}: an endless reply")
            more = await receive(self.stream)
            if not more:
                raise self._cut_off()
            self._ahead += more
        line, _, self._ahead = self._ahead.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def good(self, reply: Reply) -> Reply:
        """`reply`, unless it is a refusal."""
        if not reply.is_good:
            raise self.refusal(reply)
        return reply

    def refusal(self, reply: Reply) -> TransferError:
        """A reply as an error."""
        kind = _FAILURES.get(reply.code)
        if kind is None:
            kind = TransferFailure.UNAVAILABLE if reply.code < 500 else TransferFailure.REFUSED
        text = self._location.quoted(reply.text)
        return TransferError(kind, f"{self._location}: FTP {reply.code}" + (f" ({text})" if text else ""))

    async def leave(self) -> None:
        """Say goodbye; nobody waits for the answer."""
        with suppress(TransferError):
            await self.say("QUIT")

    async def aclose(self) -> None:
        await close(self.stream)
