"""The proxy as it runs: whoever comes is served, and what passes is told, recorded and judged.

Rules of this file:
1. One connection that fails, or whatever it is told to, ends no other and not the proxy.
2. Who listens to what happens is told at once and must not wait; what that raises ends nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from random import Random
from typing import Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.errors import ConnectionFailed
from ocpp16.faults import obey, obey_exit, sentence
from ocpp16.lint import Finding
from ocpp16.proxy.happening import Happening, Kind
from ocpp16.proxy.record import Judge, Recorded
from ocpp16.proxy.relay import Relay
from ocpp16.proxy.side import Message
from ocpp16.proxy.target import Target
from ocpp16.proxy.trace_file import TraceFile
from ocpp16.proxy.visit import LARGEST_MESSAGE, Visit
from ocpp16.redaction import redacted_prose
from ocpp16.security.tls import SSLContext
from ocpp16.transport.streams import close_forcefully
from ocpp16.transport.websocket import WebSocket
from ocpp16.wire import WireFaults, Word, disturbed

HANDSHAKE_TIMEOUT: Final = 90.0
"""Seconds for both handshakes together."""
TLS_TIMEOUT: Final = 30.0
_REMEMBERED: Final = 10_000
"""Identities whose connections are counted, for seeds of faults."""


class Proxy:
    """Made by `open_proxy`. port: that it listens on. connected: how many charge points are. counts: how often each
    kind of thing happened; faults: how often each word of `WireFaults` did. errors: what the linter said that is no
    mere warning."""

    def __init__(
        self,
        target: Target,
        *,
        tls: SSLContext | None,
        dial: StreamOpener,
        faults: WireFaults,
        seed: int,
        linter: Judge | None,
        on_happening: Callable[[Happening], object],
        most_connections: int,
        ping_interval: float,
        now: Callable[[], int],
    ) -> None:
        self.port = 0
        self.connected: int = 0
        self.counts: Counter[Kind] = Counter()
        self.faults: Counter[Word] = Counter()
        self.errors: int = 0
        self.trace: TraceFile | None = None
        self.nursery: trio.Nursery | None = None
        self._target = target
        self._tls = tls
        self._dial = dial
        self._wire_faults = faults
        self._seed = seed
        self._linter = linter
        self._on_happening = on_happening
        self._room = trio.CapacityLimiter(most_connections)
        self._most_arriving = most_connections
        self._arriving = 0
        """Connections that are not let in yet."""
        self._ping_interval = ping_interval
        self._now = now
        self._latest: dict[str, Recorded] = {}
        """Identity → the newest of its connections: one before it may be noticed to be gone much later."""
        self._seen: dict[str, int] = {}
        self._connections = count(1)
        self._lines = count(1)

    # What happens

    def tell(self, kind: Kind, identity: str, text: str, way: str = "", *, is_error: bool = False) -> None:
        """Count and tell it."""
        self.counts[kind] += 1
        try:
            self._on_happening(Happening(kind, identity, text, way, is_error))
        except BaseException as fault:  # of the listener
            obey_exit(fault)

    def trouble(self, text: str) -> None:
        """Something of the proxy itself."""
        self.tell(Kind.TROUBLE, "", text)

    def end(self) -> None:
        """Nothing passes any more."""
        self._judge("", lambda linter: linter.end())

    def _judge(self, identity: str, ask: Callable[[Judge], Iterable[Finding]]) -> None:
        if self._linter is None:
            return
        try:
            findings = list(ask(self._linter))
        except Exception as fault:
            self.trouble(f"the linter failed: {sentence(fault)}")
            return
        for finding in findings:
            is_error = finding.severity == "error"
            self.errors += is_error
            said = f"{finding.rule}: {finding.text}"
            self.tell(Kind.FINDING, finding.charge_point or identity, said, is_error=is_error)

    # Connections

    def take(self, carrier: trio.abc.Stream) -> None:
        """Serve a charge point on a stream that is there already: one of memory, or a tunnel."""
        assert self.nursery is not None
        self.nursery.start_soon(self.serve, carrier)

    async def serve(self, carrier: trio.abc.Stream) -> None:
        """One that comes, until it goes."""
        stream = carrier
        visit = Visit(self._target, self._room, self._dial_for)
        if self._arriving >= self._most_arriving:
            self.tell(Kind.REFUSED, "", "too many that have not said what they want")
            await close_forcefully(carrier)
            return
        self._arriving += 1
        try:
            if self._tls is not None:
                stream = secured = trio.SSLStream(carrier, self._tls, server_side=True, https_compatible=True)
                with trio.fail_after(TLS_TIMEOUT):
                    await secured.do_handshake()
            await self._serve(stream, visit)
        except BaseException as error:
            obey(error)
            self.tell(Kind.REFUSED, visit.identity, sentence(error.__cause__ or error))
        finally:
            self._arriving -= not visit.has_arrived
            visit.leave()
            await close_forcefully(stream)

    async def _serve(self, stream: trio.abc.Stream, visit: Visit) -> None:
        try:
            ours = await WebSocket.accept(
                stream,
                decide=visit.decide,
                max_message_size=LARGEST_MESSAGE,
                compression=True,
                timeout=HANDSHAKE_TIMEOUT,
            )
        except ConnectionFailed as error:
            self.tell(Kind.REFUSED, visit.identity, visit.refusal or redacted_prose(str(error)))
            return
        assert visit.theirs is not None
        visit.has_arrived = True
        self._arriving -= 1
        recorded = Recorded(visit.identity, next(self._connections), self._now, self._lines)
        relay = Relay(ours, visit.theirs, partial(self._passed, recorded), lambda: visit.is_silent)
        self.connected += 1
        self.tell(Kind.OPENED, visit.identity, visit.theirs.subprotocol or "no subprotocol")
        self._latest[visit.identity] = recorded
        self._judge(visit.identity, lambda linter: linter.take(recorded.end(begins=True)))
        try:
            await relay.run(self._ping_interval)
        finally:
            self.connected -= 1
            self.tell(Kind.CLOSED, visit.identity, relay.ended)
            if self._latest.get(visit.identity) is recorded:
                del self._latest[visit.identity]
                self._judge(visit.identity, lambda linter: linter.take(recorded.end(begins=False)))

    async def _passed(self, recorded: Recorded, way: str, message: Message) -> None:
        text, is_binary = message.shown, message.is_binary
        self.tell(Kind.FRAME, recorded.identity, text, way)
        if self.trace is None and self._linter is None:
            return
        record = recorded.take(way, text)
        self._judge(recorded.identity, lambda linter: linter.take(recorded.frame(record, text, is_binary=is_binary)))
        if self.trace is not None:
            await self.trace.put(recorded.row(record, is_binary=is_binary))

    def _dial_for(self, identity: str) -> StreamOpener:
        """How to dial for the next connection of a charge point."""
        number = self._seen.pop(identity, 0) + 1
        self._seen[identity] = number
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        if not self._wire_faults:
            return self._dial
        opener = disturbed(self._dial, self._wire_faults, Random(f"{self._seed} {identity} {number}"))  # noqa: S311
        opener.counts = self.faults
        return opener
