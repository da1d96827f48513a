"""`ocpp16 lint`: what it prints, which rules it follows, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from ocpp16.cli.command_line import root
from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.log import LogChoice
from ocpp16.lint import RULES

BEAT = '{"timestamp":"2026-01-31T10:15:30Z","direction":"cp-to-csms","messageType":"CALL","messageId":"%s",'
BEAT += '"chargePointId":"CP1","action":"Heartbeat","payload":{}}\n'
ANSWER = '{"timestamp":"2026-01-31T10:15:30Z","direction":"csms-to-cp","messageType":"CALLRESULT","messageId":"%s",'
ANSWER += '"chargePointId":"CP1","payload":{"currentTime":"%s"}}\n'
RIGHT = "2026-01-31T10:15:30Z"


def lint(*arguments: object) -> Result:
    return CliRunner().invoke(root, ["lint", *map(str, arguments)], obj=LogChoice(), standalone_mode=False)


@pytest.fixture
def trace(tmp_path: Path) -> Callable[..., Path]:
    """A trace of Heartbeats, whose answers have these times."""

    def make(*times: str, name: str = "trace.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(BEAT % number + ANSWER % (number, time) for number, time in enumerate(times)))
        return path

    return make


def test_clean(trace: Any) -> None:
    told = lint(trace(RIGHT, RIGHT))
    assert told.return_value == 0
    assert told.stdout.splitlines() == ["0 errors, 0 warnings in 4 frames", "0 good, 0 bad, 0 nothing signed"]
    assert told.stderr == ""


def test_errors_are_grouped_and_bounded(trace: Any) -> None:
    told = lint(trace(*["no time"] * 12))
    assert told.return_value == 1
    lines = told.stdout.splitlines()
    assert lines[0] == f"error schema, {RULES['schema'].clause}: {RULES['schema'].why}"
    text = "Heartbeat.conf: currentTime must be an RFC 3339 date-time"
    assert lines[1] == f"    line 2, CP1, central system: {text}"
    assert lines[5:] == [
        f"    line 10, CP1, central system: {text}",
        "    and 7 more like these",
        "12 errors, 0 warnings in 24 frames",
        "0 good, 0 bad, 0 nothing signed",
    ]


def test_what_cannot_be_read_is_counted(trace: Any) -> None:
    path = trace(RIGHT)
    path.write_text(path.read_text() + "{nothing\n" * 30)
    told = lint(path)
    assert told.return_value == 0
    assert told.stderr.splitlines()[-1] == f"{path}: and 10 more lines that cannot be read"


def test_names_that_are_no_utf_8_are_said_in_json_as_well(tmp_path: Path) -> None:
    path = tmp_path / "a\udcff.log"
    path.write_text("2026-01-31T10:15:30.123Z: ChargePoint>CentralSystem [9]\n")
    told = lint(path, "--json", "--id", "CP\udcff")
    assert [json.loads(line).get("charge_point") for line in told.stdout.splitlines()] == ["CP?", None]


def test_json_has_all_of_them(trace: Any) -> None:
    told = lint(trace(*["no time"] * 12), "--json")
    assert told.return_value == 1
    *findings, summary = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(findings) == 12
    assert findings[3] == {
        "rule": "schema",
        "severity": "error",
        "side": "central system",
        "charge_point": "CP1",
        "line": 8,
        "text": "Heartbeat.conf: currentTime must be an RFC 3339 date-time",
    }
    assert summary["findings"] == {"error": 12, "warning": 0}
    assert (summary["rules"], summary["frames"]) == ({"schema": 12}, 24)


def test_warnings_do_not_count_unless_they_shall(trace: Any) -> None:
    path = trace("2026-01-31T10:15:30")
    assert lint(path).return_value == 0
    assert "warning time-form" in lint(path).stdout
    assert lint(path, "--strict").return_value == 1


def test_rules_are_chosen(trace: Any) -> None:
    path = trace("no time", "2026-01-31T10:15:30")
    assert lint(path, "--ignore", "schema", "--strict").return_value == 1
    assert lint(path, "--ignore", "schema", "--ignore", "time-form", "--strict").return_value == 0
    assert lint(path, "--only", "frame", "--strict").return_value == 0
    assert lint(path, "--only", "schema").return_value == 1
    told = lint(path, "--only", "nonsense")
    assert isinstance(told.exception, click.BadParameter)
    assert "there is no rule nonsense; --rules lists them" in told.exception.message


def test_the_rules_are_listed() -> None:
    told = lint("--rules")
    lines = told.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(RULES)
    assert all(rule.clause in line and rule.why in line for line, rule in zip(lines, RULES.values(), strict=True))
    assert max(map(len, lines)) < 160


def test_each_file_by_itself(trace: Any, tmp_path: Path) -> None:
    clean, wrong = trace(RIGHT, name="clean"), trace("no time", name="wrong")
    told = lint(clean, wrong)
    assert told.return_value == 1
    assert told.stdout.splitlines()[0] == f"{clean}:"
    assert f"{wrong}:" in told.stdout
    assert lint(clean, clean).return_value == 0, "the ids of one file are not those of another"
    missing = lint(clean, tmp_path / "missing")
    assert "cannot be read: No such file" in str(missing.exception)


def test_format_and_id(tmp_path: Path) -> None:
    log = tmp_path / "messages.log"
    log.write_text(f'{RIGHT}: ChargePoint>CentralSystem Nonsense \n[2,"1","Nonsense",{{}}]\n\nsomething else\n')
    told = lint(log, "--id", "CP9")
    assert told.return_value == 1
    assert "    line 1, CP9, charge point: Nonsense is no action of OCPP 1.6" in told.stdout.splitlines()
    assert told.stderr == f"{log}: lines of something else that were passed over: 1\n"
    assert lint(log, "--format", "message-log").return_value == 1
    refused = lint(log, "--format", "steve")
    assert str(refused.exception) == f"{log}: is no trace: no line of it is a message in the format steve"
    assert isinstance(lint(log, "--format", "other").exception, click.BadParameter)


def test_a_file_that_cannot_be_read_hides_no_other(trace: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    told = lint(tmp_path / "empty", trace("no time"), tmp_path / "missing")
    assert isinstance(told.exception, CommandFailed)
    assert [problem.rpartition("/")[2] for problem in told.exception.problems] == [
        "empty: is no trace: no line of it is a message in the format trace",
        "missing: cannot be read: No such file or directory",
    ]
    assert "1 error, 0 warnings in 2 frames" in told.stdout


def test_without_a_file_or_a_message(tmp_path: Path) -> None:
    assert isinstance(lint().exception, click.MissingParameter)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert "is no trace" in str(lint(empty).exception)
