"""A wallbox with one socket. Car and card are lines on standard input: plug, card ABC, unplug."""

import signal
import sys
import threading
from contextlib import suppress
from uuid import uuid4

from ocpp16 import ChargePointStopped, DataTransferResponse, Measurement, PhaseValues, blocking
from ocpp16.enums import BootReason, ChargePointStatus, DataTransferStatus, Reason, SessionStartedReason, UnlockStatus

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
SOCKET = 1  # its number as a connector
VOLTS, MOST_AMPERES, LEAST_AMPERES = 230, 16, 6


class Wallbox:
    def __init__(self):
        self.lock = threading.RLock()  # of all that follows
        self.is_plugged = False
        self.session = None  # from the first plug or card until the car is gone
        self.card = None  # who may charge in it
        self.is_over = False  # nobody charges in it any more
        self.is_refused = False  # the Central System does not let that card charge after all
        self.amperes = 0.0  # what flows: the contactor is closed
        self.energy = 1000.0  # the register of the meter, Wh

    # What happens at the socket
    def attach(self, charge_point):
        self.charge_point = charge_point

    def plug(self):
        with self.lock:
            if self.is_plugged:  # its contact bounces
                return
            self.is_plugged = True
            if self.card is not None:
                self._begin_transaction()
            self._see_car()

    def unplug(self):
        with self.lock:
            self.is_plugged = False
            self._stop(Reason.EV_DISCONNECTED)
            if self.session is not None:
                self.charge_point.on_session_stopped(SOCKET, self.session)
            self.session = self.card = None

    def present(self, card):
        """A card at the reader. Returns what the display says."""
        with self.lock:
            running = self.charge_point.transaction(SOCKET)
            if running and running.id_tag.casefold() == card.casefold():
                self._stop(Reason.LOCAL, card)
                return "stopped"
        info = self.charge_point.authorize_id_token(card)  # may wait for the Central System: without the lock
        return self._welcome(card) if info.is_accepted else f"refused: {info.status}, {info.rule}"

    # Sessions and transactions
    def _welcome(self, card):
        """An authorized card: of the reader, or of a remote start."""
        with self.lock:
            if self.card is not None or self._is_out_of_service():
                return "not free"
            self.card = card
            if self.session is None or self.is_over:
                self._begin_session(SessionStartedReason.AUTHORIZED)
            if self.is_plugged:
                self._begin_transaction()
            return "welcome"

    def _see_car(self):
        if self.is_plugged and self.session is None and not self._is_out_of_service():
            self._begin_session(SessionStartedReason.EV_CONNECTED)

    def _is_out_of_service(self):
        return self.charge_point.connector_status(SOCKET).status == ChargePointStatus.UNAVAILABLE

    def _begin_session(self, reason):
        self.session, self.is_over = uuid4().hex, False
        self.charge_point.on_session_started(SOCKET, self.session, reason)

    def _begin_transaction(self):
        self.is_refused = False
        self.charge_point.on_transaction_started(SOCKET, self.session, self.card, self.energy)
        self._supply()

    def _stop(self, reason, card=None):
        with self.lock:
            self.amperes = 0.0
            running = self.charge_point.transaction(SOCKET)
            if running:
                self.charge_point.on_transaction_stopped(
                    SOCKET, running.session_id, reason, self.energy, id_tag_end=card
                )
                self.card, self.is_over = None, True

    # The current
    def _supply(self):
        """Let as much flow as is allowed, where somebody charges."""
        if self.charge_point.transaction(SOCKET) is None:
            return
        limit = self.charge_point.smart_charging.charging_limit(SOCKET).limit  # A; None: nothing limits it
        allowed = MOST_AMPERES if limit is None else min(MOST_AMPERES, limit)
        self.amperes = 0.0 if self.is_refused or allowed < LEAST_AMPERES else allowed
        if self.amperes:
            self.charge_point.on_resume_charging(SOCKET)
        else:
            self.charge_point.on_suspend_charging_evse(SOCKET)

    def run_meter(self, is_over):
        while not is_over.wait(0.5):
            with self.lock:
                self.energy += self.amperes * VOLTS * 0.5 / 3600

    # What the charge point asks
    def measurement(self, connector_id):
        if connector_id != SOCKET:  # 0: there is no main meter
            return None
        with self.lock:
            return Measurement(
                energy_import=PhaseValues(total=self.energy),
                power=PhaseValues(total=self.amperes * VOLTS),
                current=PhaseValues(l1=self.amperes),
            )

    def charging_limit_changed(self, connector_id, limit):
        with self.lock:
            self._supply()

    def signal_set_charging_profiles(self):
        pass  # for those who plan ahead

    def enable_evse(self, connector_id):
        with self.lock:
            self.charge_point.on_enabled(connector_id)
            self._see_car()

    def disable_evse(self, connector_id):
        self.charge_point.on_disabled(connector_id)

    def pause_charging(self, connector_id):
        with self.lock:
            self.is_refused = True
            self._supply()

    def provide_token(self, id_tag, connectors, prevalidated):
        # Whether the card may charge is asked elsewhere: a station method must not wait for the Central System.
        threading.Thread(target=self._remote_start, args=(id_tag, prevalidated), daemon=True).start()

    def _remote_start(self, id_tag, prevalidated):
        with suppress(ChargePointStopped):  # the block may be left meanwhile
            if prevalidated or self.charge_point.authorize_id_token(id_tag).is_accepted:
                self._welcome(id_tag)

    def stop_transaction(self, connector_id, reason):
        self._stop(reason)

    def unlock_connector(self, connector_id):
        self._stop(Reason.UNLOCK_COMMAND)
        return UnlockStatus.UNLOCKED  # once the motor has drawn the bolt

    def is_reset_allowed(self, kind):
        return True

    def reset(self, kind):
        self.charge_point.stop()  # asks stop_transaction in another thread: without the lock
        self.charge_point.restart(boot_reason=BootReason.REMOTE_RESET)
        with self.lock:
            self.session = self.card = None  # a restart forgets sessions, and so do we
            self._see_car()

    def set_system_time(self, time):
        pass  # the clock of the operating system, where nobody else sets it

    def set_connection_timeout(self, seconds):
        pass

    def data_transfer(self, vendor_id, message_id, data):
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)


def main():
    wallbox, is_over = Wallbox(), threading.Event()
    with blocking.open_charge_point(CONFIG, wallbox, database_path="data", message_log_path="logs") as charge_point:
        charge_point.start()
        meter = threading.Thread(target=wallbox.run_meter, args=(is_over,))
        meter.start()
        print("plug, card ABC, unplug; Ctrl-C ends", flush=True)
        try:
            for line in sys.stdin:
                match line.split():
                    case ["card", card]:
                        print(wallbox.present(card), flush=True)
                    case ["plug"]:
                        wallbox.plug()
                    case ["unplug"]:
                        wallbox.unplug()
        finally:
            is_over.set()
            meter.join()


signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # leaves the block; else it would be a power cut
with suppress(KeyboardInterrupt):
    main()
