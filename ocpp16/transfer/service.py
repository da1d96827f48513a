"""Files by URL, for firmware, diagnostics and logs: one attempt for a call, bounded, and whole or not at all."""

import importlib
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, TypeVar

import trio

from ocpp16.faults import obey, sentence
from ocpp16.transfer.account import Account, Progress
from ocpp16.transfer.carrier import Carrier
from ocpp16.transfer.connection import system_context
from ocpp16.transfer.ends import Receiver, Source
from ocpp16.transfer.failures import TransferError, TransferFailure, transfer_error_in
from ocpp16.transfer.location import Location
from ocpp16.transfer.sftp_access import SftpAccess
from ocpp16.values import described, finite, whole

__all__ = ["TransferService", "Transferred"]

T = TypeVar("T")

_LIBRARIES: Final = {"http": "h11", "https": "h11", "ftp": "", "ftps": "", "ftpes": "", "sftp": "paramiko"}
_HOPELESS: Final = frozenset({TransferFailure.NO_SPACE, TransferFailure.TOO_LARGE})
"""After these a part would only take room."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """A file that was fetched or sent. location: where it lies, as it may be shown; size: in bytes; resumed_at: from
    which byte on it was moved in this attempt."""

    location: str
    size: int
    resumed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferService:
    """Fetches and sends files by HTTP, HTTPS, FTP, FTPS and SFTP, as the scheme of a URL says.

    Nothing is kept open between calls; one object may do any number of transfers at the same time.

    Parameters:

    - `ssl_context`: for https, ftps and ftpes. By default the CAs of the operating system are trusted, from TLS 1.2 on.
      A server is verified as the context says.
    - `max_bytes`: the most that a file may have.
    - `total_timeout`: seconds for the whole of an attempt; `idle_timeout`: seconds in which something must move.
    - `redirects`: how many of them HTTP follows; never from https to http, nor to another kind of server.
    - `http_upload`: PUT, or POST as the field `http_field` of a form (multipart/form-data).
    - `sftp`: host keys and a private key.
    - `carriers`: for further schemes, or in place of ours; by scheme in lower case.
    """

    ssl_context: ssl.SSLContext | None = None
    max_bytes: int = 4 * 1024**3
    total_timeout: float = 3_600.0
    idle_timeout: float = 60.0
    redirects: int = 5
    http_upload: Literal["PUT", "POST"] = "PUT"
    http_field: str = "file"
    sftp: SftpAccess = field(default_factory=SftpAccess)
    carriers: Mapping[str, Carrier] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole(self.max_bytes, "max_bytes", 0, 2**63 - 1)
        whole(self.redirects, "redirects", 0, 100)
        for name in ("total_timeout", "idle_timeout"):
            if finite(getattr(self, name), name) <= 0:
                raise ValueError(f"{name} must be more than 0")
        if self.http_upload not in ("PUT", "POST"):
            raise ValueError(f"http_upload must be PUT or POST, not {described(self.http_upload)}")
        if not re.fullmatch(r"[\w.-]{1,100}", self.http_field, re.ASCII):
            raise ValueError("http_field must be 1 to 100 letters, digits, dots, hyphens and underscores")

    def schemes(self) -> tuple[str, ...]:
        """Those for which everything is installed; by them SupportedFileTransferProtocols can be told."""
        usable = {scheme for scheme, library in _LIBRARIES.items() if not library or find_spec(library) is not None}
        return tuple(sorted(usable | set(self.carriers)))

    async def download(self, url: str, path: str | Path, *, progress: Progress | None = None) -> Transferred:
        """Fetch a file: it is at `path` when this returns, on disk and with mode 0600; before, and if this raises, what
        was there is as it was.

        An attempt that is cut off, cancelled or killed leaves what it has beside the path (`.NAME.part`); the next one
        for the same URL and path goes on from there, if the server can and the file is the same version. `discard_part`
        removes it.

        Parameters: `url`, with user and password if need be; `progress` is called with the bytes that are here, and all
        there are or None, at each block. Raises TransferError.
        """
        location = Location.parse(url)
        carrier = await self._carrier(location.scheme)
        return await self._bounded(location, progress, partial(_download, carrier, location, Path(path)))

    async def upload(
        self, path: str | Path, url: str, *, progress: Progress | None = None, is_resumed: bool = False
    ) -> Transferred:
        """Send a file. To a URL that ends in `/`, or at FTP and SFTP names a folder, the name of the file is appended.

        Parameters: `is_resumed`, for a second attempt: what the server has of that name is the beginning of this very
        file, and only the rest is sent (FTP and SFTP; HTTP sends all of it again). Raises TransferError.
        """
        location = Location.parse(url)
        carrier = await self._carrier(location.scheme)
        return await self._bounded(location, progress, partial(_upload, carrier, Path(path), location, is_resumed))

    async def _carrier(self, scheme: str) -> Carrier:
        if scheme in self.carriers:
            return self.carriers[scheme]
        if scheme not in _LIBRARIES:
            raise TransferError(
                TransferFailure.UNSUPPORTED_SCHEME,
                f"{scheme}:// is not supported; {', '.join(self.schemes())} are",
            )
        missing = ""
        try:
            return await trio.to_thread.run_sync(self._made, scheme)  # a large library takes a while to import
        except ImportError as error:
            missing = error.name or _LIBRARIES[scheme]
        raise TransferError(
            TransferFailure.MISSING_LIBRARY,
            f"{scheme}:// needs {missing}, which is not installed: pip install 'ocpp16[transfer]'",
        )

    def _made(self, scheme: str) -> Carrier:
        """Ours for a scheme, with what it needs imported. Raises ImportError."""
        made: Carrier
        if scheme == "sftp":
            made = importlib.import_module("ocpp16.transfer.sftp").SftpCarrier(self.sftp)
        elif scheme.startswith("http"):
            http = importlib.import_module("ocpp16.transfer.http")
            made = http.HttpCarrier(self._tls, self.redirects, self.http_upload, self.http_field)
        else:
            made = importlib.import_module("ocpp16.transfer.ftp").FtpCarrier(self._tls)
        return made

    async def _tls(self) -> ssl.SSLContext:
        if self.ssl_context is not None:
            return self.ssl_context
        return await trio.to_thread.run_sync(system_context)  # it reads all CAs of the system

    async def _bounded(
        self, location: Location, progress: Progress | None, work: Callable[[Account], Awaitable[T]]
    ) -> T:
        """Do it within the time there is. Whatever it raises is a TransferError that carries nothing else with it."""
        failure: TransferError | None = None
        now = trio.current_time()
        with (
            trio.CancelScope(deadline=now + self.total_timeout) as total,
            trio.CancelScope(deadline=now + self.idle_timeout) as idle,
        ):
            try:
                return await work(Account(idle, self.idle_timeout, self.max_bytes, progress))
            except BaseException as error:
                obey(error)
                failure = _as_transfer_error(error, location)
            await trio.lowlevel.checkpoint_if_cancelled()  # then it is what a cancellation led to: a hung up connection
        if total.cancelled_caught or idle.cancelled_caught:
            is_total = total.cancelled_caught
            why = f"not done within {self.total_timeout:g}" if is_total else f"nothing moved for {self.idle_timeout:g}"
            failure = TransferError(TransferFailure.TIMEOUT, f"{location}: {why} seconds")
        assert failure is not None
        raise failure


def _as_transfer_error(error: BaseException, location: Location) -> TransferError:
    found = transfer_error_in(error)
    if found is None:
        return TransferError(TransferFailure.FAULT, f"{location}: {location.quoted(sentence(error))}")
    # A new one: what stands behind that quotes what others said, unread.
    return TransferError(found.failure, str(found) if "://" in str(found) else f"{location}: {found}")


async def _download(carrier: Carrier, location: Location, target: Path, account: Account) -> Transferred:
    receiver = await Receiver.open(target, location.fingerprint, account)
    try:
        await carrier.download(location, receiver)
        await receiver.complete()
    except BaseException as error:
        found = transfer_error_in(error)
        await receiver.leave(is_kept=found is None or found.failure not in _HOPELESS)
        raise
    return Transferred(str(location), account.done, account.began_at)


async def _upload(carrier: Carrier, path: Path, location: Location, is_resumed: bool, account: Account) -> Transferred:
    source = await Source.open(path, account)
    try:
        there = await carrier.upload(source, location, is_resumed)
    finally:
        source.close()
    return Transferred(str(there), source.size, account.began_at)
