"""One charge point that comes: let in as the Central System lets it in, refused as it refuses."""

from collections.abc import Callable
from typing import Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.errors import ConfigurationError, ConnectionFailed, HandshakeRefused
from ocpp16.proxy.target import Target, passed_on
from ocpp16.texts import shown
from ocpp16.transport.websocket import Accept, Reject, UpgradeRequest, WebSocket
from ocpp16.wire import DisturbedStream

LARGEST_MESSAGE: Final = 1 << 24
"""Bytes."""
_WITHOUT_BODY: Final = frozenset({204, 304})


class Visit:
    """Parameters: `target` where it wants to; `room` for connections; `dial` gives how to dial for an identity.

    identity: "" until it is known. theirs: the connection to the Central System, once there is one. refusal: why it was
    not let in, in words. has_arrived: it was let in.
    """

    def __init__(self, target: Target, room: trio.CapacityLimiter, dial: Callable[[str], StreamOpener]) -> None:
        self._target = target
        self._room = room
        self._dial = dial
        self._has_room = False
        self._carrier: trio.abc.Stream | None = None
        self.identity: str = ""
        self.theirs: WebSocket | None = None
        self.refusal: str = ""
        self.has_arrived = False

    @property
    def is_silent(self) -> bool:
        """Does a wire fault swallow what it says?"""
        return isinstance(self._carrier, DisturbedStream) and self._carrier.is_silent

    async def decide(self, request: UpgradeRequest) -> Accept | Reject:
        """What the charge point is answered: dials the Central System."""
        try:
            self.identity, where = self._target.of(request)
        except ValueError as error:
            return self._refuse(404, str(error))
        try:
            self._room.acquire_on_behalf_of_nowait(self)
        except trio.WouldBlock:
            return self._refuse(503, "too many connections", ("Retry-After", "10"))
        self._has_room = True
        try:
            self._carrier = await self._dial(self.identity)(where)
            self.theirs = await WebSocket.connect(
                self._carrier,
                host=where.authority,
                target=where.target,
                headers=passed_on(request),
                subprotocols=request.subprotocols,
                max_message_size=LARGEST_MESSAGE,
                require_subprotocol=False,
            )
        except HandshakeRefused as refused:
            return self._refuse_as(refused)
        except (ConnectionFailed, ConfigurationError) as error:
            return self._refuse(502, f"no connection to the Central System: {error}")
        return Accept(self.theirs.subprotocol)

    def _refuse_as(self, refused: HandshakeRefused) -> Reject:
        """As the Central System did; what is no answer of HTTP alone is a bad gateway."""
        self.refusal = f"by the Central System: {shown(refused)}"
        if refused.status < 200 or refused.status in _WITHOUT_BODY:
            return Reject(502, str(refused))
        headers = []
        if refused.status == 401:
            headers.append(("WWW-Authenticate", 'Basic realm="OCPP"'))
        if refused.retry_after is not None:
            headers.append(("Retry-After", f"{refused.retry_after:.0f}"))
        return Reject(refused.status, refused.body, tuple(headers))

    def _refuse(self, status: int, why: str, *headers: tuple[str, str]) -> Reject:
        self.refusal = f"HTTP {status}: {shown(why)}"
        return Reject(status, why, headers)

    def leave(self) -> None:
        """It is gone: so is its connection to the Central System."""
        if self.theirs is not None:
            self.theirs.abort("the charge point is gone")
        if self._has_room:
            self._has_room = False
            self._room.release_on_behalf_of(self)
