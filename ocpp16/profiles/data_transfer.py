"""DataTransfer, both ways (OCPP 1.6 ed. 2 §4.3, §5.6).

Handlers are found by vendor, then by message id; who finds none asks the station. Features that travel in DataTransfer
(Plug & Charge, pricing) join the same table.
"""

from collections.abc import Awaitable, Callable

from ocpp16.enums import DataTransferStatus
from ocpp16.errors import CallFailed, Offline
from ocpp16.models import DataTransferResponse
from ocpp16.profiles.base import Context, FeatureProfile, Payload, on

DataTransferHandler = Callable[[str | None], Awaitable[DataTransferResponse]]


class DataTransfer(FeatureProfile):
    __slots__ = ("_handlers",)

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._handlers: dict[str, dict[str | None, DataTransferHandler]] = {}

    def register(self, vendor_id: str, message_id: str | None, handler: DataTransferHandler) -> None:
        """Answer DataTransfer of this vendor and message (None: one without messageId); replaces an earlier handler."""
        self._handlers.setdefault(vendor_id, {})[message_id] = handler

    async def transfer(
        self, vendor_id: str, message_id: str | None = None, data: str | None = None
    ) -> DataTransferResponse | None:
        """Send a DataTransfer and wait for its answer; None when offline, at once.

        A CALLERROR or an unreadable answer is Rejected. Raises ValueError for texts longer than OCPP allows.
        """
        if not 1 <= len(vendor_id) <= 255:
            raise ValueError("vendor_id must be 1 to 255 characters")
        if message_id is not None and len(message_id) > 50:
            raise ValueError("message_id must be at most 50 characters")
        payload: Payload = {"vendorId": vendor_id}
        if message_id is not None:
            payload["messageId"] = message_id
        if data is not None:
            payload["data"] = data
        try:
            answer = await self.ctx.call("DataTransfer", payload)
        except Offline:
            return None
        except CallFailed as failure:
            if failure.reason in {"callerror", "unreadable"}:
                return DataTransferResponse(DataTransferStatus.REJECTED)
            return None
        return DataTransferResponse(DataTransferStatus(answer["status"]), answer.get("data"))

    @on("DataTransfer")
    async def data_transfer(self, request: Payload) -> Payload:
        vendor_id, message_id, data = request["vendorId"], request.get("messageId"), request.get("data")
        messages = self._handlers.get(vendor_id)
        handler = messages.get(message_id) if messages is not None else None
        if handler is not None:
            response = await self.ctx.ask(handler, data, safe=DataTransferResponse(DataTransferStatus.REJECTED))
        else:
            unknown = (
                DataTransferStatus.UNKNOWN_VENDOR_ID if messages is None else DataTransferStatus.UNKNOWN_MESSAGE_ID
            )
            response = await self.ctx.ask(
                self.ctx.station.data_transfer, vendor_id, message_id, data, safe=DataTransferResponse(unknown)
            )
            if messages is not None and response.status == DataTransferStatus.UNKNOWN_VENDOR_ID:
                response = DataTransferResponse(unknown)
        payload: Payload = {"status": str(response.status)}
        if response.data is not None:
            payload["data"] = response.data
        return payload
