"""Logs that a killed program left, or with words behind a message, and records that leave out what their text has."""

import json
from pathlib import Path

import pytest

from ocpp16.lint import Frame
from ocpp16.lint.trace import Trace

TIME = "2026-01-31T10:15:30.123Z"


def read(path: Path, content: str) -> list[Frame]:
    path.write_text(content)
    return list(Trace(path))


@pytest.mark.parametrize("name", ["message-log", "steve", "python-ocpp"])
@pytest.mark.parametrize("is_raw", [False, True])
def test_a_message_that_a_killed_program_left_is_no_fault(tmp_path: Path, name: str, is_raw: bool) -> None:
    lines = {
        "message-log": f"{TIME}: ChargePoint>CentralSystem {{}}",
        "steve": "2026-01-31 10:15:30,123 - [chargeBoxId=CP1, sessionId=a1] Received: {}",
        "python-ocpp": "INFO:ocpp:CP1: receive message {}",
    }
    whole, cut = '[2,"1","Heartbeat",{}]', '[2,"2","Heartbeat",{'
    form = lines[name].replace("{}", "Heartbeat\n{}") if is_raw and name == "message-log" else lines[name]
    begin = form.format(whole) + "\n\n"
    frames = read(tmp_path / "cut", begin + form.format(cut))
    assert [(frame.message_id, frame.fault) for frame in frames] == [("1", "")]
    frames = read(tmp_path / "broken", begin + form.format(cut + "]"))
    assert [bool(frame.fault) for frame in frames] == [False, True]


def test_the_code_of_an_error_is_read_from_the_text(tmp_path: Path) -> None:
    raw = '[4,"1","InternalError","",{}]'
    record = {"direction": "csms-to-cp", "messageType": "CALLERROR", "messageId": "1", "raw": raw}
    frames = read(tmp_path / "t", json.dumps(record))
    assert [frame.code for frame in frames] == ["InternalError"]


def test_what_follows_a_message_without_a_space_is_its_own(tmp_path: Path) -> None:
    line = 'ocpp:CP_1: receive message [2,"1","Heartbeat",{}]'
    frames = read(tmp_path / "log", f"{line} [server.py:7]\n{line}]\n")
    assert [frame.fault[:8] for frame in frames] == ["", "not JSON"]
