"""A Central System to be scripted: for tests, demonstrations and development without one.

Serves any number of charge points at once, over memory streams or TCP; answers sensibly unless told otherwise,
misbehaves when told to, records everything and judges strictly what charge points send. Deterministic on trio's
virtual clock. It keeps no business: no tariffs, no users, no disk. Nothing that a charge point sends ends it; what a
script raises does.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, MutableSequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import trio
import trio.testing

from ocpp16.codec import validate
from ocpp16.enums import ErrorCode
from ocpp16.errors import ConnectionFailed, Offline
from ocpp16.security.basic_auth import credentials, is_same_key
from ocpp16.security.tls import SSLContext
from ocpp16.testing.answers import Answer, CallErrorAnswer, ScriptedAnswer, StandardAnswers
from ocpp16.testing.connected_charge_point import ConnectedChargePoint
from ocpp16.testing.memory_stream import memory_stream_pair
from ocpp16.testing.misbehaviour import Fault, FaultPlan, FaultRule
from ocpp16.testing.recording import Direction, ReceivedCall, Record, Recording, TrafficViolation
from ocpp16.testing.server_tls import accept_tls
from ocpp16.texts import shown
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.websocket import Accept, Reject, UpgradeRequest, WebSocket

__all__ = ["CentralSystem", "identity_of"]

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z: what the default clock shows on entry, so that tests repeat
CALL_TIMEOUT = 30.0
HANDSHAKE_TIMEOUT = 30.0
REGISTRATIONS = 10_000  # charge points whose registration is remembered where no record is kept


def identity_of(target: str) -> str:
    """The charge point's identity in a request target: its last path segment, decoded; "" if there is none.

    Double and trailing slashes, a query, and a whole URL in place of the path are tolerated.
    """
    try:
        path = urlsplit(target).path
    except ValueError:  # an IPv6 address without its end
        return ""
    segments = [segment for segment in path.split("/") if segment]
    return unquote(segments[-1]) if segments else ""


def _peer(tcp: trio.SocketStream) -> str:
    """Address and port of the other side; empty if it is gone already."""
    try:
        host, port, *_ = tcp.socket.getpeername()
    except OSError:
        return ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class CentralSystem:
    """The server side of OCPP 1.6J. Use it as `async with CentralSystem() as csms:`.

    Parameters: `now` its clock, microseconds since 1970 (default: 2026-01-01 and what trio's clock passed since
    entry); `interval` seconds for BootNotification; `keys` AuthorizationKey by identity, demands HTTP Basic
    authentication of all; `known` identities, others get 404; `record_limit` lines of traffic to keep (None: all,
    for tests); `lockstep` memory streams whose writes wait for the reader, so that a stuck reader is felt;
    `compression` accepts permessage-deflate if offered.

    Script it by `answers` (action -> payload, `CallErrorAnswer`, None for no answer, or a function of payload and
    call), `registrations` (identity -> status last told), `subprotocols`, `is_reachable`,
    `connect_hangs`, and the methods.
    """

    def __init__(
        self,
        *,
        now: Callable[[], int] | None = None,
        interval: int = 300,
        keys: Mapping[str, bytes] | None = None,
        known: Collection[str] | None = None,
        record_limit: int | None = None,
        lockstep: bool = False,
        compression: bool = True,
        first_transaction_id: int = 1,
    ) -> None:
        self.recording: Recording = Recording(record_limit)
        self.keeps_all: bool = record_limit is None
        """Nothing of the record is forgotten: no `record_limit` was given."""
        self.answers: dict[str, ScriptedAnswer] = {}
        self.standard_answers: StandardAnswers = StandardAnswers(
            now or self._default_now, interval, first_transaction_id
        )
        self.registrations: dict[str, str] = {}
        self.faults: FaultPlan = FaultPlan()
        self.subprotocols: tuple[str, ...] = ("ocpp1.6",)
        self.is_reachable = True
        self.connect_hangs = False
        self.connected: dict[str, ConnectedChargePoint] = {}
        self._keys = keys
        self._known = known
        self._lockstep = lockstep
        self._compression = compression
        self._refusals: list[Reject | None] = []
        self._last_id = 0
        self._entered_at = 0.0
        self._opening: AbstractAsyncContextManager[trio.Nursery] | None = None
        self._nursery: trio.Nursery | None = None

    async def __aenter__(self) -> Self:
        self._opening = trio.open_nursery()
        self._nursery = await self._opening.__aenter__()
        self._entered_at = trio.current_time()
        return self

    async def __aexit__(self, *exc_info: Any) -> bool | None:
        assert self._opening is not None
        assert self._nursery is not None
        self._nursery.cancel_scope.cancel()
        return await self._opening.__aexit__(*exc_info)

    def _default_now(self) -> int:
        return START + round((trio.current_time() - self._entered_at) * 1e6)

    # Ways in

    def stream(self) -> trio.abc.Stream:
        """The client's end of a new memory stream, ready for the WebSocket handshake."""
        near: trio.abc.Stream
        near, far = trio.testing.lockstep_stream_pair() if self._lockstep else memory_stream_pair()
        self.start_soon(self._serve, far)
        return near

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        """For `open_charge_point(connector=csms.connector)`. Raises `ConnectionFailed` while not `is_reachable`."""
        await trio.lowlevel.checkpoint()
        if self.connect_hangs:
            await trio.sleep_forever()
        if not self.is_reachable:
            raise ConnectionFailed(f"TCP: cannot connect to {endpoint.authority}: refused by the script")
        return self.stream()

    async def listen(self, host: str | None, port: int = 0, ssl_context: SSLContext | None = None) -> int:
        """Serve on TCP as well, with TLS if a context is given; returns the port (0 asks for a free one)."""
        assert self._nursery is not None

        async def serve(tcp: trio.SocketStream) -> None:
            await self._serve_tcp(tcp, ssl_context)

        listeners = await trio.open_tcp_listeners(port, host=host)
        await self._nursery.start(trio.serve_listeners, serve, listeners)
        found: int = listeners[0].socket.getsockname()[1]
        return found

    async def _serve_tcp(self, tcp: trio.SocketStream, ssl_context: SSLContext | None) -> None:
        peer = _peer(tcp)
        if not self.is_reachable:
            await trio.aclose_forcefully(tcp)
        elif ssl_context is None:
            await self._serve(tcp, peer)
        else:
            try:
                stream = await accept_tls(tcp, ssl_context)
            except ConnectionFailed as error:
                self._refused("", peer, error)
                return
            await self._serve(stream, peer)

    def _refused(self, identity: str, peer: str, why: object) -> None:
        self.recording.add(identity, Direction.REFUSED, f"{why} (to {peer})" if peer else str(why))

    async def _serve(self, stream: trio.abc.Stream, peer: str = "") -> None:
        if self._refusals and self._refusals[0] is None:
            self._refusals.pop(0)
            try:
                await trio.sleep_forever()
            finally:
                await trio.aclose_forcefully(stream)
        asked: list[str] = []

        def decide(request: UpgradeRequest) -> Accept | Reject:
            asked.append(identity_of(request.target))
            return self._decide(request)

        try:
            websocket = await WebSocket.accept(
                stream, decide=decide, compression=self._compression, timeout=HANDSHAKE_TIMEOUT
            )
        except ConnectionFailed as error:
            self._refused("".join(asked), peer, error)
            return
        except Exception as error:  # nothing of ours or a script's runs there: it is what was sent
            self._refused("".join(asked), peer, f"an unreadable request: {error!r}")
            return
        assert websocket.request is not None
        identity = identity_of(websocket.request.target)
        if websocket.subprotocol is None:
            theirs, ours = (", ".join(names) or "none" for names in (websocket.request.subprotocols, self.subprotocols))
            self._refused(identity, peer, f"no common subprotocol: it asks for {theirs}, spoken here: {ours}")
            await websocket.aclose(1002, "no common subprotocol")
            return
        charge_point = ConnectedChargePoint(self, identity, websocket, stream)
        replaced = self.connected.pop(identity, None)
        self.connected[identity] = charge_point
        if replaced is not None:
            replaced.close_soon(1001, "another connection of the same charge point")
        self.recording.add(identity, Direction.OPENED, "")
        code, reason = 1006, "the Central System was stopped"
        try:
            code, reason = await charge_point.run()
        finally:
            if self.connected.get(identity) is charge_point:
                del self.connected[identity]
            self.recording.add(identity, Direction.CLOSED, f"{code} {reason}".rstrip())

    def _decide(self, request: UpgradeRequest) -> Accept | Reject:
        refusal = self._refusals[0] if self._refusals else None  # a None is for the next connection that comes
        if refusal is not None:
            del self._refusals[0]
            return refusal
        identity = identity_of(request.target)
        if not identity or (self._known is not None and identity not in self._known):
            return Reject(404, "unknown charge point")
        if self._keys is not None:
            given, expected = credentials(request.header("authorization")), self._keys.get(identity)
            if given is None or expected is None or given[0] != identity or not is_same_key(given[1], expected):
                return Reject(401, "wrong credentials", (("WWW-Authenticate", 'Basic realm="OCPP"'),))
        return Accept(next((name for name in self.subprotocols if name in request.subprotocols), None))

    # For connections

    def start_soon(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a task that ends with this Central System."""
        if self._nursery is None:
            raise RuntimeError("use it as `async with CentralSystem() as csms:`")
        self._nursery.start_soon(function, *args)

    def new_id(self) -> str:
        """A message id that was not used before."""
        self._last_id += 1
        return f"csms-{self._last_id}"

    def note_registration(self, identity: str, status: str) -> None:
        """BootNotification was answered. A server that keeps no record forgets the oldest of those that are gone."""
        self.registrations[identity] = status
        if len(self.registrations) > REGISTRATIONS and not self.keeps_all:
            gone = next((other for other in self.registrations if other not in self.connected), None)
            if gone is not None:
                del self.registrations[gone]

    def answer(self, call: ReceivedCall, refused: CallErrorAnswer | None) -> Answer | Awaitable[Answer]:
        """What the script says to a CALL; else `refused`, else the standard answer."""
        if call.action not in self.answers:
            return self._standard_answer(call) if refused is None else refused
        scripted = self.answers[call.action]
        return scripted(call.payload, call) if callable(scripted) else scripted

    def _standard_answer(self, call: ReceivedCall) -> Answer:
        try:
            return self.standard_answers(call)
        except Exception as error:  # a payload that passed the schema, and yet cannot be worked with
            return CallErrorAnswer(ErrorCode.INTERNAL_ERROR, f"cannot be answered: {shown(repr(error), 100)}")

    # What was seen

    @property
    def traffic(self) -> MutableSequence[Record]:
        """Everything sent and received, and the beginning and end of connections, in order."""
        return self.recording.traffic

    @property
    def violations(self) -> MutableSequence[TrafficViolation]:
        """What charge points did that OCPP does not allow. A test of a charge point ends by asserting it empty."""
        return self.recording.violations

    def calls(self, action: str | None = None, identity: str | None = None) -> list[ReceivedCall]:
        """The CALLs received so far, oldest first, of one action and one charge point if given."""
        return self.recording.calls(action, identity)

    async def wait_for_call(
        self, action: str, count: int = 1, *, identity: str | None = None, timeout: float = 60.0
    ) -> ReceivedCall:
        """Wait until an action was received `count` times in all and return that one.

        Needs the whole record (`record_limit=None`). Raises `AssertionError` after `timeout` seconds.
        """
        found: list[ReceivedCall] = []
        seen, last = 0, None  # of the record: a look is at what came since, for each line that comes brings one

        def is_there() -> bool:
            nonlocal seen, last
            traffic = self.traffic
            if seen > len(traffic) or (seen and traffic[seen - 1] is not last):  # some of it is forgotten
                seen = 0
                found.clear()
            found.extend(self.recording.calls(action, identity, begin=seen))
            seen, last = len(traffic), traffic[-1] if traffic else None
            return len(found) >= count

        await self.recording.wait_until(is_there, f"{action} number {count}", timeout)
        return found[count - 1]

    async def wait_connected(self, identity: str, *, timeout: float = 60.0) -> None:
        """Wait until a charge point is connected. Raises `AssertionError`."""
        await self.recording.wait_until(lambda: identity in self.connected, f"connection of {identity}", timeout)

    async def wait_disconnected(self, identity: str, *, timeout: float = 60.0) -> None:
        """Wait until a charge point is not connected. Raises `AssertionError`."""
        await self.recording.wait_until(lambda: identity not in self.connected, f"end of {identity}", timeout)

    # What to say

    def _get(self, identity: str, what: str) -> ConnectedChargePoint:
        if identity not in self.connected:
            raise Offline(what, f"{identity} is not connected")
        return self.connected[identity]

    def spawn(self, async_fn: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Run a task that ends with this Central System."""
        assert self._nursery is not None
        self._nursery.start_soon(async_fn, *arguments)

    async def call(
        self,
        identity: str,
        action: str,
        payload: Mapping[str, Any],
        timeout: float = CALL_TIMEOUT,
        *,
        validated: bool = True,
    ) -> dict[str, Any]:
        """Send a request and return the payload of its confirmation.

        `validated` False sends also what the schema forbids. Raises `CallFailed` with reason "callerror" (code and
        description as received), "timeout" or "connection lost"; `Offline` if not connected; `ValidationError`.
        """
        if validated:
            validate(action, "request", payload)
        return await self._get(identity, action).call(action, payload, timeout)

    async def send_text(self, identity: str, text: str | bytes) -> None:
        """Send any text as a frame. Raises `Offline`."""
        self._get(identity, "text").send(text)
        await trio.lowlevel.checkpoint()

    # What to do wrong

    def misbehave(
        self,
        fault: Fault,
        action: str | None = None,
        *,
        times: int | None = 1,
        identity: str | None = None,
        seconds: float = 0.0,
        code: int = 1011,
    ) -> None:
        """Apply a fault to the next `times` CALLs (None: to all from now on) of an action, or of any.

        `seconds` is for DELAY, `code` for CLOSE. The charge point's request counts as handled all the same. Raises
        ValueError for what is no fault, action, time or close code.
        """
        if times is None or times > 0:
            self.faults.rules.append(FaultRule(Fault(fault), action, identity, times, seconds, code))

    def refuse_handshake(self, status: int, body: str = "", *, times: int = 1) -> None:
        """Answer the next upgrade requests with an HTTP status."""
        self._refusals += [Reject(status, body)] * times

    def ignore_handshake(self, *, times: int = 1) -> None:
        """Leave the next connections without any answer."""
        self._refusals += [None] * times

    def refuse_boot(self, status: str = "Rejected", *, times: int = 1, interval: int = 60) -> None:
        """Answer the next BootNotifications with Pending or Rejected, ValueError for none; `interval` in seconds."""
        self.standard_answers.refuse_boot(status, times, interval)

    async def close(self, identity: str, code: int = 1000, reason: str = "") -> None:
        """Close a connection in the regular way and wait until it is closed, at most a few seconds."""
        await self._get(identity, "close").aclose(code, reason)

    def abort(self, identity: str) -> None:
        """Break a connection: TCP reset, or the end of a memory stream."""
        self._get(identity, "abort").abort()

    def stop_reading(self, identity: str) -> None:
        """Read nothing more from a charge point until `resume_reading`."""
        self._get(identity, "stop_reading").stop_reading()

    def resume_reading(self, identity: str) -> None:
        """Read on."""
        self._get(identity, "resume_reading").resume_reading()

    def go_half_open(self, identity: str) -> None:
        """As if the network were gone: nothing arrives, nothing leaves, and nobody is told."""
        self._get(identity, "go_half_open").go_half_open()
