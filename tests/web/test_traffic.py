"""The traffic that the panel keeps: without secrets, as rows for pages and as a trace to be taken away."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ocpp16.lint.trace_format import TraceFormat
from ocpp16.web.panel import harmless
from ocpp16.web.traffic import LONGEST_BODY, Traffic


async def test_secrets_are_nowhere(autojump_clock: MockClock, place: Any, secret: str) -> None:
    new = "another-0123456789abc"
    async with place() as here:
        page = await here.looks().begin()
        here.nursery.start_soon(_change_key, here, new)
        here.nursery.start_soon(_change_key, here, "http://user:pass-word@example.com/", "CentralSystemURI")
        await page.until(lambda page: page.actions().count("ChangeConfiguration") == 2)
        assert (await here.do("change_configuration", key="AuthorizationKey", value=new.encode().hex()))["ok"] is True
        await trio.sleep(30)
        await wait_all_tasks_blocked()
        texts = [
            orjson.dumps(page.parts),
            orjson.dumps(page.rows),
            (await here.ask("/api/state")).body,
            (await here.ask("/api/rows?most=1000")).body,
            (await here.ask("/api/trace")).body,
        ]
        commands = ("get_configuration", "configuration_origins", "queue", "status", "dead_letters", "help")
        texts += [orjson.dumps(await here.do(command)) for command in commands]
        for text in texts:
            for one in (secret, new, secret.encode().hex(), new.encode().hex(), "pass-word", "a-token-of-these-tests"):
                assert one.encode() not in text
        hidden = [row for row in page.rows if row.get("redacted")]
        assert hidden
        assert b'"redacted":true' in texts[4]
        await page.stream.aclose()


async def _change_key(here: Any, value: str, key: str = "AuthorizationKey") -> None:
    value = value.encode().hex() if key == "AuthorizationKey" else value
    await here.csms.call("cp001", "ChangeConfiguration", {"key": key, "value": value})


async def test_values_of_own_keys_that_are_secrets_are_nowhere(
    autojump_clock: MockClock, place: Any, tmp_path: Path
) -> None:
    schema = tmp_path / "Own.json"
    schema.write_text('{"properties": {"ServicePin": {"type": "string", "maxLength": 30, "writeOnly": true}}}')
    async with place(schema=schema, custom={"ServicePin": "first-pin"}) as here:
        page = await here.looks().begin()
        changed = {"key": "ServicePin", "value": "second-pin"}
        assert await here.csms.call("cp001", "ChangeConfiguration", changed) == {"status": "Accepted"}
        await page.until(lambda page: "ChangeConfiguration" in page.actions())
        told = orjson.dumps([page.rows, page.parts]) + (await here.ask("/api/trace")).body
        assert b"ServicePin" in told
        assert b"second-pin" not in told
        assert b"first-pin" not in told
        await page.stream.aclose()


def test_results_of_commands_have_no_logins() -> None:
    result = {"a": ["http://user:pass-word@h/"], "b": 1}
    assert orjson.dumps(harmless("x", result)) == b'{"a":["http://***@h/"],"b":1}'
    waiting = {
        "count": 1,
        "messages": [{"action": "DataTransfer", "payload": {"key": "AuthorizationKey", "value": "hush"}}],
    }
    assert b"hush" not in orjson.dumps(harmless("queue", waiting))


async def test_the_trace_is_one(autojump_clock: MockClock, place: Any) -> None:
    async with place() as here:
        here.panel.frame("cp001", "received", "nonsense")
        await here.do("plug_in", connector=1)
        await here.do("present_id_tag", id_tag="ANNA")
        await trio.sleep(5)
        answer = await here.ask("/api/trace")
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''cp001.jsonl"
        lines = answer.body.splitlines()
        reader = TraceFormat(lines[0], "")
        frames = [frame for number, line in enumerate(lines, 1) for frame in reader.read(number, line)]
        actions = [frame.action for frame in frames if frame.kind == "CALL"]
        assert {"BootNotification", "StatusNotification", "StartTransaction"} <= set(actions)
        records = list(map(orjson.loads, lines))
        assert all(record["schemaVersion"] == "1.1" and record["messageType"] for record in records)
        assert {record["chargePointId"] for record in records} == {"cp001"}
        asked = {record["messageId"]: record["action"] for record in records if record["messageType"] == "CALL"}
        assert all(record["action"] == asked[record["messageId"]] for record in records)
        assert records[-1]["meta"]["leftOut"] == 1
        assert all("leftOut" not in record["meta"] for record in records[:-1])
        sequences = [record["meta"]["sequence"] for record in records]
        assert sequences == list(range(sequences[0], sequences[0] + len(records)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "\udc80",
        "[2]",
        '[2,"1","' + "x" * 200_000 + '",{}]',
        '[2,"1","Heartbeat",' + "[" * 5_000 + "]" * 5_000 + "]",
        '[2,"\\ud800","A",{"\\ud800":"\\ud800"}]',
        '[2,"1","A",{"n":123456789012345678901234567890}]',
        '[4,"1",7,8,9]',
        '[3,"1",null]',
    ],
)
def test_whatever_is_sent_is_a_row_and_of_a_bounded_size(text: str) -> None:
    rows: list[bytes] = []
    traffic = Traffic(rows.append)
    traffic.frame(0, 0.0, "received", text)
    assert len(rows) == 1
    assert orjson.loads(rows[0])["kind"] in {"CALL", "CALLRESULT", "CALLERROR", "MALFORMED"}
    assert len(rows[0]) <= 2 * LONGEST_BODY + 10_000
    assert b"".join(traffic.trace("x")).count(b"\n") <= 1


def test_an_answer_that_nobody_asked_for_is_a_problem() -> None:
    """But not the first of a side that may have been asked before this began to look."""
    rows: list[bytes] = []
    traffic = Traffic(rows.append)

    def problem(direction: str, *frame: object) -> object:
        traffic.frame(0, 0.0, direction, orjson.dumps(frame).decode())
        row = orjson.loads(rows[-1])
        assert row.get("unasked") is (True if row.get("problem") == "error" else None)
        return row.get("problem")

    assert problem("received", 3, "from-before", {}) is None
    assert problem("sent", 2, "1", "Heartbeat", {}) is None
    assert problem("received", 3, "1", {"currentTime": "2026-01-01T00:00:00Z"}) is None
    assert problem("received", 3, "1", {"currentTime": "2026-01-01T00:00:00Z"}) == "error"
    assert problem("received", 4, "2", "GenericError", "", {}) == "error"
    assert problem("sent", 3, "of-the-other", {}) is None
    assert problem("received", 2, "of-the-other", "ClearCache", {}) is None
    assert problem("sent", 3, "of-the-other", {"status": "Accepted"}) is None
    assert problem("sent", 3, "of-the-other", {"status": "Accepted"}) == "error"
