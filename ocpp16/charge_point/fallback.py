"""Going from one address of the Central System to the next, and back to the first when it answers again.

Which one has its turn is decided by `addresses`; here it is told, and looked whether the first is there.
"""

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from ocpp16.charge_point.addresses import Addresses
from ocpp16.configuration.keys import internal
from ocpp16.faults import obey
from ocpp16.observer import CentralSystemChanged
from ocpp16.patience import of_others
from ocpp16.profiles.base import Context
from ocpp16.state.timers import Timer

LOOK_TIMEOUT = 60.0
"""Seconds that a look at the first address takes at most."""


class Fallback:
    """Of one start of a charge point with several addresses.

    Parameters: `dial` opens a stream to one of them; `note` what happens, in words; `leave` closes the connection that
    there is, for one to the present address; `left_alone_for` says how many seconds one still asks for (Retry-After).
    """

    __slots__ = ("_addresses", "_ctx", "_dial", "_leave", "_left_alone_for", "_note")

    def __init__(
        self,
        ctx: Context,
        addresses: Addresses,
        *,
        dial: Callable[[str], Awaitable[trio.abc.Stream]],
        note: Callable[[str], None],
        leave: Callable[[], None],
        left_alone_for: Callable[[str], float],
    ) -> None:
        self._ctx = ctx
        self._addresses = addresses
        self._dial = dial
        self._note = note
        self._leave = leave
        self._left_alone_for = left_alone_for

    @property
    def present(self) -> str:
        return self._addresses.present

    def failed(self) -> None:
        """An attempt at the present address failed; the next one may be at another."""
        if self._addresses.failed(self._left_alone_for):
            self._tell()

    def proved(self, uri: str) -> None:
        """A connection to this address proved stable, or was accepted: attempts begin there from now on."""
        self._addresses.proved(uri)

    def look_later(self) -> Timer | None:
        """Of a connection to another address than the first one; to be cancelled with it."""
        interval = self._ctx.configuration[internal.FALLBACK_RETURN_INTERVAL]
        if self._addresses.is_first or not interval:
            return None
        wait = self._addresses.wait_for_first(interval)
        look = partial(self._ctx.spawn, self._look)
        return self._ctx.timers.every(wait, look, self._ctx.clock.monotonic() + wait)

    async def _look(self) -> None:
        """Go back if somebody is there: what waits to be sent is sent there."""
        addresses = self._addresses
        if self._left_alone_for(addresses.first):
            return
        with trio.move_on_after(of_others(LOOK_TIMEOUT)):
            try:
                stream = await self._dial(addresses.first)
                await stream.aclose()
            except BaseException as error:
                obey(error)
                return
            if not addresses.is_first:
                addresses.back_to_first()
                self._tell()
                self._leave()

    def _tell(self) -> None:
        uri = self._addresses.present
        self._ctx.log.warning("the Central System is tried at %s from now on", uri)
        self._note(f"Central System: {uri}")
        self._ctx.tell(CentralSystemChanged(uri), 0)
