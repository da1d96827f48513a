"""The charge point while the module runs: stopped and started again by EVerest, and reset by the Central System."""

import threading
from contextlib import suppress
from typing import Any, Final

from ocpp16.blocking import time_limit
from ocpp16.configuration.keys.pnc import CENTRAL_CONTRACT_VALIDATION_ALLOWED, ISO15118_PNC_ENABLED
from ocpp16.enums import ChargePointStatus, ResetType
from ocpp16.errors import ChargePointStopped
from ocpp16.everest.intake import Intake
from ocpp16.everest.publications import Publications
from ocpp16.everest.schedules import Schedules
from ocpp16.everest.side import EverestSide
from ocpp16.everest.station import EverestStation
from ocpp16.everest.topology import Topology
from ocpp16.everest.variables import Variables
from ocpp16.faults import sentence

__all__ = ["OpenedChargePoint"]

LONGEST_FAREWELL: Final = 3.0
"""Seconds that the Central System has, when the module ends, for what is to be sent still and for its goodbye."""
LOOKED_AGAIN: Final = 0.02
LONGEST_RESET: Final = 600.0
"""Seconds that a system which took a reset has for it; a charge point is not to be stopped for good."""

PLUG_AND_CHARGE: Final = (ISO15118_PNC_ENABLED, CENTRAL_CONTRACT_VALIDATION_ALLOWED)


class OpenedChargePoint:
    """`reset_delay`: seconds between an accepted Reset and the stop."""

    schedules: Schedules
    """Since it is opened."""

    def __init__(self, side: EverestSide, topology: Topology, intake: Intake, *, reset_delay: float) -> None:
        self.side = side
        self.topology = topology
        self.publications: Publications = Publications(side, topology)
        self.charge_point: Any = None
        self._intake = intake
        self._reset_delay = reset_delay
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._is_resetting = False
        self._stops = 0
        self._settling = threading.Lock()
        self._restarts = 0
        """That are under way."""

    def opened(self, charge_point: Any, schedules: Schedules) -> None:
        self.charge_point = charge_point
        self.schedules = schedules
        self.variables: Variables = Variables(charge_point, self.side)

    def changed(self) -> None:
        """Charging profiles count otherwise; the charge point may be opening just now."""
        if self.charge_point is not None:
            self.schedules.change()

    def restore_availability(self, station: EverestStation) -> None:
        """EVSEs are what ChangeAvailability made of them, before anybody can charge there."""
        numbers = range(1, self.topology.number_of_connectors + 1)
        unavailable = ChargePointStatus.UNAVAILABLE
        station.disable_evses(it for it in numbers if self.charge_point.connector_status(it).status is unavailable)

    def tell_plug_and_charge(self) -> None:
        """Now and at every change, where there is Plug & Charge."""
        if not self.charge_point.plug_and_charge.is_built:
            return
        for key in PLUG_AND_CHARGE:
            self.charge_point.on_change(key, lambda old, new: self._tell_plug_and_charge())
        self._tell_plug_and_charge()

    def _tell_plug_and_charge(self) -> None:
        enabled, central = (bool(self.charge_point.configuration[key]) for key in PLUG_AND_CHARGE)
        configuration = {"pnc_enabled": enabled, "central_contract_validation_allowed": central}
        arguments = {"plug_and_charge_configuration": configuration}
        each = dict.fromkeys(range(self.topology.number_of_evses), arguments)
        self.side.ask_each("evse_manager", "set_plug_and_charge_configuration", each)

    def stop(self) -> bool:
        """Transactions end first, of which EVerest tells; what it tells from then on is forgotten."""
        is_stopped: bool = self.charge_point.stop()
        if is_stopped:
            self._stops += 1
            self._settle()
        return is_stopped

    def restart(self) -> bool:
        """What is told from the begin of it on counts."""
        self._settle(restarts=1)
        is_known = False
        try:
            is_restarted = bool(self.charge_point.restart())
            is_known = True
        finally:  # else it may run later on
            self._settle(restarts=-1, is_known=is_known)
        return is_restarted

    def _settle(self, *, restarts: int = 0, is_known: bool = True) -> None:
        """What EVerest tells counts, and schedules are published, while the charge point runs or is about to. Whoever
        stopped or started it may come here after somebody else has done the contrary: what is so now is asked."""
        with self._settling:
            self._restarts += restarts
            is_listening = self._restarts > 0 or not is_known or self.charge_point.is_running
            self._intake.is_stopped = not is_listening
            if is_listening:
                self.schedules.go_on()
            else:
                self.schedules.stop()

    def reset(self, kind: ResetType) -> None:
        """In a thread of its own: the charge point, which asks for it, is stopped meanwhile. One at a time."""
        with self._lock:
            if self._is_resetting:
                return
            self._is_resetting = True
        threading.Thread(target=self._reset, args=(kind,), name="everest reset", daemon=True).start()

    def end(self) -> None:
        """The module ends: a reset that waits is none any more."""
        self._is_over.set()

    def leave(self) -> None:
        """The module ends, and EVerest with it: whoever could end a transaction is ending, too. So transactions are
        left as they are, on disk: with the next start those go on whose session EVerest resumes, the others are over.
        """
        self._intake.settle(LONGEST_FAREWELL)
        charge_point = self.charge_point
        numbers, pause = range(1, self.topology.number_of_connectors + 1), threading.Event()
        with suppress(ChargePointStopped, TimeoutError), time_limit(LONGEST_FAREWELL):
            if any(charge_point.transaction(number) is not None for number in numbers):
                charge_point.connection.disconnect()
                while charge_point.connection.is_connected:
                    pause.wait(LOOKED_AGAIN)
            else:
                charge_point.stop()
        charge_point.abandon()

    def _reset(self, kind: ResetType) -> None:
        try:
            if self._is_over.wait(self._reset_delay):
                return
            self.stop()
            stops = self._stops
            is_taken = self.side.ask("system", "reset", {"type": str(kind), "scheduled": False}) is not None
            if not is_taken:
                self.restart()
        except ChargePointStopped:
            return
        except Exception as error:
            self.side.log.error("Reset: %s", sentence(error), error=error)
            return
        finally:
            with self._lock:
                self._is_resetting = False
        if is_taken and not self._is_over.wait(LONGEST_RESET):
            self._go_on(stops)

    def _go_on(self, stops: int) -> None:
        """The system took a reset, and nothing was reset: unless somebody restarted the charge point meanwhile."""
        if stops != self._stops or not self._intake.is_stopped:
            return
        self.side.log.error("system.reset was answered, and nothing is reset: the charge point is started again")
        try:
            self.restart()
        except ChargePointStopped:
            return
        except Exception as error:
            self.side.log.error("start after a reset: %s", sentence(error), error=error)
