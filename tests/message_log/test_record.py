"""Frames read for people: requests and answers joined, what is no message kept, no secret in any of it."""

import json

import pytest

from ocpp16.message_log.record import ASKED_LIMIT, RECEIVED, SENT, Kind, Reader, Record


def read(reader: Reader, direction: str, frame: object, at: float = 0.0) -> Record:
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return reader.read(1, 0, at, direction, text)


def test_an_answer_has_the_action_the_connector_and_the_time_of_its_request() -> None:
    reader = Reader()
    read(reader, SENT, [2, "a", "StartTransaction", {"connectorId": 2, "idTag": "T"}], 10.0)
    answer = read(reader, RECEIVED, [3, "a", {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}], 10.25)
    assert (answer.kind, answer.title, answer.latency) == (Kind.CALLRESULT, "StartTransactionResponse", 0.25)
    assert (answer.connector_id, answer.transaction_id, answer.asker) == (2, 7, SENT)


def test_the_same_id_may_be_used_by_both_sides() -> None:
    reader = Reader()
    read(reader, SENT, [2, "1", "Heartbeat", {}])
    read(reader, RECEIVED, [2, "1", "ClearCache", {}])
    assert read(reader, SENT, [3, "1", {"status": "Accepted"}]).action == "ClearCache"
    assert read(reader, RECEIVED, [3, "1", {}]).action == "Heartbeat"


def test_an_error_is_titled_by_what_it_answers() -> None:
    reader = Reader()
    read(reader, RECEIVED, [2, "x", "Reset", {}])
    error = read(reader, SENT, [4, "x", "NotSupported", "", {}])
    assert (error.title, error.is_error) == ("ResetError NotSupported", True)


def test_an_answer_to_nothing_is_shown_as_one() -> None:
    assert read(Reader(), RECEIVED, [3, "never", {}]).title == "UnknownResponse"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[2]", '[2,"a","B"]', '[3,"a"]', '[5,"a",{}]', '[2,5,"A",{}]', "\x00", "[" * 5000, "ö"],
)
def test_what_is_no_message_keeps_its_text(text: str) -> None:
    record = read(Reader(), RECEIVED, text)
    assert (record.kind, record.text, record.frame, record.is_error) == (Kind.MALFORMED, text, None, True)


def test_secrets_are_in_no_part_of_a_record() -> None:
    change = [2, "s", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "0011223344556677"}]
    record = read(Reader(), RECEIVED, change)
    assert record.is_redacted
    assert "0011223344556677" not in repr(record)
    assert not read(Reader(), RECEIVED, [2, "s", "ClearCache", {}]).is_redacted


def test_requests_that_are_never_answered_are_forgotten() -> None:
    reader = Reader()
    for number in range(ASKED_LIMIT + 5):
        read(reader, SENT, [2, str(number), "Heartbeat", {}])
    assert len(reader._asked) == ASKED_LIMIT
    assert read(reader, RECEIVED, [3, "4", {}]).action == ""
    assert read(reader, RECEIVED, [3, "5", {}]).action == "Heartbeat"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"status": "Rejected"}, True),
        ({"status": "NotSupported"}, True),
        ({"status": "Accepted"}, False),
        *[({"status": word}, True) for word in ("UnknownVendorId", "UnknownMessageId", "Unknown", "NotFound")],
        *[({"status": word}, True) for word in ("Occupied", "Faulted", "Unavailable", "VersionMismatch", "Failed")],
        *[
            ({"status": word}, False)
            for word in ("RebootRequired", "Scheduled", "Unlocked", "AcceptedCanceled", "Idle")
        ],
        ({"idTagInfo": {"status": "Blocked"}}, True),
        ({"idTagInfo": {"status": "Accepted"}}, False),
        ({"status": ["Rejected"]}, False),
        ({}, False),
        ([], False),
    ],
)
def test_what_says_no(payload: object, expected: bool) -> None:
    assert read(Reader(), SENT, [3, "a", payload]).is_refusal is expected
