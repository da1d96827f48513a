"""Prices for hosts of all three kinds: the station's methods are theirs, and so are their faults."""

import json
from decimal import Decimal
from typing import Any

from host_faces import Face, OfThreads, Server, done

from ocpp16 import DataTransferResponse
from ocpp16.enums import DataTransferStatus, Reason

ACCEPTED = DataTransferResponse(DataTransferStatus.ACCEPTED)
METHODS = {"tariff_message": ACCEPTED, "session_cost": ACCEPTED, "default_price": None, "set_display_message": ACCEPTED}
VENDOR = "org.openchargealliance.costmsg"


def showing(face: Face) -> Any:
    """A station of this kind that shows prices; `told`: what it was told, by name."""
    told: list[tuple[str, Any]] = []

    def method(name: str) -> Any:
        def plain(self: Any, *given: Any) -> Any:
            told.append((name, given[0]))
            if getattr(self, "is_broken", False):
                raise RuntimeError("no display")
            return METHODS[name]

        async def awaited(self: Any, *given: Any) -> Any:
            return plain(self, *given)

        return plain if isinstance(face, OfThreads) else awaited

    kind = type(face.station())
    members: dict[str, Any] = {name: method(name) for name in METHODS}
    station = type(kind.__name__, (kind,), members)()
    station.told = told
    return station


def test_prices_in_the_hosts_world(face: Face, server: Server) -> None:
    station = showing(face)
    config = server.config()
    config["CostAndPrice"] = {"CustomDisplayCostAndPrice": True, "DefaultPrice": {"priceText": "0.50"}}

    def transfer(message_id: str, data: dict[str, Any]) -> str:
        payload = {"vendorId": VENDOR, "messageId": message_id, "data": json.dumps(data)}
        return str(server.call("DataTransfer", payload)["status"])

    async def scenario() -> None:
        async with face.one(config, station) as charge_point:
            await done(charge_point.start())
            await done(charge_point.wait_registered())
            assert await face.elsewhere(transfer, "SetUserPrice", {"idToken": "A", "priceText": "0.45"}) == "Accepted"
            info = await done(charge_point.authorize_id_token("A"))
            assert info.tariff.text() == "0.45"
            await done(charge_point.on_transaction_started(1, "s1", "A", 1000))
            await face.until(lambda: charge_point.transaction(1).transaction_id is not None)
            cost = {"transactionId": charge_point.transaction(1).transaction_id, "cost": 1.005, "priceText": "x"}
            assert await face.elsewhere(transfer, "RunningCost", cost) == "Accepted"
            assert await face.elsewhere(transfer, "FinalCost", cost) == "Accepted"
            station.is_broken = True
            assert await face.elsewhere(transfer, "RunningCost", cost) == "Rejected"
            assert charge_point.for_station.local_time().utcoffset() is not None
            await done(charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000))

    face.run(scenario)
    names = [name for name, _ in station.told]
    assert {*names} == {*METHODS}
    costs = [told.cost for name, told in station.told if name == "session_cost"]
    assert costs == [Decimal("1.005")] * 3
