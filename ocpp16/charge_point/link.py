"""One live WebSocket: its reader, and the frames that the pump gives it to write.

Only the reader ends a link. Whoever finds it broken, or silent, aborts it, and the reader learns of it. `take` collects
everything that may go now in one buffer; what a plain socket takes at once needs no task.
"""

from collections.abc import Callable

import trio

from ocpp16.errors import ConnectionClosed
from ocpp16.models import Counters
from ocpp16.rpc.policy import MAX_WAITING_REPLIES
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock
from ocpp16.state.timers import Timer, Timers
from ocpp16.transport.websocket import WebSocket

WRITE_TIMEOUT = 10.0
"""Seconds after which a write that does not get through means a broken connection (libocpp)."""

SILENT_TIMEOUTS = 3
"""Requests in a row without an answer, and nothing else received: the peer is gone, though nobody said so."""

Trace = Callable[[str, str], None]


class Link:
    """Between one session and one WebSocket.

    Parameters: `accept` takes a CALL; `turn` lets the pump send what became ready; `trace(direction, text)` is told
    every text frame, or None.
    """

    __slots__ = (
        "_accept",
        "_clock",
        "_counters",
        "_ping",
        "_ping_payload",
        "_pong",
        "_pong_timeout",
        "_session",
        "_silent_timeouts",
        "_thens",
        "_timeouts",
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
        counters: Counters,
        *,
        accept: Callable[..., None],
        turn: Callable[[], None],
        kick: Callable[[], None],
        trace: Trace | None,
    ) -> None:
        self.websocket = websocket
        self._session = session
        self._clock = clock
        self._counters = counters
        self._timeouts = counters.timeouts
        self._timers = timers
        self._accept = accept
        self._turn = turn
        self._trace = trace
        self._silent_timeouts = 0
        self._thens: list[Callable[[], None]] = []
        self._ping: Timer | None = None
        self._pong: Timer | None = None
        self._ping_payload = b""
        self._pong_timeout = 0.0
        websocket.on_unsent = kick
        websocket.on_pong = self._pong_arrived

    @property
    def unsent(self) -> bool:
        return self.websocket.unsent

    @property
    def is_open(self) -> bool:
        return self.websocket.is_open

    def _note_timeouts(self) -> None:
        """Requests without an answer, and silence: without pings that is how a dead connection shows."""
        self._silent_timeouts += self._counters.timeouts - self._timeouts
        self._timeouts = self._counters.timeouts
        if self._ping is None and self._silent_timeouts >= SILENT_TIMEOUTS:
            self.websocket.abort(f"{SILENT_TIMEOUTS} requests unanswered and nothing received meanwhile")

    def take(self, now: float, durable: int) -> None:
        """Queue every frame that may go now and write what the kernel takes at once."""
        websocket, session = self.websocket, self._session
        if self._counters.timeouts != self._timeouts:
            self._note_timeouts()
        while websocket.is_open and (frame := session.next_frame(now, durable)) is not None:
            websocket.send_text(frame.data)
            if frame.then is not None:
                self._thens.append(frame.then)
            if self._trace is not None:
                self._trace("sent", frame.data.decode())
        if websocket.flush_now():
            self._written()

    async def flush(self) -> None:
        """Write the rest; a write that gets stuck ends the connection."""
        with trio.move_on_after(WRITE_TIMEOUT) as limit:
            await self.websocket.flush()
        if limit.cancelled_caught:
            self.websocket.abort(f"a write did not get through within {WRITE_TIMEOUT:g} s")
        self._written()

    def _written(self) -> None:
        """What was to happen after these answers: their bytes have left, or never will."""
        while self._thens:
            thens, self._thens = self._thens, []
            for then in thens:
                then()

    async def read(self) -> None:
        """Hand in what arrives until the connection ends. Raises ConnectionClosed with the cause."""
        websocket, session = self.websocket, self._session
        try:
            while True:
                texts = await websocket.receive()
                now = self._clock.monotonic()
                self._silent_timeouts = 0
                for text in texts:
                    if self._trace is not None:
                        self._trace("received", text)
                    call = session.receive(text, now)
                    if call is not None:
                        self._accept(call)
                if session.waiting_replies > MAX_WAITING_REPLIES:
                    websocket.send_close(1008, "answers are not read")
                    raise ConnectionClosed(1008, "the peer does not read our answers")
                self._turn()
        finally:
            self.ended()

    def ended(self) -> None:
        """No more pings, and what waited for bytes to leave waits no longer. May be called twice."""
        self.keep_alive(0, 0, b"")
        self._written()

    # Ping and pong (key WebSocketPingInterval)

    def keep_alive(self, interval: float, pong_timeout: float, payload: bytes) -> None:
        """Ping every `interval` seconds (0: not), expect the pong within `pong_timeout` seconds (0: for ever)."""
        for timer in (self._ping, self._pong):
            if timer is not None:
                timer.cancel()
        self._ping = self._pong = None
        self._ping_payload = payload[:125]
        self._pong_timeout = pong_timeout
        if interval > 0:
            self._ping = self._timers.every(interval, self._send_ping, self._clock.monotonic() + interval)

    def _send_ping(self) -> None:
        if not self.websocket.is_open:
            return
        self.websocket.send_ping(self._ping_payload)
        if self._pong_timeout > 0 and self._pong is None:
            self._pong = self._timers.at(self._clock.monotonic() + self._pong_timeout, self._no_pong)
        self._turn()

    def _pong_arrived(self, payload: bytes) -> None:
        self._silent_timeouts = 0
        if self._pong is not None:
            self._pong.cancel()
            self._pong = None

    def _no_pong(self) -> None:
        self._pong = None
        self.websocket.abort(f"no pong within {self._pong_timeout:g} s")
