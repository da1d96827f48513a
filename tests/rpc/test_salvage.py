"""A confirmation that breaks its schema: what can be read of it is used, and nothing is guessed."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16._core import validate
from ocpp16.messages.actions import ACTIONS
from ocpp16.rpc.salvage import SALVAGED, salvaged
from ocpp16.rpc.tolerance import Tolerance

if TYPE_CHECKING:
    from tests.rpc.conftest import Line

ACCEPTED = {"idTagInfo": {"status": "Accepted"}}
TIME = "2026-03-01T12:00:00Z"
OURS = sorted(action.name for action in ACTIONS.values() if action.initiator != "CentralSystem")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        # the id, in any form that has one meaning
        ({"transactionId": 12}, {"transactionId": 12}),
        ({"transactionId": "12"}, {"transactionId": 12}),
        ({"transactionId": " -12 "}, {"transactionId": -12}),
        ({"transactionId": 12.0}, {"transactionId": 12}),
        ({"TransactionID": 12}, {"transactionId": 12}),
        ({"transactionId": 2**63 - 1}, {"transactionId": 2**63 - 1}),
        ({"transactionId": -(2**63)}, {"transactionId": -(2**63)}),
        ({"transactionId": 0, "idTagInfo": None}, {"transactionId": 0}),
        # whatever is wrong with the rest
        ({"transactionId": 12, "idTagInfo": {"status": "ConcurrentTX"}}, {"status": "ConcurrentTx"}),
        ({"transactionId": 12, "idTagInfo": {"status": "accepted "}}, {"status": "Accepted"}),
        ({"transactionId": 12, "idTagInfo": {"status": "Perhaps"}}, {"transactionId": 12}),
        ({"transactionId": 12, "idTagInfo": {"expiryDate": TIME}}, {"transactionId": 12}),
        ({"transactionId": 12, "idTagInfo": "Accepted"}, {"transactionId": 12}),
        ({"transactionId": 12, "idTagInfo": [ACCEPTED]}, {"transactionId": 12}),
        ({"transactionId": 12, "status": "Blocked"}, {"status": "Blocked"}),
        ({"transactionId": "12", "idTagInfo": {"status": "Invalid", "expiryDate": "soon"}}, {"status": "Invalid"}),
        (
            {"transactionId": "12", "idTagInfo": {"status": "Invalid", "expiryDate": "2026-03-01 12:00:00+0000"}},
            {"status": "Invalid", "expiryDate": TIME},
        ),
        (
            {"transactionId": "12", "idTagInfo": {"status": "Expired", "parentIdTag": "x" * 21}},
            {"status": "Expired"},
        ),
        (
            {"transactionId": "12", "idTagInfo": {"status": "Expired", "parentIdTag": "x" * 20}},
            {"status": "Expired", "parentIdTag": "x" * 20},
        ),
        ({"transactionId": "12", "idTagInfo": {"status": "Expired", "parentIdTag": 7}}, {"status": "Expired"}),
    ],
)
def test_an_id_is_an_answer(payload: dict[str, Any], expected: dict[str, Any]) -> None:
    if "transactionId" not in expected:
        expected = {"transactionId": 12, "idTagInfo": expected}
    assert salvaged("StartTransaction", payload) == (expected, True)


@pytest.mark.parametrize(
    "transaction_id",
    [
        None,
        True,
        False,
        1.5,
        float("inf"),
        "",
        "twelve",
        "1.0",
        "0x1f",
        "1e3",
        "\u0661",
        [12],
        {"id": 12},
        2**63,
        -(2**63) - 1,
        1e300,
        "99999999999999999999",
        "9223372036854775808",
    ],
)
def test_what_is_no_id_is_no_answer(transaction_id: object) -> None:
    payload = {"transactionId": transaction_id}
    assert salvaged("StartTransaction", payload) == ({}, False)
    assert salvaged("StartTransaction", {**payload, **ACCEPTED}) == (ACCEPTED, False)


def test_two_members_that_differ_in_case_alone_are_no_id() -> None:
    assert salvaged("StartTransaction", {"TransactionId": 1, "transactionID": 2}) == ({}, False)


@pytest.mark.parametrize("payload", [None, [], [ACCEPTED], "Accepted", 7, True, {}, {"status": 7}])
def test_what_says_nothing(payload: object) -> None:
    for action in ("StartTransaction", "Authorize", "DataTransfer", "BootNotification"):
        assert salvaged(action, payload) == ({}, False)
    for action in ("StopTransaction", "MeterValues", "StatusNotification", "SecurityEventNotification", "Heartbeat"):
        assert salvaged(action, payload) == ({}, True)


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("StopTransaction", {"idTagInfo": {}}, {}),
        ("StopTransaction", {"idTagInfo": {"status": "blocked"}}, {"idTagInfo": {"status": "Blocked"}}),
        ("MeterValues", {"status": "Accepted"}, {}),
        ("Authorize", {"idTagInfo": {"status": "Invalid", "expiryDate": 5}}, {"idTagInfo": {"status": "Invalid"}}),
        ("Authorize", {"status": "Accepted"}, ACCEPTED),
        ("DataTransfer", {"status": "accepted", "data": 7}, {"status": "Accepted"}),
        ("DataTransfer", {"status": "accepted", "data": "x"}, {"status": "Accepted", "data": "x"}),
        ("Heartbeat", {"currentTime": "noon"}, {}),
        ("Heartbeat", {"CurrentTime": TIME}, {"currentTime": TIME}),
        ("BootNotification", {"status": "Accepted"}, {"status": "Accepted"}),
        ("BootNotification", {"status": "pending", "interval": "60"}, {"status": "Pending", "interval": 60}),
        ("BootNotification", {"status": "Rejected", "interval": -1}, {"status": "Rejected"}),
        ("BootNotification", {"status": "Rejected", "interval": 2**40}, {"status": "Rejected"}),
        (
            "BootNotification",
            {"status": "Accepted", "currentTime": TIME, "interval": None},
            {"status": "Accepted", "currentTime": TIME},
        ),
    ],
)
def test_other_confirmations(action: str, payload: dict[str, Any], expected: dict[str, Any]) -> None:
    assert salvaged(action, payload) == (expected, True)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=25)
    | st.sampled_from(["Accepted", "invalid", TIME, "12", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "transactionId", "idTagInfo", "expiryDate", "parentIdTag", "interval"])
            | st.sampled_from(["currentTime", "data", "Status"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
WHOLE: dict[str, dict[str, Any]] = {
    "StartTransaction": {"transactionId": 1, **ACCEPTED},
    "BootNotification": {"currentTime": TIME, "interval": 1, "status": "Accepted"},
    "Heartbeat": {"currentTime": TIME},
}


@settings(max_examples=400, derandomize=True, database=None, deadline=None)
@given(action=st.sampled_from(OURS), payload=ODD)
def test_what_comes_out_is_a_part_of_a_valid_confirmation(action: str, payload: object) -> None:
    reduced, is_answer = salvaged(action, payload)
    assert isinstance(is_answer, bool)
    if is_answer or reduced:
        validate(action, "response", {**WHOLE.get(action, {}), **reduced})
    if action == "StartTransaction":
        assert is_answer is ("transactionId" in reduced)


# In the session


@pytest.mark.parametrize("tolerance", [Tolerance.DEFAULT, Tolerance.STRICT])
@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ('{"transactionId":12}', {"transactionId": 12}),
        ('{"TransactionId":12,"IdTagInfo":{"Status":"Accepted"}}', {"transactionId": 12, **ACCEPTED}),
        ('{"transactionId":"12","idTagInfo":{"status":"Accepted"}}', {"transactionId": 12, **ACCEPTED}),
        ('{"transactionId":12,"idTagInfo":{"status":"nonsense"}}', {"transactionId": 12}),
    ],
)
def test_a_start_is_confirmed_counted_and_reported_once(
    new_line: "type[Line]", tolerance: Tolerance, text: str, payload: dict[str, Any]
) -> None:
    line = new_line(tolerance=tolerance)
    line.put("StartTransaction")
    line.take()
    line.receive(f'[3,"id-1",{text}]')
    assert line.ledger.told == [("confirmed", 1, payload)]
    assert line.counters.repairs[SALVAGED] == 1
    assert [raw for raw, _ in line.invalid] == [f'[3,"id-1",{text}]']
    assert line.advance(1000) == []


@pytest.mark.parametrize("text", ["null", "[]", '"yes"', "7", '{"idTagInfo":{}}', '{"idTagInfo":null,"x":1}', "{"])
@pytest.mark.parametrize("action", ["StopTransaction", "MeterValues", "SecurityEventNotification"])
def test_any_result_is_the_delivery_of_what_needs_no_answer(line: "Line", action: str, text: str) -> None:
    line.put(action)
    line.take()
    line.receive(f'[3,"id-1",{text}]')
    assert line.ledger.told == [("confirmed", 1, {})]
    assert line.session.in_flight is None


@pytest.mark.parametrize("text", ['[3,"id-1"]', '[3,"id-1",{"idTagInfo":'])
def test_a_result_without_a_payload_is_a_delivery_too(new_line: "type[Line]", text: str) -> None:
    line = new_line(tolerance=Tolerance.STRICT)
    line.put("StopTransaction")
    line.take()
    line.receive(text)
    assert line.ledger.told == [("confirmed", 1, {})]


def test_a_status_without_an_id_is_obeyed_and_the_message_sent_again(line: "Line") -> None:
    line.put("StartTransaction")
    refusal = {"idTagInfo": {"status": "Blocked"}}
    for _ in range(3):
        assert line.wait() == ["StartTransaction"]
        line.answer({"idTagInfo": {"status": "blocked"}})
    assert line.ledger.told == [
        ("partly confirmed", 1, refusal),
        ("attempted", 1, 1),
        ("partly confirmed", 1, refusal),
        ("attempted", 1, 2),
        ("partly confirmed", 1, refusal),
        ("given up", 1, line.ledger.told[-1][2]),
    ]
    assert line.counters.repairs[SALVAGED] == 3


@pytest.mark.parametrize("number", [2**63, 2**64 - 1])
def test_an_id_that_no_column_holds_is_none_where_all_else_is_right_too(line: "Line", number: int) -> None:
    line.put("StartTransaction")
    line.take()
    answer = {"idTagInfo": {"status": "Blocked"}, "transactionId": number}
    line.answer(answer)
    assert line.ledger.told == [("partly confirmed", 1, {"idTagInfo": answer["idTagInfo"]}), ("attempted", 1, 1)]
    assert [why for _, why in line.invalid] == ["StartTransaction.conf: transactionId does not fit into 64 bits"]
    assert line.wait() == ["StartTransaction"]
    line.answer({**answer, "transactionId": 2**63 - 1})
    assert line.ledger.of("confirmed") == [1]


def test_a_status_without_an_id_and_then_the_id(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.receive('[3,"id-1",{"status":"Accepted"}]')
    line.wait()
    line.answer()
    assert line.ledger.of("partly confirmed") == [1]
    assert line.ledger.of("confirmed") == [1]


def test_a_boot_notification_is_answered_by_its_status(new_line: "type[Line]") -> None:
    line = new_line(accepted=False)
    line.put("BootNotification", waits=True)
    line.take()
    line.answer({"status": "accepted", "currentTime": "now"})
    assert line.ends == [(1, "confirmed", {"status": "Accepted"})]
    assert line.advance(1000) == []


def test_a_late_result_is_salvaged_as_well(line: "Line") -> None:
    line.put("StartTransaction")
    line.advance(30)
    line.receive('[3,"id-1",{"transactionId":5}]')
    assert line.ledger.told == [("confirmed", 1, {"transactionId": 5})]
    assert line.advance(1000) == []
