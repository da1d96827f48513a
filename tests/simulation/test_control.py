"""The JSON lines face: one answer a line whatever the line is, events, and answers that come later."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ocpp16 import observer
from ocpp16.errors import StoreError
from ocpp16.simulation import Commands, ControlInterface, Operation
from ocpp16.simulation.control import LAST_LINE, LONGEST_LINE, MOST_DEFERRED

NOW = datetime(2024, 1, 1, tzinfo=UTC)


class Desk:
    """A control interface with its station; `say` sends chunks and returns the answers."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.out: list[bytes] = []
        self.lines: list[bytes] = []
        """What was taken last, as it was written."""
        self.control = ControlInterface(self.out.append)
        self.commands = Commands(bench.station, bench.charge_point, Operation(bench.station, bench.charge_point))

    async def say(self, *chunks: bytes) -> list[dict[str, Any]]:
        async def source() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        await self.control.serve(self.commands, source())
        return self.taken()

    def taken(self) -> list[dict[str, Any]]:
        self.lines, self.out[:] = list(self.out), []
        assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in self.lines)
        return [orjson.loads(line) for line in self.lines]


@pytest.fixture
def desk(make_bench: Callable[..., Any]) -> Desk:
    return Desk(make_bench(2))


async def test_the_examples_of_the_documentation(desk: Desk) -> None:
    answers = await desk.say(
        b'{"id": 7, "do": "plug_in", "connector": 1, "current": 16}\n',
        b'{"id": 8, "do": "plug_in", "connector": 9}\n',
    )
    assert answers == [
        {"id": 7, "ok": True, "result": None},
        {"id": 8, "ok": False, "code": "bad_value", "error": "no connector 9: this station has 1..2"},
    ]


async def test_a_byte_order_mark_is_tolerated_at_the_very_beginning_only(desk: Desk) -> None:
    mark, line = b"\xef\xbb\xbf", b'{"id": 1, "do": "disconnect"}\n'
    for chunks in ([mark + line], [mark[:1], mark[1:], line], [mark + b"\n", line], [mark + line[:-1]]):
        assert [answer["ok"] for answer in await desk.say(*chunks)] == [True]
    for chunks in ([line, mark + line], [b"\n" + mark + line], [mark + mark + line]):
        assert [answer["ok"] for answer in await desk.say(*chunks)][-1] is False


@pytest.mark.parametrize("request_id", [0, -1.5, "x", None, True, [1, {"a": 2}], {"b": []}, 10**18, 1e300])
async def test_ids_are_echoed(desk: Desk, request_id: Any) -> None:
    lines = [orjson.dumps({"id": request_id, "do": name}) + b"\n" for name in ("disconnect", "fly")]
    good, bad = await desk.say(*lines)
    assert good == {"id": request_id, "ok": True, "result": None}
    assert (bad["id"], bad["code"]) == (request_id, "unknown_command")


EXACT = [
    b"18446744073709551617",
    b"-9223372036854775809",
    b"1.00",
    b"1.0000000000000000001",
    b"-0",
    b"1E2",
    b'[18446744073709551617, {"a": 1.10}]',
    b'{"a":\t"}", "id": 3}',
    b"[" * 100 + b"]" * 100,
]


@pytest.mark.parametrize("written", EXACT, ids=range(len(EXACT)))
async def test_ids_come_back_as_they_were_written(desk: Desk, written: bytes) -> None:
    for begin in (b'{"id": ', b'{"do": "disconnect", "id": ', b'{"id": [], "i\\u0064"\t:\r'):
        end = b"}" if b'"do"' in begin else b', "do": "disconnect"}'
        await desk.say(begin + written + end + b"\n")
        (line,) = desk.lines
        assert line == b'{"id":' + written + b',"ok":true,"result":null}\n'


GARBAGE: Sequence[tuple[bytes, str, Any]] = [
    (b"hello", "unreadable", None),
    (b"{", "unreadable", None),
    (b"[]", "unreadable", None),
    (b"7", "unreadable", None),
    (b"null", "unreadable", None),
    (b'"status"', "unreadable", None),
    (b"{}", "unreadable", None),
    (b'{"id": 1}', "unreadable", 1),
    (b'{"id": 1, "do": null}', "unreadable", 1),
    (b'{"id": 1, "do": ["status"]}', "unreadable", 1),
    (b'{"id": 1, "do": ""}', "unknown_command", 1),
    (b'{"id": 1, "do": "\\u0000"}', "unknown_command", 1),
    (b'{"id": NaN, "do": "status"}', "unreadable", None),
    (b'{"id": 1, "do": "plug_in", "connector": 1, "current": NaN}', "unreadable", None),
    (b'{"id": 1, "do": "plug_in", "connector": 1, "current": Infinity}', "unreadable", None),
    (b'{"id": 1, "do": "plug_in", "connector": 1, "current": 1e999}', "unreadable", None),
    (b'{"id": 1, "do": "plug_in", "connector": 1e30}', "bad_value", 1),
    (b'{"id": 1, "do": "plug_in", "connector": 1' + b"0" * 200 + b"}", "bad_value", 1),
    (b'{"id": 1, "do": "plug_in", "connector": 1' + b"0" * 400 + b"}", "unreadable", None),
    (b'{"id": 1, "do": "plug_in", "connector": "1"}', "bad_value", 1),
    (b'{"id": 1, "do": "plug_in"}', "bad_value", 1),
    (b'{"id": 1, "do": "plug_in", "connector": 1, "color": "red"}', "unknown_argument", 1),
    (b'{"id": 1, "do": "plug_in", "connector": 1, "self": 1}', "unknown_argument", 1),
    (b'{"id": 1, "do": "status", "id2": 1}', "unknown_argument", 1),
    (b'{"id": 1, "do": "present_id_tag", "id_tag": "\xff"}', "unreadable", None),
    (b'{"id": 1, "do": "present_id_tag", "id_tag": "\\ud800"}', "unreadable", None),
    (b"\xff\xfe\x00", "unreadable", None),
    (b'{"id": ' + b"[" * 101 + b"]" * 101 + b', "do": "disconnect"}', "unreadable", None),
    (b'{"id": ' + b"[" * 300 + b"]" * 300 + b', "do": "disconnect"}', "unreadable", None),
    (b'{"id": ' + b'{"a":' * 300 + b"1" + b"}" * 300 + b', "do": "disconnect"}', "unreadable", None),
    (b'{"id": ' + b"9" * 5000 + b', "do": "disconnect"}', "unreadable", None),
    (b'{"id": 1e999, "do": "disconnect"}', "unreadable", None),
    (b'{"id": "\\ud800", "do": "disconnect"}', "unreadable", None),
    (b'{"id": "\xff", "do": "disconnect"}', "unreadable", None),
    (b'{"id": 1, "do": "plug_in", "connector": ' + b"[" * 300 + b"]" * 300 + b"}", "bad_value", 1),
    (b'{"id": 1, "do": "plug_in", "connector": 1, "current": 375}', "bad_value", 1),
    (b'{"id": 1, "do": "plug_in", "connector": 1, "phases": 18446744073709551617}', "bad_value", 1),
    (b'{"id": 1, "do": "resend_dead_letters", "sequences": [1.5]}', "bad_value", 1),
    (b'{"id": 1, "do": "discard_dead_letters", "sequences": [18446744073709551617]}', "bad_value", 1),
    (b"[" * 100_000, "unreadable", None),
    (b'{"a":' * 100_000, "unreadable", None),
    (b"x" * 999_999, "unreadable", None),
    (b"x" * (LONGEST_LINE + 1), "unreadable", None),
    (b'{"id": 1, "do": "' + b"x" * 900_000 + b'"}', "unknown_command", 1),
    (b'{"id": 1, "do": "present_id_tag", "id_tag": "' + b"x" * 900_000 + b'"}', "bad_value", 1),
]


@pytest.mark.parametrize(("line", "code", "request_id"), GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_gets_one_answer_and_changes_nothing(desk: Desk, line: bytes, code: str, request_id: Any) -> None:
    bad, good = await desk.say(line + b'\n{"id": "next", "do": "disconnect"}\n')
    assert (bad["id"], bad["ok"], bad["code"]) == (request_id, False, code)
    assert 0 < len(bad["error"]) < 1000
    assert good == {"id": "next", "ok": True, "result": None}
    assert desk.bench.take(all_of_it=True) == []
    assert len(desk.bench.charge_point.for_station.timers) == 0


async def test_lines_may_be_cut_anywhere(desk: Desk) -> None:
    text = b'{"id": 1, "do": "connect"}\n\n  \r\n{"id": 2, "do": "connect"}\r\n{"id": 3, "do": "connect"}'
    for size in (1, 2, 7, len(text)):
        answers = await desk.say(*(text[start : start + size] for start in range(0, len(text), size)))
        assert [answer["id"] for answer in answers] == [1, 2, 3]


async def test_an_endless_line_is_not_kept(desk: Desk) -> None:
    answers = await desk.say(*[b"x" * 300_000] * 20, b'\n{"id": 1, "do": "connect"}\n')
    assert [(answer["id"], answer["ok"]) for answer in answers] == [(None, False), (1, True)]
    assert [answer["code"] for answer in await desk.say(*[b"x" * 300_000] * 20)] == ["unreadable"]


async def test_deferred_commands_answer_later(desk: Desk) -> None:
    answered = trio.Event()

    async def slow(*arguments: Any) -> None:
        await answered.wait()

    desk.bench.charge_point.data_transfer = slow
    send, receive = trio.open_memory_channel[bytes](10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.control.serve, desk.commands, receive)
        await send.send(b'{"id": 1, "do": "data_transfer", "vendor_id": "v"}\n{"id": 2, "do": "connect"}\n')
        await wait_all_tasks_blocked()
        assert [answer["id"] for answer in desk.taken()] == [2]
        await send.aclose()  # the end of the input does not take the answer away
        await wait_all_tasks_blocked()
        answered.set()
    assert desk.taken() == [{"id": 1, "ok": True, "result": {"status": "Offline", "data": None}}]


async def test_commands_that_wait_are_bounded(desk: Desk) -> None:
    answered = trio.Event()

    async def slow(*arguments: Any) -> None:
        await answered.wait()

    desk.bench.charge_point.data_transfer = slow
    line = b'{"do": "data_transfer", "vendor_id": "v"}\n'
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.say, line * (MOST_DEFERRED + 1))
        await wait_all_tasks_blocked()
        assert [answer["code"] for answer in desk.taken()] == ["refused"]
        answered.set()


async def nobody(line: bytes) -> None:
    """A sink before which a line waits for ever."""
    await trio.sleep_forever()


async def test_while_nobody_reads_no_more_lines_are_taken(make_bench: Any) -> None:
    bench = make_bench()
    control = ControlInterface(nobody)
    commands = Commands(bench.station, bench.charge_point, Operation(bench.station, bench.charge_point))
    send, receive = trio.open_memory_channel[bytes](100)
    for _ in range(100):
        send.send_nowait(b'{"do": "fly"}\n')
    async with trio.open_nursery() as nursery:
        nursery.start_soon(control.serve, commands, receive)
        await wait_all_tasks_blocked()
        assert receive.statistics().current_buffer_used == 99
        nursery.cancel_scope.cancel()


async def test_the_last_line_is_given_up_if_nobody_reads(autojump_clock: MockClock) -> None:
    control = ControlInterface(nobody)
    await control.exit("SIGINT")
    assert trio.current_time() == LAST_LINE


async def test_a_failing_store_refuses(desk: Desk) -> None:
    async def fail(*arguments: Any) -> None:
        raise StoreError("disk full")

    desk.bench.charge_point.configuration.set = fail
    (answer,) = await desk.say(b'{"id": 1, "do": "change_configuration", "key": "A", "value": "b"}')
    assert answer == {"id": 1, "ok": False, "code": "refused", "error": "disk full"}


async def test_stop_and_restart_over_the_wire(desk: Desk) -> None:
    assert (await desk.say(b'{"id": 1, "do": "stop"}\n'))[0]["result"] is True
    assert (await desk.say(b'{"id": 2, "do": "stop"}\n'))[0]["result"] is False
    assert (await desk.say(b'{"id": 3, "do": "restart"}\n'))[0]["result"] is True


async def test_the_help_can_be_told(desk: Desk) -> None:
    (answer,) = await desk.say(b'{"id": 1, "do": "help"}\n')
    assert answer["result"][0]["command"] == "plug_in"


async def test_before_there_is_a_clock_events_have_no_time(desk: Desk) -> None:
    await desk.control.emit("charging_profiles")
    assert desk.taken() == [{"event": "charging_profiles", "time": None}]


async def test_lost_events_are_told_once_and_first(desk: Desk) -> None:
    desk.control.follow(desk.bench.charge_point)
    counters = desk.bench.charge_point.counters
    for dropped in (0, 3, 3, 5):
        counters.observer_events_dropped = dropped
        await desk.control.notify(observer.ChargingProfilesChanged())
    told = [(record["event"], record.get("count")) for record in desk.taken()]
    profiles = ("charging_profiles", None)
    assert told == [profiles, ("events_dropped", 3), profiles, profiles, ("events_dropped", 2), profiles]


async def test_a_connection_that_stays_lost_is_told_once(desk: Desk) -> None:
    for connected in (False, False, True, True, False):
        await desk.control.notify(observer.ConnectionStateChanged(connected))
    assert [record["connected"] for record in desk.taken()] == [False, True, False]


async def test_other_events_and_the_last_line(desk: Desk) -> None:
    desk.control.follow(desk.bench.charge_point)
    await desk.control.emit("charging_profiles")
    await desk.control.exit("Hard reset")
    now = {"time": "2023-11-14T22:13:20.000Z"}
    assert desk.taken() == [{"event": "charging_profiles", **now}, {"event": "exit", "reason": "Hard reset", **now}]


async def test_an_async_sink_gets_one_line_at_a_time() -> None:
    lines: list[bytes] = []

    async def write(line: bytes) -> None:
        for part in (line[:3], line[3:]):
            await trio.lowlevel.checkpoint()
            lines.append(part)

    control = ControlInterface(write)
    async with trio.open_nursery() as nursery:
        for number in "01234":
            nursery.start_soon(control.exit, number)
    assert sorted(orjson.loads(line)["reason"] for line in b"".join(lines).splitlines()) == list("01234")
