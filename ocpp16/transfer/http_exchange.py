"""One request and its answer over HTTP/1.1, on a connection of its own.

h11 keeps the rules of the protocol and bounds what it holds of heads; the waiting is here. A server may answer before
it has taken the whole body (it has no room, it knows nobody of that name): the answer is read while the body is sent.
"""

from collections.abc import Sequence
from typing import Final

import h11
import trio

from ocpp16.transfer.connection import receive, send
from ocpp16.transfer.ends import Receiver, Source
from ocpp16.transfer.failures import TransferError, TransferFailure
from ocpp16.transfer.location import Location

__all__ = ["Exchange", "Headers", "header_of", "is_taken"]

Headers = Sequence[tuple[str, str]]

_MOST_INTERIM: Final = 16
"""Answers of the kind 1xx before the one that counts."""
_PATIENCE_FOR_CONTINUE: Final = 2.0
"""Seconds that a server has to refuse a body before it is sent all the same: many know nothing of 100-continue."""


class Exchange:
    """Raises TransferError with CUT_OFF or PROTOCOL, wherever it waits."""

    def __init__(self, stream: trio.abc.Stream, location: Location, end: Receiver | Source) -> None:
        self._stream = stream
        self._location = location
        self._end = end
        self._connection = h11.Connection(h11.CLIENT)
        self._interim = 0

    async def ask(self, method: str, headers: Headers) -> h11.Response:
        """A request without a body."""
        await self._send(self._head(method, headers))
        await self._send(h11.EndOfMessage())
        return await self._final()

    async def send(
        self, method: str, headers: Headers, before: bytes, source: Source, after: bytes, is_asked_first: bool
    ) -> h11.Response:
        """A request with the source as body, between two texts. `is_asked_first`: the server may refuse it unseen."""
        size = len(before) + source.size + len(after)
        expect = [("Expect", "100-continue")] if is_asked_first and size else []
        await self._send(self._head(method, [*headers, ("Content-Length", str(size)), *expect]))
        if expect:
            with trio.move_on_after(_PATIENCE_FOR_CONTINUE):
                early = await self._answer(until_continue=True)
                if early is not None and early.status_code < 300:
                    raise TransferError(TransferFailure.PROTOCOL, f"{self._location}: thanks for what was not sent yet")
                if early is not None:
                    return early
        answer: h11.Response | None = None
        failure: TransferError | None = None
        async with trio.open_nursery() as nursery:

            async def give() -> None:
                nonlocal failure
                try:
                    await self._body(before, source, after)
                except TransferError as error:
                    if error.failure is not TransferFailure.CUT_OFF:
                        raise
                    failure = error  # it may have answered before it hung up

            nursery.start_soon(give)
            try:
                answer = await self._final()
            except TransferError as error:
                failure = failure or error
            if answer is None or not is_taken(method, answer):
                nursery.cancel_scope.cancel()
        if answer is None or (failure is not None and is_taken(method, answer)):  # thanks for what it did not get
            assert failure is not None
            raise failure
        return answer

    async def _body(self, before: bytes, source: Source, after: bytes) -> None:
        if before:
            await self._send(h11.Data(data=before))
        await source.begin()
        while block := await source.read():
            await self._send(h11.Data(data=block))
        if after:
            await self._send(h11.Data(data=after))
        await self._send(h11.EndOfMessage())

    async def block(self) -> bytes:
        """The next of the body of the answer, b"" at its end."""
        while True:
            event = await self._event()
            if isinstance(event, h11.EndOfMessage):
                return b""
            if isinstance(event, h11.Data) and event.data:
                return bytes(event.data)

    def _head(self, method: str, headers: Headers) -> h11.Request:
        target = (self._location.path or "/") + (f"?{self._location.query}" if self._location.query else "")
        common = [("Host", self._location.authority), ("Connection", "close"), ("Accept-Encoding", "identity")]
        return h11.Request(method=method, target=target, headers=[*common, *headers])

    async def _send(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        data = self._connection.send(event)
        if data:
            await send(self._stream, data)

    async def _final(self) -> h11.Response:
        answer = await self._answer(until_continue=False)
        assert answer is not None
        return answer

    async def _answer(self, until_continue: bool) -> h11.Response | None:
        """The answer that counts; None for 100-continue, where that is waited for."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.InformationalResponse):
                self._interim += 1
                if self._interim > _MOST_INTERIM:
                    raise TransferError(TransferFailure.PROTOCOL, f"{self._location}: endless answers of the kind 1xx")
                if until_continue and event.status_code == 100:
                    return None
            else:
                raise TransferError(TransferFailure.PROTOCOL, f"{self._location}: no answer where one should be")

    async def _event(self) -> "h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]":
        while True:
            reason = ""
            try:
                event = self._connection.next_event()
            except h11.RemoteProtocolError as error:
                reason = str(error)
            if reason:
                raise self._failure(reason)
            if event is not h11.NEED_DATA:
                self._end.alive()
                return event
            self._connection.receive_data(await receive(self._stream))

    def _failure(self, reason: str) -> TransferError:
        if self._connection.trailing_data[1]:  # h11 was told of the end
            return TransferError(TransferFailure.CUT_OFF, f"{self._location}: the connection was cut off")
        return TransferError(TransferFailure.PROTOCOL, f"{self._location}: no HTTP: {self._location.quoted(reason)}")


def is_taken(method: str, response: h11.Response) -> bool:
    """Does the server say that it has what was sent?"""
    return 200 <= response.status_code < 300 or (response.status_code == 303 and method == "POST")


def header_of(response: h11.Response, name: bytes) -> str:
    """The first of that name, in lower case; "" if there is none."""
    found = next((bytes(value) for one, value in response.headers if bytes(one) == name), b"")
    try:
        return found.decode()  # a path to redirect to, as many servers write it
    except UnicodeDecodeError:
        return found.decode("latin-1")
