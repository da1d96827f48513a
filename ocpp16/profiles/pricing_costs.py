"""RunningCost and FinalCost (California pricing note): checked, shown, and what they ask for in force; or refused.

Rules of this file:
1. A cost that is none, or of a session that nobody knows, is Rejected with the reason in `data`; nothing else happens.
2. The station answers first: what it does not take is not in force either. Then the meter reports that were asked for
   are stored, then in force, then the answer goes out.
3. Costs of one session are worked off one after another; those of others do not wait for them.
"""

from functools import partial

from ocpp16.configuration.keys.cost_and_price import NUMBER_OF_DECIMALS_FOR_COST_VALUES
from ocpp16.enums import DataTransferStatus
from ocpp16.errors import StoreError
from ocpp16.models import DataTransferResponse
from ocpp16.prices import DisplayMessage, IdentifierType, RunningCost, RunningCostState
from ocpp16.profiles.context import Context
from ocpp16.profiles.pricing_estimates import CostEstimates
from ocpp16.profiles.pricing_payloads import CostReport, read_cost
from ocpp16.profiles.pricing_reports import PriceReports
from ocpp16.profiles.pricing_sessions import PricedSession, PricedSessions
from ocpp16.profiles.pricing_station import REJECTED, PricingDisplay, refused
from ocpp16.profiles.pricing_texts import sent_texts
from ocpp16.profiles.turn import Turn
from ocpp16.state.clock import to_datetime
from ocpp16.state.price_triggers import WantedReports


class SessionCosts:
    """Of one start."""

    __slots__ = ("_ctx", "_display", "_estimates", "_reports", "_sessions", "_turns")

    def __init__(
        self,
        ctx: Context,
        display: PricingDisplay,
        sessions: PricedSessions,
        reports: PriceReports,
        estimates: CostEstimates,
    ) -> None:
        self._ctx = ctx
        self._display = display
        self._sessions = sessions
        self._reports = reports
        self._estimates = estimates
        self._turns: dict[str, tuple[Turn, int]] = {}
        """By name of the session: whose turn it is, and how many wait for theirs."""

    async def running_cost(self, data: str | None) -> DataTransferResponse:
        return await self._taken(data, is_final=False)

    async def final_cost(self, data: str | None) -> DataTransferResponse:
        return await self._taken(data, is_final=True)

    async def _taken(self, data: str | None, *, is_final: bool) -> DataTransferResponse:
        if not self._display.shows_prices:
            return REJECTED
        try:
            report = read_cost(data)
        except ValueError as error:
            self._ctx.log.info("cost refused: %s", error)
            return refused(str(error))
        session = self._sessions.find(report.transaction_id)
        if session is None:
            self._ctx.log.info("cost refused: no transaction %d is known", report.transaction_id)
            return refused("no such transaction")
        turn, waiting = self._turns.get(session.name, (Turn(), 0))
        self._turns[session.name] = (turn, waiting + 1)
        try:
            async with turn:
                return await self._shown(session, report, is_final=is_final)
        finally:
            turn, waiting = self._turns.pop(session.name)
            if waiting > 1:
                self._turns[session.name] = (turn, waiting - 1)

    async def _shown(self, session: PricedSession, report: CostReport, *, is_final: bool) -> DataTransferResponse:
        ctx = self._ctx
        cost = self._cost(session, report, is_final=is_final)
        decimals = ctx.configuration[NUMBER_OF_DECIMALS_FOR_COST_VALUES]
        answer = await self._display.ask_cost(cost, decimals)
        if answer.status is not DataTransferStatus.ACCEPTED:
            return answer
        if is_final and self._display.has_messages and (cost.cost_messages or cost.qr_code_text):
            answer = await self._display.ask_messages(
                (DisplayMessage(cost.cost_messages, session.session_id, IdentifierType.SESSION_ID, cost.qr_code_text),)
            )
        self._estimates.known(session, report, is_final=is_final)
        if self._sessions.transaction(session) is not None:
            wanted = WantedReports()
            if not is_final:
                wanted = session.triggers.replaced(self._reports.still_wanted(report.wanted))
            try:
                await self._want(session, wanted)
            except StoreError as error:
                ctx.log.error("a cost asks for meter reports that cannot be stored: %s", error)
                return refused("cannot be stored")
        return answer

    def _cost(self, session: PricedSession, report: CostReport, *, is_final: bool) -> RunningCost:
        state = report.state
        if is_final:
            state = RunningCostState.FINISHED
        elif state is None:
            state = RunningCostState.CHARGING if session.ended_at is None else RunningCostState.IDLE
        return RunningCost(
            session.connector_id,
            session.session_id,
            state,
            report.cost,
            ocpp_transaction_id=report.transaction_id,
            timestamp=None if report.timestamp is None else to_datetime(report.timestamp),
            meter_value=report.meter_value,
            charging_price=report.charging_price,
            idle_price=report.idle_price,
            next_period=report.next_period,
            cost_messages=sent_texts(self._ctx, report.texts),
            qr_code_text=report.qr_code_text,
        )

    async def _want(self, session: PricedSession, wanted: WantedReports) -> None:
        if wanted != session.triggers.wanted:
            await self._ctx.asked.commit(
                [session.row(wanted)], apply=partial(self._apply, session, wanted), restore=lambda: [session.row()]
            )

    def _apply(self, session: PricedSession, wanted: WantedReports) -> None:
        if self._sessions.transaction(session) is None:  # it has ended meanwhile
            self._ctx.journal.append(session.row())
            return
        session.triggers.wanted = still = session.triggers.unreported(wanted)
        if still is not wanted:
            self._ctx.journal.append(session.row())
        self._reports.begin(session)
