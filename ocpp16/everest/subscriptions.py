"""What the module is told by EVerest: VARIABLES is the table of subscriptions; errors come of every connection.

EVerest's threads leave everything at the `Intake`, but for what the start itself waits for: that EVSEs are ready, and
which sessions go on.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from ocpp16.contracts import CertificateAction
from ocpp16.errors import ChargePointStopped, FeatureNotBuilt
from ocpp16.everest import offered
from ocpp16.everest.border import Part
from ocpp16.everest.error_codes import PlacedError, placed
from ocpp16.everest.intake import Intake
from ocpp16.everest.maintenance import Maintenance, tell_firmware_status, tell_log_status
from ocpp16.everest.manifest import REQUIRES
from ocpp16.everest.readings import Readings
from ocpp16.everest.sessions import SessionEvents
from ocpp16.everest.side import EverestSide
from ocpp16.everest.topology import Topology
from ocpp16.faults import obey_exit, sentence

__all__ = ["VARIABLES", "Parts", "Subscriptions"]

MOST_CERTIFICATES: Final = 4
"""Cars that wait for a contract certificate at a time: more wait for one another."""
MOST_CARS: Final = 256
"""Cars that wait in all, more than connections there can be: of one more nothing is asked, and it hears nothing."""
MOST_RESUMED: Final = 10_000
"""Sessions that are told to go on over the start: far more than connectors."""
FAILED: Final = "Failed"


class Parts:
    """What is told: there once the charge point is."""

    def __init__(
        self, charge_point: Any, topology: Topology, station: Maintenance, sessions: SessionEvents, readings: Readings
    ) -> None:
        self.charge_point = charge_point
        self.topology = topology
        self.station = station
        self.sessions = sessions
        self.readings = readings


class Subscriptions:
    """`changed()` is called when there is news for the start."""

    def __init__(self, side: EverestSide, intake: Intake, changed: Callable[[], None]) -> None:
        self.resumed: set[str] = set()
        """Sessions that go on over the start."""
        self.ready: set[int] = set()
        """EVSEs that are."""
        self.parts: Parts
        self.is_started = False
        self.side = side
        self.intake = intake
        self.changed = changed
        self._certificates = ThreadPoolExecutor(MOST_CERTIFICATES, thread_name_prefix="everest certificates")
        self._room_for_cars = threading.Semaphore(MOST_CARS)

    def subscribe(self, module: Any) -> None:
        """To all variables and errors. `module` is the framework's."""
        for (requirement, variable), tell in VARIABLES.items():
            known = offered.variables(module, requirement)
            if known is not None and variable not in known:
                self.side.log.info("%s of this EVerest tells no %s", requirement, variable)
                continue
            for index, fulfillment in enumerate(self.side.connections(requirement)):
                module.subscribe_variable(fulfillment, variable, partial(_guarded, tell, self, index + 1, variable))
        for requirement in REQUIRES:
            for index, fulfillment in enumerate(self.side.connections(requirement)):
                evse = index + 1 if requirement == "evse_manager" else 0
                raised = partial(_guarded, Subscriptions.error_raised, self, evse, "an error")
                cleared = partial(_guarded, Subscriptions.error_cleared, self, evse, "the end of an error")
                try:
                    module.subscribe_all_errors(fulfillment, raised, cleared)
                except Exception as error:  # of an interface that has none
                    place = f"{requirement} of {fulfillment.module_id}"
                    self.side.log.warning("errors of %s are not told: %s", place, sentence(error), about=place)

    def end(self) -> None:
        self._certificates.shutdown(wait=False, cancel_futures=True)

    # In EVerest's threads

    def evse_ready(self, evse: int, value: Any) -> None:
        if value is True:
            self.ready.add(evse)
            self.changed()

    def session_event(self, evse: int, value: Any) -> None:
        if isinstance(value, Mapping) and value.get("event") == "SessionResumed":
            session = Part(value, "session_event", self.side.log).text("uuid", 255, 1, is_needed=True)
            if session is not None and self.is_started:
                self.side.log.warning("session %s was resumed after the start, which has ended it", session)
            elif session is not None and len(self.resumed) < MOST_RESUMED:
                self.resumed.add(session)
            return
        self.intake.tell("session_event", lambda: self.parts.sessions.tell(evse, value), is_last_to_go=True)

    def powermeter(self, evse: int, value: Any) -> None:
        self.intake.tell("powermeter", lambda: self.parts.readings.powermeter(evse, value), state=("powermeter", evse))

    def ev_info(self, evse: int, value: Any) -> None:
        self.intake.tell("ev_info", lambda: self.parts.readings.ev_info(evse, value), state=("ev_info", evse))

    def enforced_limits(self, evse: int, value: Any) -> None:
        self.intake.tell(
            "enforced_limits", lambda: self.parts.readings.enforced_limits(evse, value), state=("limits", evse)
        )

    def public_key(self, evse: int, value: Any) -> None:
        self.intake.tell(
            "powermeter_public_key_ocmf",
            lambda: self.parts.readings.public_key(evse, value),
            state=("public_key", evse),
            outlives_stop=True,
        )

    def firmware_status(self, index: int, value: Any) -> None:
        self.intake.tell(
            "firmware_update_status", lambda: tell_firmware_status(self.parts.station, value), outlives_stop=True
        )

    def log_status(self, index: int, value: Any) -> None:
        self.intake.tell("log_status", lambda: tell_log_status(self.parts.station, value), outlives_stop=True)

    def error_raised(self, evse: int, error: Any) -> None:
        """An error outlives a stop: after a restart it is there all the same."""
        found = placed(error, evse)
        self.intake.tell("an error", lambda: self._raise(found), outlives_stop=True)

    def error_cleared(self, evse: int, error: Any) -> None:
        found = placed(error, evse)
        self.intake.tell("the end of an error", lambda: self._clear(found), outlives_stop=True)

    def certificate_request(self, index: int, value: Any) -> None:
        """A car waits 5 s: what was told before the charge point is there is answered at once."""
        part = Part(value, "iso15118_certificate_request", self.side.log)
        if not self._room_for_cars.acquire(blocking=False):
            self.side.log.warning("%s cars wait for a certificate already: one more is not heard", MOST_CARS)
        elif not self.is_started or self.intake.is_stopped:
            self._submit(self._answer_car, index, _refusal(part))
        else:
            self._submit(self._certificate, index, part)

    def _submit(self, function: Callable[..., None], *arguments: Any) -> None:
        done = self._certificates.submit(function, *arguments)
        done.add_done_callback(lambda _: self._room_for_cars.release())

    # In threads of ours

    def _raise(self, found: PlacedError) -> None:
        for connector in self._connectors(found):
            self.parts.charge_point.on_error(connector, found.info)

    def _clear(self, found: PlacedError) -> None:
        for connector in self._connectors(found):
            self.parts.charge_point.on_error_cleared(connector, found.info.uuid)

    def _connectors(self, found: PlacedError) -> list[int]:
        """Those that an error is of: all of an EVSE, if it names none; 0 of a place that is not there."""
        topology = self.parts.topology
        try:
            if found.evse == 0:
                return [0]
            if found.connector is None:
                return topology.numbers(found.evse)
            return [topology.number(found.evse, found.connector)]
        except ValueError as problem:
            self.side.log.warning("an error of EVerest: %s; it is told of the charge point", str(problem))
            return [0]

    def _certificate(self, index: int, part: Part) -> None:
        answer = _refusal(part)
        try:
            request = part.text("exi_request", is_needed=True)
            version = part.text("iso15118_schema_version", is_needed=True)
            if request is not None and version is not None:
                evse = min(index, self.parts.topology.number_of_evses)
                found = self.parts.charge_point.plug_and_charge.data_transfer_pnc_get_15118_ev_certificate(
                    self.parts.topology.number(evse), request, version, answer["certificate_action"]
                )
                answer["status"] = str(found.status)
                if found.exi_response:
                    answer["exi_response"] = found.exi_response
        except (ValueError, FeatureNotBuilt, ChargePointStopped) as error:
            self.side.log.warning("a car gets no certificate: %s", str(error))
        except BaseException as error:
            obey_exit(error)
            self.side.log.error("a car gets no certificate: %s", sentence(error), error=error)
        self._answer_car(index, answer)

    def _answer_car(self, index: int, answer: dict[str, Any]) -> None:
        arguments = {"certificate_response": answer}
        self.side.ask("extensions_15118", "set_get_certificate_response", arguments, index - 1)


def _refusal(part: Part) -> dict[str, Any]:
    action = part.word(CertificateAction, "certificate_action", is_needed=True)
    return {"status": FAILED, "certificate_action": str(action or CertificateAction.INSTALL)}


def _guarded(tell: Callable[..., object], of: Subscriptions, index: int, what: str, value: Any) -> None:
    """In EVerest's thread, which nothing of ours may end."""
    try:
        tell(of, index, value)
    except BaseException as error:
        obey_exit(error)
        of.side.log.error("%s of EVerest: %s", what, sentence(error), about=what, error=error)


VARIABLES: Final[Mapping[tuple[str, str], Callable[[Subscriptions, int, Any], None]]] = MappingProxyType(
    {
        ("evse_manager", "session_event"): Subscriptions.session_event,
        ("evse_manager", "powermeter"): Subscriptions.powermeter,
        ("evse_manager", "ev_info"): Subscriptions.ev_info,
        ("evse_manager", "enforced_limits"): Subscriptions.enforced_limits,
        ("evse_manager", "powermeter_public_key_ocmf"): Subscriptions.public_key,
        ("evse_manager", "waiting_for_external_ready"): Subscriptions.evse_ready,
        ("evse_manager", "ready"): Subscriptions.evse_ready,
        ("system", "firmware_update_status"): Subscriptions.firmware_status,
        ("system", "log_status"): Subscriptions.log_status,
        ("extensions_15118", "iso15118_certificate_request"): Subscriptions.certificate_request,
    }
)
