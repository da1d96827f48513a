"""One live WebSocket: what is read, and the frames that the pump gives it to write. `link_tasks` waits for it.

Only the reader ends a link. Whoever finds it broken, or silent, aborts it, and the reader learns of it. `take` collects
everything that may go now in one buffer; what a plain socket takes at once needs no task.

Rules of this file:
1. A peer is judged by the bytes that the kernel does not take, never by how much it asks in one read. Beyond
   `MAX_UNSENT` of them frames wait in their lanes; a write that gets stuck ends the link.
2. Silence after a request is met with a ping before the link is given up, whether pings are configured or not.
"""

from collections.abc import Callable

from ocpp16.errors import ConnectionClosed
from ocpp16.patience import of_others
from ocpp16.rpc.policy import MAX_UNSENT, MAX_WAITING_REPLIES
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock
from ocpp16.state.timers import Timer, Timers
from ocpp16.transport.websocket import WebSocket

PROBE_TIMEOUT = 30.0
"""Seconds for an answer to the ping that a silence is met with, where no pong timeout is configured."""

Trace = Callable[[str, str], None]


class Link:
    """Between one session and one WebSocket.

    Parameters: `accept` takes a CALL, and is told whether it is the first of its turn; `begin` and `turn` enclose what
    follows from one read, and let the pump send what became ready; `flush` starts the task that writes the rest, and
    calls `flushed`; `trace(direction, text)` is told every text frame, or None.
    """

    __slots__ = (
        "_accept",
        "_begin",
        "_clock",
        "_flush",
        "_holds_back",
        "_is_flushing",
        "_ping",
        "_ping_payload",
        "_pong",
        "_pong_timeout",
        "_probe",
        "_session",
        "_thens",
        "_timers",
        "_trace",
        "_turn",
        "websocket",
    )

    def __init__(
        self,
        websocket: WebSocket,
        session: Session,
        clock: Clock,
        timers: Timers,
        *,
        accept: Callable[..., None],
        begin: Callable[[], None],
        turn: Callable[[], object],
        kick: Callable[[], None],
        flush: "Callable[[Link], None]",
        trace: Trace | None,
    ) -> None:
        self.websocket: WebSocket = websocket
        self._session = session
        self._clock = clock
        self._timers = timers
        self._accept = accept
        self._begin = begin
        self._turn = turn
        self._trace = trace
        self._flush = flush
        self._is_flushing = False
        self._holds_back = False
        """Frames may wait in their lanes for the peer to read; the end of a flush gives them their turn."""
        self._thens: list[Callable[[], None]] | None = None
        self._ping: Timer | None = None
        self._pong: Timer | None = None
        self._probe: Timer | None = None
        self._ping_payload = b""
        self._pong_timeout = 0.0
        websocket.on_unsent = kick
        websocket.on_pong = self._pong_arrived
        websocket.on_ping = self._ping_arrived
        websocket.on_binary = session.on_binary

    def tell_frames(self, trace: Trace | None) -> None:
        """Tell `trace` every text frame from here on."""
        self._trace = trace

    def takes_frames(self) -> bool:
        """May a frame be written now? Not to a peer that has to read first; when it has, there is a turn."""
        return self.websocket.takes(MAX_UNSENT)

    def take(self, now: float, durable: int) -> None:
        """Queue every frame that may go now and write what the kernel takes at once."""
        websocket, session = self.websocket, self._session
        if session.wants_probe:
            self._ask_whether_alive(now)
        while websocket.takes(MAX_UNSENT) and (frame := session.next_frame(now, durable)) is not None:
            websocket.send_text(frame.data)
            if frame.then is not None:
                if self._thens is None:
                    self._thens = []
                self._thens.append(frame.then)
            if self._trace is not None:
                self._trace("sent", frame.data.decode())
        if websocket.unsent_bytes >= MAX_UNSENT:
            self._holds_back = websocket.is_open
        if websocket.flush_now():
            self._written()
        elif not self._is_flushing:
            # The socket is full, or the stream knows no non-blocking write (TLS, memory): nobody waits for it here.
            self._is_flushing = True
            self._flush(self)

    def flushed(self) -> None:
        """The task that wrote the rest is over."""
        self._is_flushing = False
        self._written()
        if self._holds_back:
            self._holds_back = False
            self._turn()

    def _written(self) -> None:
        """What was to happen after these answers: their bytes have left, or never will."""
        while self._thens is not None:
            thens, self._thens = self._thens, None
            for then in thens:
                then()  # what it raises is caught by the session

    def take_in(self, texts: list[str] | None = None) -> None:
        """One turn: `texts`, or what the socket has, and what follows. Raises ConnectionClosed, as the read does."""
        self._begin()
        try:
            self._take_in(self.websocket.read_now() if texts is None else texts)
            if self._session.waiting_replies > MAX_WAITING_REPLIES:
                self.websocket.send_close(1008, "answers are not read")
                raise ConnectionClosed(1008, "the peer goes on asking and does not read our answers")
        finally:
            self._turn()

    def _take_in(self, texts: list[str]) -> None:
        now = self._clock.monotonic()
        self._heard(now)
        is_first = True
        for text in texts:
            if self._trace is not None:
                self._trace("received", text)
            call = self._session.receive(text, now)
            if call is not None:
                self._accept(call, is_first)
                is_first = False

    def take_in_late(self, text: str) -> None:
        """A message that comes while we close: to the session the connection is gone already."""
        if self._trace is not None:
            self._trace("received", text)
        self._session.receive(text, self._clock.monotonic())
        self._turn()

    def ended(self) -> None:
        """No more pings, and what waited for bytes to leave waits no longer. May be called twice."""
        self.keep_alive(0, 0, b"")
        self._written()

    def let_go(self) -> None:
        """The connection is closed: nothing of it comes back here, and no circle of the two waits for the collector."""
        websocket = self.websocket
        websocket.on_unsent = websocket.on_pong = websocket.on_ping = websocket.on_binary = None

    # Ping and pong (key WebSocketPingInterval)

    def keep_alive(self, interval: float, pong_timeout: float, payload: bytes) -> None:
        """Ping every `interval` seconds (0: not), expect the pong within `pong_timeout` seconds (0: for ever)."""
        for timer in (self._ping, self._pong, self._probe):
            if timer is not None:
                timer.cancel()
        self._ping = self._pong = self._probe = None
        self._ping_payload = payload[:125]
        self._pong_timeout = pong_timeout
        if interval > 0:
            self._ping = self._timers.every(interval, self._send_ping, self._clock.monotonic() + interval)

    def _send_ping(self) -> None:
        if not self.websocket.is_open:
            return
        self.websocket.send_ping(self._ping_payload)
        if self._pong_timeout > 0 and self._pong is None:
            self._pong = self._timers.at(self._clock.monotonic() + of_others(self._pong_timeout), self._no_pong)
        self._turn()

    def _pong_arrived(self, payload: bytes) -> None:
        if self._pong is not None:
            self._pong.cancel()
            self._pong = None
        self._heard(self._clock.monotonic())

    def _ping_arrived(self, payload: bytes) -> None:
        self._heard(self._clock.monotonic())

    def _no_pong(self) -> None:
        self._pong = None
        self.websocket.abort(f"no pong within {self._pong_timeout:g} s")

    # Silence

    def _heard(self, now: float) -> None:
        """Something came from the peer: whatever else is the matter, the link is alive."""
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None
        self._session.heard(now)

    def _ask_whether_alive(self, now: float) -> None:
        """A request was not answered, and nothing else was received: anything received from here on will do."""
        self._session.probe_sent()
        if self._probe is not None or not self.websocket.is_open:
            return
        self.websocket.send_ping(self._ping_payload)
        if self._pong_timeout > 0 or self._ping is None:  # else pongs are waited for for ever: so it is configured
            self._probe = self._timers.at(now + of_others(self._pong_timeout or PROBE_TIMEOUT), self._no_sign_of_life)

    def _no_sign_of_life(self) -> None:
        self._probe = None
        self.websocket.abort("a request was not answered, and nothing was received after a ping either")
