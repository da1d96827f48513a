"""A socket whose car goes on charging after a power cut. The contact is closed while the file `contact` is there.

touch contact; python resume.py ws://127.0.0.1:9000/
"""

import sys
from pathlib import Path
from uuid import uuid4

import trio

from ocpp16 import DataTransferResponse, Measurement, PhaseValues, open_charge_point
from ocpp16.enums import DataTransferStatus, Reason, SessionStartedReason, UnlockStatus

VOLTS, AMPERES = 230, 16
CONFIG = {
    "Internal": {
        "ChargePointId": "wallbox",
        "CentralSystemURI": sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9000/",
        "ChargePointVendor": "Example",
        "ChargePointModel": "Wallbox",
    },
    "Core": {"NumberOfConnectors": 1, "MeterValueSampleInterval": 2, "StopTransactionOnInvalidId": True},
}


class Wallbox:
    energy, amperes = 1000.0, 0  # this meter forgets when the power fails

    def is_plugged(self):
        return Path("contact").exists()

    def attach(self, charge_point):
        self.charge_point = charge_point

    # At the start
    async def begin(self):
        """Look at what is stored and at the contact, then start."""
        stored = self.charge_point.transaction(1)
        checkpoint = self.charge_point.for_station.meter_checkpoint(1)  # Wh, or None
        self.energy = max(self.energy, checkpoint or 0)
        is_going_on = stored is not None and self.is_plugged()
        await self.charge_point.start(resuming_session_ids=[stored.session_id] if is_going_on else [])
        if is_going_on:
            print("goes on at", round(self.energy), "Wh", flush=True)
            self.supply()
        elif self.is_plugged():
            session = uuid4().hex
            self.charge_point.on_session_started(1, session, SessionStartedReason.EV_CONNECTED)
            with trio.move_on_after(10):  # before it is accepted, a card is judged as offline
                await self.charge_point.wait_registered()
            if (await self.charge_point.authorize_id_token("CARD1")).is_accepted:
                self.charge_point.on_transaction_started(1, session, "CARD1", self.energy)
                self.supply()
                print("begins", flush=True)

    def supply(self):
        self.amperes = AMPERES
        self.charge_point.on_resume_charging(1)

    # While it runs
    async def charge(self):
        while self.is_plugged():
            await trio.sleep(0.5)
            self.energy += VOLTS * self.amperes * 0.5 / 3600
        running = self.charge_point.transaction(1)
        await self.stop_transaction(1, Reason.EV_DISCONNECTED)
        if running:
            self.charge_point.on_session_stopped(1, running.session_id)

    def measurement(self, connector_id):
        return Measurement(energy_import=PhaseValues(total=self.energy))

    async def stop_transaction(self, connector_id, reason):
        self.amperes = 0
        running = self.charge_point.transaction(1)
        if running:
            self.charge_point.on_transaction_stopped(1, running.session_id, reason, self.energy)

    async def pause_charging(self, connector_id):
        self.amperes = 0
        self.charge_point.on_suspend_charging_evse(connector_id)

    async def enable_evse(self, connector_id):
        self.charge_point.on_enabled(connector_id)

    async def disable_evse(self, connector_id):
        self.charge_point.on_disabled(connector_id)

    async def unlock_connector(self, connector_id):
        return UnlockStatus.NOT_SUPPORTED

    async def is_reset_allowed(self, kind):
        return False

    async def data_transfer(self, vendor_id, message_id, data):
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)

    async def provide_token(self, id_tag, connectors, prevalidated): ...
    async def reset(self, kind): ...
    async def set_system_time(self, time): ...
    async def set_connection_timeout(self, seconds): ...


async def main():
    wallbox = Wallbox()
    async with open_charge_point(CONFIG, wallbox, database_path="data") as charge_point:
        await wallbox.begin()
        await wallbox.charge()
        await charge_point.wait_all_answered()


trio.run(main)
