"""What a refused id tag may still get: MaxEnergyOnInvalidId (OCPP 1.6 ed. 2 §4.8, §9.1).

Rules of this file:
1. A driver whose id tag the Central System refuses after the start may be left so much energy that the car can drive
   away. It is counted from the register at the first refusal, or the highest one known; a register that was reset is
   counted on from where it is, as in state/intervals.py.
2. A transaction has one allowance. Refused once more it has what is left of it, and where nothing is left nothing more.
   Accepted later it is free; what was paused or stopped until then stays so.
3. A register that is `BLIND_TIME` old, by the time of its reading, is nothing to count with: then it is over. So it is
   after a restart, for what was used before is not known.
4. The key is read at every look: a change holds at once.
"""

from collections.abc import Callable
from functools import partial

from ocpp16.configuration.keys import core
from ocpp16.enums import AuthorizationStatus
from ocpp16.profiles.context import Context
from ocpp16.state.intervals import counted_from
from ocpp16.state.timers import Timer
from ocpp16.state.transaction import Transaction

LOOK_INTERVAL = 5.0
"""Seconds between two looks at the register: a few Wh at the power of a car."""
BLIND_TIME = 300.0
"""Seconds without a register until the allowance is taken to be used up."""
_GETS_NOTHING = frozenset({AuthorizationStatus.CONCURRENT_TX})
"""The tag is good and charges elsewhere: nobody is stranded."""

Register = Callable[[int], tuple[int, float] | None]
"""Connector → its register in Wh and when that was read, in monotonic seconds; None where it is not known."""


class _Allowance:
    """Of one transaction. `timer` None: nothing is left."""

    __slots__ = ("counted", "register", "seen_at", "timer")

    def __init__(self, register: int, seen_at: float) -> None:
        self.register = register
        """From where the energy is counted that is not in `counted` yet, Wh."""
        self.counted = 0
        """Wh since the refusal."""
        self.seen_at = seen_at
        self.timer: Timer | None = None

    def see(self, register: int, at: float) -> None:
        """Count what was taken; an earlier reading, which stands in for one that failed, says nothing new."""
        if at > self.seen_at:
            self.seen_at = at
            self.counted += max(0, register - self.register)
            self.register = round(counted_from(self.register, register))

    def end(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class EnergyAllowance:
    """Of all refused transactions of a charge point.

    `register` reads a meter; `used_up` is called when a transaction has got what it may get, and for every refusal
    after that.
    """

    __slots__ = ("_allowances", "_ctx", "_register", "_used_up")

    def __init__(self, ctx: Context, register: Register, used_up: Callable[[Transaction], None]) -> None:
        self._ctx = ctx
        self._register = register
        self._used_up = used_up
        self._allowances: dict[int, _Allowance] = {}
        """By key of the transaction."""

    @property
    def _allowed(self) -> int:
        return self._ctx.configuration[core.MAX_ENERGY_ON_INVALID_ID] or 0

    def grant(self, transaction: Transaction, status: AuthorizationStatus) -> None:
        """The id tag of a running transaction was refused as `status`; perhaps not for the first time."""
        allowance = self._allowances.get(transaction.key)
        if self._allowed <= 0 or status in _GETS_NOTHING or (allowance is not None and allowance.timer is None):
            self.use_up(transaction)
        elif allowance is None:
            self._begin(transaction)

    def withdraw(self, transaction: Transaction) -> None:
        """It needs none: the id tag was accepted after all, or it is ended."""
        allowance = self._allowances.pop(transaction.key, None)
        if allowance is not None:
            allowance.end()

    def use_up(self, transaction: Transaction) -> None:
        """Nothing is left, or nobody knows what."""
        allowance = self._allowances.setdefault(transaction.key, _Allowance(0, 0.0))
        allowance.end()
        self._used_up(transaction)

    def stop(self) -> None:
        for allowance in self._allowances.values():
            allowance.end()
        self._allowances.clear()

    def _begin(self, transaction: Transaction) -> None:
        ctx = self._ctx
        ctx.log.info("connector %d gets %d Wh more", transaction.connector_id, self._allowed)
        now = ctx.clock.monotonic()
        register, seen_at = self._register(transaction.connector_id) or (transaction.meter_last, now)
        allowance = _Allowance(max(register, transaction.meter_last), seen_at)  # it may have been read before the begin
        allowance.timer = ctx.timers.every(LOOK_INTERVAL, partial(self._look, transaction, allowance), now)
        self._allowances[transaction.key] = allowance

    def _look(self, transaction: Transaction, allowance: _Allowance) -> None:
        known = self._register(transaction.connector_id)
        if known is not None:
            allowance.see(*known)
        is_blind = self._ctx.clock.monotonic() - allowance.seen_at >= BLIND_TIME
        if is_blind or allowance.counted >= self._allowed:
            self.use_up(transaction)
