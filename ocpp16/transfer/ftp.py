"""FTP, with TLS (ftps: from the first byte on; ftpes: after AUTH TLS, RFC 4217) or without: passive, in binary.

Passive means that we connect to the server for the data, always at the address that the control connection has: what
the server says of its own address may be wrong behind a router, and may be an attack on somebody else. With TLS the
data is protected, or nothing is transferred.
"""

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import trio

from ocpp16.transfer.connection import TlsContext, close, open_tcp, receive, send, start_tls
from ocpp16.transfer.ends import Receiver, Source
from ocpp16.transfer.failures import TransferError, TransferFailure
from ocpp16.transfer.ftp_control import Control
from ocpp16.transfer.location import Location

__all__ = ["FtpCarrier"]

_PASSIVE: Final = re.compile(r"\d{1,3},\d{1,3},\d{1,3},\d{1,3},(\d{1,3}),(\d{1,3})")
_EXTENDED: Final = re.compile(r"\((\S)\1\1(\d{1,5})\1\)")
_TYPE: Final = re.compile(r";type=[aAiIdD]$")
_FAREWELL: Final = 5.0
"""Seconds that a server has to end the TLS of a data connection."""

_Data = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class FtpCarrier:
    """Anonymous where the URL has no user."""

    def __init__(self, tls: TlsContext) -> None:
        self._tls = tls

    async def download(self, location: Location, receiver: Receiver) -> None:
        name = _name(location)
        async with self._session(location, receiver) as session:
            size, version = await session.version(name)
            offset = receiver.held if version and version == receiver.validator else 0
            if offset and offset == size:  # all of it is here, the name alone is missing
                await receiver.begin(offset, size, version)
                return
            async with session.data(f"RETR {name}", offset) as (data, began_at):
                await receiver.begin(began_at, size, version)
                while block := await receive(data):
                    await receiver.write(block)
            await session.finished()

    async def upload(self, source: Source, location: Location, is_resumed: bool) -> Location:
        if location.is_folder:
            location = location.within(source.name)
        async with self._session(location, source) as session:
            name = _name(location)
            if await session.enter(name):
                location = location.within(source.name)
                name = source.name
            offset = await session.size(name) if is_resumed else None
            # One that is there whole was refused all the same, as by 552: it is sent anew.
            offset = offset if offset is not None and offset < source.size else 0
            command = f"APPE {name}" if offset else f"STOR {name}"
            async with session.data(command) as (data, _):
                await source.begin(offset)
                try:
                    while block := await source.read():
                        await send(data, block)
                    if isinstance(data, trio.SSLStream):
                        await _farewell(data)
                except TransferError as error:
                    if error.failure is not TransferFailure.CUT_OFF:
                        raise
                    await session.why_cut_off()  # as 552: it has no room
                    raise
            await session.finished()
            there = await session.size(name) if offset else None
        if there is not None and there != source.size:  # what the connection before had sent came late, say
            raise TransferError(
                TransferFailure.CUT_OFF, f"{location}: the server has {there:,} of {source.size:,} bytes"
            )
        return location

    @asynccontextmanager
    async def _session(self, location: Location, end: Receiver | Source) -> AsyncIterator["_Session"]:
        context = None if location.scheme == "ftp" else await self._tls()
        control = Control(await open_tcp(location.host, location.port_or_default), location, end)
        try:
            # At the port of plain FTP nobody speaks TLS from the first byte on.
            is_implicit = location.scheme == "ftps" and location.port_or_default != 21
            if context is not None and is_implicit:
                await control.secure(context)
            control.good(await control.final())
            if context is not None and not is_implicit:
                await control.needed("AUTH TLS")
                await control.secure(context)
            user, password = (location.user, location.password or "") if location.user else ("anonymous", "anonymous@")
            if (await control.needed(f"USER {user}")).code != 230:
                await control.needed(f"PASS {password}")
            if context is not None:
                await control.needed("PBSZ 0")
                await control.needed("PROT P")
            await control.needed("TYPE I")
            yield _Session(control, location, context)
            await control.leave()
        finally:
            await control.aclose()


class _Session:
    """After the login."""

    def __init__(self, control: Control, location: Location, context: ssl.SSLContext | None) -> None:
        self._control = control
        self._location = location
        self._context = context

    async def version(self, name: str) -> tuple[int | None, str]:
        """Size, and what tells this version from others; "" if the server tells no time of change."""
        size = await self.size(name)
        changed = await self._control.command(f"MDTM {name}")
        if size is None or changed.code != 213:
            return size, ""
        return size, f"size {size} time {changed.text}"

    async def size(self, name: str) -> int | None:
        """None if there is no such file, or the server does not tell (RFC 3659 §4)."""
        reply = await self._control.command(f"SIZE {name}")
        is_number = reply.text.isascii() and reply.text.isdigit() and len(reply.text) <= 18
        return int(reply.text) if reply.code == 213 and is_number else None

    async def enter(self, name: str) -> bool:
        """Make it the working directory; False if it is none."""
        return (await self._control.command(f"CWD {name}")).is_good

    @asynccontextmanager
    async def data(self, command: str, offset: int = 0) -> AsyncIterator[tuple[_Data, int]]:
        """The data connection of a command, and where it begins: at `offset`, or at 0 if the server cannot."""
        tcp = await open_tcp(self._control.peer, await self._passive_port())
        stream: _Data = tcp
        try:
            if offset and (await self._control.command(f"REST {offset}")).code != 350:
                offset = 0
            self._control.good(await self._control.command(command))
            if self._context is not None:
                session = self._control.session
                stream = await start_tls(tcp, self._context, self._location.host, is_end_told=False, session=session)
            yield stream, offset
        finally:
            await close(tcp)  # which is in no TLS any more after a farewell

    async def _passive_port(self) -> int:
        if ":" not in self._control.peer:
            reply = await self._control.command("PASV")
            found = _PASSIVE.search(reply.text)
            if reply.code == 227 and found:
                return self._checked(int(found[1]) * 256 + int(found[2]))
        reply = await self._control.needed("EPSV")
        extended = _EXTENDED.search(reply.text)
        return self._checked(int(extended[2]) if extended else 0)

    def _checked(self, port: int) -> int:
        if not 1 <= port <= 65535:
            raise TransferError(TransferFailure.PROTOCOL, f"{self._location}: no port for the data")
        return port

    async def finished(self) -> None:
        """The server says that it sent, or has, all of it."""
        self._control.good(await self._control.final())

    async def why_cut_off(self) -> None:
        """Raises what the server says to a data connection that it cut off, if it says anything."""
        reply = await self._control.final()
        if not reply.is_good:
            raise self._control.refusal(reply)


def _name(location: Location) -> str:
    """What the server calls it: from the folder of the login on, as RFC 1738 §3.2.2 has it; `//` is the root."""
    return _TYPE.sub("", location.decoded_path.removeprefix("/"))


async def _farewell(stream: "trio.SSLStream[trio.SocketStream]") -> None:
    """Without it some servers take what they have for a part. What they sent is read, as their session tickets: the
    kernel would make a reset of what is left unread, and they might never see the rest of the file."""
    with trio.move_on_after(_FAREWELL), suppress(trio.BrokenResourceError):
        await stream.unwrap()
