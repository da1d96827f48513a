"""CALLs of the Central System, and the reply lane."""

from typing import TYPE_CHECKING

import pytest

from ocpp16._core import CallError, CallResult, ValidationError
from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.pending import Payload
from ocpp16.rpc.policy import MAX_WAITING_CALLS
from ocpp16.rpc.replies import REMEMBERED_IDS
from ocpp16.rpc.tolerance import Tolerance

if TYPE_CHECKING:
    from tests.rpc.conftest import Line

STRICT = Tolerance.STRICT
DONE = {"status": "Accepted"}


def done(unique_id: str = "cs-1") -> CallResult:
    return CallResult(unique_id, DONE)


# Frames


@pytest.mark.parametrize(
    ("text", "unique_id"),
    [
        ('[2,"a"]', "a"),
        ('[2,"a","ClearCache"]', "a"),
        ('[2,"a",7,{}]', "a"),
        ('[2,"a","ClearCache",[]]', "a"),
        ('[2,"a","ClearCache","text"]', "a"),
        ('[2,"a","ClearCache",{"b":]', "a"),
    ],
)
def test_a_call_whose_id_can_be_read_is_answered(line: "Line", text: str, unique_id: str) -> None:
    assert line.session.receive(text, line.now) is None
    assert line.take() == ["error"]
    [error] = line.replies
    assert isinstance(error, CallError)
    assert (error.unique_id, error.code, error.details) == (unique_id, "FormationViolation", {})
    assert len(error.description) > 5
    assert [raw for raw, _ in line.invalid] == [text]
    assert line.counters.invalid_frames == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{",
        "[]",
        "{}",
        '["2","a","Reset",{}]',
        "[2]",
        '[2,null,"Reset",{}]',
        '[2,[],"Reset",{}]',
        "[2.0]",
        "[true]",
    ],
)
def test_what_has_no_id_is_reported_and_dropped(line: "Line", text: str) -> None:
    assert line.session.receive(text, line.now) is None
    assert line.take() == []
    assert [raw for raw, _ in line.invalid] == [text]
    assert line.counters.invalid_frames == 1


def test_bytes_that_are_no_text_are_reported(line: "Line") -> None:
    assert line.session.receive(b"\xff[2", line.now) is None
    assert line.invalid[0][0] == "\ufffd[2"


@pytest.mark.parametrize("text", ['[5,"a","Reset",{}]', '[6,"a",{}]', '[1,"a"]', "[0]", '[-2,"a","Reset",{}]'])
def test_other_message_types_are_ignored(line: "Line", text: str) -> None:
    assert line.session.receive(text, line.now) is None
    assert line.take() == []
    assert line.invalid == []
    assert line.counters.invalid_frames == 0


@pytest.mark.parametrize("text", ['[3,"a",[]]', '[4,"a"]', '[3,"a"', '[4,"a",{},"",{}]'])
def test_a_bad_answer_is_never_answered(line: "Line", text: str) -> None:
    line.session.receive(text, line.now)
    assert line.take() == []
    assert line.counters.invalid_frames == 1


@pytest.mark.parametrize("raw_id", ["7", '"' + "x" * 40 + '"'])
def test_unusual_ids_are_echoed_unchanged(line: "Line", raw_id: str) -> None:
    call = line.session.receive(f'[2,{raw_id},"ClearCache",{{}}]', line.now)
    assert call is not None
    line.session.reply(CallResult(call.unique_id, DONE))
    frame = line.frame()
    assert frame.data == f'[3,{raw_id},{{"status":"Accepted"}}]'.encode()
    assert sum(line.counters.repairs.values()) == 1


def test_an_overlong_id_is_refused_under_itself_in_strict_mode(new_line: "type[Line]") -> None:
    line = new_line(tolerance=STRICT)
    text = "x" * 37
    assert line.session.receive(f'[2,"{text}","ClearCache",{{}}]', line.now) is None
    assert line.frame().data.startswith(f'[4,"{text}","FormationViolation"'.encode())


TWICE = '[2,"a","UnlockConnector",{"connectorId":1,"connectorId":2}]'


def test_a_member_given_twice_is_refused_in_strict_mode(new_line: "type[Line]") -> None:
    line = new_line(tolerance=STRICT)
    assert line.session.receive(TWICE, line.now) is None
    assert line.frame().data == b'[4,"a","FormationViolation","CALL: member connectorId is there twice",{}]'
    assert line.counters.invalid_frames == 1


def test_otherwise_the_last_of_them_counts(line: "Line") -> None:
    call = line.session.receive(TWICE, line.now)
    assert call is not None
    assert call.payload == {"connectorId": 2}
    assert line.counters.invalid_frames == 0


def test_a_call_is_handed_out_as_it_is(line: "Line") -> None:
    call = line.handed_out("Reset", {"type": "Soft"})
    assert (call.unique_id, call.action, call.payload) == ("cs-1", "Reset", {"type": "Soft"})
    assert line.counters.calls_received == 1
    assert line.session.calls_in_work == 1


# Payloads


def test_a_valid_request_passes_unchanged(line: "Line") -> None:
    call = line.handed_out("Reset", {"type": "Soft"})
    assert line.session.validate_request(call) == {"type": "Soft"}
    assert line.counters.repairs == {}


def test_a_request_is_repaired_and_the_repair_counted(line: "Line") -> None:
    call = line.handed_out("Reset", {"type": "Soft", "vendor": None})
    assert line.session.validate_request(call) == {"type": "Soft"}
    assert sum(line.counters.repairs.values()) == 1
    assert line.counters.invalid_frames == 0


def test_strict_mode_repairs_nothing(new_line: "type[Line]") -> None:
    line = new_line(tolerance=STRICT)
    call = line.handed_out("Reset", {"type": "Soft", "vendor": 1})
    with pytest.raises(ValidationError) as caught:
        line.session.validate_request(call)
    assert caught.value.code == "FormationViolation"


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Reset", {}, "OccurenceConstraintViolation"),
        ("Reset", {"type": 5}, "TypeConstraintViolation"),
        ("Reset", {"type": "Medium"}, "PropertyConstraintViolation"),
        (
            "SendLocalList",
            {"listVersion": 1, "updateType": "Full", "localAuthorizationList": 1},
            "TypeConstraintViolation",
        ),
    ],
)
@pytest.mark.parametrize("specific", [True, False])
def test_the_code_for_a_bad_request(
    new_line: "type[Line]", action: str, payload: Payload, code: str, specific: bool
) -> None:
    line = new_line(specific_codes=specific)
    call = line.handed_out(action, payload)
    with pytest.raises(ValidationError) as caught:
        line.session.validate_request(call)
    assert caught.value.code == (code if specific else "FormationViolation")
    [(text, why)] = line.invalid
    assert action in text
    assert why == str(caught.value)
    assert line.counters.invalid_frames == 1


@pytest.mark.parametrize("specific", [True, False])
def test_an_unknown_action_is_not_implemented_and_no_invalid_frame(new_line: "type[Line]", specific: bool) -> None:
    line = new_line(specific_codes=specific)
    call = line.handed_out("Invented")
    with pytest.raises(ValidationError) as caught:
        line.session.validate_request(call)
    assert caught.value.code == "NotImplemented"
    assert line.invalid == []


def test_a_bad_request_with_an_unusual_id_is_reported_too(line: "Line") -> None:
    call = line.session.receive('[2,7,"Reset",{}]', line.now)
    assert call is not None
    with pytest.raises(ValidationError):
        line.session.validate_request(call)
    assert line.invalid[0][0] == '[2,7,"Reset",{}]'


# Repeats


def test_the_repeat_of_an_id_in_work_is_dropped(line: "Line") -> None:
    line.call("ClearCache")
    assert line.call("ClearCache") is None
    assert line.counters.duplicate_calls == 1
    line.session.reply(done())
    assert line.call("ClearCache") is None
    assert line.take() == ["result"]
    assert line.counters.duplicate_calls == 2
    assert line.counters.calls_received == 3


def test_an_id_that_was_answered_is_handled_anew(line: "Line") -> None:
    for _ in range(3):
        assert line.call("ClearCache") is not None
        line.session.reply(done())
        assert line.take() == ["result"]
    assert line.counters.duplicate_calls == 0


@pytest.mark.parametrize("answered", [False, True])
def test_in_strict_mode_a_repeat_is_a_protocol_error(new_line: "type[Line]", answered: bool) -> None:
    line = new_line(tolerance=STRICT)
    line.call("ClearCache")
    if answered:
        line.session.reply(done())
        line.take()
    assert line.call("ClearCache") is None
    assert line.take() == ["error"]
    error = line.replies[-1]
    assert isinstance(error, CallError)
    assert error.code == "ProtocolError"
    if not answered:
        line.session.reply(done())
        assert line.take() == ["result"]


def test_strict_mode_remembers_so_many_ids_and_those_of_this_connection(new_line: "type[Line]") -> None:
    line = new_line(tolerance=STRICT)
    for number in range(REMEMBERED_IDS + 1):
        line.call("ClearCache", unique_id=f"n{number}")
        line.session.reply(done(f"n{number}"))
        line.take()
    assert line.call("ClearCache", unique_id="n1") is None
    assert line.call("ClearCache", unique_id="n0") is not None
    line.lose()
    line.connect()
    assert line.call("ClearCache", unique_id="n1") is not None


def test_the_same_id_in_both_directions_is_no_repeat(line: "Line") -> None:
    line.put("Authorize", waits=True)
    line.take()
    call = line.call("ClearCache", unique_id="id-1")
    assert call is not None
    line.session.reply(CallResult("id-1", DONE))
    assert line.take() == ["result"]
    line.answer()
    assert line.ends[0][1] == "confirmed"


@pytest.mark.parametrize(
    "text", ['[2,"cs-1","ClearCache",{}]', '[2,"cs-1","Invented",{}]', '[2,"cs-1"]', '[2,"cs-1","ClearCache",[]]']
)
def test_while_rejected_nothing_is_answered(line: "Line", text: str) -> None:
    line.session.set_registration(RegistrationStatus.REJECTED, line.now)
    assert line.receive(text) is None
    assert line.take() == []
    assert line.session.calls_in_work == 0
    line.session.set_registration(RegistrationStatus.PENDING, line.now)
    assert line.call("ClearCache") is not None


def test_a_call_that_was_taken_before_the_rejection_is_answered(line: "Line") -> None:
    call = line.handed_out("ClearCache")
    line.session.set_registration(RegistrationStatus.REJECTED, line.now)
    line.session.reply(done(), call=call)
    assert line.take() == ["result"]


# Too many


def test_a_thousand_calls_are_in_work_and_those_beyond_are_refused(line: "Line") -> None:
    for number in range(MAX_WAITING_CALLS):
        assert line.call("ClearCache", unique_id=f"n{number}") is not None
    assert line.call("ClearCache", unique_id="one too many") is None
    assert line.take() == ["error"]
    [error] = line.replies
    assert isinstance(error, CallError)
    assert (error.unique_id, error.code) == ("one too many", "GenericError")
    line.session.reply(done("n0"))
    line.take()
    assert line.call("ClearCache", unique_id="one too many") is not None


def test_calls_in_work_are_bounded_by_their_length_too(line: "Line") -> None:
    payload = {"vendorId": "v", "data": "x" * 1_000_000}
    taken = [line.call("DataTransfer", payload, unique_id=f"n{number}") is not None for number in range(6)]
    assert taken == [True] * 5 + [False]
    line.lose()
    line.connect()
    assert line.call("DataTransfer", payload) is not None


def test_taking_out_an_answer_costs_the_same_however_many_wait(line: "Line") -> None:
    """What was taken out is forgotten, while others always wait behind it."""
    for number in range(2000):
        line.call("ClearCache", unique_id=f"n{number}")
        line.session.reply(done(f"n{number}"))
        if number >= 10:
            assert line.frame().unique_id == f"n{number - 10}"
    assert line.session.waiting_replies == 10
    assert len(line.session._replies._waiting) <= 64
