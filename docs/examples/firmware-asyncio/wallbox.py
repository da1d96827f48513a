"""A wallbox with one socket. Car and card are lines on standard input: plug, card ABC, unplug."""

import asyncio
import signal
import sys
import threading
from contextlib import suppress
from uuid import uuid4

from ocpp16 import ChargePointStopped, DataTransferResponse, Measurement, PhaseValues, aio
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
        if self.is_plugged:  # its contact bounces
            return
        self.is_plugged = True
        if self.card is not None:
            self._begin_transaction()
        self._see_car()

    def unplug(self):
        self.is_plugged = False
        self._stop(Reason.EV_DISCONNECTED)
        if self.session is not None:
            self.charge_point.on_session_stopped(SOCKET, self.session)
        self.session = self.card = None

    async def present(self, card):
        """A card at the reader. Returns what the display says."""
        running = self.charge_point.transaction(SOCKET)
        if running and running.id_tag.casefold() == card.casefold():
            self._stop(Reason.LOCAL, card)
            return "stopped"
        info = await self.charge_point.authorize_id_token(card)
        return self._welcome(card) if info.is_accepted else f"refused: {info.status}, {info.rule}"

    # Sessions and transactions
    def _welcome(self, card):
        """An authorized card: of the reader, or of a remote start."""
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
        self.amperes = 0.0
        running = self.charge_point.transaction(SOCKET)
        if running:
            self.charge_point.on_transaction_stopped(SOCKET, running.session_id, reason, self.energy, id_tag_end=card)
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

    async def run_meter(self):
        while True:
            await asyncio.sleep(0.5)
            self.energy += self.amperes * VOLTS * 0.5 / 3600

    # What the charge point asks
    def measurement(self, connector_id):
        if connector_id != SOCKET:  # 0: there is no main meter
            return None
        return Measurement(
            energy_import=PhaseValues(total=self.energy),
            power=PhaseValues(total=self.amperes * VOLTS),
            current=PhaseValues(l1=self.amperes),
        )

    def charging_limit_changed(self, connector_id, limit):
        self._supply()

    async def signal_set_charging_profiles(self):
        pass  # for those who plan ahead

    async def enable_evse(self, connector_id):
        self.charge_point.on_enabled(connector_id)
        self._see_car()

    async def disable_evse(self, connector_id):
        self.charge_point.on_disabled(connector_id)

    async def pause_charging(self, connector_id):
        self.is_refused = True
        self._supply()

    async def provide_token(self, id_tag, connectors, prevalidated):
        # Whether the card may charge is asked elsewhere: a station method must not wait for the Central System.
        self.tasks.create_task(self._remote_start(id_tag, prevalidated))

    async def _remote_start(self, id_tag, prevalidated):
        with suppress(ChargePointStopped):  # the block may be left meanwhile
            if prevalidated or (await self.charge_point.authorize_id_token(id_tag)).is_accepted:
                self._welcome(id_tag)

    async def stop_transaction(self, connector_id, reason):
        self._stop(reason)

    async def unlock_connector(self, connector_id):
        self._stop(Reason.UNLOCK_COMMAND)
        return UnlockStatus.UNLOCKED  # once the motor has drawn the bolt

    async def is_reset_allowed(self, kind):
        return True

    async def reset(self, kind):
        await self.charge_point.stop()
        await self.charge_point.restart(boot_reason=BootReason.REMOTE_RESET)
        self.session = self.card = None  # a restart forgets sessions, and so do we
        self._see_car()

    async def set_system_time(self, time):
        pass  # the clock of the operating system, where nobody else sets it

    async def set_connection_timeout(self, seconds):
        pass

    async def data_transfer(self, vendor_id, message_id, data):
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)


def read(loop, lines):
    """Standard input, in a thread that nobody waits for."""
    with suppress(RuntimeError):  # the loop may be closed before
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "")


async def main():
    loop, lines, wallbox = asyncio.get_running_loop(), asyncio.Queue(), Wallbox()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asyncio.current_task().cancel)
    async with (
        aio.open_charge_point(CONFIG, wallbox, database_path="data", message_log_path="logs") as charge_point,
        asyncio.TaskGroup() as wallbox.tasks,
    ):
        meter = wallbox.tasks.create_task(wallbox.run_meter())
        await charge_point.start()
        print("plug, card ABC, unplug; Ctrl-C ends", flush=True)
        threading.Thread(target=read, args=(loop, lines), daemon=True).start()
        while line := await lines.get():
            match line.split():
                case ["card", card]:
                    print(await wallbox.present(card), flush=True)
                case ["plug"]:
                    wallbox.plug()
                case ["unplug"]:
                    wallbox.unplug()
        meter.cancel()


with suppress(asyncio.CancelledError):
    asyncio.run(main())
