"""HTTP and HTTPS: GET with Range for a part that is here, PUT or a form for what is sent.

A range is only asked for with If-Range and a strong validator (RFC 9110 §13.1.5), so that the rest is never of another
version. Redirects are followed within bounds, never to a connection less secure than the one that was asked for, and
credentials are for whom they were given alone.
"""

import re
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Final, Literal

import h11
import trio

from ocpp16.transfer.connection import TlsContext, close, open_tcp, start_tls
from ocpp16.transfer.ends import Receiver, Source
from ocpp16.transfer.failures import TransferError, TransferFailure
from ocpp16.transfer.http_exchange import Exchange, Headers, header_of, is_taken
from ocpp16.transfer.location import Location

__all__ = ["HttpCarrier"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
"""One of a whole that is not told is of no use: it may end before the file does."""
_FAILURES: Final = {
    401: TransferFailure.AUTHENTICATION,
    404: TransferFailure.NOT_FOUND,
    407: TransferFailure.AUTHENTICATION,
    408: TransferFailure.UNAVAILABLE,
    410: TransferFailure.NOT_FOUND,
    413: TransferFailure.TOO_LARGE,
    425: TransferFailure.UNAVAILABLE,
    429: TransferFailure.UNAVAILABLE,
    500: TransferFailure.UNAVAILABLE,
    502: TransferFailure.UNAVAILABLE,
    503: TransferFailure.UNAVAILABLE,
    504: TransferFailure.UNAVAILABLE,
    507: TransferFailure.REMOTE_FULL,
}


class HttpCarrier:
    """`method` is how files are sent: PUT, or POST as the field `field` of a form."""

    def __init__(self, tls: TlsContext, redirects: int, method: Literal["PUT", "POST"], field: str) -> None:
        self._tls = tls
        self._redirects = redirects
        self._method: Literal["PUT", "POST"] = method
        self._field = field

    async def download(self, location: Location, receiver: Receiver) -> None:
        is_range_asked = bool(receiver.validator)
        hops = 0
        while True:
            wanted = _range(receiver) if is_range_asked else []
            async with self._exchange(location, receiver) as exchange:
                response = await exchange.ask("GET", [*_credentials(location), *wanted])
                if response.status_code not in _REDIRECTS:
                    if await self._taken(exchange, response, receiver, location, bool(wanted)):
                        return
                    is_range_asked = False  # the part is of another version: all of it anew
                    continue
            hops += 1
            location = self._next(location, response, hops)

    async def _taken(
        self, exchange: Exchange, response: h11.Response, receiver: Receiver, location: Location, is_part_asked: bool
    ) -> bool:
        """Put the body into the receiver; False if what it begins with does not fit what is here."""
        if response.status_code == 206 and is_part_asked:
            found = _CONTENT_RANGE.fullmatch(header_of(response, b"content-range"))
            if found is None or int(found[1]) != receiver.held or not _is_same(response, receiver.validator):
                return False
            await receiver.begin(receiver.held, int(found[3]), receiver.validator)
        elif response.status_code == 416 and is_part_asked:
            return False
        elif response.status_code in (200, 203):
            length = header_of(response, b"content-length")
            await receiver.begin(0, int(length) if length else None, _validator(response))
        else:
            raise _refused(response, location)
        while block := await exchange.block():
            await receiver.write(block)
        return True

    async def upload(self, source: Source, location: Location, is_resumed: bool) -> Location:
        """From its beginning: HTTP knows no way to go on (`is_resumed` changes nothing)."""
        if location.is_folder and self._method == "PUT":
            location = location.within(source.name)
        headers, before, after = self._form(source.name) if self._method == "POST" else ([], b"", b"")
        hops, is_asked_first = 0, True
        while True:
            async with self._exchange(location, source) as exchange:
                response = await exchange.send(
                    self._method, [*_credentials(location), *headers], before, source, after, is_asked_first
                )
            if is_taken(self._method, response):
                return location
            if response.status_code == 417 and is_asked_first:  # it knows no Expect (RFC 9110 §10.1.1)
                is_asked_first = False
            elif response.status_code in _REDIRECTS - {303}:
                hops += 1
                location = self._next(location, response, hops)
            else:
                raise _refused(response, location)

    def _form(self, name: str) -> tuple[Headers, bytes, bytes]:
        boundary = secrets.token_hex(16)
        quoted = name.replace('"', "%22")
        before = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{self._field}"; filename="{quoted}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        kind = ("Content-Type", f"multipart/form-data; boundary={boundary}")
        return [kind], before.encode(), f"\r\n--{boundary}--\r\n".encode()

    @asynccontextmanager
    async def _exchange(self, location: Location, end: Receiver | Source) -> AsyncIterator[Exchange]:
        stream: trio.abc.Stream
        if location.scheme == "http":
            stream = await open_tcp(location.host, location.port_or_default)
        else:
            context = await self._tls()
            tcp = await open_tcp(location.host, location.port_or_default)
            stream = await start_tls(tcp, context, location.host)
        try:
            end.alive()
            yield Exchange(stream, location, end)
        finally:
            await close(stream)

    def _next(self, location: Location, response: h11.Response, hops: int) -> Location:
        if hops > self._redirects:
            raise TransferError(
                TransferFailure.REDIRECTED, f"{location} redirects again, after {self._redirects} redirects"
            )
        target = header_of(response, b"location")
        if not target:
            raise TransferError(TransferFailure.PROTOCOL, f"{location} redirects to nowhere")
        found = location.redirected(target)
        if found.scheme not in ("http", "https") or (location.scheme, found.scheme) == ("https", "http"):
            raise TransferError(
                TransferFailure.REDIRECTED,
                f"{location} redirects to {found.scheme}://, which is not followed from there",
            )
        return found


def _credentials(location: Location) -> Headers:
    if location.user is None:
        return []
    pair = f"{location.user}:{location.password or ''}".encode()
    return [("Authorization", "Basic " + b64encode(pair).decode())]


def _range(receiver: Receiver) -> Headers:
    validator = receiver.validator.partition(" ")[2]
    return [("Range", f"bytes={receiver.held}-"), ("If-Range", validator)] if receiver.held and validator else []


def _validator(response: h11.Response) -> str:
    """What tells this version from all others (RFC 9110 §8.8): a strong entity tag, or a time of change long past."""
    tag = header_of(response, b"etag")
    if tag.startswith('"'):
        return f"etag {tag}"
    changed, now = header_of(response, b"last-modified"), header_of(response, b"date")
    try:
        if not tag and (parsedate_to_datetime(now) - parsedate_to_datetime(changed)).total_seconds() >= 1:
            return f"time {changed}"
    except (ValueError, TypeError, OverflowError):  # TypeError: one of them has no zone
        pass
    return ""


def _is_same(response: h11.Response, validator: str) -> bool:
    """Is a part of this version, as If-Range demands? It must say its tag (RFC 9110 §15.3.7), and may its time."""
    kind, _, value = validator.partition(" ")
    found = header_of(response, b"etag" if kind == "etag" else b"last-modified")
    return found == value or (kind == "time" and not found)


def _refused(response: h11.Response, location: Location) -> TransferError:
    status = response.status_code
    reason = location.quoted(bytes(response.reason).decode("latin-1"))
    failure = _FAILURES.get(status, TransferFailure.REFUSED if status >= 300 else TransferFailure.PROTOCOL)
    return TransferError(failure, f"{location}: HTTP {status}" + (f" ({reason})" if reason else ""))
