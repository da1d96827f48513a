"""What a proxy records, has judged and disturbs, with real charge points on one side."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio
from patience import PATIENCE

from ocpp16.errors import ConfigurationError
from ocpp16.fleet import open_fleet
from ocpp16.lint import Finding, Frame, Linter, lint
from ocpp16.lint.finding import WARNING
from ocpp16.lint.trace import Trace
from ocpp16.message_log.log_file import LogFile
from ocpp16.proxy import Kind, open_proxy, trace_file
from ocpp16.proxy.trace_file import MOST_BYTES, TraceFile
from ocpp16.testing import CentralSystem
from ocpp16.wire import WireFaults, Word
from tests.proxy.conftest import Opened
from tests.proxy.test_relay import ending, hear, say


async def a_session(found: Any, **options: Any) -> None:
    """A charge point that boots, charges and stops, through the proxy."""
    async with open_fleet("ws://proxy", connector=found.connector, seed=1, **options) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        member.station.plug_in(1)
        member.station.present_id_tag("TAG", [1])
        await trio.sleep(600)
        member.station.unplug(1)
        await trio.sleep(60)


def rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


async def test_a_binary_message_passes_as_one_and_is_told(between: Opened, tmp_path: Path) -> None:
    path, linter = tmp_path / "trace.jsonl", Linter()
    first, binary, last = (f'[2,"{number}","Heartbeat",{{}}]' for number in (1, 2, 3))
    async with between(trace=path, linter=linter) as found:
        ours = await found.connect()
        theirs = found.theirs[0]
        kinds: list[int] = []
        theirs.on_binary = lambda: kinds.append(theirs.ready)
        ours.send_text(first)
        ours.send_binary(binary)
        ours.send_text(last)
        await ours.flush()
        assert await hear(theirs, 3) == [first, binary, last]
        assert len(kinds) == 1
        with pytest.raises(ValueError, match="no text that UTF-8 can carry"):
            ours.send_binary("\ud800")
    assert [row["meta"].get("binary", False) for row in rows(path)] == [False, True, False]
    told = [text for text in found.told(Kind.FINDING) if text.startswith("frame")]
    assert told == ["frame: it is a binary message, and must be a text"]
    assert [(one.rule, one.line) for one in lint(Trace(path)) if one.rule == "frame"] == [("frame", 2)]


async def test_a_binary_message_that_is_no_text_passes_byte_by_byte(between: Opened, tmp_path: Path) -> None:
    path, linter, data = tmp_path / "trace.jsonl", Linter(), bytes(range(256))
    async with between(trace=path, linter=linter) as found:
        ours = await found.connect()
        theirs = found.theirs[0]
        theirs.on_binary, theirs.keeps_bytes = (lambda: None), True
        ours.send_binary(data.decode(errors="surrogateescape"))
        await ours.flush()
        (heard,) = await hear(theirs, 1)
        assert heard.encode(errors="surrogateescape") == data
        ours.send_text('[2,"1","Heartbeat",{}]')
        await ours.flush()
        assert len(await hear(theirs, 1)) == 1
        assert found.proxy.connected == 1
    row, _ = rows(path)
    assert row["meta"]["binary"] is True
    assert row["raw"].endswith(r"\xfd\xfe\xff")
    assert any(text.startswith("frame: ") for text in found.told(Kind.FINDING))
    assert [(one.rule, one.line) for one in lint(Trace(path)) if one.rule == "frame"] == [("frame", 1)]


async def test_a_trace_has_all_that_passed_in_its_order(between: Opened, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    async with CentralSystem() as csms:
        async with between(csms, trace=path) as found:
            await a_session(found)
            texts = found.told(Kind.FRAME)
        assert not csms.violations
    found_rows = rows(path)
    assert [row["raw"] for row in found_rows] == texts
    assert {row["chargePointId"] for row in found_rows} == {"CP1"}
    assert {row["schemaVersion"] for row in found_rows} == {"1.1"}
    assert found_rows[0]["timestamp"].startswith("2026-01-01T00:00:")
    assert {row["meta"]["connection"] for row in found_rows} == {1}
    answered = [row for row in found_rows if row["messageType"] == "CALLRESULT"]
    assert all(row["action"] and row["meta"]["latency"] >= 0 for row in answered)
    trace = Trace(path)
    assert len(list(trace)) == len(texts)
    assert not trace.wrong


async def test_secrets_are_not_in_the_trace(between: Opened, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    change = '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"a secret of 16+"}]'
    async with between(trace=path) as found:
        ours = await found.connect()
        await say(found.theirs[0], change)
        assert await hear(ours, 1) == [change]
    (row,) = rows(path)
    assert "a secret of 16+" not in path.read_text()
    assert row["meta"]["redacted"] is True
    assert path.stat().st_mode & 0o077 == 0


async def test_what_is_no_message_is_recorded_as_such(between: Opened, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    async with between(trace=path) as found:
        ours = await found.connect()
        await say(ours, "no message", '[2,"1","Heartbeat",{}]')
        await hear(found.theirs[0], 2)
    first, second = rows(path)
    assert (first["raw"], "messageType" in first) == ("no message", False)
    assert second["messageType"] == "CALL"


async def test_a_trace_that_cannot_be_written_is_told_once_and_stops_nobody(between: Opened, tmp_path: Path) -> None:
    async with between(trace=tmp_path) as found:  # a folder
        ours = await found.connect()
        for number in range(5):
            await say(ours, f"text {number}")
            await hear(found.theirs[0], 1)
            await trio.sleep(0.1)
        assert found.proxy.trace is not None
        assert found.proxy.trace.lost == 5
        (told,) = found.told(Kind.TROUBLE)
        assert "the trace cannot be written" in told


async def test_who_relays_waits_for_a_disk_that_is_slow(tmp_path: Path) -> None:
    trace = TraceFile(tmp_path / "trace.jsonl", lambda: 0, lambda text: None)
    row = b"x" * (MOST_BYTES // 4) + b"\n"
    written = 0
    with trio.move_on_after(10):
        for _ in range(10):
            await trace.put(row)
            written += 1
    assert written == 3
    with trio.move_on_after(1):
        await trace.run()
    assert (tmp_path / "trace.jsonl").stat().st_size == 4 * len(row)


@pytest.mark.real_time
async def test_a_disk_that_hangs_is_waited_for_by_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep their order, and those that it takes in the end are not lost."""
    monkeypatch.setattr(trace_file, "WRITE_TIMEOUT", 0.02)
    monkeypatch.setattr(trace_file, "GATHERED", 0.0)
    go_on, inside, most = threading.Event(), [0], [0]
    real = LogFile.write

    def hangs(self: LogFile, rows: list[bytes], at: int) -> int:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        go_on.wait(PATIENCE)
        inside[0] -= 1
        return real(self, rows, at)

    monkeypatch.setattr(LogFile, "write", hangs)
    told: list[str] = []
    trace = TraceFile(tmp_path / "trace.jsonl", lambda: 0, told.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trace.run)
        await trace.put(b"0\n")
        with trio.fail_after(PATIENCE):
            while not trace.lost:  # noqa: ASYNC110 - a thread's
                await trio.sleep(0.01)
        for number in range(1, 4):
            await trace.put(b"%d\n" % number)
            await trio.sleep(0.03)
        assert trace.lost == 1, "the others may come to their turn"
        monkeypatch.setattr(trace_file, "WRITE_TIMEOUT", PATIENCE)
        go_on.set()
        with trio.fail_after(PATIENCE):
            while trace.lost or len(rows(tmp_path / "trace.jsonl")) < 4:  # noqa: ASYNC110 - a thread's
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert rows(tmp_path / "trace.jsonl") == [*range(4)]
    assert most == [1]
    assert len(told) == 1


class Picky:
    """Objects to heartbeats, and warns at the end."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def take(self, frame: Frame) -> Sequence[Finding]:
        self.frames.append(frame)
        if frame.action == "Boom":
            raise RuntimeError("of the linter")
        return [Finding("no-heartbeats", "there was one", charge_point="CP1")] if frame.action == "Heartbeat" else []

    def end(self) -> Sequence[Finding]:
        return [Finding("in-the-end", "all in all", severity=WARNING)]


async def test_a_linter_judges_what_passes_and_a_failing_one_ends_nothing(between: Opened) -> None:
    picky = Picky()
    async with between(linter=picky) as found:
        ours = await found.connect()
        await say(ours, '[2,"1","Heartbeat",{}]', "no message", '[2,"2","Boom",{}]')
        await hear(found.theirs[0], 3)
        await say(found.theirs[0], '[3,"1",{}]')
        await hear(ours, 1)
    assert [(frame.kind, frame.action, frame.direction, frame.charge_point) for frame in picky.frames] == [
        ("CONNECTED", "", "cp-to-csms", "CP1"),
        ("CALL", "Heartbeat", "cp-to-csms", "CP1"),
        ("", "", "cp-to-csms", "CP1"),
        ("CALL", "Boom", "cp-to-csms", "CP1"),
        ("CALLRESULT", "Heartbeat", "csms-to-cp", "CP1"),
        ("DISCONNECTED", "", "cp-to-csms", "CP1"),
    ]
    assert "no-heartbeats: there was one" in found.told(Kind.FINDING)
    assert found.told(Kind.FINDING)[-1] == "in-the-end: all in all"
    assert found.proxy.errors == 2
    assert "the linter failed: RuntimeError: of the linter" in found.told(Kind.TROUBLE)


async def test_a_linter_sees_what_a_trace_hides(between: Opened, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    change = '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","secret-of-16-letters":1}]'
    async with between(trace=path, linter=Linter()) as found:
        ours, theirs = await found.connect(), found.theirs[0]
        await say(theirs, '[2,"0","ClearCache",{}]')
        await hear(ours, 1)
        await say(ours, '[3,"0",{"status":"Accepted"}]')
        await hear(theirs, 1)
        await say(theirs, change)
        await hear(ours, 1)
        await say(ours, '[3,"1",{"status":"Rejected"}]')
        await hear(theirs, 1)
    assert [text.split(":")[0] for text in found.told(Kind.FINDING)] == ["schema"]
    assert "secret-of-16" not in path.read_text()
    assert [finding.rule for finding in lint(Trace(path))] == []


async def test_our_charge_point_and_central_system_are_spoken_free(between: Opened) -> None:
    async with CentralSystem() as csms:
        async with between(csms, linter=Linter()) as found:
            await a_session(found)
        assert not found.told(Kind.FINDING)
        async with between(csms, linter=Linter()) as found:
            ours = await found.connect("/CP9")
            await say(ours, '[2,"1","Heartbeat",{"now":1}]')
            await hear(ours, 1)
        assert found.proxy.errors
        assert any("Heartbeat" in text for text in found.told(Kind.FINDING))


async def test_faults_happen_towards_the_central_system_and_repeat_with_the_seed(between: Opened) -> None:
    async def counts(seed: int) -> dict[Word, int]:
        faults = WireFaults.read(["drop=0.2,direction=out", "duplicate=0.3", "latency=0.5"])
        async with between(faults=faults, seed=seed) as found:
            ours = await found.connect()
            texts = [f"text {number}" for number in range(100)]
            await say(ours, *texts)
            await trio.sleep(5)
            heard = await hear(found.theirs[0], 1)
            with trio.move_on_after(5):
                while True:
                    heard += await found.theirs[0].receive()
            assert list(dict.fromkeys(heard)) == [text for text in texts if text in heard]
            assert len(set(heard)) == 100 - found.proxy.faults[Word.DROP]
            return dict(found.proxy.faults)

    assert await counts(1) == await counts(1)
    assert await counts(1) != await counts(2)


async def test_a_cut_breaks_both_sides_and_half_open_is_silence(between: Opened) -> None:
    async with between(faults=WireFaults.read(["cut=1,direction=out"])) as found:
        ours = await found.connect()
        await say(ours, "cut")
        assert (await ending(ours))[0] == 1006
        assert (await ending(found.theirs[0]))[0] == 1006
    async with between(faults=WireFaults.read(["half_open=1"]), ping_interval=30) as found:
        ours = await found.connect()
        pongs: list[bytes] = []
        ours.on_pong = pongs.append
        await say(ours, "lost", "lost, too")
        await trio.sleep(1)
        ours.send_ping(b"nobody hears")
        await ours.flush()
        with trio.move_on_after(300):
            await ours.receive()
        with trio.move_on_after(1):
            await found.theirs[0].receive()
        assert found.proxy.connected == 1
        assert found.told(Kind.FRAME) == ["lost", "lost, too"]
        assert not pongs


async def test_a_charge_point_lives_through_a_proxy_that_disturbs(between: Opened) -> None:
    faults = WireFaults.read(["latency=0.1,jitter=0.2", "drop=0.05", "cut,every=200"])
    async with CentralSystem() as csms, between(csms, faults=faults, seed=3) as found:
        await a_session(found)
        assert found.proxy.counts[Kind.OPENED] > 2
        assert len(csms.standard_answers.transactions) == 1
        assert csms.calls("StopTransaction")


async def test_many_charge_points_share_a_proxy(between: Opened) -> None:
    count = 30
    async with CentralSystem() as csms, between(csms) as found:
        async with open_fleet("ws://proxy", connector=found.connector) as fleet:
            await fleet.add_all(f"CP{number}" for number in range(count))
            await fleet.wait_registered()
            assert found.proxy.connected == count
        await trio.sleep(5)
        assert found.proxy.connected == 0
        assert {call.identity for call in csms.calls("BootNotification")} == {f"CP{number}" for number in range(count)}


async def test_a_file_that_is_no_trace_is_left_as_it_is(between: Opened, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"Core": {}}')
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"keys\.json: it is there already, and is no trace"):
        async with open_proxy("ws://csms.example", trace=path):
            raise AssertionError("it was opened")
    assert path.read_text() == '{"Core": {}}'
    assert path.stat().st_mode & 0o777 == 0o644
    for begun in ("", '{"schemaVersion":"1.1","timest'):  # of a process that was killed
        path.write_text(begun)
        async with between(trace=path) as found:
            await say(await found.connect(), '[2,"1","Heartbeat",{}]')
            await hear(found.theirs[0], 1)
        (row,) = rows(path)
        assert row["action"] == "Heartbeat"


async def test_a_connection_that_is_noticed_late_to_be_gone_ends_nothing_of_the_next(between: Opened) -> None:
    async with between(linter=Linter()) as found:
        old, ours = await found.connect(), await found.connect()
        before, theirs = found.theirs
        await say(ours, '[2,"1","Heartbeat",{}]')
        await hear(theirs, 1)
        await old.aclose()
        await ending(before)
        await trio.sleep(5)
        await say(theirs, '[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]')
        await hear(ours, 1)
    assert found.told(Kind.FINDING) == []
