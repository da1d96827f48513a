"""RemoteStartTransaction, RemoteStopTransaction and UnlockConnector (OCPP 1.6 ed. 2 §5.11, §5.12, §5.18).

Each decides by what is known, answers, and only then asks the station to act; only unlocking is asked first, since its
outcome is the answer, which goes before the end of a transaction that the station tells meanwhile.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from ocpp16 import messages
from ocpp16.configuration.keys import core, internal
from ocpp16.enums import (
    AvailabilityType,
    ChargePointStatus,
    Reason,
    RemoteStartStopStatus,
    ReservationStatus,
    UnlockStatus,
)
from ocpp16.profiles.answer_first import AnswerFirst
from ocpp16.profiles.base import Context, FeatureProfile, Payload, RemoteStartProfiles, Reply, ReservationCheck, on
from ocpp16.profiles.id_tags import ID_TAG_LENGTH
from ocpp16.profiles.station_side import member_of
from ocpp16.state.reservations import connector_refusal, lets_through

_NOT_OBTAINABLE = frozenset({ChargePointStatus.UNAVAILABLE, ChargePointStatus.FAULTED, ChargePointStatus.FINISHING})
_IDLE = frozenset({ChargePointStatus.AVAILABLE, ChargePointStatus.RESERVED})
_ACCEPTED: "messages.RemoteStartTransactionResponse" = {"status": str(RemoteStartStopStatus.ACCEPTED)}
_REJECTED: "messages.RemoteStartTransactionResponse" = {"status": str(RemoteStartStopStatus.REJECTED)}


class RemoteControl(FeatureProfile):
    """`profiles` keeps a charging profile that comes with a start; None where smart charging is not built.
    `reservations` knows for whom a Reserved connector is; None where the library keeps none: then it is for nobody."""

    __slots__ = ("_profiles", "_reservations")

    def __init__(
        self, ctx: Context, *, profiles: RemoteStartProfiles | None, reservations: ReservationCheck | None
    ) -> None:
        super().__init__(ctx)
        self._profiles = profiles
        self._reservations = reservations

    @on("RemoteStartTransaction")
    def remote_start_transaction(
        self, request: "messages.RemoteStartTransactionRequest"
    ) -> "Reply[messages.RemoteStartTransactionResponse]":
        reservations, id_tag = self._reservations, request["idTag"]
        return self.start_remotely(
            request,
            lambda number: reservations is not None and lets_through(reservations.check(number, id_tag)),
        )

    def start_remotely(
        self, request: "messages.RemoteStartTransactionRequest", is_open: Callable[[int], bool]
    ) -> "Reply[messages.RemoteStartTransactionResponse]":
        """Answer RemoteStartTransaction; `is_open`: may its id tag have this connector, which is Reserved?"""
        connector_id = request.get("connectorId")
        asked = sorted(filter(None, self.ctx.connectors)) if connector_id is None else [connector_id]
        if not any(
            number and number in self.ctx.connectors and self._is_obtainable(number, is_open) for number in asked
        ):
            return Reply(_REJECTED)
        if not 1 <= len(request["idTag"]) <= ID_TAG_LENGTH:
            return Reply(_REJECTED)
        if "chargingProfile" in request and self._profiles is not None:
            profile = cast(Payload, request["chargingProfile"])
            if not self._profiles.accepts_remote_start(connector_id, profile):
                return Reply(_REJECTED)
            assert connector_id is not None, "a profile without a connector is not accepted"
            self._profiles.expect_start(connector_id, request["idTag"], profile)
        prevalidated = not self.ctx.configuration[core.AUTHORIZE_REMOTE_TX_REQUESTS]
        provide = partial(
            self.ctx.station_side.command,
            self._provide_token,
            request["idTag"],
            asked,
            prevalidated,
            connectors=asked,
            topic=("provide_token", request["idTag"]),
        )
        return Reply(_ACCEPTED, then=provide)

    async def _provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        """Its turn may come late: where others charge by now it is not presented."""
        if any(self.ctx.transactions.running(number) is None for number in connectors):
            await self.ctx.station.provide_token(id_tag, connectors, prevalidated)

    def _is_obtainable(self, connector_id: int, is_open: Callable[[int], bool]) -> bool:
        connector = self.ctx.connectors[connector_id]
        status = connector.status
        # The station is yet to disable it: when the start has its turn nothing comes of it.
        is_to_go = connector.availability is AvailabilityType.INOPERATIVE or connector.is_withheld
        return (
            self.ctx.transactions.running(connector_id) is None
            and status not in _NOT_OBTAINABLE
            and not (is_to_go and status in _IDLE)
            and (status is not ChargePointStatus.RESERVED or is_open(connector_id))
        )

    @on("ReserveNow")
    def reserve_now(self, request: "messages.ReserveNowRequest") -> "messages.ReserveNowResponse":
        """Where nobody keeps reservations; who does takes this over (OCPP 1.6 ed. 2 §5.13)."""
        refusal = connector_refusal(self.ctx.connectors, request["connectorId"], self.ctx.transactions.is_running_at)
        return {"status": str(refusal or ReservationStatus.REJECTED)}

    @on("RemoteStopTransaction")
    def remote_stop_transaction(
        self, request: "messages.RemoteStopTransactionRequest"
    ) -> "Reply[messages.RemoteStopTransactionResponse]":
        transaction = self.ctx.transactions.running_with_id(request["transactionId"])
        if transaction is None:
            return Reply(_REJECTED)
        return Reply(_ACCEPTED, then=partial(self.ctx.station_side.stop_transaction, transaction, Reason.REMOTE))

    @on("UnlockConnector", concern=lambda request: request["connectorId"])
    async def unlock_connector(
        self, request: "messages.UnlockConnectorRequest"
    ) -> "Reply[messages.UnlockConnectorResponse]":
        ctx = self.ctx
        connector_id = request["connectorId"]
        if connector_id < 1 or connector_id not in ctx.connectors:
            return Reply({"status": str(UnlockStatus.NOT_SUPPORTED)})
        transaction = ctx.transactions.running(connector_id)
        with AnswerFirst(ctx):
            status = await ctx.station_side.ask(
                ctx.station.unlock_connector,
                connector_id,
                accept=member_of(UnlockStatus),
                safe=UnlockStatus.UNLOCK_FAILED,
            )
        then = None
        if (
            status == UnlockStatus.NOT_SUPPORTED
            and transaction is not None
            and ctx.configuration[internal.STOP_TRANSACTION_IF_UNLOCK_NOT_SUPPORTED]
        ):
            then = partial(ctx.station_side.stop_transaction, transaction, Reason.UNLOCK_COMMAND)
        return Reply({"status": str(status)}, then=then)
