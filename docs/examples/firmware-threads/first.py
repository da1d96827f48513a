"""A station that can do nothing yet: it connects, is accepted, and waits for Ctrl-C."""

import sys
import threading

from ocpp16 import DataTransferResponse, blocking
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

    def enable_evse(self, connector_id):
        self.charge_point.on_enabled(connector_id)

    def disable_evse(self, connector_id):
        self.charge_point.on_disabled(connector_id)

    def pause_charging(self, connector_id):
        pass

    def provide_token(self, id_tag, connectors, prevalidated):
        pass

    def stop_transaction(self, connector_id, reason):
        pass

    def unlock_connector(self, connector_id):
        return UnlockStatus.NOT_SUPPORTED

    def is_reset_allowed(self, kind):
        return False

    def reset(self, kind):
        pass

    def set_system_time(self, time):
        pass

    def set_connection_timeout(self, seconds):
        pass

    def data_transfer(self, vendor_id, message_id, data):
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)


try:
    with blocking.open_charge_point(CONFIG, Wallbox()) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        print("accepted; Ctrl-C ends this", flush=True)
        threading.Event().wait()
except KeyboardInterrupt:
    print("ended in order")
