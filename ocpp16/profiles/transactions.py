"""StartTransaction and StopTransaction, from the fact to the answer (OCPP 1.6 ed. 2 §4.8, §4.10).

What the station tells becomes state, rows and a queued message in one synchronous block, so that either all of it is on
disk or none. Answers come whenever they come: the Central System's transaction id is bound when a frame is written
(charge_point/delivery.py), so nothing that waits is ever patched.
"""

from collections.abc import Collection, Mapping

from ocpp16._core.unseen import unseen
from ocpp16.configuration.keys import core
from ocpp16.enums import AuthorizationStatus, Reason
from ocpp16.models import IdTagInfo, SignedMeterValue
from ocpp16.observer import TransactionStarted as StartedEvent
from ocpp16.observer import TransactionStopped as StoppedEvent
from ocpp16.observer import TransactionUpdated as UpdatedEvent
from ocpp16.profiles.base import Collected, Context, FeatureProfile, MeterSampler, Payload, hears
from ocpp16.profiles.energy_allowance import EnergyAllowance
from ocpp16.profiles.id_tags import check_id_tag, read_id_tag_info
from ocpp16.rpc.pending import Entry
from ocpp16.state.signals import (
    IdTagInfoLearned,
    TransactionAcknowledged,
    TransactionEnded,
    TransactionIdAssigned,
    TransactionStarted,
)
from ocpp16.state.transaction import Transaction, TransactionPhase, watt_hours
from ocpp16.store.base import RowChange
from ocpp16.store.tables import meters, samples, transactions


class TransactionMessages(FeatureProfile):
    """The life of a transaction as the Central System sees it."""

    __slots__ = ("_allowance", "_meter_values", "_sessions")

    def __init__(self, ctx: Context, *, meter_values: MeterSampler, sessions: Mapping[int, str]) -> None:
        """`sessions`: connector → the session that is there."""
        super().__init__(ctx)
        self._meter_values = meter_values
        self._sessions = sessions
        self._allowance = EnergyAllowance(ctx, meter_values.register, self._used_up)

    def attach(self) -> None:
        self.ctx.sender.confirmations["StartTransaction"] = self._start_answered
        self.ctx.sender.confirmations["StopTransaction"] = self._stop_answered

    def stop(self) -> None:
        self._allowance.stop()

    @hears(TransactionEnded)
    def _ended(self, signal: TransactionEnded) -> None:
        self._allowance.withdraw(signal.transaction)

    # The facts

    def begin(
        self,
        connector_id: int,
        session_id: str,
        id_tag: str,
        meter_start: float,
        *,
        reservation_id: int | None,
        at: int | None,
        signed: SignedMeterValue | None,
    ) -> Transaction:
        """A transaction began. Raises ValueError if it cannot be told so, or if the connector has one running; then
        nothing has changed."""
        ctx = self.ctx
        check_id_tag(id_tag, "id_token")
        transaction = unseen(
            Transaction(
                key=ctx.transactions.next_key,
                connector_id=connector_id,
                session_id=session_id,
                id_tag=id_tag,
                started_at=ctx.clock.now() if at is None else at,
                meter_start=watt_hours(meter_start),
                reservation_id=reservation_id,
                clock_boot=ctx.clock.clock_boot,
            )
        )
        transaction.meter_last = transaction.meter_start
        transaction.meter_last_at = transaction.started_at
        transaction.meter_last_clock_boot = transaction.clock_boot
        payload: Payload = {
            "connectorId": connector_id,
            "idTag": id_tag,
            "meterStart": transaction.meter_start,
            "timestamp": ctx.time_text(transaction.started_at),
        }
        if reservation_id is not None:
            payload["reservationId"] = reservation_id
        ctx.sender.check("StartTransaction", payload)
        ctx.transactions.add(transaction)
        number = ctx.sender.queue(
            "StartTransaction",
            payload,
            transaction,
            transactions.put(transaction),
            _checkpoint(transaction, transaction.meter_start, transaction.started_at, transaction.clock_boot),
        )
        self._meter_values.begin(transaction, signed)
        ctx.tell(StartedEvent(connector_id, session_id, id_tag), number)
        ctx.signals.emit(TransactionStarted(transaction))
        return transaction

    def end(
        self,
        transaction: Transaction,
        reason: Reason,
        energy: float,
        *,
        at: int | None,
        id_tag_end: str | None,
        signed: SignedMeterValue | None,
        signed_begin: SignedMeterValue | None = None,
    ) -> None:
        """A running transaction is over. `signed_begin`: of the begin, where the meter tells it only now. Raises
        ValueError if `id_tag_end` is too long; then nothing has changed."""
        if id_tag_end is not None:
            check_id_tag(id_tag_end, "id_tag_end")
        self._end(
            transaction,
            reason,
            meter_stop=watt_hours(energy),
            at=self.ctx.clock.now() if at is None else at,
            clock_boot=self.ctx.clock.clock_boot,
            id_tag_end=id_tag_end,
            signed=signed,
            signed_begin=signed_begin,
        )

    def _end(
        self,
        transaction: Transaction,
        reason: Reason,
        *,
        meter_stop: int,
        at: int,
        clock_boot: int,
        id_tag_end: str | None = None,
        signed: SignedMeterValue | None = None,
        signed_begin: SignedMeterValue | None = None,
        is_recovered: bool = False,
    ) -> None:
        ctx = self.ctx
        at, clock_boot = ctx.clock.settled(at, clock_boot)
        started_at, start_mark = ctx.clock.settled(transaction.started_at, transaction.clock_boot)
        if start_mark == clock_boot:
            at = max(at, started_at)  # neither a clock set back nor a host's that is behind turns it around
        if is_recovered:
            data = self._recovered_data(transaction, meter_stop, at, clock_boot)
        else:
            data = self._meter_values.end(
                transaction, signed, meter_stop, at, clock_boot, is_recovered=False, signed_begin=signed_begin
            )
        transaction.meter_stop = meter_stop
        transaction.stopped_at = at
        transaction.stop_reason = reason
        transaction.id_tag_end = id_tag_end
        transaction.stop_clock_boot = clock_boot
        ctx.transactions.stop(transaction)
        # What is made up from what is stored says nothing new, and a register that fell nothing that is to be kept.
        is_read = not is_recovered and meter_stop >= transaction.meter_last
        kept = (_checkpoint(transaction, meter_stop, at, clock_boot),) if is_read else ()
        payload: Payload = {
            "meterStop": meter_stop,
            "timestamp": ctx.time_text(at),
            "reason": str(reason),
        }
        if id_tag_end is not None:
            payload["idTag"] = id_tag_end
        if data.entries:
            payload["transactionData"] = data.entries
        number = ctx.sender.queue(
            "StopTransaction",
            payload,
            transaction,
            transactions.put(transaction),
            samples.delete(transaction.key),
            *kept,
            clock_boot=clock_boot,
            data_boots=data.clock_boots,
        )
        ctx.tell(
            StoppedEvent(transaction.connector_id, transaction.session_id, transaction.transaction_id, reason),
            number,
        )
        ctx.signals.emit(TransactionEnded(transaction))
        if reason is Reason.EV_DISCONNECTED and ctx.configuration[core.UNLOCK_CONNECTOR_ON_EV_SIDE_DISCONNECT]:
            ctx.station_side.command(
                self._unlock_connector, transaction, connectors=(transaction.connector_id,), topic="unlock_connector"
            )

    async def _unlock_connector(self, transaction: Transaction) -> None:
        """Release the cable of a transaction that is over, unless somebody else's is there by now."""
        connector_id = transaction.connector_id
        session_id = self._sessions.get(connector_id, transaction.session_id)
        if session_id == transaction.session_id and self.ctx.transactions.running(connector_id) is None:
            await self.ctx.station.unlock_connector(connector_id)

    # After a restart

    def recover(self, resuming_session_ids: Collection[str]) -> None:
        """Go on with the running transactions whose session the station resumes, and with those that began since the
        last start ended; close the others: PowerLoss.

        One on a connector that this charge point no longer has cannot be resumed (fewer connectors than before), nor
        one whose connector a later one has.
        """
        found = self.ctx.transactions
        going_on = found.that_go_on(resuming_session_ids)
        if resuming_session_ids:
            known = {transaction.session_id for transaction in found.all_running()}
            for session in resuming_session_ids:
                if session not in known:
                    self.ctx.log.warning("resuming_session_ids: no transaction of session %s runs", session)
        for transaction in [one for one in found if one.is_running]:
            try:
                self._recover(transaction, goes_on=transaction in going_on)
            except Exception as error:  # what is stored of one must not stop the start
                self.ctx.failed(f"recovery of the transaction on connector {transaction.connector_id}", error)

    def _recover(self, transaction: Transaction, *, goes_on: bool) -> None:
        ctx = self.ctx
        if goes_on and transaction.connector_id in ctx.connectors:
            self._meter_values.resume(transaction)
            ctx.log.info("transaction on connector %d resumed", transaction.connector_id)
            if transaction.is_refused:
                self._allowance.use_up(transaction)
        else:
            self._end(
                transaction,
                Reason.POWER_LOSS,
                meter_stop=transaction.meter_last,
                at=transaction.meter_last_at,
                clock_boot=transaction.meter_last_clock_boot,
                is_recovered=True,
            )

    def _recovered_data(self, transaction: Transaction, meter_stop: int, at: int, clock_boot: int) -> Collected:
        """What was stored for its StopTransaction; nothing if that cannot be sent, for the end is to be told anyway."""
        try:
            data = self._meter_values.end(transaction, None, meter_stop, at, clock_boot, is_recovered=True)
            if data.entries:
                self.ctx.sender.check(
                    "MeterValues", {"connectorId": transaction.connector_id, "meterValue": data.entries}
                )
        except Exception as error:
            self.ctx.failed(f"data of the transaction on connector {transaction.connector_id}", error)
            return Collected([])
        return data

    # The answers

    def _start_answered(self, entry: Entry, payload: Payload | None) -> None:
        """`payload` holds what could be read of the answer; None: the message was given up.

        Without an id the status counts all the same, and the message is sent again: this may be called several times.
        """
        transaction = entry.transaction
        if not isinstance(transaction, Transaction):
            return  # its row could not be read after a restart
        transaction_id = None if payload is None else payload.get("transactionId")
        transaction.start_given_up = payload is None
        if transaction_id is not None:
            transaction.transaction_id = transaction_id
        wire = None if payload is None else payload.get("idTagInfo")
        # What cannot be read of it is not known, and nobody is refused for that.
        info = IdTagInfo(AuthorizationStatus.ACCEPTED) if wire is None else read_id_tag_info(wire)
        if wire is not None:
            transaction.parent_id_tag = info.parent_id_tag
            transaction.is_refused = not info.is_accepted
        number = 0
        if transaction.phase is not TransactionPhase.CLOSED:  # else its row is gone for good
            number = self.ctx.journal.append(transactions.put(transaction))
        if transaction.transaction_id is not None:
            self.ctx.tell(
                UpdatedEvent(transaction.connector_id, transaction.session_id, transaction.transaction_id, info), number
            )
        if wire is not None:
            self.ctx.signals.emit(IdTagInfoLearned(transaction.id_tag, info))
        if transaction.transaction_id is not None:
            self.ctx.signals.emit(TransactionIdAssigned(transaction, info))
        # Only what still runs is touched: a late answer about a finished transaction must not stop the next one.
        if wire is not None and transaction.is_running:
            if info.is_accepted:
                self._allowance.withdraw(transaction)
            else:
                self._refuse(transaction, info)

    def _refuse(self, transaction: Transaction, info: IdTagInfo) -> None:
        """The id tag may not charge: after what MaxEnergyOnInvalidId leaves it, stop giving energy."""
        self.ctx.log.info("connector %d: id tag is %s", transaction.connector_id, info.status)
        self._allowance.grant(transaction, info.status)

    def _used_up(self, transaction: Transaction) -> None:
        """Have the station stop giving energy, and end the transaction if StopTransactionOnInvalidId."""
        ctx = self.ctx
        connectors = (transaction.connector_id,)
        ctx.station_side.command(self._pause_charging, transaction, connectors=connectors, topic="pause_charging")
        if ctx.configuration[core.STOP_TRANSACTION_ON_INVALID_ID]:
            ctx.station_side.command(self._stop_transaction, transaction, connectors=connectors, topic="de_authorize")

    # Both look first, for their turn may come late: another transaction may run, or the id tag be accepted after all.

    async def _pause_charging(self, transaction: Transaction) -> None:
        if transaction.is_running and transaction.is_refused:
            await self.ctx.station.pause_charging(transaction.connector_id)

    async def _stop_transaction(self, transaction: Transaction) -> None:
        if transaction.is_running and transaction.is_refused:
            await self.ctx.station.stop_transaction(transaction.connector_id, Reason.DE_AUTHORIZED)

    def _stop_answered(self, entry: Entry, payload: Payload | None) -> None:
        transaction = entry.transaction
        if not isinstance(transaction, Transaction):
            return
        self.ctx.transactions.close(transaction)
        self.ctx.journal.append(transactions.delete(transaction.key), *self._kept_readings(transaction))
        if payload and payload.get("idTagInfo") and transaction.id_tag_end is not None:
            info = read_id_tag_info(payload["idTagInfo"])
            self.ctx.signals.emit(IdTagInfoLearned(transaction.id_tag_end, info))
        self.ctx.signals.emit(TransactionAcknowledged(transaction))

    def _kept_readings(self, transaction: Transaction) -> list[RowChange]:
        """Readings that are not answered outlive their transaction: after a restart only they know its id and begin.
        There are none where all is in order: they waited apart, still do, or are back in the lane."""
        ctx = self.ctx
        rows: list[RowChange] = []
        if transaction.transaction_id is not None and ctx.session.outbox.apart is not None:
            for entry in ctx.session.unanswered_of(transaction):
                if entry.action == "MeterValues":
                    entry.payload = {**ctx.session.bound(entry), "transactionId": transaction.transaction_id}
                    entry.clock_boot = 0
                    rows.append(ctx.sender.row(entry))
        return rows


def _checkpoint(transaction: Transaction, register: int, at: int, clock_boot: int) -> RowChange:
    """The row that keeps the register of its connector, as each sample does: a meter that keeps none goes on from it,
    and the registers of two transactions do not overlap."""
    return meters.put_reading(transaction.connector_id, register, at, clock_boot)
