"""Reset (OCPP 1.6 ed. 2 §5.14): end every transaction in order, then have the station restart.

States: idle → ending transactions → asking the station, until it has reset or all attempts have failed. One reset at a
time: a second one while the first is under way is Accepted and changes nothing. Every wait has an end, for a reset is
the usual remedy of a station in trouble: neither a transaction that does not end, nor a disk that is full, keeps it
from happening.
"""

from functools import partial

import trio

from ocpp16 import messages
from ocpp16.configuration.keys import core, internal
from ocpp16.enums import Reason, ResetStatus, ResetType
from ocpp16.errors import StoreError
from ocpp16.observer import ResetRequested
from ocpp16.patience import of_others
from ocpp16.profiles.base import Context, FeatureProfile, Reply, hears, on
from ocpp16.profiles.station_side import yes_or_no
from ocpp16.state.signals import (
    ConfigurationChanged,
    Disconnected,
    Signal,
    TransactionAcknowledged,
    TransactionEnded,
    TransactionStarted,
)

FLUSH_TIMEOUT = 10.0
"""Seconds a reset waits for the disk at most."""
RETRY_INTERVAL = 60.0
"""Seconds between two attempts of a reset that fails (ResetRetries, OCPP 1.6 ed. 2 §9.1)."""

_REASON = {ResetType.HARD: Reason.HARD_RESET, ResetType.SOFT: Reason.SOFT_RESET}


class Reset(FeatureProfile):
    __slots__ = ("_began", "_ended", "_kind", "_limit")

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._kind: ResetType | None = None
        """Of the reset that is under way."""
        self._ended: trio.Event | None = None
        self._began = 0.0
        self._limit: trio.CancelScope | None = None
        """Of the wait for transactions that runs, since `_began` on trio's clock."""

    @on("Reset")
    async def reset(self, request: "messages.ResetRequest") -> "Reply[messages.ResetResponse]":
        kind = ResetType(request["type"])
        if not await self.ctx.station_side.ask(self.ctx.station.is_reset_allowed, kind, accept=yes_or_no, safe=False):
            return Reply({"status": str(ResetStatus.REJECTED)})
        return Reply({"status": str(ResetStatus.ACCEPTED)}, then=partial(self._begin, kind))

    def _begin(self, kind: ResetType) -> None:
        if self._kind is not None:
            return
        self._kind = kind
        self.ctx.tell(ResetRequested(kind), 0)
        self.ctx.spawn(self._carry_out, kind)

    async def _carry_out(self, kind: ResetType) -> None:
        """Wait until all transactions are ended and, while there is a connection, answered: at most
        WaitForStopTransactionsOnResetTimeout seconds."""
        ctx = self.ctx
        try:
            for transaction in ctx.transactions.all_running():
                ctx.station_side.stop_transaction(transaction, _REASON[kind])
            self._began = trio.current_time()
            with trio.CancelScope() as self._limit:
                self._set_limit()
                while self._must_wait():
                    self._ended = trio.Event()
                    await self._ended.wait()
            if self._limit.cancelled_caught:
                ctx.log.warning("reset does not wait any longer for its transactions")
            await self._flush()
            # The station may stop and start the charge point in it, which ends this task but not that one.
            ctx.spawn_outside(self._have_it_reset, kind)
        except BaseException:
            self._kind = None
            raise
        finally:
            self._ended = self._limit = None

    def _set_limit(self) -> None:
        if self._limit is not None:
            seconds = self.ctx.configuration[internal.WAIT_FOR_STOP_TRANSACTIONS_ON_RESET_TIMEOUT]
            self._limit.deadline = self._began + seconds

    @hears(ConfigurationChanged)
    def _key_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key == internal.WAIT_FOR_STOP_TRANSACTIONS_ON_RESET_TIMEOUT.name:
            self._set_limit()

    async def _flush(self) -> None:
        ctx = self.ctx
        try:
            with trio.fail_after(of_others(FLUSH_TIMEOUT)):
                await ctx.journal.wait_durable(ctx.journal.last)
        except (trio.TooSlowError, StoreError):
            ctx.log.error("reset although not everything is on disk")

    async def _have_it_reset(self, kind: ResetType) -> None:
        """Ask the station, and once more for each of ResetRetries while it fails and nothing has been started anew.

        The key is read before and after each pause: a change holds at once.
        """
        ctx = self.ctx
        attempts = 0
        try:
            while attempts <= ctx.configuration[core.RESET_RETRIES] and ctx.is_current():
                # It has no answer; False, an exception and silence are a reset that failed.
                if await ctx.station_side.ask(ctx.station.reset, kind, accept=_has_reset, safe=False):
                    return
                attempts += 1
                ctx.log.warning("the station did not reset (attempt %d)", attempts)
                if attempts <= ctx.configuration[core.RESET_RETRIES]:
                    await self._pause()
        finally:
            self._kind = None

    async def _pause(self) -> None:
        with trio.move_on_after(RETRY_INTERVAL):
            await trio.sleep_forever()

    def _must_wait(self) -> bool:
        if self.ctx.sender.is_online:
            return len(self.ctx.transactions) > 0
        return bool(self.ctx.transactions.all_running())

    @hears(TransactionStarted)
    def _transaction_started(self, signal: TransactionStarted) -> None:
        """One that begins while others are waited for is ended as they are."""
        if self._ended is not None and self._kind is not None:
            self.ctx.station_side.stop_transaction(signal.transaction, _REASON[self._kind])

    @hears(TransactionEnded, TransactionAcknowledged, Disconnected)
    def _look_again(self, signal: Signal) -> None:
        if self._ended is not None:
            self._ended.set()


def _has_reset(answer: object) -> bool:
    return answer is not False
