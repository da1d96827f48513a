"""What a refused id tag may still get: MaxEnergyOnInvalidId (OCPP 1.6 ed. 2 §4.8, §9.1).

A driver whose id tag the Central System refuses after the start may be left so much energy that the car can drive away.
It is counted from the register at the refusal, or the last one known. A meter that tells nothing for `BLIND_TIME`
leaves nothing to count with: then it is over.
"""

from collections.abc import Callable

from ocpp16.enums import AuthorizationStatus
from ocpp16.profiles.context import Context, log
from ocpp16.state.keys import core
from ocpp16.state.signals import TransactionEnded
from ocpp16.state.timers import Timer
from ocpp16.state.transaction import Transaction

LOOK_INTERVAL = 5.0
"""Seconds between two looks at the register: a few Wh at the power of a car."""
BLIND_TIME = 300.0
"""Seconds without a register until the allowance is taken to be used up."""
_GETS_NOTHING = frozenset({AuthorizationStatus.CONCURRENT_TX})
"""The tag is good and charges elsewhere: nobody is stranded."""

Register = Callable[[int], int | None]
"""Connector → its register now in Wh, None where it is not known."""


class EnergyAllowance:
    """Of all refused transactions of a charge point. `register` reads a meter."""

    __slots__ = ("_ctx", "_register", "_watched")

    def __init__(self, ctx: Context, register: Register) -> None:
        self._ctx = ctx
        self._register = register
        self._watched: dict[int, Timer] = {}
        ctx.signals.on(TransactionEnded, self._transaction_ended)

    def grant(
        self, transaction: Transaction, status: AuthorizationStatus, used_up: Callable[[Transaction], None]
    ) -> None:
        """The id tag was refused as `status`: call `used_up` once it has got what it may get; at once, if nothing."""
        allowed = self._ctx.configuration[core.MAX_ENERGY_ON_INVALID_ID] or 0
        if allowed <= 0 or status in _GETS_NOTHING:
            used_up(transaction)
            return
        log.info("%s: connector %d gets %d Wh more", self._ctx.charge_point_id, transaction.connector_id, allowed)
        present = self._register(transaction.connector_id)
        limit = (transaction.meter_last if present is None else present) + allowed
        monotonic = self._ctx.clock.monotonic
        seen_at = monotonic()

        def look() -> None:
            nonlocal seen_at
            now = self._register(transaction.connector_id)
            if now is not None:
                seen_at = monotonic()
            if monotonic() - seen_at >= BLIND_TIME or (now is not None and now >= limit):
                self._forget(transaction)
                used_up(transaction)

        self._forget(transaction)
        first = monotonic() + LOOK_INTERVAL
        self._watched[transaction.key] = self._ctx.timers.every(LOOK_INTERVAL, look, first)

    def stop(self) -> None:
        for timer in self._watched.values():
            timer.cancel()
        self._watched.clear()

    def _transaction_ended(self, signal: TransactionEnded) -> None:
        self._forget(signal.transaction)

    def _forget(self, transaction: Transaction) -> None:
        timer = self._watched.pop(transaction.key, None)
        if timer is not None:
            timer.cancel()
