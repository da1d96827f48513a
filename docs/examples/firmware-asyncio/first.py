"""A station that can do nothing yet: it connects, is accepted, and waits for Ctrl-C."""

import asyncio
import sys

from ocpp16 import DataTransferResponse, aio
from ocpp16.enums import DataTransferStatus, UnlockStatus

CONFIG = {
    "Internal": {
        "ChargePointId": "wallbox",
        "CentralSystemURI": sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9000/",
        "ChargePointVendor": "Example",
        "ChargePointModel": "Wallbox",
    },
    "Core": {"NumberOfConnectors": 1},
}


class Wallbox:
    """What the charge point asks of the hardware."""

    def attach(self, charge_point):
        self.charge_point = charge_point

    def measurement(self, connector_id):
        return None

    async def enable_evse(self, connector_id):
        self.charge_point.on_enabled(connector_id)

    async def disable_evse(self, connector_id):
        self.charge_point.on_disabled(connector_id)

    async def pause_charging(self, connector_id):
        pass

    async def provide_token(self, id_tag, connectors, prevalidated):
        pass

    async def stop_transaction(self, connector_id, reason):
        pass

    async def unlock_connector(self, connector_id):
        return UnlockStatus.NOT_SUPPORTED

    async def is_reset_allowed(self, kind):
        return False

    async def reset(self, kind):
        pass

    async def set_system_time(self, time):
        pass

    async def set_connection_timeout(self, seconds):
        pass

    async def data_transfer(self, vendor_id, message_id, data):
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)


async def main():
    async with aio.open_charge_point(CONFIG, Wallbox()) as charge_point:
        await charge_point.start()
        await charge_point.wait_registered()
        print("accepted; Ctrl-C ends this", flush=True)
        await asyncio.Event().wait()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("ended in order")
