"""Is one of our certificates towards cars revoked? GetCertificateStatus, again and again (application note on ISO
15118; OCPP 2.0.1 part 2, M06).

States: idle → asking, one certificate after the other → idle, until the next time. That is OcspRequestInterval after
the last round, or earlier, when an answer that is kept ends. What was not answered, or not kept, is asked again alone,
after waits that double. Rules of this file:
1. A responder that is slow holds up nobody: the answer is waited for beside all other messages.
2. Offline nothing is asked, and nothing is forgotten: the round is made up for once the Central System can be asked.
3. What is kept is the keeper's: it proves an answer before it takes it.
"""

from math import inf
from typing import Final

from ocpp16.configuration.keys.internal import OCSP_REQUEST_INTERVAL
from ocpp16.errors import CallFailed
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.base import Context
from ocpp16.profiles.contract_authorization import on_the_wire
from ocpp16.profiles.plug_and_charge_messages import ask
from ocpp16.security.evse_security import OcspRequestData
from ocpp16.state.timers import Timer

__all__ = ["OcspRefresh"]

FIRST_ROUND: Final = 60.0
"""Seconds from an accepted BootNotification, and from switching it on, to the first round."""
LINE_TIME: Final = 5.0
"""Seconds for which a request holds up others."""
SHORTEST_INTERVAL: Final = 3_600.0
"""Seconds between two rounds, however soon an answer ends."""
FIRST_RETRY: Final = 60.0
"""Seconds after which what was not answered is asked again; they double up to `LONGEST_RETRY`."""
LONGEST_RETRY: Final = 3_600.0
MOST_ASKED: Final = 100
"""Certificates of one round."""


class OcspRefresh:
    """Of one start. `is_on`: the key of it; `begin` switches it on, `stop` off."""

    __slots__ = (
        "_again",
        "_ctx",
        "_is_asking",
        "_is_due",
        "_is_on",
        "_left",
        "_retry",
        "_security",
        "_timer",
        "_until",
    )

    def __init__(self, ctx: Context, security: AskedSecurity) -> None:
        self._ctx = ctx
        self._security = security
        self._timer: Timer | None = None
        self._is_on = False
        self._is_asking = False
        self._is_due = False
        """Its time came while nobody could be asked."""
        self._again = False
        """There are other certificates than those that are being asked for."""
        self._left: tuple[OcspRequestData, ...] = ()
        """Of the last round, what is asked again; empty: all that there is."""
        self._retry = FIRST_RETRY
        self._until = inf
        """Seconds since 1970 at which the first of the answers kept of this round ends."""

    @property
    def next_at(self) -> float | None:
        """Monotonic seconds of the next round; None: it is off, or one is due or under way."""
        return None if self._timer is None or not self._timer.is_active else self._timer.when

    def begin(self) -> None:
        """From now on; a round of its own after a minute."""
        if not self._is_on:
            self._is_on = True
            self._set(FIRST_ROUND)

    def stop(self) -> None:
        self._is_on = self._is_due = self._again = False
        self._left = ()
        self._retry = FIRST_RETRY
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def interval_changed(self) -> None:
        """OcspRequestInterval is another one: it counts from now."""
        if self._is_on and not (self._is_asking or self._is_due or self._left):
            self._set(float(self._ctx.configuration[OCSP_REQUEST_INTERVAL]))

    def at_once(self) -> None:
        """There is a new certificate."""
        if self._is_on:
            self._left = ()
            self._again = self._is_asking
            self._due()

    def can_ask(self) -> None:
        """The Central System is there: what was due is made up for."""
        if self._is_due:
            self._due()

    def _set(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._ctx.timers.at(self._ctx.clock.monotonic() + seconds, self._due)

    def _due(self) -> None:
        if self._is_asking:
            return
        self._is_due = not self._ctx.sender.is_online
        if not self._is_due:
            self._is_asking = True
            self._ctx.spawn(self._round)

    async def _round(self) -> None:
        left: tuple[OcspRequestData, ...] = ()
        try:
            asked = self._left
            if not asked:
                self._until = inf
                asked = tuple((await self._security.get_v2g_ocsp_request_data())[:MOST_ASKED])
            for position, one in enumerate(asked):
                if not (self._is_on and self._ctx.sender.is_online):
                    left += asked[position:]
                    break
                ends = await self._asked(one)
                if ends is None:
                    left += (one,)
                else:
                    self._until = min(self._until, ends)
        finally:
            self._is_asking = False
        if self._is_on:
            self._after(left)

    def _after(self, left: tuple[OcspRequestData, ...]) -> None:
        """What comes next; `left` was not answered."""
        ctx = self._ctx
        if self._again:
            self._again = False
            self._left = ()
            self._due()
        elif left:
            self._left = left
            self._set(self._retry)
            ctx.log.info("%d certificates could not be asked about; again in %d s", len(left), self._retry)
            self._retry = min(2 * self._retry, LONGEST_RETRY)
        else:
            self._left, self._retry = (), FIRST_RETRY
            ends_in = max(SHORTEST_INTERVAL, self._until - ctx.clock.now() / 1e6)
            self._set(min(float(ctx.configuration[OCSP_REQUEST_INTERVAL]), ends_in))

    async def _asked(self, one: OcspRequestData) -> float | None:
        """Ask, and have it kept. Until when it holds, seconds since 1970; infinity: it does not say, or there is no
        point in asking before the next round; None: nothing was kept."""
        from ocpp16.security.ocsp import next_update  # cryptography only where there are certificates

        ctx, serial = self._ctx, one.hash_data.serial_number
        try:
            answer = await ask(ctx, "GetCertificateStatus", {"ocspRequestData": on_the_wire(one)}, line_time=LINE_TIME)
        except CallFailed as failure:
            ctx.log.info("the status of certificate %s is not known: %s", serial, failure)
            return inf if failure.reason == "refused" else None
        text = answer.get("ocspResult", "")
        if answer["status"] != "Accepted" or not text:
            ctx.log.info("the Central System does not know the status of certificate %s", serial)
            return None
        if not await self._security.update_ocsp_cache(one.hash_data, text):
            return None
        until = next_update(text)
        return inf if until is None else until
