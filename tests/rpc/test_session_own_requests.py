"""Nothing invalid is sent: requests are checked when they are taken in, and once more as they were bound."""

from typing import TYPE_CHECKING, Any

import pytest

from ocpp16._core import Call, CallResult, serialize
from ocpp16.errors import LocalProtocolError
from ocpp16.rpc.pending import Payload

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StartTransaction", {"connectorId": 1}),
        ("Heartbeat", {"extra": 1}),
        ("Authorize", {"idTag": "x" * 21}),
        ("StopTransaction", {"meterStop": 1}),
        ("Reset", {"type": "Soft"}),
        ("Invented", {}),
    ],
)
def test_a_bad_request_of_ours_is_our_fault(line: "Line", action: str, payload: Payload) -> None:
    with pytest.raises(LocalProtocolError):
        line.session.enqueue(line.entry(action, payload), line.now)
    assert line.session.outbox.depth == 0
    assert line.take() == []


def test_a_stop_whose_start_was_given_up_is_valid(line: "Line") -> None:
    line.put("StopTransaction", {"transactionId": -1, "meterStop": 5, "timestamp": "2026-03-01T12:00:00Z"})
    assert line.take() == ["StopTransaction"]


def test_a_stored_message_that_turns_out_invalid_is_given_up_and_the_next_goes(line: "Line") -> None:
    line.ledger.known_id = None
    line.put("StopTransaction")
    line.put("StartTransaction")
    assert line.take() == ["StartTransaction"]
    [(what, number, reason)] = line.ledger.told
    assert (what, number) == ("given up", 1)
    assert "transactionId" in reason
    assert line.counters.dead_letters == 1


def test_whoever_waits_is_told_that_a_message_turned_out_invalid(line: "Line", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line.ledger, "corrected", lambda entry: {"idTag": 5})
    line.put("Authorize", waits=True)
    assert line.take() == []
    assert [reason for _, reason, _ in line.ends] == ["invalid"]


@pytest.mark.parametrize("bound", [{"extra": 1}, {"data": float("nan")}, {"currentTime": object()}])
def test_a_message_that_turned_out_invalid_and_nobody_waits_for_is_loud(
    line: "Line", monkeypatch: pytest.MonkeyPatch, bound: Payload
) -> None:
    line.put("Heartbeat")
    monkeypatch.setattr(line.ledger, "corrected", lambda entry: bound)
    with pytest.raises(LocalProtocolError):
        line.take()
    assert line.session.in_flight is None


def test_a_restored_row_is_checked_before_it_is_sent(line: "Line") -> None:
    bad = line.entry("MeterValues", {"connectorId": "one"})
    good = line.entry("MeterValues")
    line.ledger.rows = {bad.sequence: bad, good.sequence: good}
    line.session.outbox.restore([good, bad])
    assert line.drain() == ["MeterValues"]
    assert line.ledger.of("given up") == [bad.sequence]
    assert line.ledger.of("confirmed") == [good.sequence]


def test_frames_are_what_the_codec_says(line: "Line") -> None:
    line.put("Heartbeat")
    line.take()
    assert line.raw == [serialize(Call("id-1", "Heartbeat", {}))]
    line.call("ClearCache")
    line.session.reply(CallResult("cs-1", {"status": "Accepted"}))
    line.take()
    assert line.raw[1] == serialize(CallResult("cs-1", {"status": "Accepted"}))


@pytest.mark.parametrize(("action", "members"), [("DataTransfer", {"waits": True}), ("Authorize", {})])
def test_a_question_is_not_stored(line: "Line", action: str, members: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError):
        line.session.enqueue(line.entry(action, is_persistent=True, **members), line.now)


def test_boot_notification_has_no_row_whatever_its_maker_says(line: "Line") -> None:
    line.session.enqueue(line.entry("BootNotification", is_persistent=True), line.now)
    assert line.session.outbox.bytes == 0
    line.take()
    line.refuse()
    line.wait()
    line.answer()
    assert line.ledger.told == []


def test_the_status_may_be_text_as_in_the_payload(new_line: "type[Line]") -> None:
    line = new_line(accepted=False)
    confirmation: Payload = {"status": "Accepted"}
    line.session.set_registration(confirmation["status"], line.now)
    line.put("Heartbeat")
    assert line.take() == ["Heartbeat"]
    confirmation["status"] = "Welcome"
    with pytest.raises(ValueError):
        line.session.set_registration(confirmation["status"], line.now)
