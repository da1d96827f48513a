"""ReserveNow, CancelReservation and RemoteStartTransaction, where the station keeps reservations itself (OCPP 1.6 ed. 2
§5.1, §5.11, §5.13).

What the charge point knows is decided first; the station is asked for the rest, under StationTimeout. It tells by
`on_reservation_start` and `on_reservation_end` what becomes of the connectors. Nothing is stored here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

import trio

from ocpp16 import messages
from ocpp16.configuration.keys.internal import STATION_TIMEOUT
from ocpp16.configuration.keys.reservation import RESERVE_CONNECTOR_ZERO_SUPPORTED
from ocpp16.enums import (
    CancelReservationStatus,
    ChargePointStatus,
    RemoteStartStopStatus,
    ReservationCheckStatus,
    ReservationStatus,
)
from ocpp16.models import Reservation
from ocpp16.profiles.answer_first import AnswerFirst
from ocpp16.profiles.base import Context, FeatureProfile, Others, Reply, on
from ocpp16.profiles.reservation_request import wanted_reservation
from ocpp16.profiles.station_side import member_of, yes_or_no
from ocpp16.state.clock import to_micros
from ocpp16.state.reservations import connector_refusal, is_unavailable, lets_through
from ocpp16.station import ReservationStation


class AskedReservationStation:
    """A ReservationStation as `AskedStation` is a CoreStation."""

    __slots__ = ("_host",)

    def __init__(self, host: Any) -> None:
        self._host = host

    async def reserve_now(
        self, reservation_id: int, connector_id: int, expiry_date: datetime, id_tag: str, parent_id_tag: str | None
    ) -> Any:
        return await self._host.reserve_now(reservation_id, connector_id, expiry_date, id_tag, parent_id_tag)

    async def cancel_reservation(self, reservation_id: int) -> Any:
        return await self._host.cancel_reservation(reservation_id)

    async def is_token_reserved_for_connector(self, connector_id: int, id_tag: str) -> Any:
        return await self._host.is_token_reserved_for_connector(connector_id, id_tag)


class StationReservations(FeatureProfile):
    __slots__ = ("_others", "_station")

    name = "Reservation"
    protocol: ClassVar[type | None] = ReservationStation

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others
        self._station = AskedReservationStation(ctx.station.host)

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others)

    @on("ReserveNow")
    async def reserve_now(self, request: "messages.ReserveNowRequest") -> "messages.ReserveNowResponse":
        wanted = wanted_reservation(request)
        status = None if wanted is None else self._refusal(wanted)
        if wanted is None:
            status = ReservationStatus.REJECTED
        elif status is None:
            with AnswerFirst(self.ctx):
                status = await self.ctx.station_side.ask(
                    self._station.reserve_now,
                    wanted.reservation_id,
                    wanted.connector_id,
                    wanted.expiry_date,
                    wanted.id_tag,
                    wanted.parent_id_tag,
                    accept=member_of(ReservationStatus),
                    safe=ReservationStatus.REJECTED,
                )
        return {"status": str(status)}

    def _refusal(self, wanted: Reservation) -> ReservationStatus | None:
        """What speaks against it, whatever else is reserved."""
        ctx = self.ctx
        refusal = connector_refusal(ctx.connectors, wanted.connector_id, ctx.transactions.is_running_at)
        if refusal is not None:
            return refusal
        is_known = wanted.connector_id or ctx.configuration[RESERVE_CONNECTOR_ZERO_SUPPORTED]
        if not is_known or not wanted.id_tag or to_micros(wanted.expiry_date) <= ctx.clock.now():
            return ReservationStatus.REJECTED
        if is_unavailable(ctx.connectors, wanted.connector_id):
            return ReservationStatus.UNAVAILABLE
        return None

    @on("CancelReservation")
    async def cancel_reservation(
        self, request: "messages.CancelReservationRequest"
    ) -> "messages.CancelReservationResponse":
        with AnswerFirst(self.ctx):
            is_cancelled = await self.ctx.station_side.ask(
                self._station.cancel_reservation, request["reservationId"], accept=yes_or_no, safe=False
            )
        return {"status": str(CancelReservationStatus.ACCEPTED if is_cancelled else CancelReservationStatus.REJECTED)}

    @on("RemoteStartTransaction", concern=lambda request: "remote start")
    async def remote_start_transaction(
        self, request: "messages.RemoteStartTransactionRequest"
    ) -> "Reply[messages.RemoteStartTransactionResponse]":
        reply = self._others.remote_start(request, lambda number: False)
        if reply.payload["status"] == RemoteStartStopStatus.REJECTED:
            found = await self._open_one(self._reserved(request), request["idTag"])
            if found is not None:
                reply = self._others.remote_start(request, lambda number: number == found)
        return reply

    def _reserved(self, request: "messages.RemoteStartTransactionRequest") -> Sequence[int]:
        """The connectors it may mean that are Reserved."""
        wanted = request.get("connectorId")
        return [
            number
            for number, connector in sorted(self.ctx.connectors.items())
            if wanted in (None, number) and connector.status is ChargePointStatus.RESERVED
        ]

    async def _open_one(self, connector_ids: Sequence[int], id_tag: str) -> int | None:
        """The first of them that the id tag may have; all questions together have StationTimeout."""
        by = trio.current_time() + self.ctx.configuration[STATION_TIMEOUT]
        for connector_id in connector_ids:
            status = await self.ctx.station_side.ask(
                self._station.is_token_reserved_for_connector,
                connector_id,
                id_tag,
                accept=member_of(ReservationCheckStatus),
                safe=ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN,
                by=by,
            )
            if lets_through(status):
                return connector_id
        return None
