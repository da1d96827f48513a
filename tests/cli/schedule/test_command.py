"""`ocpp16 schedule` on scenario files: every vector, what may be asked instead, and how mistakes are told."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ocpp16.cli import main
from ocpp16.cli.command_line import root
from ocpp16.cli.log import LogChoice
from ocpp16.cli.schedule.scenario import differences

VECTORS_FILE = Path(__file__).parents[2] / "schedule" / "vectors.json"
DOCUMENT = json.loads(VECTORS_FILE.read_text())
VECTORS: dict[str, dict[str, Any]] = {vector["name"]: vector for vector in DOCUMENT["vectors"]}
VECTOR = VECTORS["mixed-units-amps"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, list[str]]]:
    """Runs the command: exit code, standard output, lines of standard error."""

    def run(*arguments: str) -> tuple[int, str, list[str]]:
        exit_code = main(["schedule", *arguments])
        printed = capsys.readouterr()
        return exit_code, printed.out, printed.err.splitlines()

    return run


Run = Callable[..., tuple[int, str, list[str]]]


def write(document: Any, name: str = "scenario.json") -> str:
    Path(name).write_text(json.dumps(document))
    return name


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """VECTOR with another value somewhere; `...` removes it."""
    made = copy.deepcopy(VECTOR)
    holder: Any = made
    for step in path[:-1]:
        holder = holder[step]
    if to is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = to
    return made


# Results


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    done = CliRunner().invoke(root, ["schedule", str(VECTORS_FILE), "--name", name, "--json"], obj=LogChoice())
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert differences(VECTORS[name]["expected"], found) == []
    assert set(found) == {"start", "duration", "unit", "periods"}
    assert all(set(period) == {"startPeriod", "limit", "numberPhases"} for period in found["periods"])


def test_all_vectors_at_once(run: Run) -> None:
    exit_code, printed, errors = run(str(VECTORS_FILE), "--json")
    assert (exit_code, errors) == (0, [])
    found = [json.loads(line) for line in printed.splitlines()]
    assert [one["name"] for one in found] == list(VECTORS)
    assert all(differences(VECTORS[one["name"]]["expected"], one) == [] for one in found)


def test_one_vector_in_a_file(run: Run) -> None:
    _, printed, _ = run(write(changed("expected", to=...)), "--json")
    assert differences(VECTOR["expected"], json.loads(printed)) == []
    assert "name" not in json.loads(printed)


def test_a_vector_without_anything_optional(run: Run) -> None:
    document = {name: VECTOR[name] for name in ("connector", "profiles", "request")}
    exit_code, printed, _ = run(write(document), "--json", "--name", "#1")
    assert (exit_code, differences(VECTOR["expected"], json.loads(printed))) == (0, [])


def test_keys_of_other_purposes_do_not_matter(run: Run) -> None:
    exit_code, printed, _ = run(write(changed("config", to={"HeartbeatInterval": 5})), "--json")
    assert (exit_code, differences(VECTOR["expected"], json.loads(printed))) == (0, [])


def test_remarks_of_the_author_do_not_matter(run: Run) -> None:
    exit_code, printed, _ = run(write({**VECTOR, "source": "a trial", "$id": 7}), "--json")
    assert exit_code == 0
    assert json.loads(printed)["periods"]


@pytest.mark.parametrize("name", VECTORS)
def test_tables_agree_with_what_is_expected(name: str, run: Run) -> None:
    exit_code, printed, errors = run(str(VECTORS_FILE), "--name", name)
    assert (exit_code, errors) == (0, [])
    assert len(printed.splitlines()) == 2 + len(VECTORS[name]["expected"]["periods"])


def test_table(run: Run) -> None:
    _, printed, _ = run(str(VECTORS_FILE), "--name", "mixed-units-amps")
    lines = printed.splitlines()
    assert lines[0] == "mixed-units-amps: connector 1 for 400 s, in A"
    assert lines[1].split("  ")[1:2] == ["from (UTC)"]
    assert lines[2].split() == ["2024-03-05", "13:00:00", "2024-03-05", "13:01:00", "+0:00:00", "10", "A", "3"]
    assert lines[-1].split() == ["2024-03-05", "13:05:00", "2024-03-05", "13:06:40", "+0:05:00", "48", "A", "-"]


def test_another_result_than_expected_is_told(run: Run) -> None:
    exit_code, printed, _ = run(write(changed("expected", "periods", 0, "limit", to=11)))
    assert exit_code == 1
    assert "not as expected: limit at 0 s is 10, expected 11" in printed
    exit_code, printed, (line,) = run(write(changed("expected", "periods", 0, "limit", to=11)), "--json")
    assert exit_code == 1
    assert json.loads(printed)["periods"][0]["limit"] == 10
    assert line.endswith("not as expected: limit at 0 s is 10, expected 11")


def test_a_name_of_others_moves_no_cursor(run: Run) -> None:
    exit_code, printed, errors = run(write(changed("name", to="a\x1b[31m\x07")))
    assert (exit_code, printed.splitlines()[0].split(":")[0], errors) == (0, "a\\x1b[31m\\x07", [])
    exit_code, _, errors = run(write(changed("transactions", to={"\x1b[2J": {}})))
    assert exit_code == 2
    assert all(line.isprintable() for line in errors)


# What may be asked instead


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("--unit", "W", "--duration", "60"), ("2024-03-05T13:00:00Z", 60, "W", [[0, 6900, 3]])),
        (
            ("--start", "2024-03-05T14:03:30+01:00", "--duration", "1"),
            ("2024-03-05T13:03:30Z", 1, "A", [[0, 25, None]]),
        ),
        (("--start", "2024-03-05T13:00:10.9Z", "--duration", "0"), ("2024-03-05T13:00:10Z", 0, "A", [[0, 10, 3]])),
        (("--connector", "0", "--duration", "1"), ("2024-03-05T13:00:00Z", 1, "A", [[0, 10, 3]])),
    ],
)
def test_another_question(options: tuple[str, ...], wanted: tuple[Any, ...], run: Run) -> None:
    _, printed, _ = run(write(VECTOR), "--json", *options)
    found = json.loads(printed)
    periods = [list(period.values()) for period in found["periods"]]
    assert (found["start"], found["duration"], found["unit"], periods) == wanted


def test_a_transaction_stays_on_its_connector(run: Run) -> None:
    """`transaction` is of the scenario's connector, whichever is asked about."""
    document = changed("profiles", 0, "csChargingProfiles", "validFrom", to="2030-01-01T00:00:00Z")
    document["profiles"] = [
        {
            "connectorId": 1,
            "csChargingProfiles": {
                "chargingProfileId": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Relative",
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
                },
            },
        }
    ]
    document |= {"transaction": document["request"]["start"], "config": {"NumberOfConnectors": 2}}
    limits = [
        json.loads(run(write(document), "--json", "--connector", str(number))[1])["periods"][0]["limit"]
        for number in (0, 1, 2)
    ]
    assert limits == [54, 6, 48]


# Mistakes

BAD_SCENARIOS = {
    "no object": ([], "must hold a JSON object"),
    "a member that does not exist": (
        {**VECTOR, "profles": []},
        "profles: there is no such member; did you mean profiles?",
    ),
    "no request": (changed("request", to=...), "request is missing"),
    "no duration": (changed("request", "duration", to=...), "request.duration is missing"),
    "a start": (changed("request", "start", to="noon"), "request.start must be an RFC 3339 time, not 'noon'"),
    "a start that is a number": (changed("request", "start", to=1), "request.start"),
    "a unit": (changed("request", "unit", to="kW"), "request.unit must be A or W, not 'kW'"),
    "a duration as a text": (changed("request", "duration", to="60"), "request.duration must be an integer"),
    "a negative duration": (changed("request", "duration", to=-1), "request.duration"),
    "another now": (changed("now", to="2024-03-05T10:00:01Z"), "now"),
    "no connector": (changed("connector", to=...), "connector is missing"),
    "a connector as a text": (changed("connector", to="1"), "connector must be an integer"),
    "connectors without end": (
        changed("config", to={"NumberOfConnectors": 2_000_000_000}),
        "an integer from 0 to 1000",
    ),
    "a connector that is not there": (changed("connector", to=2), "connector 2"),
    "a truth value": (changed("online", to=0), "online must be true or false"),
    "an unknown key": (
        changed("config", to={"SuplyVoltage": 1}),
        "config.SuplyVoltage: there is no such member; did you mean SupplyVoltage?",
    ),
    "the value of a key": (changed("config", to={"SupplyVoltage": "230"}), "config.SupplyVoltage must be a number"),
    "a value out of range": (changed("config", to={"SupplyVoltage": 0}), "supply_voltage"),
    "a value far out of range": (
        changed("config", to={"SupplyVoltage": 10**400}),
        "SupplyVoltage = a number of 401 digits",
    ),
    "no list of profiles": (changed("profiles", to={}), "profiles must be a list"),
    "no request for a profile": (changed("profiles", 0, to=7), "profiles[0] must be an object"),
    "no connectorId": (changed("profiles", 0, "connectorId", to=...), "profiles[0].connectorId is missing"),
    "a profile": (changed("profiles", 1, "csChargingProfiles", "stackLevel", to=-1), "profiles[1]: stackLevel"),
    "a profile without a level": (
        changed("profiles", 1, "csChargingProfiles", "stackLevel", to=...),
        "profiles[1]: stackLevel is missing",
    ),
    "a transaction": (changed("transaction", to=5), "transaction must be an RFC 3339 time or null"),
    "the name of a transaction": (changed("transactions", to={"one": {}}), "transactions.one"),
    "a transaction without start": (changed("transactions", to={"1": {}}), "transactions.1.start is missing"),
    "vectors": ({"vectors": {}}, "vectors must be a list"),
    "config_defaults": ({"vectors": [], "config_defaults": {"Foo": 1}}, "config_defaults.Foo"),
    "two of one name": ({"vectors": [VECTOR, VECTOR]}, "two scenarios named mixed-units-amps"),
}


@pytest.mark.parametrize(("document", "text"), BAD_SCENARIOS.values(), ids=BAD_SCENARIOS)
def test_what_is_wrong_with_a_scenario(document: Any, text: str, run: Run) -> None:
    exit_code, printed, errors = run(write(document), "--json")
    assert (exit_code, printed) == (2, "")
    (line,) = errors
    assert line.startswith("ocpp16: scenario.json: ")
    assert text in line


BAD_COMMANDS = {
    "a missing file": (("nope.json",), "nope.json: cannot be read"),
    "a unit": (("good.json", "--unit", "kW"), "'kW' is not one of 'A', 'W'"),
    "a time": (("good.json", "--start", "noon"), "'noon' is no time such as 2026-01-05T12:00:00Z"),
    "a duration": (("good.json", "--duration", "-1"), "--duration"),
    "a connector": (("good.json", "--connector", "2"), "--connector: mixed-units-amps has connectors 0 to 1, not 2"),
    "a name": (
        (str(VECTORS_FILE), "--name", "purposes-tree"),
        "no scenario purposes-tree; did you mean purposes-three?",
    ),
    "a name like no other": ((str(VECTORS_FILE), "--name", "ZZZ"), "there is no scenario ZZZ"),
    "a kind of picture": (("good.json", "--plot", "out.gif"), "--plot: out.gif is neither FILE.svg nor FILE.png nor -"),
    "a picture of many": ((str(VECTORS_FILE), "--plot", "-"), "--plot draws one scenario"),
    "a folder that is not there": (("good.json", "--json", "--plot", "no/out.svg"), "no/out.svg: cannot be written"),
    "two things on standard output": (("good.json", "--json", "--plot", "-"), "--json and --plot -"),
    "a configuration without a database": (("good.json", "--conf", "config.json"), "good.json is no database"),
    "a configuration without a file": (("nope", "--conf", "config.json"), "nope: there is no such file"),
    "no configuration": ((".",), "--conf is needed"),
}


@pytest.mark.parametrize(("arguments", "text"), BAD_COMMANDS.values(), ids=BAD_COMMANDS)
def test_what_is_wrong_with_a_command(arguments: tuple[str, ...], text: str, run: Run) -> None:
    write(VECTOR, "good.json")
    exit_code, _, errors = run(*arguments)
    (line,) = errors
    assert (exit_code, text in line) == (2, True), line


def test_bad_json_is_told_with_its_line(run: Run) -> None:
    Path("bad.json").write_text('{\n  "connector": 1,,\n}')
    exit_code, _, (line,) = run("bad.json")
    assert exit_code == 2
    assert "bad.json:2:" in line


@pytest.mark.parametrize("options", [(), ("--json",), ("--explain",), ("--plot", "-"), ("--plot", "out.svg")])
def test_half_a_character_in_a_name(options: tuple[str, ...], run: Run) -> None:
    exit_code, _, errors = run(write({"vectors": [changed("name", to="a\ud800b")]}), *options)
    assert (exit_code, errors) == (0, [])


def test_one_bad_scenario_does_not_keep_the_others_from_being_calculated(run: Run) -> None:
    bad = {**changed("request", "unit", to="kW"), "name": "bad"}
    exit_code, printed, (line,) = run(write({"vectors": [bad, VECTOR]}), "--json")
    assert (exit_code, json.loads(printed)["name"]) == (2, "mixed-units-amps")
    assert line == "ocpp16: scenario.json: bad: request.unit must be A or W, not 'kW'"
