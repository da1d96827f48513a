"""One charging session with the package `ocpp`: it boots, charges for ten seconds, and ends.

python before.py ws://127.0.0.1:9000/
"""

import asyncio
import sys
from datetime import UTC, datetime

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import (
    AuthorizationStatus,
    ChargePointErrorCode,
    ChargePointStatus,
    RegistrationStatus,
    RemoteStartStopStatus,
)
from websockets.asyncio.client import connect

VOLTS, AMPERES = 230, 16


def now():
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Wallbox(ChargePoint):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.energy = 1000.0
        self.transaction_id = None
        self.is_over = asyncio.Event()

    # What is asked
    @on("RemoteStopTransaction")
    def on_remote_stop(self, transaction_id):
        if transaction_id != self.transaction_id:
            return call_result.RemoteStopTransaction(status=RemoteStartStopStatus.rejected)
        self.is_over.set()
        return call_result.RemoteStopTransaction(status=RemoteStartStopStatus.accepted)

    # Boot, heartbeat, status
    async def boot(self):
        while True:
            answer = await self.call(call.BootNotification(charge_point_vendor="Example", charge_point_model="Wallbox"))
            if answer.status == RegistrationStatus.accepted:
                break
            await asyncio.sleep(answer.interval)
        for connector in (0, 1):
            await self.status(ChargePointStatus.available, connector)
        return answer.interval

    async def beat(self, interval):
        while True:
            await asyncio.sleep(interval)
            await self.call(call.Heartbeat())

    async def status(self, status, connector=1):
        await self.call(
            call.StatusNotification(
                connector_id=connector, error_code=ChargePointErrorCode.no_error, status=status, timestamp=now()
            )
        )

    # A session
    async def charge(self, card):
        await self.status(ChargePointStatus.preparing)
        authorized = await self.call(call.Authorize(id_tag=card))
        if authorized.id_tag_info["status"] != AuthorizationStatus.accepted:
            return
        started = await self.call(
            call.StartTransaction(connector_id=1, id_tag=card, meter_start=round(self.energy), timestamp=now())
        )
        self.transaction_id = started.transaction_id
        await self.status(ChargePointStatus.charging)
        for second in range(1, 11):
            if self.is_over.is_set():
                break
            await asyncio.sleep(1)
            self.energy += VOLTS * AMPERES / 3600
            if second % 5 == 0:
                await self.meter_values()
        await self.call(
            call.StopTransaction(
                meter_stop=round(self.energy), timestamp=now(), transaction_id=self.transaction_id, reason="Local"
            )
        )
        await self.status(ChargePointStatus.finishing)
        await self.status(ChargePointStatus.available)

    async def meter_values(self):
        sampled = [
            {"value": f"{self.energy:.0f}", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": f"{VOLTS * AMPERES}", "measurand": "Power.Active.Import", "unit": "W"},
        ]
        await self.call(
            call.MeterValues(
                connector_id=1,
                transaction_id=self.transaction_id,
                meter_value=[{"timestamp": now(), "sampled_value": sampled}],
            )
        )


async def main(url):
    async with connect(f"{url}wallbox", subprotocols=["ocpp1.6"]) as connection:
        wallbox = Wallbox("wallbox", connection)
        reading = asyncio.create_task(wallbox.start())
        beating = asyncio.create_task(wallbox.beat(await wallbox.boot()))
        await wallbox.charge("CARD1")
        beating.cancel()
        reading.cancel()


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9000/"))
