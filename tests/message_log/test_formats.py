"""How records are written: nothing of a peer's can pretend to be a row, a line, or markup of ours."""

import json
import logging
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ocpp16.message_log.console import Console
from ocpp16.message_log.html import HtmlFormat
from ocpp16.message_log.json_lines import JsonLines
from ocpp16.message_log.record import BODY_LIMIT, RECEIVED, SENT, Kind, Reader, Record
from ocpp16.message_log.text import TextFormat

AT = 1_769_854_530_123_000
EVIL = "</pre></details><script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp;\n\n\x1b[31m\u202e\u2028"


def record(frame: object, direction: str = RECEIVED) -> Record:
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return Reader().read(7, AT, 0.0, direction, text)


def records_with(text: str) -> list[Record]:
    """A foreign text in each place that is shown."""
    reader = Reader()
    frames: list[object] = [
        [2, "1", text, {}],
        [2, text, "Heartbeat", {}],
        [2, "2", "DataTransfer", {text: text}],
        [2, "3", "DataTransfer", text],
        [3, text, {"status": text}],
        [3, "1", {}],
        [4, "2", text, text, {text: text}],
        text,
    ]
    made = [
        reader.read(1, AT, 0.0, RECEIVED if number % 2 else SENT, one if isinstance(one, str) else json.dumps(one))
        for number, one in enumerate(frames)
    ]
    return [*made, Record(AT, Kind.EVENT, text)]


OURS = re.compile(r"</?(?:details|summary|time|span|b|i|q|pre)(?: [\w-]+=\"[^<>\"]*\")*>")
"""What a row is made of."""


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("is_raw", [False, True])
def test_markup_of_others_is_text(is_raw: bool) -> None:
    form = HtmlFormat(EVIL, is_raw=is_raw)
    for one in records_with(EVIL):
        row = form.row(one).decode()
        found = Elements(row)
        assert set(found.seen) <= {"details", "summary", "time", "span", "b", "i", "q", "pre"}, row
        assert found.attributes <= {"class", "data-kind", "data-asker", "data-id", "datetime"}
        assert found.seen.count("details") == 1
        assert row.count(">\n") == 1
        assert not set("<>") & set(OURS.sub("", row)), row
        assert "\x1b" not in row
        assert "\u202e" not in row
    opening = Elements(form.opening.decode())
    assert opening.seen.count("script") == 1
    assert "img" not in opening.seen


@pytest.mark.parametrize("is_raw", [False, True])
def test_no_text_of_others_begins_an_entry(is_raw: bool) -> None:
    forged = "x\n\n2026-01-01T00:00:00.000Z: ChargePoint>CentralSystem Heartbeat\n\x1b[2J"
    for one in records_with(forged):
        row = TextFormat(is_raw=is_raw).row(one).decode()
        assert row.endswith("\n\n")
        assert row.count("\n\n") == 1
        assert not any(line.startswith("2026-01-01") for line in row.split("\n")[1:])
        assert "\x1b" not in row


def test_the_text_log() -> None:
    form = TextFormat(is_raw=False)
    reader = Reader()
    call = reader.read(1, AT, 1.0, SENT, '[2,"a","Heartbeat",{"z":1,"a":2}]')
    answer = reader.read(2, AT + 57_000, 1.057, RECEIVED, '[3,"a",{}]')
    assert form.row(call).decode() == (
        "2026-01-31T10:15:30.123Z: ChargePoint>CentralSystem Heartbeat\n"
        '[\n  2,\n  "a",\n  "Heartbeat",\n  {\n    "z": 1,\n    "a": 2\n  }\n]\n\n'
    )
    assert (
        form.row(answer)
        .decode()
        .startswith("2026-01-31T10:15:30.180Z: CentralSystem>ChargePoint  HeartbeatResponse (57 ms)\n[\n")
    )
    assert form.row(Record(AT, Kind.EVENT, "Connected")) == b"2026-01-31T10:15:30.123Z: SYS> Connected\n\n"
    assert TextFormat(is_raw=True).row(call).decode().split("\n")[1] == '[2,"a","Heartbeat",{"z":1,"a":2}]'


def test_a_long_body_is_cut_and_says_so() -> None:
    for text in ("x" * (BODY_LIMIT + 5), json.dumps([2, "a", "DataTransfer", {"data": "ö" * (BODY_LIMIT + 5)}])):
        for form in (TextFormat(is_raw=False), TextFormat(is_raw=True), HtmlFormat("cp", is_raw=False)):
            row = form.row(record(text)).decode()
            assert len(row) < BODY_LIMIT + 1000
            assert "…(+" in row


def test_what_is_nested_too_deeply_is_shown_as_it_was() -> None:
    deep = '[2,"a","DataTransfer",' + "[" * 300 + "]" * 300 + "]"
    assert "[[[[" in TextFormat(is_raw=False).row(record(deep)).decode()
    row = json.loads(JsonLines("cp").row(record(deep)))
    assert row["raw"] == deep
    error = json.loads(JsonLines("cp").row(record('[4,"a","GenericError","",' + "[" * 300 + "]" * 300 + "]")))
    assert error["error"] == {"code": "GenericError", "description": ""}


def rows(*told: tuple[str, object]) -> list[dict[str, Any]]:
    reader = Reader()
    form = JsonLines("cp001")
    made = []
    for number, (direction, frame) in enumerate(told):
        text = frame if isinstance(frame, str) else json.dumps(frame)
        made.append(json.loads(form.row(reader.read(number + 1, AT, number / 4, direction, text))))
    return made


def test_the_trace_format() -> None:
    call, answer, other, error = rows(
        (SENT, [2, "a", "StatusNotification", {"connectorId": 1}]),
        (RECEIVED, [3, "a", {}]),
        (RECEIVED, [2, "b", "Reset", {"type": "Soft"}]),
        (SENT, [4, "b", "InternalError", "why", {"x": 1}]),
    )
    assert call == {
        "schemaVersion": "1.1",
        "timestamp": "2026-01-31T10:15:30.123Z",
        "ocppVersion": "1.6",
        "transport": "json",
        "chargePointId": "cp001",
        "connectorId": 1,
        "direction": "cp-to-csms",
        "messageType": "CALL",
        "messageId": "a",
        "action": "StatusNotification",
        "payload": {"connectorId": 1},
        "raw": '[2, "a", "StatusNotification", {"connectorId": 1}]',
        "meta": {"sequence": 1},
    }
    assert (answer["action"], answer["direction"], answer["meta"]["latency"]) == (
        "StatusNotification",
        "csms-to-cp",
        0.25,
    )
    assert "connectorId" not in answer
    assert "error" not in other
    assert error["error"] == {"code": "InternalError", "description": "why", "details": {"x": 1}}
    assert "payload" not in error


def test_the_trace_of_what_is_no_message_has_no_type() -> None:
    (row,) = rows((RECEIVED, "no\x00json\n"))
    assert row["raw"] == "no\x00json\n"
    assert not {"messageType", "messageId", "action", "payload"} & set(row)
    (row,) = rows((RECEIVED, "x" * (BODY_LIMIT + 3)))
    assert (len(row["raw"]), row["meta"]["cut"]) == (BODY_LIMIT, 3)


def test_a_trace_says_that_a_secret_was_taken_out() -> None:
    secret = "0011223344556677"
    (row,) = rows((RECEIVED, [2, "s", "ChangeConfiguration", {"key": "AuthorizationKey", "value": secret}]))
    assert row["meta"]["redacted"] is True
    assert secret not in json.dumps(row)


@pytest.mark.parametrize("is_detailed", [False, True])
def test_the_console(is_detailed: bool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ocpp16.messages"):
        Console("cp001", is_detailed=is_detailed).tell(record([2, "a", "Reset\n", {"type": "Soft"}]))
    (line,) = [one.getMessage() for one in caplog.records]
    first, *others = line.split("\n")
    assert first == "cp001: CentralSystem>ChargePoint Reset\\n"
    assert bool(others) is is_detailed
    assert all(other.startswith("  ") for other in others)


def test_a_text_without_a_form_in_utf_8_has_a_line() -> None:
    record = Reader().read(1, 0, 0.0, RECEIVED, '[3,"1","\ud800"]')
    line = json.loads(JsonLines("cp").row(record))
    assert line["raw"] == '[3,"1","\\ud800"]'
    assert "messageType" not in line


def test_a_call_without_an_action_is_no_message() -> None:
    record = Reader().read(1, 0, 0.0, RECEIVED, '[2,"1","",{}]')
    assert "messageType" not in json.loads(JsonLines("cp").row(record))
