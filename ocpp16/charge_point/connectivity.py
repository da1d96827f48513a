"""Connect, stay connected, come back: the life of connections, one link at a time.

Whatever ends a connection but an explicit stop leads to a new one. The wait grows by the RetryBackoff keys and begins
anew once a connection has proved good: a request of ours was answered on it, or it has lasted. A person's `connect`
skips it; a server that says how long to stay away (Retry-After) is heeded. Connecting needs no BootNotification: that
is sent when the charge point starts (OCPP 1.6 ed. 2 §4.2).

What a connector of the host's raises, or a stream of its own, is a failed attempt like any other.
"""

from collections.abc import Awaitable, Callable, Sequence
from math import inf
from random import Random

import trio

from ocpp16.charge_point.addresses import Addresses
from ocpp16.charge_point.dialing import Detour, Dialer
from ocpp16.charge_point.fallback import Fallback
from ocpp16.charge_point.link import Link, Trace
from ocpp16.charge_point.link_tasks import flush, read
from ocpp16.charge_point.next_attempt import NextAttempt
from ocpp16.charge_point.pump import Pump
from ocpp16.configuration.keys import core, internal
from ocpp16.errors import ConfigurationError, ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.faults import obey, sentence
from ocpp16.observer import ConnectionStateChanged
from ocpp16.patience import of_others
from ocpp16.profiles.base import Context
from ocpp16.profiles.security_profile import Credentials
from ocpp16.security.basic_auth import authorization_header
from ocpp16.state.signals import AttemptFailed, Connected, Disconnected, SecurityEventRaised
from ocpp16.texts import shown
from ocpp16.transport.dial import DialFailed, Endpoint, endpoint
from ocpp16.transport.readiness import Readiness
from ocpp16.transport.websocket import WebSocket
from ocpp16.values import is_a

STABLE_AFTER = 10.0
"""Seconds a connection must have lasted before the next wait is a short one again, if nothing was answered on it."""
ATTEMPT_TIMEOUT = 90.0
"""Seconds an attempt may take, a connector of the host's included; our own steps have limits below that."""

StreamOpener = Callable[[Endpoint], Awaitable[trio.abc.Stream]]


class Connectivity:
    """The connect–read–reconnect loop of one charge point.

    Parameters: `connector` opens a stream to an endpoint; `accept` takes the CALLs of the Central System; `trace` is
    told every text frame, or None; `note` what happens to the connection, in words; `random` gives the random part of
    the waits; `readiness` waits for the sockets of many charge points, or None; `attempts` are those that many charge
    points may make at a time, or None; `credentials` gives those to connect with.
    """

    __slots__ = (
        "_accept",
        "_attempts",
        "_closing",
        "_connector",
        "_credentials",
        "_ctx",
        "_fallback",
        "_is_abandoned",
        "_is_urgent",
        "_is_wanted",
        "_link",
        "_next",
        "_note",
        "_pump",
        "_readiness",
        "_resume_delay",
        "_retry_now",
        "_scope",
        "_trace",
        "_was_invalid",
        "_was_reached",
        "has_ended",
    )

    def __init__(
        self,
        ctx: Context,
        pump: Pump,
        *,
        connector: StreamOpener,
        accept: Callable[..., None],
        trace: Trace | None,
        note: Callable[[str], None],
        random: Random,
        readiness: Readiness | None,
        attempts: trio.CapacityLimiter | None,
        credentials: Callable[[], Credentials],
    ) -> None:
        self._credentials = credentials
        self._attempts = attempts
        self._readiness = readiness
        self._ctx = ctx
        self._pump = pump
        self._connector = connector
        self._accept = accept
        self._trace = trace
        self._note = note
        self._next = NextAttempt(ctx, random)
        self._is_wanted = False
        self._is_urgent = False
        self._is_abandoned = False
        self.has_ended: bool = False
        self._retry_now: trio.Event | None = None
        self._scope = trio.CancelScope()
        self._closing: trio.CancelScope | None = None
        self._link: Link | None = None
        others: tuple[str, ...] = ctx.configuration[internal.FALLBACK_CENTRAL_SYSTEMS]
        self._fallback = self._with_others(others)
        """None: there is one address only."""
        self._was_invalid = False
        """The certificate of the Central System was not valid when we were connected last, which is told."""
        self._was_reached = False
        """The last attempt got as far as a stream to the Central System."""
        self._resume_delay = 0.0

    def _with_others(self, uris: Sequence[str]) -> Fallback | None:
        if not uris:
            return None
        configuration = self._ctx.configuration
        addresses = (configuration[internal.CENTRAL_SYSTEM_URI], *uris)
        return Fallback(
            self._ctx,
            Addresses(addresses, configuration[internal.FALLBACK_ATTEMPTS]),
            dial=lambda uri: self._connector(self._endpoint(uri)),
            note=self._note,
            leave=self.reconnect,
            left_alone_for=self._next.left_alone_for,
        )

    def _endpoint(self, uri: str) -> Endpoint:
        profile, _ = self._credentials()
        return endpoint(uri, self._ctx.configuration[internal.CHARGE_POINT_ID], profile)

    def set_resume_delay(self, seconds: float) -> None:
        """How long queued messages are held back after a reconnect, so that the Central System may speak first."""
        self._resume_delay = seconds

    def tell_frames(self, trace: Trace | None) -> None:
        """Tell `trace` every text frame from here on."""
        self._trace = trace
        if self._link is not None:
            self._link.tell_frames(trace)

    def connect(self) -> None:
        """Connect, at once, and stay connected."""
        self._is_wanted = self._is_urgent = True
        self._next.at_once()
        self._hurry()

    def _hurry(self) -> None:
        """Whoever waits here waits no longer."""
        if self._retry_now is not None:
            self._retry_now.set()

    async def _wait(self, seconds: float = inf) -> None:
        """Until somebody hurries, or the time is up."""
        self._retry_now = trio.Event()
        with trio.move_on_after(seconds):
            await self._retry_now.wait()
        self._retry_now = None

    def reconnect(self) -> None:
        """Close the connection and open another at once, with what is configured now."""
        if self._is_wanted:
            self._note("Reconnecting")
            self.connect()
            self._scope.cancel()

    def drop(self) -> bool:
        """Break the connection off, as where the network is gone; False if there is none."""
        if self._link is None:
            return False
        self._link.websocket.abort("dropped")
        return True

    def disconnect(self) -> None:
        """Close the connection, or give up the attempt, and stay away until `connect`."""
        self._is_wanted = False
        self._hurry()
        self._scope.cancel()

    def end(self) -> None:
        """As `disconnect`, for good: `run` returns when the connection is closed."""
        self.has_ended = True
        self.disconnect()

    def abandon(self) -> None:
        """As `end`, but nobody waits for the peer to close as well: whoever cancels `run` ends it at once."""
        self._is_abandoned = True
        if self._closing is not None:
            self._closing.shield = False
        self.end()

    async def run(self) -> None:
        """Runs until `end`; the last connection is closed properly first."""
        while not self.has_ended:
            if not self._is_wanted:
                await self._wait()
                continue
            self._is_urgent = False
            reason = await self._connect_and_read()
            if reason is not None:
                self._ctx.counters.connection_failures += 1
                if self._fallback is not None:
                    self._fallback.failed()
            if self._is_wanted and not self._is_urgent:
                await self._pause()

    async def _pause(self) -> None:
        """Wait for the next attempt, or until somebody wants it now."""
        wait = self._next.wait(self._uri())
        self._ctx.log.info("connecting again in %.1f s", wait)
        self._note(f"Reconnecting in {wait:.1f} s")
        await self._wait(wait)

    async def _connect_and_read(self) -> str | None:
        """One connection from its first packet to its end. Returns why there was none; None if there was one, or if we
        gave it up ourselves."""
        ctx = self._ctx
        websocket: WebSocket | None = None
        failure: str | None = None
        attempts = self._attempts
        with trio.CancelScope() as scope:
            self._scope = scope
            if attempts is not None:
                await attempts.acquire_on_behalf_of(self)
            scope.deadline = trio.current_time() + of_others(ATTEMPT_TIMEOUT)
            try:
                websocket = await self._open()
            except BaseException as error:
                obey(error)
                if not scope.cancel_called or trio.current_time() >= scope.deadline:  # else what was made of that
                    failure = self._report_failure(error)
            finally:
                if attempts is not None:
                    attempts.release_on_behalf_of(self)
        if websocket is None:
            if scope.cancelled_caught and trio.current_time() >= scope.deadline:
                failure = self._report_failure(trio.TooSlowError())
            return failure
        if not self._is_wanted or scope.cancel_called:  # given up in the moment in which it was there
            await websocket.aclose()
            return None
        uri = self._uri()
        began, answered = ctx.clock.monotonic(), ctx.counters.calls_answered
        reason = await self._serve(websocket)
        if ctx.counters.calls_answered > answered or ctx.clock.monotonic() - began >= STABLE_AFTER:
            self._next.proved()
            if self._fallback is not None:
                self._fallback.proved(uri)
        elif self._fallback is not None and self._is_wanted and not self._is_urgent:
            self._fallback.failed()
        ctx.log.info("disconnected: %s", reason)
        self._note(f"Disconnected: {reason}")
        return None

    async def _open(self) -> WebSocket:
        configuration = self._ctx.configuration
        profile, key = self._credentials()
        identity = configuration[internal.CHARGE_POINT_ID]
        where = self._endpoint(self._uri())
        headers: list[tuple[str, str]] = []
        if profile in {1, 2}:
            headers.append(("Authorization", authorization_header(identity, key or b"")))
        self._note(f"Connecting to {where.authority}")
        host_name = configuration[internal.HOST_NAME]
        if host_name:
            headers.append(("User-Host", host_name))
        self._was_reached = False
        stream = await self._connector(where)
        self._was_reached = True
        return await WebSocket.connect(
            stream, host=where.authority, target=where.target, headers=headers, now=lambda: self._ctx.clock.now() / 1e6
        )

    def _uri(self) -> str:
        if self._fallback is not None:
            return self._fallback.present
        return self._ctx.configuration[internal.CENTRAL_SYSTEM_URI]

    async def _serve(self, websocket: WebSocket) -> str:
        """Use a connection until it ends; returns why it did."""
        ctx, pump = self._ctx, self._pump
        link = Link(
            websocket,
            ctx.session,
            ctx.clock,
            ctx.timers,
            accept=self._accept,
            begin=pump.begin,
            turn=pump.turn,
            kick=ctx.kick,
            flush=self._flush,
            trace=self._trace,
        )
        self._link = pump.link = link
        self._note("Connected")
        self._was_invalid = False
        self._set_keep_alive()
        reason = _STOPPED
        look = None if self._fallback is None else self._fallback.look_later()
        try:
            with trio.CancelScope() as self._scope:  # who hears of the connection may want another one
                ctx.session.connection_made(ctx.clock.monotonic(), self._resume_delay)
                ctx.tell(ConnectionStateChanged(True), 0)
                ctx.signals.emit(Connected())
                pump.kick()
                try:
                    await read(link, self._readiness)
                except ConnectionClosed as closed:
                    reason = str(closed)
        finally:
            if look is not None:
                look.cancel()
            self._link = pump.link = None
            link.ended()
            ctx.session.connection_lost(ctx.clock.monotonic())
            ctx.tell(ConnectionStateChanged(False, reason), 0)
            ctx.signals.emit(Disconnected())
            pump.kick()
            if reason is _STOPPED:  # by us, and nothing was closed yet
                self._note("Disconnecting")
            with trio.CancelScope(shield=not self._is_abandoned) as self._closing:  # bounded inside
                await websocket.aclose(on_text=link.take_in_late)
            link.let_go()
        return reason

    def _flush(self, link: Link) -> None:
        self._ctx.spawn(flush, link)

    def _report_failure(self, error: BaseException) -> str:
        """Tell why there is no connection. Returns it in words."""
        ctx = self._ctx
        known = error if is_a(error, (ConnectionFailed, ConfigurationError)) else None
        if known is not None:
            failure = shown(known)
        elif is_a(error, trio.TooSlowError):
            failure = f"no connection within {ATTEMPT_TIMEOUT:g} s"
        else:
            failure = f"the connector failed: {sentence(error)}"
        ctx.log.warning("no connection: %s", failure)
        self._note(f"Not connected: {failure}")
        ctx.tell(ConnectionStateChanged(False, failure), 0)
        if isinstance(known, HandshakeRefused):
            self._next.sent_away(self._uri(), known.retry_after)
            if known.status == 401:
                ctx.signals.emit(SecurityEventRaised("FailedToAuthenticateAtCentralSystem", failure))
        elif isinstance(known, DialFailed) and known.security_event:
            is_first = known.security_event == _INVALID_CERTIFICATE and not self._was_invalid
            self._was_invalid |= is_first  # told once, until a connection was made
            ctx.signals.emit(SecurityEventRaised(known.security_event, failure, is_critical=is_first or None))
        is_refusal = self._is_refusal(known)
        if is_refusal and isinstance(self._connector, Dialer | Detour):
            self._connector.refused()
        ctx.signals.emit(AttemptFailed(is_refusal))
        return failure

    def _is_refusal(self, error: BaseException | None) -> bool:
        """Was the Central System reached, and did not want us? Of one that has too much to do that is not known."""
        if isinstance(error, HandshakeRefused):
            return error.status < 500
        is_of_tls = isinstance(error, DialFailed) and error.step == "TLS"
        return self._was_reached or is_of_tls or isinstance(error, ConfigurationError)

    def key_changed(self, key: str) -> None:
        """A configuration key changed: pings follow at once, the waits between attempts begin anew."""
        self._next.key_changed(key)
        if key == core.WEB_SOCKET_PING_INTERVAL.name:
            seconds = self._ctx.configuration[core.WEB_SOCKET_PING_INTERVAL] or 0
            self._note(f"WebSocketPingInterval changed: {seconds} s")
        if key in _KEEP_ALIVE_KEYS and self._link is not None:
            self._set_keep_alive()

    def _set_keep_alive(self) -> None:
        configuration = self._ctx.configuration
        if self._link is not None:
            self._link.keep_alive(
                configuration[core.WEB_SOCKET_PING_INTERVAL] or 0,
                configuration[internal.WEBSOCKET_PONG_TIMEOUT],
                configuration[internal.WEBSOCKET_PING_PAYLOAD].encode(),
            )


_INVALID_CERTIFICATE = "InvalidCentralSystemCertificate"
_STOPPED = "stopped"
"""Why a connection ended that nobody else closed."""
_KEEP_ALIVE_KEYS = frozenset(
    {core.WEB_SOCKET_PING_INTERVAL.name, internal.WEBSOCKET_PONG_TIMEOUT.name, internal.WEBSOCKET_PING_PAYLOAD.name}
)
