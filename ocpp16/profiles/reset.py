"""Reset (OCPP 1.6 ed. 2 §5.14): end every transaction in order, then have the station restart.

States: idle → ending transactions → asked the station. One reset at a time: a second one while the first is under way
is Accepted and changes nothing.
"""

from functools import partial

import trio

from ocpp16.enums import Reason, ResetStatus, ResetType
from ocpp16.observer import ResetRequested
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Reply, log, on
from ocpp16.state.keys import internal
from ocpp16.state.signals import TransactionAcknowledged, TransactionEnded

_REASON = {ResetType.HARD: Reason.HARD_RESET, ResetType.SOFT: Reason.SOFT_RESET}


class Reset(FeatureProfile):
    __slots__ = ("_ended", "_is_under_way")

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._is_under_way = False
        self._ended: trio.Event | None = None

    def attach(self) -> None:
        self.ctx.signals.on(TransactionEnded, self._transaction_ended)
        self.ctx.signals.on(TransactionAcknowledged, self._transaction_acknowledged)

    @on("Reset")
    async def reset(self, request: Payload) -> Reply[Payload]:
        kind = ResetType(request["type"])
        if not await self.ctx.ask(self.ctx.station.is_reset_allowed, kind, safe=False):
            return Reply({"status": str(ResetStatus.REJECTED)})
        return Reply({"status": str(ResetStatus.ACCEPTED)}, then=partial(self._begin, kind))

    def _begin(self, kind: ResetType) -> None:
        if self._is_under_way:
            return
        self._is_under_way = True
        self.ctx.tell(ResetRequested(kind), 0)
        self.ctx.spawn(self._carry_out, kind)

    async def _carry_out(self, kind: ResetType) -> None:
        """Wait until all transactions are ended and, while there is a connection, answered: at most
        WaitForStopTransactionsOnResetTimeout seconds."""
        ctx = self.ctx
        try:
            for transaction in ctx.transactions.all_running():
                await ctx.ask(ctx.station.stop_transaction, transaction.connector_id, _REASON[kind], safe=False)
            seconds = ctx.configuration[internal.WAIT_FOR_STOP_TRANSACTIONS_ON_RESET_TIMEOUT]
            with trio.move_on_after(seconds) as limit:
                while self._must_wait():
                    self._ended = trio.Event()
                    await self._ended.wait()
            if limit.cancelled_caught:
                log.warning("%s: reset does not wait any longer for its transactions", ctx.charge_point_id)
            await ctx.journal.wait_durable(ctx.journal.last)
            await ctx.ask(ctx.station.reset, kind, safe=None)
        finally:
            self._is_under_way = False
            self._ended = None

    def _must_wait(self) -> bool:
        if self.ctx.is_online:
            return len(self.ctx.transactions) > 0
        return bool(self.ctx.transactions.all_running())

    def _transaction_ended(self, signal: TransactionEnded) -> None:
        self._look_again()

    def _transaction_acknowledged(self, signal: TransactionAcknowledged) -> None:
        self._look_again()

    def _look_again(self) -> None:
        if self._ended is not None:
            self._ended.set()
