"""Lines for people: messages, events, errors, and lines read from standard input."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import trio

from ocpp16.cli.event_lines import EventLines
from ocpp16.cli.failure import CommandFailed, Explanation
from ocpp16.cli.message_lines import IN, OUT, REMEMBERED, MessageLines
from ocpp16.cli.standard_streams import LONGEST_LINE, lines
from ocpp16.codec import Call, CallError, CallResult, serialize
from ocpp16.enums import ChargePointErrorCode, ChargePointStatus, Reason, RegistrationStatus, ResetType
from ocpp16.errors import ConfigurationError, StoreError
from ocpp16.models import ChargingLimit
from ocpp16.observer import (
    BootNotificationResponse,
    ChargingLimitChanged,
    ChargingProfilesChanged,
    ConfigurationKeyChanged,
    ConnectionStateChanged,
    MessageExchanged,
    MessageGivenUp,
    ObserverEvent,
    ResetRequested,
    SecurityEvent,
    StatusChanged,
    TransactionStopped,
)


def line(messages: MessageLines, arrow: str, frame: Call | CallResult | CallError, identity: str = "") -> str:
    return messages.of_text(arrow, serialize(frame).decode(), identity)


@pytest.mark.parametrize("key", ["AuthorizationKey", "authorizationkey"])
def test_a_password_is_not_shown(key: str) -> None:
    call = Call("1", "ChangeConfiguration", {"key": key, "value": "0123456789abcdef"})
    assert line(MessageLines(), OUT, call) == f"→ ChangeConfiguration key={key} value=***"


def test_an_answer_names_its_action() -> None:
    messages = MessageLines()
    assert line(messages, OUT, Call("1", "Authorize", {"idTag": "A"})) == "→ Authorize idTag=A"
    assert line(messages, IN, Call("1", "ClearCache", {})) == "← ClearCache"
    answer = CallResult("1", {"idTagInfo": {"status": "Accepted"}})
    assert line(messages, IN, answer) == "← Authorize: idTagInfo=Accepted"
    assert line(messages, OUT, CallError("1", "InternalError", "why", {})) == "→ ClearCache: InternalError why"
    assert line(messages, IN, CallResult("1", {})) == "← answer to nothing: confirmed"


def test_identities_are_kept_apart() -> None:
    messages = MessageLines()
    line(messages, OUT, Call("1", "Heartbeat", {}), "a")
    line(messages, OUT, Call("1", "Authorize", {"idTag": "A"}), "b")
    assert "Heartbeat" in line(messages, IN, CallResult("1", {}), "a")


def test_open_calls_are_forgotten() -> None:
    messages = MessageLines()
    for number in range(REMEMBERED + 1):
        line(messages, OUT, Call(str(number), "Heartbeat", {}))
    assert "nothing" in line(messages, IN, CallResult("0", {}))
    assert "Heartbeat" in line(messages, IN, CallResult("1", {}))


def test_meter_values_in_short() -> None:
    sampled = [{"value": "5", "unit": "W"}, {"value": "7"}, {"value": "1", "phase": "L1"}]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "t", "sampledValue": sampled}]}
    assert line(MessageLines(), OUT, Call("1", "MeterValues", payload)).endswith("meterValue=5 W, 7 Wh")
    broken = {"connectorId": 1, "meterValue": [{"x": 1}]}
    assert line(MessageLines(), OUT, Call("1", "MeterValues", broken)).endswith('meterValue=[{"x":1}]')


def test_what_cannot_be_read() -> None:
    assert MessageLines().of_text(IN, "gar\nbage").startswith("← unreadable")
    assert "\n" not in MessageLines().of_text(IN, "gar\nbage")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (ConnectionStateChanged(True), ["connected"]),
        (ConnectionStateChanged(False, "TCP: refused"), ["not connected: TCP: refused"]),
        (
            BootNotificationResponse(RegistrationStatus.PENDING, 9, datetime(2026, 1, 1, tzinfo=UTC)),
            ["BootNotification: Pending, interval 9 s"],
        ),
        (StatusChanged(1, ChargePointStatus.CHARGING, ChargePointErrorCode.NO_ERROR), ["connector 1: Charging"]),
        (
            StatusChanged(0, ChargePointStatus.FAULTED, ChargePointErrorCode.GROUND_FAILURE),
            ["charge point: Faulted (GroundFailure)"],
        ),
        (TransactionStopped(2, "s", 7, Reason.LOCAL), ["connector 2: transaction 7 stopped reason=Local"]),
        (ChargingLimitChanged(1, ChargingLimit(None, "A", None, None)), ["connector 1: no limit"]),
        (
            ChargingLimitChanged(1, ChargingLimit(11040.0, "W", 3, datetime(2026, 1, 1, tzinfo=UTC))),
            ["connector 1: limit 11040 W until 2026-01-01T00:00:00Z"],
        ),
        (ChargingProfilesChanged(), ["charging profiles changed"]),
        (ConfigurationKeyChanged("HeartbeatInterval", "7"), ["HeartbeatInterval = 7"]),
        (ConfigurationKeyChanged("AuthorizationKey", None), ["AuthorizationKey changed"]),
        (ResetRequested(ResetType.HARD), ["Hard reset"]),
        (SecurityEvent("InvalidMessages"), ["security event InvalidMessages"]),
        (MessageExchanged("sent", '[2,"1","Heartbeat",{}]'), ["→ Heartbeat"]),
        (MessageGivenUp("StopTransaction", "attempts"), ["StopTransaction was given up: attempts"]),
    ],
)
def test_events(event: ObserverEvent, text: list[str]) -> None:
    assert EventLines().of(event) == text


def in_groups(*errors: BaseException) -> BaseException:
    return BaseExceptionGroup("", [BaseExceptionGroup("", list(errors))])


@pytest.mark.parametrize(
    ("error", "told", "exit_code", "is_unexpected"),
    [
        (CommandFailed("a", "b"), ["a", "b"], 2, False),
        (CommandFailed("a", exit_code=1), ["a"], 1, False),
        (in_groups(ConfigurationError(["x", "y"])), ["x", "y"], 2, False),
        (in_groups(StoreError("locked")), ["locked"], 2, False),
        (in_groups(ValueError("odd\nmore")), ["unexpected ValueError: odd"], 1, True),
        (in_groups(KeyError()), ["unexpected KeyError"], 1, True),
        (in_groups(StoreError("locked"), ValueError("odd")), ["locked", "unexpected ValueError: odd"], 1, True),
        (in_groups(ValueError("odd"), StoreError("locked")), ["unexpected ValueError: odd", "locked"], 1, True),
        (in_groups(ValueError("odd"), KeyboardInterrupt()), [], 130, False),
        (in_groups(BrokenPipeError()), [], 1, False),
    ],
)
def test_explanations(error: BaseException, told: list[str], exit_code: int, is_unexpected: bool) -> None:
    explanation = Explanation(error)
    assert explanation.lines == told
    assert (explanation.exit_code, explanation.is_unexpected) == (exit_code, is_unexpected)


async def test_lines_are_cut_anywhere() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for chunk in (b"on", b"e\r\ntw", b"o\n\n\xff\n", b"x" * 900_000, b"y\nthree"):
            yield chunk
            await trio.lowlevel.checkpoint()

    found = [line async for line in lines(chunks())]
    assert found[:4] == ["one", "two", "", "\ufffd"]
    assert found[4] == "x" * LONGEST_LINE
    assert found[5:] == ["three"]
