"""The same session with `ocpp16.aio`: it boots, charges for ten seconds, and ends.

python after.py ws://127.0.0.1:9000/
"""

import asyncio
import sys
from uuid import uuid4

from ocpp16 import DataTransferResponse, Measurement, PhaseValues, aio
from ocpp16.enums import DataTransferStatus, Reason, SessionStartedReason, UnlockStatus

VOLTS, AMPERES = 230, 16
CONFIG = {
    "Internal": {
        "ChargePointId": "wallbox",
        "CentralSystemURI": sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9000/",
        "ChargePointVendor": "Example",
        "ChargePointModel": "Wallbox",
    },
    "Core": {
        "NumberOfConnectors": 1,
        "MeterValueSampleInterval": 5,
        "MeterValuesSampledData": "Energy.Active.Import.Register,Power.Active.Import",
    },
}


class Wallbox:
    def __init__(self):
        self.energy, self.amperes = 1000.0, 0
        self.is_over = asyncio.Event()

    def attach(self, charge_point):
        self.charge_point = charge_point

    # A session
    async def charge(self, card):
        self.session = uuid4().hex
        self.charge_point.on_session_started(1, self.session, SessionStartedReason.EV_CONNECTED)
        if (await self.charge_point.authorize_id_token(card)).is_accepted:
            self.charge_point.on_transaction_started(1, self.session, card, self.energy)
            self.amperes = AMPERES
            self.charge_point.on_resume_charging(1)
            for _ in range(10):
                if self.is_over.is_set():
                    break
                await asyncio.sleep(1)
                self.energy += VOLTS * self.amperes / 3600
            self.stop(Reason.LOCAL)
        self.charge_point.on_session_stopped(1, self.session)

    def stop(self, reason):
        self.amperes = 0
        if self.charge_point.transaction(1):
            self.charge_point.on_transaction_stopped(1, self.session, reason, self.energy)
        self.is_over.set()

    # What is asked
    def measurement(self, connector_id):
        return Measurement(
            energy_import=PhaseValues(total=self.energy),
            power=PhaseValues(total=VOLTS * self.amperes),
        )

    async def stop_transaction(self, connector_id, reason):
        self.stop(reason)

    async def enable_evse(self, connector_id):
        self.charge_point.on_enabled(connector_id)

    async def disable_evse(self, connector_id):
        self.charge_point.on_disabled(connector_id)

    async def pause_charging(self, connector_id):
        self.amperes = 0
        self.charge_point.on_suspend_charging_evse(connector_id)

    async def unlock_connector(self, connector_id):
        return UnlockStatus.NOT_SUPPORTED

    async def is_reset_allowed(self, kind):
        return False

    async def data_transfer(self, vendor_id, message_id, data):
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)

    # Nothing to do here
    async def provide_token(self, id_tag, connectors, prevalidated): ...
    async def reset(self, kind): ...
    async def set_system_time(self, time): ...
    async def set_connection_timeout(self, seconds): ...


async def main():
    wallbox = Wallbox()
    async with aio.open_charge_point(CONFIG, wallbox, database_path="data") as charge_point:
        await charge_point.start()
        await charge_point.wait_registered()
        await wallbox.charge("CARD1")
        await charge_point.wait_all_answered()


asyncio.run(main())
