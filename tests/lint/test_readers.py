"""Traces and logs of others: the same traffic read from each, and whatever else a file may hold."""

import asyncio
import gzip
import io
import json
import logging
from contextlib import suppress
from html import escape
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ocpp.routing import on
from ocpp.v16 import ChargePoint as PythonChargePoint
from ocpp.v16 import call, call_result
from ocpp.v16.enums import Action, RegistrationStatus

from ocpp16.charge_point.open import open_charge_point
from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame, Linter, lint
from ocpp16.lint.readers import READERS, reader_for
from ocpp16.lint.trace import Trace, TraceError
from ocpp16.messages.actions import ACTIONS
from ocpp16.simulation import Operation, SimulatedStation
from ocpp16.testing import CentralSystem

BOOT = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"<M> & co"}]'
BOOTED = '[3,"1",{"currentTime":"2026-01-31T10:15:30Z","interval":300,"status":"Accepted"}]'
RESET = '[2,"r","Reset",{"type":"Soft"}]'
REFUSED = '[4,"r","NotSupported","",{}]'
TRAFFIC = [(BOOT, True), (BOOTED, False), (RESET, False), (REFUSED, True)]
"""Text, and does the charge point say it?"""
TIME = "2026-01-31T10:15:30.123Z"
LOCAL = "2026-01-31T10:15:30.123"


def read(path: Path, content: str | bytes, *arguments: Any) -> tuple[Trace, list[Frame]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    trace = Trace(path, lambda part: None, *arguments)
    return trace, list(trace)


def messages(frames: list[Frame]) -> list[tuple[str, str, str, Any, str]]:
    return [(one.direction, one.kind, one.message_id, one.payload, one.code) for one in frames if one.direction]


EXPECTED = [
    (FROM_CHARGE_POINT, "CALL", "1", {"chargePointVendor": "V", "chargePointModel": "<M> & co"}, ""),
    (FROM_CENTRAL_SYSTEM, "CALLRESULT", "1", json.loads(BOOTED)[2], ""),
    (FROM_CENTRAL_SYSTEM, "CALL", "r", {"type": "Soft"}, ""),
    (FROM_CHARGE_POINT, "CALLERROR", "r", None, "NotSupported"),
]


def in_libocpp_text(text: str, is_from_charge_point: bool) -> str:
    way = "ChargePoint>CentralSystem Type " if is_from_charge_point else "CentralSystem>ChargePoint  Type"
    return f"{TIME}: {way}\n{json.dumps(json.loads(text), indent=2)}\n\n"


def in_libocpp_raw(text: str, is_from_charge_point: bool) -> str:
    way = "ChargePoint>CentralSystem " if is_from_charge_point else "CentralSystem>ChargePoint  "
    return f"{TIME}: {way}{text}\n\n"


def in_libocpp_page(text: str, is_from_charge_point: bool) -> str:
    way = ("ChargePoint", "CentralSystem")[:: 1 if is_from_charge_point else -1]
    body = json.dumps(json.loads(text), indent=2).replace("<", "&lt;").replace(">", "&gt;")
    return (
        f'<tr class="{way[0]}"> <td>{TIME}</td> <td>{way[0]}&gt;<br>{way[1]}</td> <td><b>Type</b></td><td></td> '
        f'<td><pre lang="json">{body}</pre></td> </tr>\n'
    )


def in_steve(text: str, is_from_charge_point: bool) -> str:
    word = "Received" if is_from_charge_point else "Sending"
    where = "[INFO ] 2026-01-31 10:15:30,123 de.rwth.idsg.steve.ocpp.ws.WebSocketLogger (qtp-21)"
    return f"{where} - [chargeBoxId=CP 1, sessionId=5f1e] {word}: {text}\n"


def in_python(text: str, is_from_charge_point: bool) -> str:
    return f"INFO:ocpp:CP 1/x: {'receive message' if is_from_charge_point else 'send'} {text}\n"


def in_trace(text: str, is_from_charge_point: bool) -> str:
    direction = FROM_CHARGE_POINT if is_from_charge_point else FROM_CENTRAL_SYSTEM
    frame = json.loads(text)
    kind = {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR"}[frame[0]]
    record = {"timestamp": TIME, "direction": direction, "messageType": kind, "messageId": frame[1], "raw": text}
    if kind == "CALLERROR":
        record["error"] = {"code": frame[2]}
    return json.dumps(record) + "\n"


@pytest.mark.parametrize(
    ("name", "write", "before", "timestamp"),
    [
        ("trace", in_trace, "", TIME),
        ("message-log", in_libocpp_text, f"{TIME}: SYS> Connecting \n\n", TIME),
        ("message-log", in_libocpp_raw, "", TIME),
        ("message-log-html", in_libocpp_page, "<!DOCTYPE html><html><body><table>", TIME),
        ("steve", in_steve, "[INFO ] 2026-01-31 10:15:29,000 Something - else\n", LOCAL),
        ("python-ocpp", in_python, "", ""),
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_the_same_from_each(
    tmp_path: Path, name: str, write: Any, before: str, timestamp: str, is_packed: bool
) -> None:
    content = (before + "".join(write(*one) for one in TRAFFIC)).encode()
    assert reader_for(content, None) is READERS[name]
    packed = gzip.compress(content) if is_packed else b"\xef\xbb\xbf" + content
    trace, frames = read(tmp_path / "file", packed, None, "given")
    assert messages(frames) == EXPECTED
    assert (trace.wrong_count, trace.frame_count) == (0, 4)
    assert {frame.timestamp for frame in frames} == {timestamp}
    assert {frame.charge_point for frame in frames} <= {"CP 1", "1/x", "given"}
    assert {finding.rule for finding in lint(frames)} <= {"status-after-boot"}


def test_connections(tmp_path: Path) -> None:
    begin = "[INFO ] 2026-01-31 10:15:30,123 x (y) - [chargeBoxId=CP1, sessionId=5f1e] Connection is"
    _, frames = read(tmp_path / "s", f"{begin} established\n{in_steve(BOOT, True)}{begin} closed, status: x\n")
    assert [frame.kind for frame in frames] == ["CONNECTED", "CALL", "DISCONNECTED"]
    text = f"{TIME}: SYS> Connected \n\n{in_libocpp_text(BOOT, True)}{TIME}: SYS> Disconnected \n\n"
    _, frames = read(tmp_path / "l", text)
    assert [frame.kind for frame in frames] == ["CONNECTED", "CALL", "DISCONNECTED"]
    page = (
        f'<html><tr class="SYS"><td>{TIME}</td><td>SYS&gt;<br></td><td>Connected</td></tr>{in_libocpp_page(BOOT, True)}'
    )
    _, frames = read(tmp_path / "h", page)
    assert [frame.kind for frame in frames] == ["CONNECTED", "CALL"]


async def test_the_message_log_of_this_library(autojump_clock: Any, tmp_path: Path) -> None:
    """The same traffic from all that it writes."""
    document = {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": "ws://127.0.0.1:9000/",
            "ChargePointModel": "<M> & 'co'",
            "ChargePointVendor": "ocpp16",
            "LogMessages": True,
            "LogMessagesRaw": True,
            "LogMessagesFormat": ["log", "html", "jsonl"],
            "LogRotation": True,
        },
        "Core": {"NumberOfConnectors": 1},
    }
    async with CentralSystem() as csms:
        station = SimulatedStation()
        async with open_charge_point(
            document, station, connector=csms.connector, anchor=1_767_225_600, message_log_path=tmp_path
        ) as charge_point:
            await Operation(station, charge_point).start()
            await trio.sleep(5)
            await csms.send_text("cp001", "no message at all")
            await csms.send_text("cp001", '[2,"x","Nonsense",{}]')
            await trio.sleep(1)
            await csms.call("cp001", "GetConfiguration", {})
            csms.abort("cp001")
            await csms.wait_connected("cp001")
            await trio.sleep(400)
    compare(tmp_path)


def compare(folder: Path) -> None:
    names = {"cp001.log", "cp001_raw.log", "cp001.html", "cp001_raw.html"}
    files = [folder / name for name in sorted(names)]
    whole = messages(list(Trace(folder / "cp001.jsonl")))
    assert len(whole) > 10
    for path in files:
        trace = Trace(path, lambda part: None, None, "cp001")
        frames = list(trace)
        told = [one for one in messages(frames) if one[1] not in ("CONNECTED", "DISCONNECTED")]
        assert told == [one for one in whole if one[1] not in ("CONNECTED", "DISCONNECTED")], path.name
        assert trace.wrong == []
        assert [(one.rule, one.side) for one in lint(frames)] == [
            ("frame", "central system"),
            ("action", "central system"),
        ], path.name


class Wire:
    """What the package is given as a WebSocket: texts to read, then the end."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self.has_asked = asyncio.Event()  # the package has, and the answer is there

    async def recv(self) -> str:
        await asyncio.sleep(0)
        if not self._texts:
            raise ConnectionError("closed")
        return self._texts.pop(0)

    async def send(self, text: str) -> None:
        answer = json.loads(text)
        if answer[0] == 2:
            body = json.loads(BOOTED)[2] if answer[2] == "BootNotification" else {"status": "Accepted"}
            self._texts.append(json.dumps([3, answer[1], body]))
            self.has_asked.set()


class PythonCentralSystem(PythonChargePoint):  # type: ignore[misc]
    @on(Action.boot_notification)  # type: ignore[untyped-decorator]
    def booted(self, **members: Any) -> call_result.BootNotification:
        return call_result.BootNotification("2026-01-31T10:15:30Z", 300, RegistrationStatus.accepted)


FORMS = [
    "%(levelname)s:%(name)s:%(message)s",
    "%(asctime)s %(name)s - %(message)s",
    "\x1b[32m%(asctime)s\x1b[0m %(name)s: \x1b[1;36m%(message)s\x1b[0m",
    "%(name)s: %(message)s [%(filename)s:%(lineno)d]",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_charge_point", [False, True])
def test_the_log_of_the_package_itself(tmp_path: Path, form: str, is_charge_point: bool) -> None:
    """Written by `ocpp` as it is installed, on either side."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter(form))
    logger = logging.Logger("ocpp", logging.INFO)
    logger.addHandler(handler)

    async def talk() -> None:
        wire = Wire([] if is_charge_point else [BOOT, RESET.replace("Reset", "Nonsense")])
        side = PythonCentralSystem("CP_1", wire, response_timeout=60, logger=logger)
        request: Any = call.BootNotification("M", "V") if is_charge_point else call.Reset("Soft")
        if is_charge_point:
            asked = asyncio.ensure_future(side.call(request))
            await wire.has_asked.wait()
        with suppress(ConnectionError):
            await side.start()
        if is_charge_point:
            await asked

    asyncio.run(talk())
    _, frames = read(tmp_path / "log", written.getvalue())
    assert reader_for(written.getvalue().encode(), None) is READERS["python-ocpp"]
    assert {frame.charge_point for frame in frames} == {"CP_1"}
    kinds = [(frame.direction, frame.kind, frame.action) for frame in frames]
    assert kinds[:2] == [(FROM_CHARGE_POINT, "CALL", "BootNotification"), (FROM_CENTRAL_SYSTEM, "CALLRESULT", "")]
    assert {bool(frame.timestamp) for frame in frames} == {"asctime" in form}
    rules = {finding.rule for finding in lint(frames)}
    assert rules == (set() if is_charge_point else {"action"})


# What a file may hold besides


def test_lines_of_something_else_are_counted(tmp_path: Path) -> None:
    log = "".join(f"2026-01-31 10:15:30,000 INFO something {number}\n" + in_steve(BOOT, True) for number in range(5))
    trace, frames = read(tmp_path / "log", log)
    assert (len(frames), trace.other_count, trace.wrong_count) == (5, 5, 0)


def test_times_without_a_zone_are_not_compared_with_those_of_messages(tmp_path: Path) -> None:
    """SteVe logs local times."""
    beats = [(f'[2,"{number}","Heartbeat",{{}}]', f'[3,"{number}",{{"currentTime":"{TIME}"}}]') for number in range(3)]
    log = "".join(in_steve(asks, True) + in_steve(answers, False) for asks, answers in beats)
    _, frames = read(tmp_path / "log", log.replace("2026-01-31 10:", "2026-01-31 12:"))
    assert [finding.rule for finding in lint(frames)] == []


def test_what_is_told_is_harmless() -> None:
    told = Linter().take(Frame(1, "cp", FROM_CHARGE_POINT, "CALL", "\x1b[2J", "\x1b[2J\n" * 99, {}, TIME))
    assert [finding.rule for finding in told] == ["action"]
    assert told[0].text.isprintable()
    assert len(told[0].text) < 150


def test_a_message_that_was_cut_is_told(tmp_path: Path) -> None:
    log = f'{TIME}: ChargePoint>CentralSystem Type\n[2,"1","Heartbeat…(+2745)\n\n' + in_libocpp_text(BOOT, True)
    trace, frames = read(tmp_path / "log", log)
    assert trace.wrong == ["line 3: a message that was cut when it was written"]
    assert len(frames) == 1


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({"direction": "up", "messageType": "CALL", "messageId": "1"}, "no direction of a message"),
        ({"direction": "cp-to-csms", "messageType": "CALL", "messageId": 1, "payload": {}}, "no record of a message"),
        ({"direction": "cp-to-csms", "messageType": "CALLS", "messageId": "1"}, "no record of a message"),
        ({"direction": 5}, "no record of a trace"),
    ],
)
def test_records_that_are_none(tmp_path: Path, record: Any, why: str) -> None:
    trace, frames = read(tmp_path / "t", in_trace(BOOT, True) + json.dumps(record) + "\n" + in_trace(RESET, False))
    assert trace.wrong == [f"line 2: {why}"]
    assert len(frames) == 2


def test_broken_gzip(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(in_trace(*one).encode() for one in TRAFFIC) * 100)
    with pytest.raises(TraceError, match="cannot be read"):
        read(tmp_path / "t", packed[:-20])


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp16.lint.trace.LONGEST_LINE", 1000)
    with pytest.raises(TraceError, match="line 1 is longer than 1,000 bytes"):
        read(tmp_path / "t", b"x" * 5000)


def test_bodies_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("message_log_text", "message_log_html"):
        monkeypatch.setattr(f"ocpp16.lint.{module}.LONGEST_LINE", 1000)
    log = f"{TIME}: ChargePoint>CentralSystem Type\n" + "x\n" * 600 + "\n" + in_libocpp_text(BOOT, True)
    trace, frames = read(tmp_path / "l", log)
    assert trace.wrong == ["line 502: the body of a message is too long"]
    assert messages(frames) == EXPECTED[:1]
    page = f'<html><tr class="ChargePoint"><td>{TIME}</td><td><pre>' + "x\n" * 600 + in_libocpp_page(BOOT, True)
    trace, frames = read(tmp_path / "h", page)
    assert [line.partition(": ")[2] for line in trace.wrong] == ["a row is too long"]
    assert messages(frames) == EXPECTED[:1]


PIECES = st.sampled_from(
    [
        *(
            write(*one)
            for one in TRAFFIC
            for write in (in_trace, in_libocpp_text, in_libocpp_page, in_steve, in_python)
        ),
        *("<html>", "<pre>", "</tr>", "</details>", '<details class="cp ">', escape(BOOT), "\x00\xff", "[" * 3000, "{"),
        *(f"{TIME}: SYS>", "[chargeBoxId=, sessionId=] Sending: ", ": send [2,", '{"direction":"cp-to-csms","raw":"'),
        *('{"direction":"cp-to-csms","messageType":"CALL","messageId":"", "payload":1e999}', "\n", "\r", " "),
    ]
)


@pytest.mark.parametrize("name", list(READERS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.one_of(PIECES.map(str.encode), st.binary(max_size=30)), max_size=12))
def test_whatever_a_file_holds(tmp_path: Path, name: str, parts: list[bytes]) -> None:
    trace, frames = read(tmp_path / "file", b"".join(parts), name)
    assert trace.frame_count == len(frames)
    for finding in lint(frames):
        assert finding.text.isprintable()


NAMES = (
    *("connectorId", "status", "timestamp", "idTag", "meterStart", "meterStop", "transactionId", "idTagInfo", "key"),
    *("meterValue", "transactionData", "configurationKey", "requestedMessage", "csChargingProfiles", "interval"),
    *("chargingSchedule", "chargingSchedulePeriod", "startPeriod", "sampledValue", "value", "unit", "type"),
    *("reservationId", "currentTime", "expiryDate", "chargingProfile", "chargingProfilePurpose"),
)
LEAVES = (
    *(None, True, -2, -1, 0, 1, 2, 10**18, 1.5, float("inf"), "Accepted", "Available", "Charging", "Rejected", TIME),
    *(
        "",
        "1e400",
        "NaN",
        "-5.25",
        "Heartbeat",
        "kWh",
        "x" * 300,
        "NumberOfConnectors",
        "\ud800",
        "0001-01-01T00:00:00Z",
    ),
)


def anything(random: Random, depth: int) -> Any:
    kind = random.random()
    if depth and kind < 0.25:
        return [anything(random, depth - 1) for _ in range(random.randrange(4))]
    if depth and kind < 0.5:
        return members(random, depth - 1)
    return random.choice(LEAVES)


def members(random: Random, depth: int = 4) -> dict[str, Any]:
    return {random.choice(NAMES): anything(random, depth) for _ in range(random.randrange(6))}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_members_are(seed: int) -> None:
    """Handlers are given anything as payloads, in the names that they look for."""
    random = Random(seed)
    linter = Linter()
    directions = (FROM_CHARGE_POINT, FROM_CENTRAL_SYSTEM)
    for number in range(3_000):
        asker = random.choice(directions)
        other = directions[asker == FROM_CHARGE_POINT]
        action = random.choice([*ACTIONS])
        payload = random.choice([members(random), members(random), anything(random, 3)])
        told = linter.take(Frame(0, "", asker, "CALL", str(number), action, payload, TIME))
        told += linter.take(Frame(0, "", other, "CALLRESULT", str(number), "", members(random), TIME))
        assert all(finding.text.isprintable() for finding in told)
    linter.end()
