"""The table of commands: each a row, each handler a few lines that hand the work to station or charge point."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ocpp16.enums import (
    AvailabilityType,
    ChargePointErrorCode,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    FirmwareStatusEnumType,
    UploadLogStatusEnumType,
)
from ocpp16.messages.actions import ACTIONS
from ocpp16.simulation import (
    authorization_commands,
    car_commands,
    charging_commands,
    configuration_commands,
    connection_commands,
    dead_letter_commands,
    display_commands,
    maintenance_commands,
    meter_commands,
    operation_commands,
    reservation_commands,
)
from ocpp16.simulation.arguments import (
    AMPERES,
    ANYTHING,
    CAR,
    CONNECTOR,
    CONNECTOR_OR_ZERO,
    CONNECTORS,
    FLAG,
    ID_TAG,
    MOST_SHOWN,
    OBJECT,
    PERCENT,
    PHASES,
    SECONDS,
    SEQUENCES,
    TEXTS,
    Argument,
    one_of,
    text,
    whole,
)
from ocpp16.simulation.car import LONGEST_EMAID, CarPlan
from ocpp16.simulation.command import Command, CommandError
from ocpp16.simulation.controlled import Controlled
from ocpp16.texts import shown

USUAL = CarPlan()


def _raise_fault(on: Controlled, connector: int, error: ChargePointErrorCode, fault: bool) -> None:
    on.station.raise_fault(connector, error, fault)


def _clear_fault(on: Controlled, connector: int, error: ChargePointErrorCode) -> None:
    on.station.clear_fault(connector, error)


def _security_event(on: Controlled, **event: Any) -> None:
    at = event["timestamp"]
    try:
        at = None if at is None else datetime.fromisoformat(at)
        on.charge_point.on_security_event(event["type"], event["tech_info"], event["critical"], at)
    except ValueError as error:
        raise CommandError("bad_value", shown(error)) from None


async def _change_availability(on: Controlled, connector: int, kind: AvailabilityType) -> str:
    on.require_running()
    return str(await on.charge_point.on_change_availability(connector, kind))


def _overrule(on: Controlled, question: str, answer: Any, times: int) -> None:
    """`question`: of the charge point to the station, or a CALL of the Central System."""
    try:
        if question in ACTIONS:
            on.require_running()
            payload = {"status": answer} if isinstance(answer, str) else answer
            on.charge_point.for_station.overrule_answer(question, payload, times)
        else:
            on.station.overrules.add(question, answer, times)
    except ValueError as error:
        raise CommandError("bad_value", str(error)) from None


def _help(on: Controlled) -> list[dict[str, Any]]:
    return [command.described() for command in COMMANDS.values()]


_CONNECTOR = Argument("connector", CONNECTOR)
_ID = whole("id", -(2**31), 2**31 - 1)
_REQUEST_ID = Argument("request_id", _ID, -1)
_MOST = Argument("most", whole("entries", 1, MOST_SHOWN), 100)
_ERROR = Argument("error", one_of(ChargePointErrorCode, ChargePointErrorCode.NO_ERROR))

COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command(
            "plug_in",
            "a car comes to a connector: plugs in, draws once it is offered current, leaves",
            car_commands.plug_in,
            (
                _CONNECTOR,
                Argument("plug_after", SECONDS, USUAL.plug_after, is_default_handed=False),
                Argument("draw_after", SECONDS, USUAL.draw_after, is_default_handed=False),
                Argument("current", AMPERES, USUAL.current, is_default_handed=False),
                Argument("phases", PHASES, USUAL.phases, is_default_handed=False),
                Argument("draw_for", SECONDS, USUAL.draw_for, is_default_handed=False),
                Argument("diode_fault_after", SECONDS, USUAL.diode_fault_after),
                Argument("contract", text(4096, 1), None),
                Argument("emaid", text(LONGEST_EMAID, 1), None),
                Argument("installs", FLAG, False),
                Argument("external_payment", FLAG, USUAL.external_payment, is_default_handed=False),
                Argument("mac", text(17), USUAL.mac, is_default_handed=False),
                Argument("car", CAR, None),
                Argument("soc", PERCENT, None),
                Argument("target", PERCENT, None),
                Argument("stay_after_full", SECONDS, None),
            ),
        ),
        Command("unplug", "the car is unplugged now", car_commands.unplug, (_CONNECTOR,)),
        Command("pause_drawing", "the car ceases to draw", car_commands.pause_drawing, (_CONNECTOR,)),
        Command(
            "resume_drawing",
            "the car draws again, with another current or other phases if given",
            car_commands.resume_drawing,
            (_CONNECTOR, Argument("current", AMPERES, None), Argument("phases", PHASES, None)),
        ),
        Command(
            "present_id_tag",
            "a card is held before the reader, which serves these connectors (none given: all)",
            car_commands.present_id_tag,
            (Argument("id_tag", ID_TAG), Argument("connectors", CONNECTORS, None)),
        ),
        Command(
            "raise_fault",
            "a board error; fault makes the connector Faulted",
            _raise_fault,
            (Argument("connector", CONNECTOR_OR_ZERO), _ERROR, Argument("fault", FLAG, True)),
        ),
        Command(
            "clear_fault",
            "the board error is gone",
            _clear_fault,
            (Argument("connector", CONNECTOR_OR_ZERO), _ERROR),
        ),
        Command(
            "disconnect",
            "close the connection and stay away; the station works on offline",
            connection_commands.disconnect,
        ),
        Command("connect", "connect at once", connection_commands.connect),
        Command(
            "drop",
            "break the connection off without a goodbye; it comes back as after any loss (false: there is none)",
            connection_commands.drop,
        ),
        Command("stop", "end transactions and connection in order", operation_commands.stop, is_deferred=True),
        Command("restart", "start again after a stop", operation_commands.restart, is_deferred=True),
        Command("power_off", "exit at once: nothing is sent or stored any more", operation_commands.power_off),
        Command(
            "meter_reading",
            "what the meter of a connector shows, when the host supplies the readings",
            meter_commands.meter_reading,
            (_CONNECTOR, Argument("measurement", OBJECT)),
        ),
        Command(
            "meter_public_key",
            "serial number and public key of the meter of a connector, where the meters sign",
            meter_commands.meter_public_key,
            (_CONNECTOR,),
        ),
        Command(
            "security_event",
            "report a security event",
            _security_event,
            (
                Argument("type", text(50, 1)),
                Argument("tech_info", text(255), None),
                Argument("critical", FLAG, None),
                Argument("timestamp", text(64), None),
            ),
        ),
        Command(
            "get_configuration",
            "the configuration keys asked for (none given: all)",
            configuration_commands.get_configuration,
            (Argument("keys", TEXTS, ()),),
        ),
        Command(
            "change_configuration",
            "change a configuration key, as ChangeConfiguration does",
            configuration_commands.change_configuration,
            (Argument("key", text(50, 1)), Argument("value", text(500))),
            why=configuration_commands.why_not_changed,
        ),
        Command(
            "reset_configuration",
            "give a configuration key the value of the configuration file again, or its default",
            configuration_commands.reset_configuration,
            (Argument("key", text(50, 1)),),
            why=configuration_commands.why_not_reset,
        ),
        Command(
            "configuration_origins",
            "where the values of these keys come from (none given: of all that have not their defaults)",
            configuration_commands.configuration_origins,
            (Argument("keys", TEXTS, ()),),
        ),
        Command(
            "change_availability",
            "take a connector (0: all) out of service or back, as ChangeAvailability does",
            _change_availability,
            (Argument("connector", CONNECTOR_OR_ZERO), Argument("kind", one_of(AvailabilityType))),
        ),
        Command(
            "data_transfer",
            "send a DataTransfer and wait for the answer",
            connection_commands.data_transfer,
            (
                Argument("vendor_id", text(255, 1)),
                Argument("message_id", text(50), None),
                Argument("data", text(1_000_000), None),
            ),
            is_deferred=True,
        ),
        Command(
            "heartbeat",
            "send a Heartbeat now; false if nobody is there to answer it",
            connection_commands.heartbeat,
        ),
        Command(
            "sample",
            "take a sample of a connector (0: the main meter) now, as the periodic ones are; false if none is sent",
            connection_commands.sample,
            (Argument("connector", CONNECTOR_OR_ZERO),),
        ),
        Command(
            "composite_schedule",
            "the limits of a connector (0: of all together) from now on",
            charging_commands.composite_schedule,
            (
                Argument("connector", CONNECTOR_OR_ZERO),
                Argument("duration", whole("seconds", 0, 2**31 - 1)),
                Argument("unit", one_of(ChargingRateUnitType), ChargingRateUnitType.A),
            ),
        ),
        Command(
            "set_charging_profile",
            "install a charging profile, as SetChargingProfile does",
            charging_commands.set_charging_profile,
            (Argument("connector", CONNECTOR_OR_ZERO), Argument("profile", OBJECT)),
            why=charging_commands.why_not_set,
        ),
        Command(
            "clear_charging_profiles",
            "remove charging profiles, as ClearChargingProfile does (nothing given: all)",
            charging_commands.clear_charging_profiles,
            (
                Argument("profile_id", whole("id", -(2**63), 2**63 - 1), None),
                Argument("connector", CONNECTOR_OR_ZERO, None),
                Argument("purpose", one_of(ChargingProfilePurposeType), None),
                Argument("stack_level", whole("level", 0, 2**31 - 1), None),
            ),
        ),
        Command("charging_profiles", "the installed charging profiles", charging_commands.charging_profiles),
        Command(
            "charging_limit",
            "what a connector (0: all together) may draw now, and until when",
            charging_commands.charging_limit,
            (Argument("connector", CONNECTOR_OR_ZERO),),
        ),
        Command(
            "explain_limit",
            "why that is the limit: profile, stack level, conversion, sharing",
            charging_commands.explain_limit,
            (Argument("connector", CONNECTOR_OR_ZERO),),
        ),
        Command(
            "reserve",
            "keep a connector (0: any one) for an id tag for so many seconds, as ReserveNow does",
            reservation_commands.reserve,
            (
                Argument("connector", CONNECTOR_OR_ZERO),
                Argument("id_tag", ID_TAG),
                Argument("seconds", whole("seconds", 0, 2**31 - 1), 3600),
                Argument("reservation_id", whole("id", -(2**31), 2**31 - 1), 1),
                Argument("parent_id_tag", ID_TAG, None),
            ),
            why=reservation_commands.why_not_reserved,
        ),
        Command(
            "cancel_reservation",
            "end a reservation, as CancelReservation does; false if there is none of this id",
            reservation_commands.cancel_reservation,
            (Argument("reservation_id", whole("id", -(2**31), 2**31 - 1)),),
        ),
        Command("reservations", "the reservations that are kept", reservation_commands.reservations),
        Command(
            "firmware_status",
            "tell how far an update of the firmware is, in place of the station (no id: that under way; -1: unsigned)",
            maintenance_commands.firmware_status,
            (Argument("status", one_of(FirmwareStatusEnumType)), Argument("request_id", _ID, None)),
        ),
        Command(
            "log_status",
            "tell how far an upload is, in place of the station (id -1: diagnostics)",
            maintenance_commands.log_status,
            (Argument("status", one_of(UploadLogStatusEnumType)), _REQUEST_ID),
        ),
        Command(
            "display",
            "what a driver at a connector reads of prices and costs",
            display_commands.display,
            (_CONNECTOR, Argument("language", text(33, 1), None)),
        ),
        Command("maintenance", "the update and the uploads that are under way", maintenance_commands.maintenance),
        Command(
            "overrule",
            "the station's next answers to a question, or ours to a CALL of the Central System, are this one",
            _overrule,
            (
                Argument("question", text(64, 1)),
                Argument("answer", ANYTHING),
                Argument("times", whole("count", 1, 1_000), 1),
            ),
        ),
        Command(
            "dead_letters",
            "the messages that were given up, oldest first",
            dead_letter_commands.dead_letters,
        ),
        Command(
            "resend_dead_letters",
            "queue given-up messages again, behind all that waits (nothing given: all)",
            dead_letter_commands.resend,
            (Argument("sequences", SEQUENCES, None),),
        ),
        Command(
            "discard_dead_letters",
            "delete given-up messages for good (nothing given: all)",
            dead_letter_commands.discard,
            (Argument("sequences", SEQUENCES, None),),
        ),
        Command(
            "authorize",
            "ask whether an id tag may charge, as for a card, and begin nothing",
            authorization_commands.authorize,
            (Argument("id_tag", ID_TAG),),
            is_deferred=True,
        ),
        Command(
            "authorize_contract",
            "ask whether the contract in a file (PEM) may charge, as for a car, and begin nothing",
            authorization_commands.authorize_contract,
            (Argument("contract", text(4096, 1)), Argument("emaid", text(LONGEST_EMAID, 1), None)),
            is_deferred=True,
        ),
        Command(
            "why", "the latest decisions on id tags: who decided, by which rule and key", authorization_commands.why
        ),
        Command(
            "local_list",
            "the local authorization list as the Central System sent it, so many entries of it",
            authorization_commands.local_list,
            (_MOST,),
        ),
        Command(
            "cache",
            "the authorization cache, what was not used for longest first, so many entries of it",
            authorization_commands.cache,
            (_MOST,),
        ),
        Command(
            "clear_cache",
            "empty the authorization cache, as ClearCache does",
            authorization_commands.clear_cache,
            why=authorization_commands.why_not_cleared,
        ),
        Command("transactions", "the transactions that run", operation_commands.transactions),
        Command(
            "queue",
            "the messages that wait to be sent or for their answer, the oldest first, so many of them",
            connection_commands.queue,
            (_MOST,),
        ),
        Command("status", "connectors, queue, connection and registration", operation_commands.status),
        Command("help", "the commands with their arguments", _help),
    )
}
