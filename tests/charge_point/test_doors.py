"""Every public member of a charge point: methods ask for thread and end first, and refuse what no argument can mean."""

import inspect
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any

import pytest
import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.configuration.keys import core
from ocpp16.enums import AvailabilityType, ChargePointErrorCode, ChargePointStatus, Reason, SessionStartedReason
from ocpp16.errors import StoreError
from ocpp16.models import ErrorInfo, Measurement, PhaseValues
from ocpp16.store.memory import MemoryStore

PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]},
}
EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)
ERROR = ErrorInfo(ChargePointErrorCode.OTHER_ERROR, uuid="u")


class Unsayable:
    """What fails even at its text."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


async def _nothing(*arguments: Any) -> None:
    pass


DOORS: dict[str, tuple[Any, ...]] = {
    # what the station tells
    "on_session_started": (1, "s1", SessionStartedReason.EV_CONNECTED),
    "on_session_stopped": (1, "s1"),
    "on_security_event": ("TamperDetectionActivated",),
    "on_transaction_started": (1, "s1", "TAG", 0),
    "on_transaction_stopped": (1, "s1", Reason.LOCAL, 0),
    "on_resume_charging": (1,),
    "on_suspend_charging_ev": (1,),
    "on_suspend_charging_evse": (1,),
    "on_plugin_timeout": (1,),
    "on_reservation_start": (1,),
    "on_reservation_end": (1,),
    "on_enabled": (1,),
    "on_disabled": (1,),
    "on_error": (1, ERROR),
    "on_error_cleared": (1, "u"),
    "on_all_errors_cleared": (1,),
    "on_change_availability": (1, AvailabilityType.OPERATIVE),
    "on_meter_values": (1, Measurement(None, PhaseValues(1.0))),
    "sample_now": (1,),
    "on_max_current_offered": (1, 6.0),
    "on_max_power_offered": (1, 6.0),
    # firmware and logs
    "on_firmware_update_status_notification": (-1, "Downloading"),
    "on_log_status_notification": (-1, "Uploading"),
    # life and connection
    "start": (),
    "stop": (),
    "restart": (),
    "connection.connect": (),
    "connection.disconnect": (),
    "connection.drop": (),
    "connection.waiting": (),
    "connection.reconnect": (),
    "connection.set_message_queue_resume_delay": (1,),
    "stored": (),
    "for_station.spawn": (_nothing,),
    "for_station.watch": (_nothing,),
    "wait_registered": (),
    "wait_all_answered": (),
    "heartbeat_now": (),
    # questions
    "authorize_id_token": ("TAG",),
    "data_transfer": ("vendor",),
    "on_data_transfer": ("vendor", None, _nothing),
    "configuration.get": (),
    "configuration.set": ("HeartbeatInterval", "5"),
    "configuration.problem": ("HeartbeatInterval", "5"),
    "configuration.reset": ("HeartbeatInterval",),
    "for_station.update_chargepoint_information": ("vendor", "model"),
    "for_station.update_modem_information": ("8949",),
    "for_station.update_meter_information": ("M-1",),
    "for_station.set_powermeter_public_key": (1, "00"),
    "for_station.reset_state_machine": ({},),
    "on_change": ("HeartbeatInterval", print),
    "transaction": (1,),
    "connector_status": (1,),
    "for_station.running_sessions": (),
    "for_station.meter_checkpoint": (1,),
    "for_station.maintenance": (),
    "for_station.overrule_answer": ("ClearCache", {"status": "Rejected"}),
    "dead_letters.__call__": (),
    "dead_letters.resend": (),
    "dead_letters.discard": (),
    "for_station.authorization.clear_cache": (),
    # Plug & Charge
    "plug_and_charge.data_transfer_pnc_authorize": ("NLABCC00000001",),
    "plug_and_charge.data_transfer_pnc_get_15118_ev_certificate": (1, "gJgC", "urn:iso:15118:2:2013:MsgDef"),
    # reservations
    "for_station.reservations.reserve": (1, "TAG", EXPIRY, 7),
    "for_station.reservations.cancel": (7,),
    "for_station.reservations.is_token_reserved_for_connector": (1, "TAG"),
    "for_station.reservations.use": (1, "TAG"),
    # smart charging
    "smart_charging.charging_limit": (1,),
    "smart_charging.explain_limit": (1,),
    "smart_charging.composite_schedule": (1, 60),
    "smart_charging.get_all_composite_charging_schedules": (60,),
    "smart_charging.get_all_enhanced_composite_charging_schedules": (60,),
    "smart_charging.share_limits": (None,),
    "smart_charging.set_charging_profile": (1, PROFILE),
    "smart_charging.charging_profile_problem": (1, PROFILE),
    "smart_charging.clear_charging_profiles": (),
}
"""Method of the host → arguments that it takes."""
GROUPS = {
    "configuration",
    "connection",
    "dead_letters",
    "for_station",
    "for_station.authorization",
    "for_station.reservations",
    "plug_and_charge",
    "smart_charging",
}
"""Attributes behind which there is more of one subject."""
VIEWS = {
    "for_station.authorization.cache",
    "for_station.authorization.decisions",
    "for_station.authorization.local_list",
    "for_station.authorization.local_list_version",
    "configuration.is_pending",
    "configuration.is_present",
    "configuration.origin",
    "configuration.origins",
    "configuration.secret_names",
    "configuration.text",
    "connection.is_connected",
    "connection.queue_depth",
    "connection.registration",
    "counters",
    "for_station.clock",
    "for_station.local_time",
    "for_station.log",
    "for_station.number_of_connectors",
    "for_station.reservations.all",
    "for_station.reservations.are_kept_here",
    "for_station.timers",
    "is_running",
    "plug_and_charge.is_built",
    "plug_and_charge.next_certificate_status_at",
    "smart_charging.charging_profiles",
    "smart_charging.is_built",
}
INSIDE = {"abandon"}
"""For who leaves the block: at any time, and again."""
MOST_NAMES = 21
"""Of a charge point, besides the handlers `on_…`."""


def _members(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_") or name in vars(kind).keys() & {"__call__"}}


def _of_group(name: str) -> type:
    group: type = ChargePoint
    for part in filter(None, name.split(".")):
        group = inspect.signature(inspect.getattr_static(group, part).fget).return_annotation
    return group


def test_every_member_is_listed() -> None:
    """So that a new one is thought of here: does it ask its guard first, or is it a view?"""
    members = {f"{group}.{name}" for group in GROUPS for name in _members(_of_group(group))} | _members(ChargePoint)
    assert {name for name in members if _is_group(name)} == GROUPS
    assert members - GROUPS == DOORS.keys() | VIEWS | INSIDE


def _is_group(name: str) -> bool:
    above, _, last = name.rpartition(".")
    member = inspect.getattr_static(_of_group(above), last)
    return isinstance(member, property) and str(_of_group(name)).endswith("Door'>")


def test_the_face_is_small() -> None:
    assert len([name for name in _members(ChargePoint) if not name.startswith("on_")]) <= MOST_NAMES


def _found(charge_point: ChargePoint, name: str) -> Any:
    return attrgetter(name)(charge_point)


async def _outcome(call: Callable[[], Any]) -> str:
    try:
        result = call()
        if inspect.isawaitable(result):
            await result
    except Exception as error:
        return type(error).__name__
    return "nothing"


@pytest.mark.parametrize("has_smart_charging", [True, False])
async def test_after_the_end_methods_say_so_and_views_answer(
    open_bench: Any, make_config: Any, has_smart_charging: bool
) -> None:
    profiles = "Core,SmartCharging" if has_smart_charging else "Core"
    document = make_config(Core__SupportedFeatureProfiles=profiles)
    async with open_bench(document=document) as bench:
        charge_point = bench.charge_point
    said = {name: await _outcome(partial(_found(charge_point, name), *given)) for name, given in DOORS.items()}
    assert said == dict.fromkeys(DOORS, "ChargePointStopped")
    for name in VIEWS - (set() if has_smart_charging else {"smart_charging.charging_profiles"}):
        _found(charge_point, name)
    assert not charge_point.is_running
    assert charge_point.counters.internal_errors == 0


async def test_another_thread_is_told_what_to_do(open_bench: Any) -> None:
    async with open_bench() as bench:
        said: dict[str, str] = {}

        doors = {**DOORS, **dict.fromkeys(INSIDE, ())}

        def elsewhere() -> None:
            for name, given in doors.items():
                try:
                    result = _found(bench.charge_point, name)(*given)
                    if inspect.iscoroutine(result):
                        result.send(None)
                    said[name] = "nothing"
                except RuntimeError as error:
                    said[name] = "told" if "trio.from_thread.run_sync" in str(error) else str(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        while thread.is_alive():
            await trio.lowlevel.checkpoint()
        assert said == dict.fromkeys(doors, "told")


# Arguments

NO_CONNECTORS = {
    "a bool": True,
    "a float": 1.0,
    "text": "1",
    "none": None,
    "a list": [],
    "below": -1,
    "above": 3,
    "too long to write": 10**5000,
}
OF_A_CONNECTOR = [
    name for name, given in DOORS.items() if given[:1] == (1,) and name != "connection.set_message_queue_resume_delay"
]


@pytest.mark.parametrize("wrong", NO_CONNECTORS)
@pytest.mark.parametrize("name", OF_A_CONNECTOR)
async def test_what_is_no_connector(open_bench: Any, name: str, wrong: str) -> None:
    async with open_bench() as bench:
        given = (NO_CONNECTORS[wrong], *DOORS[name][1:])
        with pytest.raises(ValueError, match="connector") as caught:
            await _called(bench.charge_point, name, *given)
        assert "4300" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "argument"),
    [
        ("smart_charging.clear_charging_profiles", {"profile_id": True}, "profile_id"),
        ("smart_charging.clear_charging_profiles", {"profile_id": 1.0}, "profile_id"),
        ("smart_charging.clear_charging_profiles", {"profile_id": "1"}, "profile_id"),
        ("smart_charging.clear_charging_profiles", {"connector_id": True}, "connector_id"),
        ("smart_charging.clear_charging_profiles", {"connector_id": 99}, "connector 99"),
        ("smart_charging.clear_charging_profiles", {"purpose": "TxDefault"}, "purpose"),
        ("smart_charging.clear_charging_profiles", {"purpose": 1}, "purpose"),
        ("smart_charging.clear_charging_profiles", {"stack_level": "0"}, "stack_level"),
        ("smart_charging.clear_charging_profiles", {"stack_level": False}, "stack_level"),
        ("smart_charging.charging_profile_problem", {"connector_id": 1, "profile": None}, "profile"),
        ("smart_charging.set_charging_profile", {"connector_id": 1, "profile": [1]}, "profile"),
        ("smart_charging.composite_schedule", {"connector_id": 1, "duration": None}, "duration"),
        ("smart_charging.composite_schedule", {"connector_id": 1, "duration": True}, "duration"),
        ("smart_charging.composite_schedule", {"connector_id": 1, "duration": -1}, "duration"),
        ("smart_charging.composite_schedule", {"connector_id": 1, "duration": 10, "unit": None}, "unit"),
        ("smart_charging.get_all_composite_charging_schedules", {"duration_s": "60"}, "duration_s"),
        ("smart_charging.get_all_enhanced_composite_charging_schedules", {"duration_s": 60, "unit": "kW"}, "unit"),
        ("on_change", {"key": "HeartbeatInterval", "callback": None}, "callback"),
        ("on_change", {"key": Unsayable(), "callback": print}, "key"),
        ("configuration.get", {"keys": "HeartbeatInterval"}, "keys"),
        ("configuration.get", {"keys": None}, "keys"),
        ("restart", {"resuming_session_ids": None}, "resuming_session_ids"),
        ("connector_status", {"connector_id": Unsayable()}, "connector_id"),
    ],
)
async def test_arguments_are_refused_by_name(open_bench: Any, name: str, given: dict[str, Any], argument: str) -> None:
    async with open_bench() as bench:
        assert await bench.charge_point.smart_charging.set_charging_profile(1, PROFILE) == "Accepted"
        with pytest.raises(ValueError, match=argument):
            await _called(bench.charge_point, name, **given)
        assert bench.installed() == [1]


async def _called(charge_point: ChargePoint, name: str, *given: Any, **named: Any) -> None:
    result = _found(charge_point, name)(*given, **named)
    if inspect.isawaitable(result):
        await result


# A start that is refused


WRONG_STARTS: dict[str, dict[str, Any]] = {
    "text": {"resuming_session_ids": "abc"},
    "bytes": {"resuming_session_ids": b"abc"},
    "number": {"resuming_session_ids": 5},
    "numbers": {"resuming_session_ids": [5]},
    "no mapping": {"connector_status": 5},
    "a list": {"connector_status": [ChargePointStatus.AVAILABLE]},
    "no connector": {"connector_status": {9: ChargePointStatus.AVAILABLE}},
    "a bool": {"connector_status": {True: ChargePointStatus.FAULTED}},
    "a float": {"connector_status": {1.0: ChargePointStatus.FAULTED}},
    "no status": {"connector_status": {1: "Occupied"}},
}


@pytest.mark.parametrize("wrong", WRONG_STARTS)
@pytest.mark.parametrize("name", ["start", "restart"])
async def test_a_refused_start_changes_nothing(open_bench: Any, name: str, wrong: str) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        charge_point.on_disabled(1)
        charge_point.on_error(2, ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, True, uuid="u"))
        await trio.sleep(2)
        await charge_point.stop()
        before, boot = (
            [charge_point.connector_status(number).status for number in (1, 2)],
            charge_point.for_station.clock.boot,
        )
        given = WRONG_STARTS[wrong]
        with pytest.raises(ValueError, match=next(iter(given))):
            await _found(charge_point, name)(**given)
        assert [charge_point.connector_status(number).status for number in (1, 2)] == before
        assert charge_point.for_station.clock.boot == boot
        assert await charge_point.restart()


async def test_the_first_start_refuses_the_same(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        for given in WRONG_STARTS.values():
            with pytest.raises(ValueError, match=next(iter(given))):
                await bench.charge_point.start(**given)
        await bench.charge_point.start({1: "Faulted"}, resuming_session_ids=iter(["s1"]))
        await trio.sleep(1)
        assert {"connectorId": 1, "status": "Faulted"}.items() <= bench.sent("StatusNotification")[1].items()


async def test_connectors_of_the_next_start(open_bench: Any, make_config: Any) -> None:
    """A start after a change of NumberOfConnectors knows the connectors that there will be."""
    document = make_config(Internal__KeyAccess={"NumberOfConnectors": "RW"})
    async with open_bench(document=document) as bench:
        assert await bench.charge_point.configuration.set("NumberOfConnectors", "1") == "RebootRequired"
        await bench.charge_point.stop()
        with pytest.raises(ValueError, match="no connector 2"):
            await bench.charge_point.restart({2: ChargePointStatus.FAULTED})
        assert bench.charge_point.for_station.number_of_connectors == 2
        assert await bench.charge_point.restart({1: ChargePointStatus.FAULTED})


async def test_a_start_from_a_store_that_cannot_be_read_changes_nothing(open_bench: Any, make_config: Any) -> None:
    """Not even what waits for a reboot comes into force."""

    class Store(MemoryStore):
        is_unreadable = False

        def load(self, *arguments: Any) -> Any:
            if self.is_unreadable:
                raise StoreError("cannot be read")
            return super().load(*arguments)

    store, document = Store(is_volatile=False), make_config(Internal__KeyAccess={"NumberOfConnectors": "RW"})
    async with open_bench(store=store, document=document) as bench:
        charge_point = bench.charge_point
        assert await charge_point.configuration.set("NumberOfConnectors", "1") == "RebootRequired"
        charge_point.on_disabled(1)
        await charge_point.stop()
        boot, clock = charge_point.for_station.clock.boot, charge_point.for_station.clock
        store.is_unreadable = True
        with pytest.raises(StoreError):
            await charge_point.restart()
        assert charge_point.for_station.clock is clock
        assert (clock.boot, charge_point.for_station.number_of_connectors) == (boot, 2)
        assert charge_point.connector_status(1).status == "Unavailable"
        assert await charge_point.configuration.set("HeartbeatInterval", "7") == "Accepted"
        store.is_unreadable = False
        assert await charge_point.restart()
        assert charge_point.for_station.number_of_connectors == 1


async def test_a_key_is_no_name(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert bench.charge_point.configuration[core.NUMBER_OF_CONNECTORS] == 2
        with pytest.raises(TypeError, match=r"ocpp16\.configuration\.keys .*by name: text"):
            bench.charge_point.configuration["NumberOfConnectors"]
