"""The list of commands: results, refusals, and that what is refused changes nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ocpp16.enums import DataTransferStatus
from ocpp16.errors import ChargePointStopped
from ocpp16.models import DataTransferResponse, DeadLetter
from ocpp16.simulation import CommandError, Commands, Operation
from ocpp16.simulation.command_table import COMMANDS
from ocpp16.simulation.words import from_words

SPECIFIED = (
    "plug_in unplug pause_drawing resume_drawing present_id_tag raise_fault clear_fault disconnect connect drop stop "
    "restart power_off meter_reading meter_public_key security_event get_configuration change_configuration "
    "reset_configuration "
    "configuration_origins change_availability data_transfer heartbeat sample composite_schedule set_charging_profile "
    "clear_charging_profiles charging_profiles charging_limit explain_limit reserve cancel_reservation reservations "
    "firmware_status log_status maintenance overrule dead_letters resend_dead_letters "
    "discard_dead_letters authorize why local_list cache clear_cache transactions queue status help"
)
READING = {"power_meter": {"energy_Wh_import": {"total": 1234.5}}}


@pytest.fixture
def serve(make_bench: Any) -> Any:
    """Makes (bench, commands); the calls of power_off land in `bench.power_offs`."""

    def make(**options: Any) -> Any:
        bench = make_bench(2, **options)
        bench.power_offs = []
        operation = Operation(bench.station, bench.charge_point)
        commands = Commands(
            bench.station, bench.charge_point, operation, power_off=lambda: bench.power_offs.append(True)
        )
        return bench, commands

    return make


def test_the_list_is_the_specified_one() -> None:
    assert " ".join(COMMANDS) == SPECIFIED
    assert {name for name, command in COMMANDS.items() if command.is_deferred} == {
        "stop",
        "restart",
        "data_transfer",
        "authorize",
    }


async def test_a_session_by_commands(serve: Any) -> None:
    bench, commands = serve()
    assert await commands.run("plug_in", {"connector": 2, "plug_after": 0, "current": 16, "phases": 3}) is None
    bench.advance(0)
    assert await commands.run("present_id_tag", {"id_tag": "TAG", "connectors": [2, 2]}) is None
    bench.advance(1)
    assert [fact[0] for fact in bench.take()] == ["session_started", "transaction_started", "resume_charging"]
    assert await commands.run("pause_drawing", {"connector": 2}) is None
    assert await commands.run("resume_drawing", {"connector": 2, "current": 10}) is None
    assert await commands.run("raise_fault", {"connector": 2, "error": "HighTemperature", "fault": False}) is None
    assert await commands.run("clear_fault", {"connector": 2, "error": "HighTemperature"}) is None
    assert await commands.run("unplug", {"connector": 2}) is None
    facts = [
        "suspend_charging_ev",
        "resume_charging",
        "error",
        "error_cleared",
        "transaction_stopped",
        "session_stopped",
    ]
    assert [fact[0] for fact in bench.take()] == facts


def letter(sequence: int) -> DeadLetter:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    return DeadLetter(sequence, "StopTransaction", {"transactionId": sequence}, "refused", 3, at)


async def test_dead_letters(serve: Any) -> None:
    bench, commands = serve()
    assert await commands.run("dead_letters") == []
    bench.charge_point.dead_letters.letters = [letter(sequence) for sequence in (4, 7, 9, 11)]
    assert (await commands.run("dead_letters"))[0] == {
        "sequence": 4,
        "action": "StopTransaction",
        "payload": {"transactionId": 4},
        "reason": "refused",
        "attempts": 3,
        "given_up_at": "2024-01-01T00:00:00Z",
    }
    assert await commands.run("resend_dead_letters", {"sequences": [7, 8]}) == 1
    assert await commands.run("discard_dead_letters", {"sequences": [4]}) == 1
    assert [one["sequence"] for one in await commands.run("dead_letters")] == [9, 11]
    assert await commands.run("discard_dead_letters", {"sequences": []}) == 0  # none is not all
    assert await commands.run("resend_dead_letters") == 2


async def test_a_stopped_charge_point_sends_nothing_again(serve: Any) -> None:
    bench, commands = serve()
    bench.charge_point.dead_letters.letters = [letter(1)]
    await commands.run("stop")
    with pytest.raises(CommandError, match="stopped"):
        await commands.run("resend_dead_letters")
    assert len(await commands.run("dead_letters")) == 1
    assert await commands.run("discard_dead_letters") == 1


async def test_dead_letters_as_words(serve: Any) -> None:
    bench, commands = serve()
    bench.charge_point.dead_letters.letters = [letter(sequence) for sequence in (1, 2, 3)]
    assert await commands.run(*from_words("discard-dead-letters 1,3")) == 2
    assert await commands.run(*from_words("resend-dead-letters")) == 1


async def test_what_is_already_so_is_ok(serve: Any) -> None:
    bench, commands = serve()
    for _ in range(2):
        await commands.run("plug_in", {"connector": 1})
        await commands.run("disconnect")
    for _ in range(2):
        await commands.run("unplug", {"connector": 1})
        await commands.run("connect")
    await commands.run("pause_drawing", {"connector": 1})
    await commands.run("clear_fault", {"connector": 0, "error": "WeakSignal"})
    assert bench.take() == []
    assert bench.charge_point.connection.is_connected


async def test_stop_and_restart(serve: Any) -> None:
    bench, commands = serve()
    assert await commands.run("restart") is False
    assert await commands.run("stop") is True
    assert await commands.run("stop") is False
    assert await commands.run("disconnect") is None
    for name, arguments in (
        ("connect", {}),
        ("present_id_tag", {"id_tag": "TAG"}),
        ("change_availability", {"connector": 1, "kind": "Inoperative"}),
        ("set_charging_profile", {"connector": 1, "profile": {}}),
        ("clear_charging_profiles", {}),
    ):
        with pytest.raises(CommandError, match="stopped") as caught:
            await commands.run(name, arguments)
        assert caught.value.code == "refused"
    assert bench.take() == []
    assert (await commands.run("status"))["connection"] is True
    assert await commands.run("restart") is True


async def test_questions_about_the_charge_point(serve: Any) -> None:
    bench, commands = serve()
    assert await commands.run("get_configuration") == {"configurationKey": [], "unknownKey": []}
    assert (await commands.run("get_configuration", {"keys": ["A"]}))["unknownKey"] == ["A"]
    assert await commands.run("change_configuration", {"key": "HeartbeatInterval", "value": "7"}) == "Accepted"
    assert await commands.run("change_availability", {"connector": 0, "kind": "Inoperative"}) == "Accepted"
    assert bench.take() == [("change_availability", 0, "Inoperative")]
    bench.limit(2, 8.0)
    free = {"status": "Available", "error": "NoError", "session": None, "transaction_id": None}
    assert await commands.run("status") == {
        "connectors": [{"connector": 1, **free, "limit": None}, {"connector": 2, **free, "limit": 8.0}],
        "queue_depth": 0,
        "connection": True,
        "registration": None,
    }


async def test_data_transfer(serve: Any) -> None:
    bench, commands = serve()
    assert await commands.run("data_transfer", {"vendor_id": "v"}) == {"status": "Offline", "data": None}
    bench.charge_point.transfer = DataTransferResponse(DataTransferStatus.ACCEPTED, "x")
    arguments = {"vendor_id": "v", "message_id": "m", "data": "d"}
    assert await commands.run("data_transfer", arguments) == {"status": "Accepted", "data": "x"}
    bench.charge_point.transfer = ChargePointStopped("not running")
    with pytest.raises(CommandError, match="not running") as caught:
        await commands.run("data_transfer", {"vendor_id": "v"})
    assert caught.value.code == "refused"


async def test_power_off_is_injected(serve: Any) -> None:
    bench, commands = serve()
    await commands.run("power_off")
    assert bench.power_offs == [True]


async def test_meter_readings_of_the_host(serve: Any) -> None:
    bench, commands = serve(meter_interval="external")
    assert bench.station.measurement(1) is None
    await commands.run("meter_reading", {"connector": 1, "measurement": READING})
    (fact,) = bench.take(all_of_it=True)
    assert (fact[0], fact[1], fact[2].energy_import.total) == ("meter_values", 1, 1234.5)
    bench.station.plug_in(1)
    bench.advance(1)
    bench.station.present_id_tag("TAG", [1])
    assert ("transaction_started", 1, "TAG", 1234.5) in bench.take()


async def test_overrule(serve: Any) -> None:
    bench, commands = serve()
    await commands.run("overrule", {"question": "unlock_connector", "answer": "UnlockFailed", "times": 1})
    assert await bench.station.unlock_connector(1) == "UnlockFailed"
    assert await bench.station.unlock_connector(1) == "Unlocked"


async def test_help_describes_every_argument(serve: Any) -> None:
    _, commands = serve()
    described = {row["command"]: row for row in await commands.run("help")}
    assert list(described) == list(COMMANDS)
    assert described["stop"]["answers_later"] is True
    assert described["plug_in"]["arguments"][0] == {"name": "connector", "type": "connector"}
    assert described["plug_in"]["arguments"][3] == {"name": "current", "type": "amperes", "default": 32.0}


HUGE = 10**30

BAD = [
    ("fly", {}, "unknown_command", "no command fly"),
    ("plugin", {}, "unknown_command", "did you mean plug_in?"),
    ("plug-in", {"connector": 1}, "unknown_command", "did you mean plug_in?"),
    ("x" * 5000, {}, "unknown_command", "…"),
    ("unplug", {"connector": 1, "conector": 1}, "unknown_argument", "did you mean connector?"),
    ("status", {"connector": 1}, "unknown_argument", "status has no argument connector"),
    ("unplug", {}, "bad_value", "unplug needs the argument connector"),
    ("plug_in", {"connector": 9}, "bad_value", "no connector 9: this station has 1..2"),
    ("plug_in", {"connector": 0}, "bad_value", "no connector 0: this station has 1..2"),
    ("plug_in", {"connector": HUGE}, "bad_value", "no connector"),
    ("plug_in", {"connector": True}, "bad_value", "connector must be the number"),
    ("plug_in", {"connector": 1.0}, "bad_value", "connector must be the number"),
    ("plug_in", {"connector": None}, "bad_value", "connector must be the number"),
    ("plug_in", {"connector": 1, "current": "16"}, "bad_value", "current must be a number from 0"),
    ("plug_in", {"connector": 1, "current": -1}, "bad_value", "current must be a number from 0"),
    ("plug_in", {"connector": 1, "current": float("nan")}, "bad_value", "current must be a number from 0"),
    ("plug_in", {"connector": 1, "draw_for": HUGE}, "bad_value", "draw_for must be a number from 0"),
    ("plug_in", {"connector": 1, "draw_for": None}, "bad_value", "draw_for must be a number from 0"),
    ("plug_in", {"connector": 1, "phases": 4}, "bad_value", "phases must be a whole number from 1 to 3"),
    ("present_id_tag", {"id_tag": ""}, "bad_value", "id_tag must be a text of 1 to 20"),
    ("present_id_tag", {"id_tag": "x" * 21}, "bad_value", "id_tag must be a text of 1 to 20"),
    ("present_id_tag", {"id_tag": "T", "connectors": 1}, "bad_value", "connectors must be a list"),
    ("present_id_tag", {"id_tag": "T", "connectors": []}, "bad_value", "connectors must be a list"),
    ("present_id_tag", {"id_tag": "T", "connectors": [1, 3]}, "bad_value", "no connector 3"),
    ("present_id_tag", {"id_tag": "T", "connectors": [[]]}, "bad_value", "connectors must be the number"),
    ("raise_fault", {"connector": 3, "error": "GroundFailure"}, "bad_value", "this station has 0..2"),
    ("raise_fault", {"connector": 1, "error": "NoError"}, "bad_value", "error must be one of"),
    ("raise_fault", {"connector": 1, "error": 7}, "bad_value", "error must be one of"),
    ("raise_fault", {"connector": 1, "error": "GroundFailure", "fault": 1}, "bad_value", "fault must be true"),
    ("resume_drawing", {"connector": 1}, "refused", "no car is on connector 1"),
    ("get_configuration", {"keys": "A"}, "bad_value", "keys must be a list of texts"),
    ("change_configuration", {"key": "A", "value": 7}, "bad_value", "value must be a text"),
    ("change_configuration", {"key": "A", "value": "x" * 501}, "bad_value", "value must be a text"),
    ("change_availability", {"connector": 1, "kind": "operative"}, "bad_value", "kind must be one of"),
    ("overrule", {"question": "?", "answer": 1}, "bad_value", "no question ?"),
    ("overrule", {"question": "is_reset_allowed", "answer": 1}, "bad_value", "true or false"),
    ("overrule", {"question": "is_reset_allowed", "answer": True, "times": 0}, "bad_value", "times must be"),
    ("meter_reading", {"connector": 1, "measurement": READING}, "refused", "not external"),
    ("meter_reading", {"connector": 1, "measurement": []}, "bad_value", "measurement must be an object"),
    ("security_event", {"type": "x", "timestamp": "noon"}, "bad_value", "Invalid isoformat string"),
    ("security_event", {"type": ""}, "bad_value", "type must be a text of 1 to 50"),
    ("composite_schedule", {"connector": 1, "duration": 60}, "refused", "smart charging is not built in"),
    ("composite_schedule", {"connector": 1, "duration": 60, "unit": "kW"}, "bad_value", "unit must be one of W, A"),
    ("set_charging_profile", {"connector": 1, "profile": {}}, "refused", "smart charging is not built in"),
    ("set_charging_profile", {"connector": 1, "profile": "{"}, "bad_value", "profile must be an object"),
    ("set_charging_profile", {"connector": 3, "profile": {}}, "bad_value", "this station has 0..2"),
    ("clear_charging_profiles", {}, "refused", "smart charging is not built in"),
    ("clear_charging_profiles", {"stack_level": -1}, "bad_value", "stack_level must be a whole number"),
    ("clear_charging_profiles", {"purpose": "Max"}, "bad_value", "purpose must be one of"),
    ("charging_profiles", {}, "refused", "smart charging is not built in"),
    ("charging_limit", {"connector": 1}, "refused", "smart charging is not built in"),
    ("charging_limit", {"connector": -1}, "bad_value", "this station has 0..2"),
    ("explain_limit", {"connector": 0}, "refused", "smart charging is not built in"),
    ("data_transfer", {"vendor_id": "v" * 256}, "bad_value", "vendor_id must be a text"),
    ("reserve", {"connector": 1, "id_tag": "TAG"}, "refused", "no reservations are kept"),
    ("reserve", {"connector": 3, "id_tag": "TAG"}, "bad_value", "this station has 0..2"),
    ("reserve", {"connector": 1, "id_tag": ""}, "bad_value", "id_tag must be"),
    ("reserve", {"connector": 1, "id_tag": "TAG", "seconds": -1}, "bad_value", "seconds must be a whole number"),
    ("cancel_reservation", {"reservation_id": 2**31}, "bad_value", "reservation_id must be a whole number"),
    ("cancel_reservation", {"reservation_id": 1}, "refused", "no reservations are kept"),
]


@pytest.mark.parametrize(("name", "arguments", "code", "text"), BAD)
async def test_what_is_wrong_is_named_and_changes_nothing(
    serve: Any, name: str, arguments: dict[str, Any], code: str, text: str
) -> None:
    bench, commands = serve()
    with pytest.raises(CommandError) as caught:
        await commands.run(name, arguments)
    assert caught.value.code == code
    assert text in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert bench.take(all_of_it=True) == []
    assert len(bench.charge_point.for_station.timers) == 0
    assert bench.charge_point.asked == []


@pytest.mark.parametrize(
    "measurement",
    [
        {},
        {"power_meter": {}},
        {"power_meter": {"energy_Wh_import": {"total": "1"}}},
        {"power_meter": {"energy_Wh_import": {"total": float("inf")}}},
        {"power_meter": {"energy_Wh_import": {"total": 10**400}}},
        {"power_meter": {"energy_Wh_import": {"total": 1}, "timestamp": "yesterday"}},
        {**READING, "temperature_C": 3},
        {**READING, "soc_Percent": {}},
        {**READING, "color": 1},
    ],
)
async def test_readings_that_are_none(serve: Any, measurement: dict[str, Any]) -> None:
    bench, commands = serve(meter_interval="external")
    with pytest.raises(CommandError) as caught:
        await commands.run("meter_reading", {"connector": 1, "measurement": measurement})
    assert caught.value.code == "bad_value"
    assert bench.take(all_of_it=True) == []


@pytest.mark.parametrize(
    ("line", "name", "arguments"),
    [
        ("status", "status", {}),
        ("plug_in 1 current=16", "plug_in", {"connector": 1, "current": 16}),
        ("plug-in 1 0 draw-for=2.5", "plug_in", {"connector": 1, "plug_after": 0, "draw_for": 2.5}),
        ("plug_in current=16 1", "plug_in", {"connector": 1, "current": 16}),
        ("present_id_tag 'MY TAG' 1,2", "present_id_tag", {"id_tag": "MY TAG", "connectors": [1, 2]}),
        ("raise_fault 1 GroundFailure no", "raise_fault", {"connector": 1, "error": "GroundFailure", "fault": False}),
        ("get_configuration A,B", "get_configuration", {"keys": ["A", "B"]}),
        ("change_configuration CpoName a=b", "change_configuration", {"key": "CpoName", "value": "a=b"}),
        ("set_charging_profile 0 '{}'", "set_charging_profile", {"connector": 0, "profile": {}}),
        ("clear-charging-profiles stack-level=0 purpose=TxProfile", "clear_charging_profiles",
         {"stack_level": 0, "purpose": "TxProfile"}),
        ("composite_schedule 1 3600 W", "composite_schedule", {"connector": 1, "duration": 3600, "unit": "W"}),
        ("overrule is_reset_allowed false", "overrule", {"question": "is_reset_allowed", "answer": False}),
        ("overrule unlock_connector UnlockFailed times=2", "overrule",
         {"question": "unlock_connector", "answer": "UnlockFailed", "times": 2}),
        ("""meter_reading 1 '{"power_meter": {}}'""", "meter_reading",
         {"connector": 1, "measurement": {"power_meter": {}}}),
    ],
)  # fmt: skip
def test_words(line: str, name: str, arguments: dict[str, Any]) -> None:
    assert from_words(line) == (name, arguments)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "unreadable"),
        ("   ", "unreadable"),
        ("present_id_tag 'TAG", "unreadable"),
        ("fly 1", "unknown_command"),
        ("unplug 1 2", "unknown_argument"),
        ("plug_in 1 curent=16", "unknown_argument"),
    ],
)
def test_words_that_are_no_command(line: str, code: str) -> None:
    with pytest.raises(CommandError) as caught:
        from_words(line)
    assert caught.value.code == code


async def test_ill_typed_words_are_bad_values(serve: Any) -> None:
    _, commands = serve()
    for line in ("plug_in one", "plug_in 1 current=nan", "plug_in 1 current=many", "raise_fault 1 WeakSignal perhaps"):
        with pytest.raises(CommandError) as caught:
            await commands.run(*from_words(line))
        assert caught.value.code == "bad_value"
