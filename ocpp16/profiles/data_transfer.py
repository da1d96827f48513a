"""DataTransfer, both ways (OCPP 1.6 ed. 2 §4.3, §5.6).

Handlers are found by vendor, then by message id: those of the features that travel in DataTransfer (Plug & Charge,
pricing) first, which ask the station themselves, then those of the host; who finds none asks the station.
"""

from collections.abc import Awaitable, Callable, Mapping

from ocpp16 import messages
from ocpp16._core import Call, CallResult, serialize
from ocpp16.configuration.keys.internal import MAX_MESSAGE_SIZE
from ocpp16.enums import DataTransferStatus
from ocpp16.errors import CallFailed, Offline
from ocpp16.models import DataTransferResponse
from ocpp16.profiles.base import Carried, Context, FeatureProfile, Payload, Reply, on
from ocpp16.profiles.call import call
from ocpp16.profiles.station_side import data_transfer_response
from ocpp16.values import text

DataTransferHandler = Callable[[str | None], Awaitable[DataTransferResponse]]

Carrying = Callable[[str | None], Awaitable[Carried]]

_ANY_ID = "-" * 36
"""A message id of the greatest length (OCPP-J 1.6 §4.1.4)."""


class DataTransfer(FeatureProfile):
    __slots__ = ("_carried", "_handlers")

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._handlers: dict[str, dict[str | None, DataTransferHandler]] = {}
        self._carried: dict[str, Mapping[str | None, Carrying]] = {}
        """Of features; they come first, and come and go with their keys."""

    def carry(self, vendor_id: str, handlers: Mapping[str | None, Carrying]) -> None:
        """Answer these messages of a vendor, before what the host registered; none: no more of it."""
        if handlers:
            self._carried[vendor_id] = handlers
        else:
            self._carried.pop(vendor_id, None)

    def register(self, vendor_id: str, message_id: str | None, handler: DataTransferHandler) -> None:
        """Answer DataTransfer of this vendor and message (None: one without messageId); replaces an earlier handler."""
        self._handlers.setdefault(vendor_id, {})[message_id] = handler

    async def transfer(
        self, vendor_id: str, message_id: str | None = None, data: str | None = None
    ) -> DataTransferResponse | None:
        """Send a DataTransfer and wait for its answer; None when offline, at once.

        A CALLERROR or an unreadable answer is Rejected. Raises ValueError for what is no text, or longer than OCPP
        allows (vendor_id 1 to 255, message_id at most 50 characters), and for data that makes the message larger than
        MaxMessageSize.
        """
        payload: Payload = {"vendorId": text(vendor_id, "vendor_id", 255, least=1)}
        if message_id is not None:
            payload["messageId"] = text(message_id, "message_id", 50)
        if data is not None:
            payload["data"] = text(data, "data")
            size, most = len(serialize(Call(_ANY_ID, "DataTransfer", payload))), self._most
            if size > most:
                raise ValueError(f"data makes a message of {size} bytes; MaxMessageSize is {most}")
        try:
            answer = await call(self.ctx.sender, "DataTransfer", payload)
        except Offline:
            return None
        except CallFailed as failure:
            if failure.reason in {"callerror", "unreadable"}:
                return DataTransferResponse(DataTransferStatus.REJECTED)
            return None
        return DataTransferResponse(DataTransferStatus(answer["status"]), answer.get("data"))

    # Each is a concern of its own: what one vendor's handler takes its time for is no matter of the others.
    @on("DataTransfer", concern=lambda request: object())
    async def data_transfer(self, request: "messages.DataTransferRequest") -> "Reply[messages.DataTransferResponse]":
        vendor_id, message_id, data = request["vendorId"], request.get("messageId"), request.get("data")
        carried = self._carried.get(vendor_id)
        carrying = None if carried is None else carried.get(message_id)
        if carrying is not None:
            response, then = await carrying(data)
            return Reply(self._payload(response), then)
        by_message = self._handlers.get(vendor_id)
        handler = by_message.get(message_id) if by_message is not None else None
        if handler is not None:
            rejected = DataTransferResponse(DataTransferStatus.REJECTED)
            response = await self.ctx.station_side.ask(handler, data, accept=data_transfer_response, safe=rejected)
        else:
            is_known = carried is not None or by_message is not None
            unknown = DataTransferStatus.UNKNOWN_MESSAGE_ID if is_known else DataTransferStatus.UNKNOWN_VENDOR_ID
            response = await self.ctx.station_side.ask(
                self.ctx.station.data_transfer,
                vendor_id,
                message_id,
                data,
                accept=data_transfer_response,
                safe=DataTransferResponse(unknown),
            )
            if is_known and response.status == DataTransferStatus.UNKNOWN_VENDOR_ID:
                response = DataTransferResponse(unknown)
        return Reply(self._payload(response))

    def _payload(self, response: DataTransferResponse) -> "messages.DataTransferResponse":
        payload: messages.DataTransferResponse = {"status": str(response.status)}
        if response.data is not None:
            payload["data"] = response.data
            size, most = len(serialize(CallResult(_ANY_ID, dict(payload)))), self._most
            if size > most:
                del payload["data"]
                self.ctx.log.warning(
                    "the answer to a DataTransfer goes out without its data: with it, it had %d bytes, and"
                    " MaxMessageSize is %d",
                    size,
                    most,
                )
        return payload

    @property
    def _most(self) -> int:
        """Bytes of the largest message."""
        return self.ctx.configuration[MAX_MESSAGE_SIZE]
