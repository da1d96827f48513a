"""Reading scenarios: those that come with the package, wrong ones and why, values, and the published schema, which
agrees with the loader on all of them."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ocpp16.scenario import READY_MADE, ScenarioError, load_scenario, scenario_from, text_of
from ocpp16.scenario.schema import schema
from ocpp16.wire import WireFaults

PUBLISHED = Path(__file__).parents[2] / "share" / "scenario.schema.json"
VALIDATOR = Draft202012Validator(schema())

STAGES = '[[stage]]\nkind = "ramp"\n'
WRONG = {
    "an unknown table": ("[flet]\n", "no key flet; did you mean fleet?"),
    "a table in place of a list": ("[stage]\nkind = 'ramp'\n", "write [[stage]]"),
    "an unknown key": ("[fleet]\nblueprnt = 'ac-22kw'\n", "[fleet]: no key blueprnt; did you mean blueprint?"),
    "an unknown blueprint": ("[fleet]\nblueprint = 'ac-22'\n", "[fleet] blueprint: 'ac-22' is none of ac-22kw"),
    "no connector": (
        "[fleet]\nconnectors = 0\n",
        "[fleet] connectors: it must be a whole number from 1 to",
    ),
    "a text for a number": (
        "[[stage]]\nkind = 'hold'\nduration = 'long'\n",
        "1 duration: it must be a finite number",
    ),
    "true for a number": ("[[stage]]\nkind = 'hold'\nduration = true\n", "1 duration: it must be a finite number"),
    "a stage of no kind": ("[[stage]]\nover = 1\n", "[[stage]] 1: it needs kind: one of ramp, hold"),
    "a stage of an unknown kind": (
        STAGES + "[[stage]]\nkind = 'hld'\n",
        "[[stage]] 2 kind: 'hld' is none of ramp",
    ),
    "a key of another stage": ("[[stage]]\nkind = 'hold'\nduration = 1\nrate = 2\n", "[[stage]] 1: no key rate"),
    "a part over one": ("[[stage]]\nkind = 'storm'\nshare = 2\n", "[[stage]] 1 share: it must be a part from 0 to 1"),
    "an unknown step": ("[[step]]\ndo = 'plugin'\n", "[[step]] 1 do: 'plugin' is none of"),
    "a step that lacks something": ("[[step]]\ndo = 'plug_in'\n", "[[step]] 1: it needs connector"),
    "an unknown argument": (
        "[[step]]\ndo = 'unplug'\nconector = 1\n",
        "[[step]] 1: no key conector; did you mean",
    ),
    "an unknown action": ("[[expect]]\nsent = 'Boot'\n", "[[expect]] 1 sent: 'Boot' is none of *, Authorize"),
    "an expectation of nothing": ("[[expect]]\nname = 'x'\n", "[[expect]] 1: it needs one of sent, received, absent"),
    "an expectation of two things": (
        "[[expect]]\nsent = 'Heartbeat'\nabsent = 'Heartbeat'\n",
        "[[expect]] 1: it needs one of sent, received, absent, order, state, and not more",
    ),
    "an order of one": ("[[expect]]\norder = ['Heartbeat']\n", "[[expect]] 1 order: it must be a list of 2 to 100"),
    "a comparator that is none": (
        "[[expect]]\nsent = 'Heartbeat'\nanswer = { currentTime = { match = 1 } }\n",
        "[[expect]] 1 answer.currentTime: no key match; there are eq, exists",
    ),
    "a condition of nothing": (
        "[[expect]]\nsent = 'Heartbeat'\npayload = { a = {} }\n",
        "payload.a: it needs one of",
    ),
    "a text where a number is compared": (
        "[[expect]]\nsent = 'Heartbeat'\npayload = { a = { lt = '1' } }\n",
        "[[expect]] 1 payload.a.lt: it must be a number",
    ),
    "drivers who never come": ("[[drivers]]\nname = 'x'\n", "[[drivers]] 1: it needs arrivals"),
    "arrivals of an unknown kind": (
        "[[drivers]]\narrivals = { kind = 'poison', rate = 1 }\n",
        "[[drivers]] 1 arrivals.kind: 'poison' is none of poisson, every, fixed, uniform, drawn; did you mean poisson?",
    ),
    "a distribution that lacks something": (
        "[[drivers]]\narrivals = { kind = 'poisson', rate = 1 }\nparking = { kind = 'normal', mean = 1 }\n",
        "[[drivers]] 1 parking: it needs deviation",
    ),
    "an authentication that is none": (
        "[[drivers]]\narrivals = { kind = 'poisson', rate = 1 }\nauthentication = { crad = 1 }\n",
        "[[drivers]] 1 authentication: no key crad; did you mean card?",
    ),
    "a fault that is none": ("[faults]\nlatncy = 1\n", "[faults]: faults: no word latncy; did you mean latency?"),
}
STRICTER = {
    "no TOML": ("[[stage", "it is no TOML"),
    "a pattern of ids without a number": ("[fleet]\nid = 'CP'\n", "[fleet] id: the pattern CP needs the field number"),
    "a pattern of cards": (
        "[[drivers]]\narrivals = { kind = 'poisson', rate = 1 }\ncards = 'C{n}'\n",
        "[[drivers]] 1 cards: the pattern of id tags C{n} needs the field number",
    ),
    "a regular expression that is none": (
        "[[expect]]\nsent = 'Heartbeat'\npayload = { a = { regex = '(' } }\n",
        "[[expect]] 1 payload.a.regex: it is no regular expression",
    ),
    "shares of nothing": (
        "[[drivers]]\narrivals = { kind = 'poisson', rate = 1 }\nleaving = { swipes = 0 }\n",
        "[[drivers]] 1 leaving: the shares must not all be 0",
    ),
    "a car that there is not": (
        "[[drivers]]\narrivals = { kind = 'poisson', rate = 1 }\ncars = [{ model = 'compct' }]\n",
        "[[drivers]] 1 cars.1: model: there is no 'compct'; did you mean compact?",
    ),
    "both a blueprint and a mix": (
        "[fleet]\nblueprint = 'ac-22kw'\nmix = [{ blueprint = 'ac-22kw' }]\n",
        "[fleet]: either blueprint or mix, not both",
    ),
    "an option that no station has": (
        "[fleet]\noptions = { fuze_limit = 3 }\n",
        "unknown station option fuze_limit; did you",
    ),
    "a tag that is too long": (
        "[[step]]\ndo = 'present_id_tag'\nid_tag = 'a tag that is much too long'\n",
        "[[step]] 1 id_tag: must be a text of 1 to 20 characters",
    ),
    "a stage that there is not": (
        "[[expect]]\nsent = 'Heartbeat'\nstage = 'ram'\n",
        "1 stage: there is no stage ram",
    ),
    "an answer of a state": (
        "[[expect]]\nstate = 'Charging'\nstatus = 'Accepted'\n",
        "[[expect]] 1: answer, status and error are of sent and received",
    ),
    "a payload of an order": (
        "[[expect]]\norder = ['Heartbeat', 'Heartbeat']\npayload = { a = 1 }\n",
        "[[expect]] 1: payload is of sent, received, absent, not of order",
    ),
    "how often something is absent": (
        "[[expect]]\nabsent = 'Heartbeat'\nmost = 3\n",
        "[[expect]] 1: most is of sent, received, state, not of absent",
    ),
    "a connector of a CALL": (
        "[[expect]]\nsent = 'StatusNotification'\nconnector = 2\n",
        "[[expect]] 1: connector is of state, not of sent",
    ),
    "a number that no reading is held against": (
        f"[[expect]]\nsent = 'Heartbeat'\npayload = {{ a = {{ lt = 1{'0' * 400} }} }}\n",
        "[[expect]] 1 payload.a.lt: it must be a finite number",
    ),
    "an error with a status": (
        "[[expect]]\nsent = 'Heartbeat'\nstatus = 'x'\nerror = 'InternalError'\n",
        "[[expect]] 1: either error or answer and status",
    ),
    "an end before the begin": (
        "[[drivers]]\narrivals = { kind = 'poisson', rate = 1, begin = 5, end = 5 }\n",
        "[[drivers]] 1 arrivals: end must be after begin (5), not 5",
    ),
    "a value that is not said": ("text = '${card}'\n", "[values]: no value card"),
    "a fault with a probability of two": ("[faults]\ndrop = 2\n", "[faults]: faults.drop must be a probability"),
    "fewer than none": (
        "[[expect]]\nsent = 'Heartbeat'\ncount = 3\nmost = 2\n",
        "1: most must be 3 or more",
    ),
    "a script that no stage plays": (
        STAGES + "[[step]]\ndo = 'wait_registered'\n",
        "[[step]]: no stage plays the script; write one of the kind steps",
    ),
    "a stage of steps without any": (
        STAGES + "[[stage]]\nkind = 'steps'\n",
        "[[stage]] 2 kind: there is no [[step]] for it to play",
    ),
    "stages at which nobody comes": (
        "[[stage]]\nkind = 'hold'\nduration = 1\n",
        "[[stage]]: without a ramp no charge point ever comes",
    ),
    "a storm before anybody is there": (
        "[[stage]]\nkind = 'storm'\n" + STAGES,
        "[[stage]] 1 kind: no charge point is there yet: a ramp must come before it",
    ),
    "a ramp when all are gone": (
        STAGES + "[[stage]]\nkind = 'stop'\n" + STAGES,
        "[[stage]] 3 kind: behind a stop, where nobody is there any more, there can only be hold",
    ),
    "keys that are changed at nobody": (
        STAGES + "keys = { HeartbeatInterval = 60 }\n",
        "[[stage]] 1 keys: no charge point is there when it begins; write [fleet.keys.…]",
    ),
}


def document(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


@pytest.mark.parametrize("name", READY_MADE)
def test_what_comes_with_the_package(name: str) -> None:
    loaded = load_scenario(name)
    assert loaded.name == name
    assert loaded.text
    assert loaded.expectations or name == "usual"  # which is for figures, and a verdict by thresholds
    assert list(VALIDATOR.iter_errors(document(text_of(name)))) == []


@pytest.mark.parametrize("case", WRONG)
def test_wrong_ones(case: str, tmp_path: Path) -> None:
    """The error names file, table and key; the schema refuses it too."""
    text, why = WRONG[case]
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        load_scenario(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert why in str(raised.value)
    assert list(VALIDATOR.iter_errors(document(text)))


@pytest.mark.parametrize("case", STRICTER)
def test_wrong_ones_that_no_schema_can_know(case: str, tmp_path: Path) -> None:
    text, why = STRICTER[case]
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        load_scenario(str(file))
    assert why in str(raised.value), str(raised.value)


def test_the_parts_of_an_error() -> None:
    with pytest.raises(ScenarioError) as raised:
        scenario_from({"stage": [{"kind": "hold", "duration": -1}]}, file="a.toml")
    assert (raised.value.file, raised.value.table, raised.value.key) == ("a.toml", "[[stage]] 1", "duration")


def test_the_published_schema_is_that_of_the_loader() -> None:
    assert json.loads(PUBLISHED.read_text()) == schema(), "ocpp16 scenario schema > share/scenario.schema.json"
    Draft202012Validator.check_schema(schema())


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        load_scenario(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"text = '\xe4'")
    with pytest.raises(ScenarioError, match="it is no UTF-8"):
        load_scenario(tmp_path / "latin.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(ScenarioError, match="more than 4,194,304 bytes"):
        load_scenario(tmp_path / "large.toml")
    with pytest.raises(ScenarioError, match="no scenario boot-strom; did you mean boot-storm"):
        load_scenario("boot-strom")


def test_values_are_put_in_everywhere() -> None:
    given = {
        "values": {"card": "A{number}"},
        "step": [{"do": "present_id_tag", "id_tag": "${card}"}],
        "text": "${card}!",
    }
    assert scenario_from(given).steps[0].arguments["id_tag"] == "A{number}"
    other = scenario_from(given, values={"card": "B"})
    assert (other.steps[0].arguments["id_tag"], other.text) == ("B", "B!")
    with pytest.raises(ScenarioError, match=r"\[values\]: no key crad; did you mean card"):
        scenario_from(given, values={"crad": "B"})
    with pytest.raises(ScenarioError, match="it has no values"):
        scenario_from({}, values={"card": "B"})


def test_what_a_scenario_is_without_stages() -> None:
    assert [str(stage.kind) for stage in scenario_from({}).acts] == ["ramp", "hold"]
    scripted = scenario_from({"step": [{"do": "sleep", "seconds": 1}]})
    assert [str(stage.kind) for stage in scripted.acts] == ["ramp", "steps"]


def test_faults_of_the_wire_are_read() -> None:
    faults = scenario_from({"faults": {"latency": 0.5}}).faults
    assert faults == WireFaults.load({"latency": 0.5})
