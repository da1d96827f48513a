"""Traces in JSON lines: whence they may be read, and what the count of their records says of connections."""

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from told import time_text

from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Finding, lint
from ocpp16.lint.trace import Trace, TraceError

BOOT = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
BOOTED = '[3,"1",{"currentTime":"2026-01-01T00:00:02Z","interval":300,"status":"Accepted"}]'
BEAT = '[2,"{}","Heartbeat",{{}}]'


def record(text: str, number: int = 1, second: int = 0, who: str = "CP1") -> dict[str, Any]:
    return {
        "timestamp": time_text(second),
        "chargePointId": who,
        "direction": FROM_CENTRAL_SYSTEM if text.startswith("[3") else FROM_CHARGE_POINT,
        "messageType": "CALLRESULT" if text.startswith("[3") else "CALL",
        "messageId": json.loads(text)[1],
        "raw": text,
        "meta": {"sequence": number},
    }


def lines(records: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in records).encode()


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_pipe_is_read_from_its_beginning_in_every_pass(is_packed: bool) -> None:
    content = lines(record(BEAT.format(number), number) for number in range(2_000))
    assert len(content) > 256 * 1024, "more than the part by which the format is recognised"
    taken, put = os.pipe()
    with open(taken, "rb"):
        writer = Thread(target=_written, args=(put, gzip.compress(content, 1) if is_packed else content))
        writer.start()
        trace = Trace(Path(f"/dev/fd/{taken}"))
        passes = [[frame.message_id for frame in trace] for _ in range(2)]
        writer.join()
    assert passes == [[str(number) for number in range(2_000)]] * 2


def _written(descriptor: int, content: bytes) -> None:
    with open(descriptor, "wb") as file:
        file.write(content)


def test_utf_16_is_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes("INFO:ocpp:CP_1: send [2]\n".encode("utf-16"))
    with pytest.raises(TraceError, match=r"log: cannot be read: it is UTF-16.*iconv"):
        list(Trace(tmp_path / "log"))


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t").write_bytes(lines([record(BOOT)]))
    monkeypatch.setattr("ocpp16.lint.trace_file._STANDARD_INPUT", tmp_path / "t")
    assert [frame.action for frame in Trace(Path("-"))] == ["BootNotification"]


def test_a_device_is_no_trace() -> None:
    with pytest.raises(TraceError, match="neither a file nor a pipe"):
        list(Trace(Path("/dev/zero")))


def test_a_gap_in_the_count_is_a_new_connection(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(lines(record(BOOT, number) for number in (4, 5, 7, 8, 1)))
    kinds = [frame.kind for frame in Trace(tmp_path / "t")]
    assert kinds == [*["CALL"] * 2, "CONNECTED", "CALL", "CALL", "CONNECTED", "CALL"]


def test_an_answer_behind_a_gap_may_be_to_what_is_missing(tmp_path: Path) -> None:
    beats = [f'[3,"{number}",{{"currentTime":"{time_text(number)}"}}]' for number in (2, 3, 4)]
    records = [record(BOOT, 1), record(BOOTED, 2), record(beats[0], 4), record(beats[1], 5), record(beats[2], 9)]
    (tmp_path / "t").write_bytes(lines(records))
    assert [(one.rule, one.line) for one in lint(Trace(tmp_path / "t"))] == [("answers-nothing", 4)]


def test_nobody_is_silent_who_may_be_offline(tmp_path: Path) -> None:
    """CP1 comes again, is offline for an hour, comes again, and is gone; the trace goes on with CP2."""

    def found(*more: dict[str, Any]) -> list[Finding]:
        (tmp_path / "t").write_bytes(lines([*began, *more]))
        return list(lint(Trace(tmp_path / "t"), {"silence", "unanswered"}))

    first, second = record(BOOT, 1), record(BOOT, 3, 1)
    began = [first, second, record(BOOTED, 4, 2), record(BEAT.format(2), 7, 3602)]
    assert found(record(BOOT, 1, 9000, "CP2")) == []
    told = found(record(BEAT.format(3), 8, 7203), record(BEAT.format(3).replace("[2", "[3"), 9, 7204))
    assert sorted(one.rule for one in told) == ["silence", "unanswered"], "the count goes on: it was connected"
