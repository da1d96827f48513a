"""The module: EVerest's framework here, a charge point of `ocpp16.blocking` there, and the order of the start.

1. commands implemented, variables and errors subscribed to; `init_done`
2. all modules are ready; every EVSE said what connectors it has, and that it is ready
3. the charge point is opened: commands have it from here on
4. availability restored, `external_ready_to_start_charging` told to every EVSE; DelayOcppStart
5. boot reason, start with the sessions that go on
6. what EVerest told meanwhile is told to the charge point, in order; charging schedules are published
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from ocpp16 import blocking
from ocpp16.errors import ConfigurationError, Ocpp16Error, StoreError
from ocpp16.everest import offered
from ocpp16.everest.border import Part
from ocpp16.everest.commands import COMMANDS, Command, answered, unknown
from ocpp16.everest.document import charge_point_document
from ocpp16.everest.everest_log import forwarded
from ocpp16.everest.intake import Intake
from ocpp16.everest.opened import OpenedChargePoint
from ocpp16.everest.readings import Readings
from ocpp16.everest.schedules import Schedules
from ocpp16.everest.security import EverestSecurity
from ocpp16.everest.sessions import SessionEvents
from ocpp16.everest.settings import Settings, found_file
from ocpp16.everest.side import EverestSide
from ocpp16.everest.signals import ended_by_signals
from ocpp16.everest.station import DisplayingStation, EverestStation
from ocpp16.everest.subscriptions import Parts, Subscriptions
from ocpp16.everest.topology import Topology, sinks
from ocpp16.faults import sentence
from ocpp16.log import FoldingLog, log

__all__ = ["OcppModule", "main"]

REMINDED: Final = 60.0
"""Seconds after which it is said what is still waited for."""
ASKED_AGAIN: Final = 5.0
"""Seconds after which an EVSE that gave no answer is asked again what it is."""
NEVER: Final = 86_400.0
"""Seconds between two questions for a reading: EVerest tells them by itself."""
TRIES: Final = 60
"""For a database that cannot be opened: EVerest starts anew without waiting for the module of before, which may be
ending still."""
TRIED_AGAIN: Final = 0.5
"""Seconds between two of them."""
LONGEST_END: Final = 30.0
"""Seconds for which EVerest, when it shuts down, waits for this module."""
DATABASE_FOLDER: Final = "ocpp16"
"""In DatabasePath, where EVerest's own module has its database under the same name."""


class Ended(Exception):
    """The module is to end before it has started."""


class Refused(Exception):
    """By the framework; the text says why."""


class OcppModule:
    """`module` is the framework's Module, `setup` what its `say_hello` gave."""

    def __init__(self, module: Any, setup: Any) -> None:
        self._module = module
        self._log = FoldingLog("", time.monotonic)
        self._settings = Settings.of(setup.configs.module or {}, self._log)
        self._share = Path(module.info.paths.share)
        self._side = EverestSide(module, setup.connections, self._log)
        self._intake = Intake(self._log)
        self._news = threading.Condition()
        self._is_ready = False
        self._is_over = False
        self._has_ended = threading.Event()
        self._subscriptions = Subscriptions(self._side, self._intake, self._notify)
        self._opened: OpenedChargePoint | None = None

    def run(self) -> int:
        """Until `end`; the exit code of the process. What makes it impossible is in the log, and 1."""
        try:
            self._begin()
            self._wait(lambda: self._is_ready, lambda: _waiting("all modules of EVerest to be ready"))
            topology = Topology(self._connectors_of(index) for index in range(self._number_of_evses))
            to_limit = sinks(self._side.connections("evse_energy_sink"), topology.number_of_evses)
            for evse, index in to_limit.items():
                fulfillment = self._side.connections("evse_energy_sink")[index]
                log.info("%s limits %s", fulfillment.module_id, f"EVSE {evse}" if evse else "the whole station")
            self._wait(lambda: not self._unready(), lambda: _waiting(f"EVSE {self._unready()} to be ready"))
            document = charge_point_document(self._settings, self._share, self._side, topology.number_of_connectors)
            with self._charge_point(document, topology, to_limit) as opened:
                self._start(opened)
                self._wait(lambda: False, opened.charge_point.for_station.running_sessions)
        except Ended:
            return 0
        except Refused as error:
            log.critical("EVerest's framework does not take the module: %s", str(error))
            return 1
        except ConfigurationError as error:
            for problem in error.problems:
                log.critical("%s", problem)
            return 1
        except (Ocpp16Error, OSError, ValueError) as error:
            log.critical("the OCPP module cannot go on: %s", sentence(error))
            return 1
        except Exception as error:  # of ours
            log.critical("the OCPP module cannot go on: %s", sentence(error), exc_info=True)
            return 1
        finally:
            self._opened = None
            self._intake.end()
            self._subscriptions.end()
            self._has_ended.set()
        return 0

    def end(self) -> None:
        """From any thread: `run` leaves the charge point, with all on disk, and returns."""
        self._is_over = True
        self._notify()

    def shut_down(self) -> None:
        """The same for a thread of EVerest's, which cuts the module off from the others when this returns."""
        self.end()
        self._has_ended.wait(LONGEST_END)

    # 1

    def _begin(self) -> None:
        """Raises Refused."""
        try:
            self._wire()
            self._module.init_done(self._all_are_ready)
        except Exception as error:  # of the framework
            raise Refused(sentence(error)) from error

    def _wire(self) -> None:
        if hasattr(self._module, "shutdown_handler"):  # of newer versions
            self._module.shutdown_handler(self.shut_down)
        by_implementation: dict[str, dict[str, Command]] = {}
        for command in COMMANDS:
            by_implementation.setdefault(command.implementation, {})[command.name] = command
        for implementation, known in by_implementation.items():
            wanted = offered.commands(self._module, implementation)
            for name in sorted(wanted) if wanted is not None else [it.name for it in known.values() if not it.is_newer]:
                found = known.get(name) or unknown(implementation, name)
                self._module.implement_command(implementation, name, partial(self._answer, found))
        self._subscriptions.subscribe(self._module)

    def _answer(self, command: Command, arguments: Any) -> Any:
        """In a thread of EVerest's."""
        return answered(command, self._opened, arguments, self._log)

    # 2

    @property
    def _number_of_evses(self) -> int:
        return len(self._side.connections("evse_manager"))

    def _all_are_ready(self) -> None:
        self._is_ready = True
        self._notify()

    def _unready(self) -> str:
        """EVSEs that are waited for."""
        ready = self._subscriptions.ready
        return ", ".join(str(number) for number in range(1, self._number_of_evses + 1) if number not in ready)

    def _connectors_of(self, index: int) -> list[int]:
        """Raises ValueError where the EVSE has another id than its place in the configuration gives it."""
        name = f"evse_manager.get_evse of {self._side.connections('evse_manager')[index].module_id}"
        while True:
            answer = self._side.ask("evse_manager", "get_evse", index=index)
            if answer is not None:
                part = Part(answer, name, self._log)
                number = part.whole("id", 1, is_needed=True)
                found = [one.whole("id", 1, is_needed=True) for one in part.parts("connectors", is_needed=True)]
                if number is not None and number != index + 1:
                    raise ValueError(f"{name}: its id is {number}, and by its place among the connections {index + 1}")
                if number is not None and part.has("connectors") and None not in found:
                    return [one for one in found if one is not None] or [1]
            self._pause(ASKED_AGAIN)

    # 3

    @contextmanager
    def _charge_point(
        self, document: dict[str, Any], topology: Topology, to_limit: dict[int, int]
    ) -> "Iterator[OpenedChargePoint]":
        settings, side = self._settings, self._side
        opened = OpenedChargePoint(side, topology, self._intake, reset_delay=settings.reset_stop_delay)
        kind = DisplayingStation if side.connections("display_message") else EverestStation
        station = kind(side, topology, reset=opened.reset, changed=opened.changed)
        database = settings.database_path / DATABASE_FOLDER
        database.mkdir(parents=True, exist_ok=True)
        custom = self._share / "profile_schemas" / "Custom.json"
        make = partial(
            blocking.open_charge_point,
            document,
            station,
            meter_interval=NEVER,
            user_config_path=found_file(settings.user_config_path, self._share),
            database_path=database,
            custom_schema_path=custom if custom.exists() else None,
            message_log_path=settings.message_log_path,
            evse_security=EverestSecurity(side),
            observer=opened.publications,
        )
        with self._patiently(make) as charge_point:
            schedules = Schedules(
                charge_point,
                side,
                topology,
                to_limit,
                interval=settings.publish_interval,
                duration=settings.publish_duration,
                unit=settings.unit,
            )
            readings = Readings(charge_point, topology, self._log)
            sessions = SessionEvents(charge_point, topology, readings, self._log)
            self._subscriptions.parts = Parts(charge_point, topology, station, sessions, readings)
            opened.opened(charge_point, schedules)
            self._opened = opened
            try:
                opened.restore_availability(station)
                yield opened
            finally:
                opened.end()
                schedules.end()
                opened.leave()
                self._opened = None
                self._intake.end()

    @contextmanager
    def _patiently(self, make: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
        """Raises StoreError, where it stays so, Ended, and what `make` raises."""
        with ExitStack() as stack:
            for last in (False,) * TRIES + (True,):
                try:
                    charge_point = stack.enter_context(make())
                    break
                except StoreError as error:
                    if last:
                        raise
                    self._log.warning("%s; it is tried again for some seconds", str(error), about=str(error))
                self._pause(TRIED_AGAIN)
            yield charge_point

    # 4 to 6

    def _start(self, opened: OpenedChargePoint) -> None:
        evses: dict[int, dict[str, Any]] = {index: {} for index in range(self._number_of_evses)}
        self._side.ask_each("evse_manager", "external_ready_to_start_charging", evses)
        self._pause(self._settings.delay_ocpp_start)
        charge_point = opened.charge_point
        charge_point.connection.set_message_queue_resume_delay(self._settings.message_queue_resume_delay)
        opened.tell_plug_and_charge()
        charge_point.start(
            boot_reason=self._side.ask("system", "get_boot_reason"),
            resuming_session_ids=sorted(self._subscriptions.resumed),
        )
        self._subscriptions.is_started = True
        self._intake.begin()
        opened.schedules.begin()

    def _notify(self) -> None:
        with self._news:
            self._news.notify_all()

    def _wait(self, is_there: Callable[[], bool], meanwhile: Callable[[], object]) -> None:
        """Until it is there, or the module ends. `meanwhile` is called from time to time. Raises Ended, and what that
        raises: ChargePointStopped of a charge point that has come to an end by itself."""
        while True:
            with self._news:
                is_so = self._news.wait_for(lambda: self._is_over or is_there(), REMINDED)
                if self._is_over:
                    raise Ended
            if is_so:
                return
            meanwhile()

    def _pause(self, seconds: float) -> None:
        """Raises Ended."""
        with self._news:
            if self._news.wait_for(lambda: self._is_over, seconds):
                raise Ended


def _waiting(what: str) -> None:
    log.warning("the OCPP module waits for %s", what)


def main() -> int:
    """What `module.py` calls: run the module that EVerest's manager has started, and end the process. Without a
    framework it returns the exit code."""
    try:
        import everest.framework as framework
    except ImportError as error:
        sys.stderr.write(
            f"ocpp16.everest: there is no everest.framework in {sys.executable}: {error}. EVerest's manager starts "
            "this module; it must know the framework's Python package, which comes with EVerest\n"
        )
        return 1
    try:
        session = framework.RuntimeSession()  # the Module only refers to it
        module = framework.Module(session)
        setup = module.say_hello()
    except Exception as error:  # of the framework
        sys.stderr.write(
            f"ocpp16.everest: EVerest's framework does not take this module: {sentence(error)}. It is started by "
            "EVerest's manager, and not by hand\n"
        )
        return _leave(1)
    with suppress(Exception):  # not all versions have it, and it is a name in the log
        framework.log.update_process_name(module.info.id)
    with forwarded(framework.log):
        ocpp = OcppModule(module, setup)
        with ended_by_signals(ocpp.end):
            code = ocpp.run()
    return _leave(code)


def _leave(code: int) -> NoReturn:
    """Without taking the interpreter down: threads of the framework call Python still, which would abort it then."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the code is what whoever started us still learns
            stream.flush()
    os._exit(code)
