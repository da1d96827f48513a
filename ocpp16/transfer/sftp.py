"""SFTP by paramiko, whose calls block: they are made in a thread, which ends with the connection.

The connection is made here, where it can be cancelled, and handed to the thread. Whoever cancels hangs up: then
whatever the thread waits for fails, and it is waited for, so that none is left behind. paramiko's own time limits are
put out of the way; ours hold.
"""

import errno
import socket
import stat
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from typing import Final, TypeVar

import paramiko
import trio

from ocpp16.faults import sentence
from ocpp16.transfer.connection import open_tcp
from ocpp16.transfer.ends import Receiver, Source
from ocpp16.transfer.failures import TransferError, TransferFailure
from ocpp16.transfer.location import Location
from ocpp16.transfer.sftp_access import SftpAccess
from ocpp16.transfer.sftp_host_keys import check_host_key, known_keys, prefer_known_keys, read_private_key

__all__ = ["SftpCarrier"]

T = TypeVar("T")

Work = Callable[[paramiko.SFTPClient], T]

_BLOCK: Final = 32 * 1024
"""Bytes that one request can ask for."""
_FOR_EVER: Final = 86_400.0
"""Seconds for the limits that are not ours."""
_FAREWELL: Final = 10.0
"""Seconds for paramiko's thread to notice that its socket is closed; it does so at once."""
_FULL: Final = ("no space", "quota", "disk full")
_NONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})


class SftpCarrier:
    """With the password of the URL, or a key."""

    def __init__(self, access: SftpAccess) -> None:
        self._access = access

    async def download(self, location: Location, receiver: Receiver) -> None:
        await self._in_thread(location, receiver, partial(_download, location, receiver))

    async def upload(self, source: Source, location: Location, is_resumed: bool) -> Location:
        if location.is_folder:
            location = location.within(source.name)
        return await self._in_thread(location, source, partial(_upload, location, source, is_resumed))

    async def _in_thread(self, location: Location, end: Receiver | Source, work: Work[T]) -> T:
        if not location.user:
            raise TransferError(
                TransferFailure.AUTHENTICATION, f"{location}: SFTP needs a user, as in sftp://user@host"
            )
        tcp = await open_tcp(location.host, location.port_or_default)
        plain = socket.socket(fileno=tcp.socket.detach())
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_hang_up_in_the_end, plain)
                call = partial(self._call, plain, location, end, work)
                done = await trio.to_thread.run_sync(call, limiter=trio.CapacityLimiter(1))
                nursery.cancel_scope.cancel()
        finally:
            plain.close()
        return done

    def _call(self, plain: socket.socket, location: Location, end: Receiver | Source, work: Work[T]) -> T:
        """In the thread. Raises TransferError, and what trio raises of a cancellation."""
        failure: TransferError
        is_connected = is_in = False
        try:
            transport = paramiko.Transport(plain)
            try:
                self._log_in(transport, location)
                client = transport.open_sftp_client()
                if client is None:
                    raise TransferError(TransferFailure.REFUSED, f"{location}: the server has no SFTP")
                is_in = True
                trio.from_thread.run_sync(end.alive)
                return work(client)
            finally:
                is_connected = transport.is_active()
                _end(transport)
        except paramiko.AuthenticationException:
            failure = _cut_off(location)
            if is_connected:
                failure = TransferError(
                    TransferFailure.AUTHENTICATION, f"{location}: the server does not let the user in"
                )
        except OSError as error:
            failure = _refused(error, location) if is_connected else _cut_off(location)
        except EOFError:
            failure = _cut_off(location)
        except paramiko.SSHException as error:
            failure = _cut_off(location) if is_in and not is_connected else _not_spoken(error, location)
        except TransferError:
            raise
        except Exception as error:  # paramiko looks at less than a server can get wrong: a banner in no UTF-8, say
            failure = TransferError(TransferFailure.PROTOCOL, f"{location}: no SSH: {location.quoted(sentence(error))}")
        raise failure

    def _log_in(self, transport: paramiko.Transport, location: Location) -> None:
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = _FOR_EVER
        known = known_keys(self._access, location)
        prefer_known_keys(transport, known)
        transport.start_client(timeout=_FOR_EVER)
        check_host_key(transport.get_remote_server_key(), known, self._access, location)
        assert location.user is not None
        key = read_private_key(self._access)
        if key is not None:
            with suppress(paramiko.AuthenticationException) if location.password else nullcontext():
                transport.auth_publickey(location.user, key)
        if not transport.is_authenticated():
            transport.auth_password(location.user, location.password or "")


async def _hang_up_in_the_end(plain: socket.socket) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with suppress(OSError):  # it is closed already
            plain.shutdown(socket.SHUT_RDWR)


def _end(transport: paramiko.Transport) -> None:
    transport.close()
    if transport.ident is not None:
        transport.join(_FAREWELL)
    transport.packetizer.complete_handshake()  # or its timer, a thread that the other one starts, would go on


def _download(location: Location, receiver: Receiver, client: paramiko.SFTPClient) -> None:
    path = _path(location)
    found = client.stat(path)
    if found.st_mode is not None and stat.S_ISDIR(found.st_mode):
        raise TransferError(TransferFailure.REFUSED, f"{location}: is a folder")
    validator = ""
    if found.st_size is not None and found.st_mtime is not None:
        validator = f"size {found.st_size} time {found.st_mtime}"
    offset = receiver.held if validator and validator == receiver.validator else 0
    with client.open(path, "rb") as file:
        trio.from_thread.run(receiver.begin, offset, found.st_size, validator)
        file.seek(offset)
        while block := file.read(_BLOCK):
            trio.from_thread.run(receiver.write, block)


def _upload(location: Location, source: Source, is_resumed: bool, client: paramiko.SFTPClient) -> Location:
    there = _attributes(client, _path(location))
    if there is not None and there.st_mode is not None and stat.S_ISDIR(there.st_mode):
        location = location.within(source.name)
        there = _attributes(client, _path(location)) if is_resumed else None
    size = there.st_size or 0 if is_resumed and there is not None else 0
    offset = size if size < source.size else 0  # one that is there whole failed all the same
    path = _path(location)
    with client.open(path, "r+b" if offset else "wb") as file:
        trio.from_thread.run(source.begin, offset)
        file.seek(offset)
        file.set_pipelined(True)  # else each block waits for the answer to the one before
        try:
            while block := trio.from_thread.run(source.read):
                file.write(block)
        except BaseException:
            file.set_pipelined(False)  # or it waits for answers that nobody will send
            raise
    size = client.stat(path).st_size or 0
    if size != source.size:
        raise TransferError(TransferFailure.CUT_OFF, f"{location}: the server has {size:,} of {source.size:,} bytes")
    return location


def _attributes(client: paramiko.SFTPClient, path: str) -> paramiko.SFTPAttributes | None:
    try:
        return client.stat(path)
    except OSError as error:
        if error.errno in _NONE:
            return None
        raise


def _path(location: Location) -> str:
    """From the root on; `/~/` is the folder of the login."""
    path = location.decoded_path
    return path.removeprefix("/~/") or "." if path.startswith("/~/") else path or "/"


def _cut_off(location: Location) -> TransferError:
    return TransferError(TransferFailure.CUT_OFF, f"{location}: the connection was cut off")


def _refused(error: OSError, location: Location) -> TransferError:
    """A status of the server, as paramiko gives it."""
    reason = location.quoted(error.strerror or str(error))
    if error.errno in _NONE:
        return TransferError(TransferFailure.NOT_FOUND, f"{location}: {reason}")
    if any(word in str(error).lower() for word in _FULL):
        return TransferError(TransferFailure.REMOTE_FULL, f"{location}: {reason}")
    # Most servers call everything "Failure", but what is not there or not allowed: a disk that is full, too.
    failure = TransferFailure.UNAVAILABLE if error.errno is None else TransferFailure.REFUSED
    return TransferError(failure, f"{location}: {reason}")


def _not_spoken(error: paramiko.SSHException, location: Location) -> TransferError:
    text = str(error)
    if "EOF" in text or "banner" in text or not text:  # it hung up before, or while, it was greeted
        return _cut_off(location)
    return TransferError(TransferFailure.PROTOCOL, f"{location}: no SSH: {location.quoted(text)}")
