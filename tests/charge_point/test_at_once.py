"""Handlers that wait for nothing answer in the turn of their CALL: nobody can tell but by the time it takes."""

import json
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.charge_point.dispatcher import Dispatcher
from ocpp16.errors import CallFailed
from ocpp16.profiles.remote_control import RemoteControl
from ocpp16.profiles.settings import Settings

Asked = tuple[str, dict[str, Any]]

QUESTIONS: dict[str, list[Asked]] = {
    "settings": [
        *(("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": value}) for value in ("7", "8", "x")),
        ("GetConfiguration", {"key": ["ConnectionTimeOut", "NoSuchKey"]}),
    ],
    "remote control": [
        ("RemoteStopTransaction", {"transactionId": 1}),
        ("RemoteStopTransaction", {"transactionId": 666}),  # a fault of its handler
        ("RemoteStartTransaction", {"idTag": "A", "connectorId": 1}),
    ],
    "availability": [("ChangeAvailability", {"connectorId": 2, "type": kind}) for kind in ("Operative", "Inoperative")],
    "connector 1": [("UnlockConnector", {"connectorId": 1})],
    "connector 2": [("UnlockConnector", {"connectorId": 2})],
    "authorization": [("ClearCache", {})],
    "local list": [("GetLocalListVersion", {}), ("SendLocalList", {"listVersion": 1, "updateType": "Full"})],
    "triggers": [("TriggerMessage", {"requestedMessage": name}) for name in ("Heartbeat", "MeterValues")],
    "what is refused": [("TriggerMessage", {"requestedMessage": "Nonsense"}), ("SendLocalList", {})],
    "reset": [("Reset", {"type": "Soft"})],
}
"""By concern, as `on` marks them. None decides what another is answered: of two at once either may be the first."""

CALL = st.sampled_from([(concern, *asked) for concern, questions in QUESTIONS.items() for asked in questions])
READS = st.lists(st.tuples(st.lists(CALL, min_size=1, max_size=8), st.sampled_from([0, 1, 5])), max_size=12)
"""What each read brings, and the seconds until the next."""

Reads = list[tuple[list[tuple[str, str, dict[str, Any]]], float]]


async def answered(open_bench: Any, reads: Reads) -> tuple[dict[str, list[str]], set[str], Any]:
    """Answers by concern; what the charge point sent; and where it all led.

    Not how often it sent that, or asked the station: what follows an answer takes the place of what still waits.
    """
    concerns: dict[str, str] = {}
    numbers = count()
    async with open_bench() as bench:
        bench.station.delays.update(unlock_connector=2, is_reset_allowed=3)
        bench.station.answers["is_reset_allowed"] = False
        await trio.sleep(10)
        websocket = bench.csms.connected["cp001"].websocket
        for calls, seconds in reads:
            for concern, action, payload in calls:
                unique_id = f"q{next(numbers)}"
                concerns[unique_id] = concern
                websocket.send_text(json.dumps([2, unique_id, action, payload]))
            assert websocket.flush_now()
            await trio.sleep(seconds)
        await trio.sleep(200)
        frames = [(json.loads(record.text), record.text) for record in bench.csms.traffic if record.text[:1] == "["]
        answers: dict[str, list[str]] = {}
        for frame, text in frames:
            if frame[0] != 2 and frame[1] in concerns:
                answers.setdefault(concerns[frame[1]], []).append(text)
        bench.csms.violations.clear()  # answers to texts that are no CALLs of its own
        sent = {call.action for call in bench.csms.calls()}
        statuses = [status["status"] for status in bench.sent("StatusNotification") if status["connectorId"] == 2]
        questions = [sorted(bench.station.asked(name)) for name in ("unlock_connector", "is_reset_allowed")]
        return answers, sent, (statuses[-1], questions, bench.station.asked("set_connection_timeout")[-1])


@settings(deadline=None, derandomize=True, database=None, max_examples=150)
@given(READS)
def test_answers_and_their_order_are_those_of_the_lanes(
    open_bench: Any, virtual_run: Callable[..., Any], reads: Reads
) -> None:
    stop = RemoteControl.remote_stop_transaction

    def faulty(self: Any, request: Any) -> Any:
        if request["transactionId"] == 666:
            raise ZeroDivisionError
        return stop(self, request)

    accept = Dispatcher.accept
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RemoteControl, "remote_stop_transaction", faulty)
        found = virtual_run(partial(answered, open_bench, reads))
        patch.setattr(Dispatcher, "accept", lambda self, call, is_first: accept(self, call, False))
        assert found == virtual_run(partial(answered, open_bench, reads))
    for concern, texts in found[0].items():
        ids = [json.loads(text)[1] for text in texts]
        assert ids == sorted(ids, key=lambda unique_id: int(unique_id[1:])), concern
    assert sum(map(len, found[0].values())) == sum(len(calls) for calls, _ in reads)


async def test_the_first_of_a_read_is_answered_before_anyone_else_has_a_turn(open_bench: Any) -> None:
    async with open_bench() as bench:
        await trio.sleep(10)
        runtime = bench.charge_point._runtime
        link = runtime.life.connectivity._link
        texts = [f'[2,"q{number}","GetLocalListVersion",{{}}]' for number in range(3)]
        link.take_in(texts)
        assert runtime.features.dispatcher._waiting == 2, "the others have their turn in their lane"
        link.take_in(['[2,"q3","GetConfiguration",{}]'])
        assert runtime.features.dispatcher._waiting == 2, "another concern waits for none"
        link.take_in(['[2,"q4","GetLocalListVersion",{}]'])
        assert runtime.features.dispatcher._waiting == 3, "of this one others wait"
        await trio.sleep(1)
        answers = [record.text for record in bench.csms.traffic if record.text.startswith('[3,"q')]
        assert [answer[4:6] for answer in answers] == ["q0", "q3", "q1", "q2", "q4"]
        bench.csms.violations.clear()


async def test_who_answers_at_once_does_not_overtake_its_concern(
    open_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Settings.change

    async def slow_change(self: Any, key: str, value: str) -> Any:
        await trio.sleep(5)
        return await change(self, key, value)

    monkeypatch.setattr(Settings, "change", slow_change)
    texts = (
        '[2,"c","ChangeConfiguration",{"key":"ConnectionTimeOut","value":"17"}]',
        '[2,"g","GetConfiguration",{"key":["ConnectionTimeOut"]}]',
        '[2,"v","GetLocalListVersion",{}]',
    )
    async with open_bench() as bench:
        for text in texts:
            await bench.csms.send_text("cp001", text)
        await trio.sleep(20)
        answers = [line.text for line in bench.csms.traffic if line.text.startswith(('[3,"c"', '[3,"g"', '[3,"v"'))]
        assert [answer[4] for answer in answers] == ["v", "c", "g"]
        assert '"17"' in answers[2]
        bench.csms.violations.clear()


async def test_a_fault_of_who_answers_at_once_is_told_and_ends_nothing(
    open_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(self: Any, request: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Settings, "get_configuration", faulty)
    async with open_bench() as bench:
        for _ in range(2):
            with pytest.raises(CallFailed, match="InternalError"):
                await bench.call("GetConfiguration", {})
        assert await bench.call("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "9"}) == {
            "status": "Accepted"
        }
        assert bench.charge_point.counters.internal_errors == 2
