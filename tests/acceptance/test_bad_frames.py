"""What is no message, or a wrong one: which answer it gets, and that nothing else suffers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]


@pytest.fixture
def unharmed(idle: Outside) -> Iterator[Outside]:
    """After each of these it works as before, over the same connection."""
    yield idle
    idle.settle()
    assert [event for event, _ in idle.lines() if event in ("opened", "closed")] == ["opened"]


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Rset", {"type": "Soft"}, "NotImplemented"),
        ("NotifyEvent", {}, "NotImplemented"),
        ("reset", {"type": "Soft"}, "NotImplemented"),
        ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}, "NotSupported"),
        ("StartTransaction", {}, "NotSupported"),
        ("UpdateFirmware", {"location": "x", "retrieveDate": "2026-01-01T00:00:00Z"}, "NotSupported"),
        ("GetDiagnostics", {"location": "x"}, "NotSupported"),
        ("Reset", {}, "OccurenceConstraintViolation"),
        ("Reset", {"type": "Medium"}, "PropertyConstraintViolation"),
        ("Reset", {"type": 5}, "TypeConstraintViolation"),
        ("Reset", [], "FormationViolation"),
        ("Reset", "Soft", "FormationViolation"),
        ("ChangeConfiguration", {"key": "HeartbeatInterval"}, "OccurenceConstraintViolation"),
        ("ChangeConfiguration", {"key": "K" * 51, "value": "1"}, "PropertyConstraintViolation"),
        ("ChangeConfiguration", {"key": "K", "value": "1" * 501}, "PropertyConstraintViolation"),
        ("RemoteStartTransaction", {"connectorId": 1}, "OccurenceConstraintViolation"),
        ("RemoteStartTransaction", {"idTag": "X" * 21}, "PropertyConstraintViolation"),
        ("RemoteStopTransaction", {"transactionId": 1.5}, "TypeConstraintViolation"),
        ("RemoteStopTransaction", {"transactionId": None}, "OccurenceConstraintViolation"),
        ("ReserveNow", {"connectorId": 1, "idTag": "A", "reservationId": 1, "expiryDate": "soon"},
         "TypeConstraintViolation"),
        ("SendLocalList", {"listVersion": 1, "updateType": "Half"}, "PropertyConstraintViolation"),
        ("DataTransfer", {"data": "d"}, "OccurenceConstraintViolation"),
        ("ChangeAvailability", {"connectorId": 1, "type": "Maybe"}, "PropertyConstraintViolation"),
        ("ClearChargingProfile", {"chargingProfilePurpose": "None"}, "PropertyConstraintViolation"),
    ],
)  # fmt: skip
def test_calls_that_are_wrong(unharmed: Outside, action: str, payload: Any, code: str) -> None:
    """A CALLERROR with the id of the call and the code of the fault."""
    answer = unharmed.ask_badly(action, payload)
    assert (answer[0], answer[2]) == (4, code)


def test_one_code_for_all_faults_of_form(begin: Begin) -> None:
    """SchemaViolationErrors FormationViolation: for Central Systems that know no other."""
    one = begin(Internal={"SchemaViolationErrors": "FormationViolation"})
    for payload in ({}, {"type": "Medium"}, {"type": 5}):
        assert one.ask_badly("Reset", payload)[2] == "FormationViolation"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        "[]",
        "[2]",
        "[2,",
        '[9,"id-9","Reset",{"type":"Soft"}]',
        '[3,"nobody-asked",{}]',
        '[4,"nobody-asked","GenericError","",{}]',
        '{"2":"Reset"}',
        "null",
        '"[2]"',
        "[" * 1000,
    ],
)
def test_frames_that_are_no_call(unharmed: Outside, text: str) -> None:
    """Nothing is answered that could be taken for the answer to something else."""
    before = len(unharmed.lines())
    unharmed.post(text)
    unharmed.settle()
    after = [frame for event, frame in unharmed.lines()[before:] if event == "received" and frame[0] != 2]
    # The triggers that `settle` asked with are answered by statuses.
    assert all(frame[0] == 3 or frame[1] == "-1" for frame in after)
    assert unharmed.statuses(1) == ["Available"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[2,"short-1"]', "FormationViolation"),
        ('[2,"short-2","Reset"]', "FormationViolation"),
        ('[2,"short-3",7,{}]', "FormationViolation"),
        ('[2,"short-4",null,{}]', "FormationViolation"),
    ],
)
def test_calls_without_all_their_parts(unharmed: Outside, text: str, code: str) -> None:
    """The id can be read: CALLERROR for it."""
    unharmed.post(text)
    assert unharmed.answer(text.split('"')[1])[2] == code


def test_a_call_with_more_than_its_parts(unharmed: Outside) -> None:
    """Elements behind the payload are ignored."""
    unharmed.post('[2,"long-1","GetLocalListVersion",{},{"extra":1}]')
    assert unharmed.answer("long-1")[0] == 3


def test_a_call_with_fields_that_nobody_knows(unharmed: Outside) -> None:
    """Vendors add fields: ignored."""
    answer = unharmed.ask_badly("GetConfiguration", {"key": ["NumberOfConnectors"], "customData": {"vendorId": "V"}})
    assert answer[0] == 3


def test_a_null_payload_is_an_empty_one(unharmed: Outside) -> None:
    """`null` for a message without fields."""
    assert unharmed.ask_badly("GetLocalListVersion", None)[2] == {"listVersion": 0}


def test_a_repeated_call_is_done_once(begin: Begin) -> None:
    """The same id and text again: the same answer, and no second reset."""
    one = begin()
    for _ in range(2):
        one.post('[2,"twice","ChangeAvailability",{"connectorId":1,"type":"Inoperative"}]')
    one.status(1, "Unavailable")
    one.settle()
    answers = [frame for event, frame in one.lines() if event == "received" and frame[1] == "twice"]
    assert {str(answer) for answer in answers} == {str([3, "twice", {"status": "Accepted"}])}
    assert one.statuses(1) == ["Available", "Unavailable"]


def test_many_calls_at_once_are_all_answered(unharmed: Outside) -> None:
    """A Central System that does not wait for answers gets each of them, under its id."""
    for number in range(50):
        unharmed.post(f'[2,"crowd-{number}","GetConfiguration",{{"key":["NumberOfConnectors"]}}]')
    for number in range(50):
        assert unharmed.answer(f"crowd-{number}")[0] == 3


@pytest.mark.parametrize(
    "answer",
    [{}, {"idTagInfo": {}}, {"idTagInfo": {"status": "Fine"}}, {"idTagInfo": 5}],
    ids=["nothing", "no status", "no status that there is", "a number"],
)
def test_an_authorization_that_cannot_be_read_is_none(begin: Begin, answer: Any) -> None:
    """A bad Authorize.conf: refused; the next one counts."""
    one = begin()
    one.answer_next("Authorize", answer)
    one.plug_in()
    one.card("CARD", 1)
    assert one.told("authorization", id_tag="CARD")["status"] != "Accepted"
    one.card("CARD", 1)
    one.charges()
    assert len(one.calls("Authorize")) == 2


def test_a_start_whose_answer_cannot_be_read_is_asked_again(begin: Begin) -> None:
    """StartTransaction.conf without an id of the transaction: asked again, and the transaction has its id."""
    one = begin()
    one.answer_next("StartTransaction", {"idTagInfo": {"status": "Accepted"}})
    one.plug_in()
    one.card("CARD", 1)
    one.wait_for_count("StartTransaction", 2)
    number = one.told("transaction", phase="confirmed")["transaction_id"]
    first, second = one.calls("StartTransaction")
    assert first == second
    one.unplug()
    one.expect("StopTransaction", transactionId=number)


def test_answers_that_come_late_mix_up_nothing(begin: Begin) -> None:
    """Every answer takes a while; one call after another, and the session is as it should be."""
    one = begin()
    one.script("delay", seconds=0.05)
    number = one.charge()
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)
    one.settle()


def test_calls_of_profiles_that_are_off(begin: Begin) -> None:
    """SupportedFeatureProfiles Core: what belongs to others is NotSupported, and what says so by a status does."""
    one = begin(Core={"SupportedFeatureProfiles": "Core"})
    assert one.ask_badly("TriggerMessage", {"requestedMessage": "Heartbeat"})[2] == "NotSupported"
    assert one.ask_badly("CancelReservation", {"reservationId": 1})[2] in ("NotSupported", {"status": "Rejected"})
    full = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": []}
    assert one.ask_badly("SendLocalList", full)[2] in ("NotSupported", {"status": "NotSupported"})
    assert one.ask_badly("GetLocalListVersion", {})[2] in ("NotSupported", {"listVersion": -1})
    assert one.ask("ChangeConfiguration", key="ConnectionTimeOut", value="5") == "Accepted"
