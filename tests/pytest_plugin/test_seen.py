"""What is kept of the traffic, and how it is shown and written."""

from pathlib import Path

import pytest

from ocpp16.lint.trace import Trace
from ocpp16.message_log.record import Kind
from ocpp16.pytest_plugin import seen, telling
from ocpp16.pytest_plugin.seen import Call, Seen

AT = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""


def made(*texts: str) -> Seen:
    """Each is "> frame" (sent) or "< frame" (received), a second after the other."""
    found = Seen("CP1")
    for number, text in enumerate(texts):
        direction = "sent" if text[0] == ">" else "received"
        found.take(AT + number * 1_000_000, float(number), direction, text[2:])
    return found


def test_calls_have_their_answers() -> None:
    found = made(
        '> [2,"1","Heartbeat",{}]',
        '< [2,"1","Reset",{"type":"Soft"}]',
        '> [3,"1",{"status":"Accepted"}]',
        '< [3,"1",{"currentTime":"2026-01-01T00:00:03Z"}]',
        '> [2,"2","DataTransfer",{"vendorId":"V"}]',
        '< [4,"2","NotSupported"]',
    )
    heartbeat, reset, transfer = found.calls
    assert (heartbeat.action, heartbeat.direction, heartbeat.seconds) == ("Heartbeat", "sent", 3.0)
    assert heartbeat.answer == {"currentTime": "2026-01-01T00:00:03Z"}
    assert (reset.direction, reset.answer, reset.seconds) == ("received", {"status": "Accepted"}, 1.0)
    assert transfer.error == ("NotSupported", "", None)
    assert f"{transfer.time:%H:%M:%S}" == "00:00:04"


def test_frames_are_as_they_went() -> None:
    found = made('> [2,"1","Heartbeat",{}]', "< rubbish", '< [3,"1",{}]')
    found.connection(AT, "gone")
    assert [(frame.direction, frame.kind, frame.action) for frame in found.frames()] == [
        ("sent", "CALL", "Heartbeat"),
        ("received", "MALFORMED", ""),
        ("received", "CALLRESULT", "Heartbeat"),
    ]
    assert found.frames()[1].text == "rubbish"


def test_a_secret_is_not_kept() -> None:
    found = made('< [2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hush-hush-hush-hush"}]')
    assert "hush-hush" not in found.frames()[0].text
    assert "hush-hush" not in str(found.calls[0].payload)


@pytest.mark.parametrize(
    ("fields", "is_meant"),
    [({}, True), ({"a": 1}, True), ({"a": 1, "b": None}, True), ({"a": 2}, False), ({"c": None}, False)],
)
def test_members_that_a_payload_has(fields: dict[str, object], is_meant: bool) -> None:
    found = made('> [2,"1","X",{"a":1,"b":null}]')
    assert found.calls[0].has(fields) is is_meant
    assert made('> [2,"1","X",[1]]').calls[0].has(fields) is (fields == {})


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "MOST_FRAMES", 4)
    found = made(*(f'> [2,"{number}","Heartbeat",{{}}]' for number in range(10)))
    found.take(AT, 10.0, "received", '[3,"0",{}]')
    found.take(AT, 11.0, "received", '[3,"8",{"a":1}]')
    assert [frame.message_id for frame in found.frames()] == ["8", "9", "0", "8"]
    assert [call.message_id for call in found.calls] == ["6", "7", "8", "9"]
    assert found.call(5) is None
    answered = found.call(8)
    assert isinstance(answered, Call)
    assert answered.answer == {"a": 1}
    assert [call.number for call in found.calls_from(8)] == [8, 9]
    assert [record.sequence for record in found.records_from(10)] == [10, 11]
    assert len(found._open) <= 4


def test_lines_show_who_said_what() -> None:
    found = made('> [2,"1","Heartbeat",{}]', '< [3,"1",{"currentTime":"' + "x" * 1000 + '"}]')
    found.connection(AT + 2_000_000, "connection lost\x1b[31m")
    lines = telling.lines_of(found.records)
    assert lines[0] == '00:00:00.000 → [2,"1","Heartbeat",{}]'
    assert lines[1].startswith('00:00:01.000 ← [3,"1",{"currentTime":"xxx')
    assert len(lines[1]) < 300
    assert lines[2] == "00:00:02.000 · connection lost\\x1b[31m"
    assert telling.section(list(found.records), 1) == f"(2 frames before)\n{lines[2]}"


def test_a_trace_can_be_read_again(tmp_path: Path) -> None:
    found = made('> [2,"1","Heartbeat",{}]', "< rubbish", '< [3,"1",{"currentTime":"2026-01-01T00:00:03Z"}]')
    found.connection(AT, "gone")
    path = tmp_path / "a" / "b.jsonl"
    telling.write_trace(path, "CP1", found.records)
    trace = Trace(path)
    frames = list(trace)
    assert trace.wrong == []
    assert [(frame.charge_point, frame.kind, frame.action) for frame in frames if frame.kind] == [
        ("CP1", Kind.CALL, "Heartbeat"),
        ("CP1", Kind.CALLRESULT, "Heartbeat"),
    ]
    assert frames[0].timestamp == "2026-01-01T00:00:00.000Z"


def test_names_of_files_are_those_of_tests_and_tell_them_apart() -> None:
    assert telling.file_name("tests/test_a.py::test_b", "CP/1") == "tests-test_a.py-test_b-CP-1.jsonl"
    names = {telling.file_name(f"t.py::test[{one}]", "CP1") for one in ("a/b", "a-b", "a b", "..")}
    assert len(names) == 4
    long = {telling.file_name("t.py::test_" + "x" * 500 + end, "CP1") for end in "ab"}
    assert len(long) == 2
    assert all(len(name) < 150 and "/" not in name for name in names | long)
