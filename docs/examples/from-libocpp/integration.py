"""The port of integration.cpp: one object has the callbacks, and tells what the board tells."""

import sys
import threading
from contextlib import suppress

from board import Board

from ocpp16 import ChargePointStopped, DataTransferResponse, Measurement, PhaseValues, blocking
from ocpp16.enums import DataTransferStatus, Reason, SessionStartedReason, UnlockStatus
from ocpp16.observer import ConnectionStateChanged

CONFIG = {
    "Internal": {
        "ChargePointId": "wallbox",
        "CentralSystemURI": sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9000/",
        "ChargePointVendor": "Example",
        "ChargePointModel": "Wallbox",
        "CompositeScheduleDefaultNumberPhases": 1,
    },
    "Core": {"NumberOfConnectors": 1, "MeterValueSampleInterval": 5, "AuthorizationCacheEnabled": True},
}


class Integration:
    def __init__(self, board):
        self.board = board

    def attach(self, charge_point):
        self.charge_point = charge_point
        self.board.on_event = self.told
        self.board.on_meter = self.metered

    # What was registered as callbacks
    def enable_evse(self, connector_id):
        self.charge_point.on_enabled(connector_id)

    def disable_evse(self, connector_id):
        self.charge_point.on_disabled(connector_id)

    def pause_charging(self, connector_id):
        self.board.order("pause")

    def stop_transaction(self, connector_id, reason):
        self.board.order("stop", reason)

    def unlock_connector(self, connector_id):
        self.board.order("stop", Reason.UNLOCK_COMMAND)
        return UnlockStatus.UNLOCKED

    def provide_token(self, id_tag, connectors, prevalidated):
        if prevalidated:
            self.board.order("authorized", id_tag, True)
        else:
            threading.Thread(target=self._authorize, args=(id_tag,), daemon=True).start()

    def is_reset_allowed(self, kind):
        return not self.board.is_busy

    def reset(self, kind):
        self.board.has_ended.set()  # the block is left, and whoever runs this program begins it anew

    def set_system_time(self, time):
        pass

    def set_connection_timeout(self, seconds):
        pass  # this board knows no such time

    def data_transfer(self, vendor_id, message_id, data):
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)

    def measurement(self, connector_id):
        return None  # the board tells its values

    def charging_limit_changed(self, connector_id, limit):
        self.board.order("limit_to", float("inf") if limit.limit is None else limit.limit)

    def signal_set_charging_profiles(self):
        pass  # `charging_limit_changed` says what holds now

    def notify(self, event):
        if isinstance(event, ConnectionStateChanged):
            print("connected" if event.connected else "not connected", flush=True)

    # What the board tells
    def told(self, event):
        """In the thread of the board."""
        match event.kind:
            case "SessionStarted":
                self.charge_point.on_session_started(1, event.session_id, SessionStartedReason(event.reason))
            case "CardShown":
                threading.Thread(target=self._authorize, args=(event.card,), daemon=True).start()
            case "TransactionStarted":
                self.charge_point.on_transaction_started(1, event.session_id, event.card, event.energy)
            case "Charging":
                self.charge_point.on_resume_charging(1)
            case "PausedByStation":
                self.charge_point.on_suspend_charging_evse(1)
            case "TransactionStopped":
                self.charge_point.on_transaction_stopped(
                    1, event.session_id, Reason(event.reason), event.energy, id_tag_end=event.card
                )
            case "SessionStopped":
                self.charge_point.on_session_stopped(1, event.session_id)

    def metered(self, energy, amperes, volts):
        values = Measurement(
            energy_import=PhaseValues(total=energy),
            power=PhaseValues(total=amperes * volts),
            current=PhaseValues(l1=amperes),
        )
        self.charge_point.on_meter_values(1, values)

    def _authorize(self, card):
        with suppress(ChargePointStopped):
            self.board.order("authorized", card, self.charge_point.authorize_id_token(card).is_accepted)


def main():
    board = Board()
    integration = Integration(board)
    with blocking.open_charge_point(
        CONFIG,
        integration,
        user_config_path="user_config.json",
        database_path="data",
        message_log_path="logs",
        observer=integration,
    ) as charge_point:
        charge_point.start()
        running = threading.Thread(target=board.run)
        running.start()
        with suppress(KeyboardInterrupt):
            board.has_ended.wait()
    board.order("end")  # after the block, whose end may ask it to stop a transaction
    running.join()


main()
