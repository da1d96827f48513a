"""The scripted Central System: what it answers, sends, records and objects to."""

import contextlib
from typing import Any

import pytest
import trio

from ocpp16 import codec
from ocpp16.codec import Call, CallError, CallResult, serialize
from ocpp16.errors import CallFailed, Offline
from ocpp16.testing import CallErrorAnswer, CentralSystem, Direction, Fault

START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"}
STOP = {"transactionId": 1, "meterStop": 5, "timestamp": "2026-01-01T01:00:00Z"}
METER = {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": "1"}]}]}

USUAL: list[tuple[str, dict[str, Any]]] = [
    ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}),
    ("Heartbeat", {}),
    ("Authorize", {"idTag": "A"}),
    ("StartTransaction", START),
    ("StopTransaction", STOP),
    ("StopTransaction", {**STOP, "idTag": "A"}),
    ("MeterValues", METER),
    ("StatusNotification", {"connectorId": 0, "errorCode": "NoError", "status": "Available"}),
    ("DataTransfer", {"vendorId": "V"}),
    ("FirmwareStatusNotification", {"status": "Idle"}),
    ("DiagnosticsStatusNotification", {"status": "Idle"}),
    ("LogStatusNotification", {"status": "Idle"}),
    ("SignedFirmwareStatusNotification", {"status": "Idle"}),
    ("SecurityEventNotification", {"type": "X", "timestamp": "2026-01-01T00:00:00Z"}),
    ("SignCertificate", {"csr": "x"}),
]


async def test_usual_answers_are_valid_and_nothing_is_objected_to(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    for action, payload in USUAL:
        answer = await charge_point.ask(action, payload)
        assert isinstance(answer, CallResult), action
        codec.validate_sending(action, "response", answer.payload)
    assert csms.violations == []
    assert [call.action for call in csms.calls()] == [action for action, _ in USUAL]
    assert {action for action, spec in codec.ACTIONS.items() if spec.initiator != "CentralSystem"} == {
        action for action, _ in USUAL
    }


async def test_its_clock_follows_the_virtual_one(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    await trio.sleep(90)
    answer = await charge_point.ask("BootNotification", dict(USUAL[0][1]))
    assert answer.payload == {"status": "Accepted", "currentTime": "2026-01-01T00:01:30.000Z", "interval": 300}


async def test_clock_and_interval_of_ones_own(autojump_clock: Any, connect: Any) -> None:
    async with CentralSystem(now=lambda: 0, interval=7) as csms:
        charge_point = await connect(csms)
        answer = await charge_point.ask("BootNotification", dict(USUAL[0][1]))
        assert answer.payload == {"status": "Accepted", "currentTime": "1970-01-01T00:00:00.000Z", "interval": 7}


@pytest.mark.parametrize("record_limit", [0, None])
async def test_registrations_of_strangers_have_a_bound(
    monkeypatch: pytest.MonkeyPatch, connect: Any, record_limit: int | None
) -> None:
    monkeypatch.setattr("ocpp16.testing.central_system.REGISTRATIONS", 3)
    async with CentralSystem(record_limit=record_limit) as csms:
        await connect(csms, "stays")
        csms.note_registration("stays", "Accepted")
        for number in range(6):
            csms.note_registration(f"stranger{number}", "Accepted")
        kept = [] if record_limit == 0 else [f"stranger{number}" for number in range(4)]
        assert list(csms.registrations) == ["stays", *kept, "stranger4", "stranger5"]


async def test_boot_refused_a_number_of_times(autojump_clock: Any, csms: Any, connect: Any) -> None:
    csms.refuse_boot("Pending", times=2, interval=20)
    csms.refuse_boot("Rejected", interval=30)
    charge_point = await connect(csms)
    seen = [(await charge_point.ask("BootNotification", dict(USUAL[0][1]))).payload for _ in range(4)]
    assert [(payload["status"], payload["interval"]) for payload in seen] == [
        ("Pending", 20),
        ("Pending", 20),
        ("Rejected", 30),
        ("Accepted", 300),
    ]
    assert csms.registrations == {"CP1": "Accepted"}


async def test_transaction_ids_ascend_and_repeats_are_folded(autojump_clock: Any, csms: Any, connect: Any) -> None:
    one, two = await connect(csms, "CP1"), await connect(csms, "CP2")
    await one.boot()
    await two.boot()

    async def start(charge_point: Any, **changed: Any) -> Any:
        return (await charge_point.ask("StartTransaction", {**START, **changed})).payload["transactionId"]

    assert await start(one) == 1
    assert await start(two) == 2
    assert await start(one, meterStart=1) == 3
    assert await start(one) == 1
    assert await start(two) == 2
    assert await start(one, reservationId=5) == 1, "what tells repeats apart is connector, idTag, timestamp, meterStart"


async def later(payload: Any, call: Any) -> Any:
    await trio.sleep(5)
    return {"idTagInfo": {"status": "Expired"}}


@pytest.mark.parametrize(
    ("scripted", "expected"),
    [
        ({"idTagInfo": {"status": "Blocked"}}, CallResult("cp-2", {"idTagInfo": {"status": "Blocked"}})),
        (lambda payload, call: {"idTagInfo": {"status": payload["idTag"] + call.identity}}, "ACP1"),
        (later, "Expired"),
        (CallErrorAnswer("InternalError", "no", {"a": 1}), CallError("cp-2", "InternalError", "no", {"a": 1})),
        (lambda payload, call: CallErrorAnswer("GenericError"), CallError("cp-2", "GenericError")),
        (None, None),
        (lambda payload, call: None, None),
    ],
)
async def test_scripted_answers(autojump_clock: Any, csms: Any, connect: Any, scripted: Any, expected: Any) -> None:
    csms.answers["Authorize"] = scripted
    charge_point = await connect(csms)
    await charge_point.boot()
    answer = await charge_point.ask("Authorize", {"idTag": "A"})
    if isinstance(expected, str):
        assert answer.payload["idTagInfo"]["status"] == expected
    else:
        assert answer == expected


async def test_a_function_that_waits_holds_nobody_up(autojump_clock: Any, csms: Any, connect: Any) -> None:
    csms.answers["Authorize"] = later
    charge_point = await connect(csms)
    await charge_point.boot()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(charge_point.ask, "Authorize", {"idTag": "A"})
        await trio.testing.wait_all_tasks_blocked()
        assert await charge_point.ask("Heartbeat", {}, timeout=1) is not None


async def test_a_failing_script_fails_the_test(autojump_clock: Any, connect: Any) -> None:
    def broken(payload: Any, call: Any) -> None:
        raise AssertionError("unexpected Authorize")

    with pytest.RaisesGroup(AssertionError, flatten_subgroups=True):
        async with CentralSystem() as csms:
            csms.answers["Authorize"] = broken
            charge_point = await connect(csms)
            await charge_point.say("Authorize", {"idTag": "A"})
            await trio.sleep(10)


# Calls of the Central System


async def test_call(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    charge_point.replies["ClearCache"] = lambda call: serialize(CallResult(call.unique_id, {"status": "Accepted"}))
    assert await csms.call("CP1", "ClearCache", {}) == {"status": "Accepted"}
    assert csms.violations == []
    sent = [record.frame for record in csms.traffic if record.direction is Direction.SENT]
    assert sent == [Call("csms-1", "ClearCache", {})]


async def test_call_answered_with_an_error(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    charge_point.replies["ClearCache"] = lambda call: serialize(CallError(call.unique_id, "NotSupported", "none here"))
    with pytest.raises(CallFailed) as caught:
        await csms.call("CP1", "ClearCache", {})
    assert (caught.value.reason, caught.value.code, caught.value.description) == (
        "callerror",
        "NotSupported",
        "none here",
    )


async def test_call_not_answered(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    with pytest.raises(CallFailed, match="timeout"):
        await csms.call("CP1", "ClearCache", {}, 12)
    assert trio.current_time() == 12
    await charge_point.send(b'[3,"csms-1",{"status":"Accepted"}]')
    await trio.testing.wait_all_tasks_blocked()
    assert csms.violations == [], "a late answer is no violation"


async def test_call_that_nobody_waits_for_any_more(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    with trio.move_on_after(5):
        await csms.call("CP1", "ClearCache", {})
    await charge_point.send(b'[3,"csms-1",{"status":"Accepted"}]')
    await trio.testing.wait_all_tasks_blocked()
    assert csms.violations == [], "the charge point cannot know of it"
    await charge_point.send(b'[3,"csms-1",{"status":"Accepted"}]')
    await trio.testing.wait_all_tasks_blocked()
    assert [violation.rule for violation in csms.violations] == ["an answer to no open CALL"], "once is enough"


async def test_call_and_no_connection(autojump_clock: Any, csms: Any, connect: Any) -> None:
    with pytest.raises(Offline):
        await csms.call("CP1", "ClearCache", {})
    charge_point = await connect(csms)

    async def fail() -> None:
        with pytest.raises(CallFailed, match="connection lost"):
            await csms.call("CP1", "ClearCache", {})

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail)
        nursery.start_soon(fail)
        await trio.testing.wait_all_tasks_blocked()
        charge_point.websocket.abort()
    assert trio.current_time() == 0


async def test_calls_to_one_charge_point_wait_for_each_other(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(csms.call, "CP1", "ClearCache", {})
        for number in (1, 2, 3):
            await trio.testing.wait_all_tasks_blocked()
            assert len(charge_point.received) == number
            await charge_point.send(b'[3,"csms-%d",{"status":"Accepted"}]' % number)


async def test_only_valid_calls_unless_asked_for(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    charge_point.replies["Reset"] = lambda call: serialize(CallError(call.unique_id, "FormationViolation"))
    with pytest.raises(codec.ValidationError):
        await csms.call("CP1", "Reset", {})
    with pytest.raises(CallFailed, match="FormationViolation"):
        await csms.call("CP1", "Reset", {}, validated=False)
    await csms.send_text("CP1", "no frame at all")
    await trio.testing.wait_all_tasks_blocked()
    assert charge_point.received[-1] == "no frame at all"


# Judging


BAD = {
    # what the charge point sends after its boot: (text, what the violation says, what comes back)
    "no JSON": (b"hello", "no OCPP-J frame", None),
    "no frame": (b"[2]", "no OCPP-J frame", None),
    "payload is no object": (b'[2,"x","Heartbeat",[]]', "no OCPP-J frame", b"FormationViolation"),
    "unknown action": (b'[2,"x","Hartbeat",{}]', "unknown action", b"NotImplemented"),
    "wrong direction": (b'[2,"x","Reset",{"type":"Soft"}]', "not for a charge point", b"NotSupported"),
    "member missing": (b'[2,"x","Authorize",{}]', "idTag", b"ConstraintViolation"),
    "further member": (b'[2,"x","Authorize",{"idTag":"A","foo":1}]', "foo", b"Accepted"),
    "id used twice": (b'[2,"cp-1","Heartbeat",{}]', "used twice", b"currentTime"),
    "answer to nothing": (b'[3,"zzz",{}]', "no open CALL", None),
    "error for nothing": (b'[4,"zzz","GenericError","",{}]', "no open CALL", None),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_a_charge_point_must_not_send(autojump_clock: Any, csms: Any, connect: Any, name: Any) -> None:
    text, rule, answer = BAD[name]
    charge_point = await connect(csms)
    await charge_point.boot()
    await charge_point.send(text)
    await trio.testing.wait_all_tasks_blocked()
    assert len(csms.violations) == 1
    violation = csms.violations[0]
    assert rule in violation.rule
    assert (violation.identity, violation.text) == ("CP1", text.decode())
    if answer is None:
        assert len(charge_point.received) == 1
    else:
        assert answer.decode() in charge_point.received[-1]
    assert charge_point.websocket.is_open


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        (lambda call: serialize(CallResult(call.unique_id, {})), "status"),
        (lambda call: serialize(CallError(call.unique_id, "OccurrenceConstraintViolation")), "unknown error code"),
    ],
)
async def test_bad_answers_of_a_charge_point(
    autojump_clock: Any, csms: Any, connect: Any, reply: Any, rule: Any
) -> None:
    charge_point = await connect(csms)
    charge_point.replies["ClearCache"] = reply
    with contextlib.suppress(CallFailed):
        assert await csms.call("CP1", "ClearCache", {}) == {}
    assert len(csms.violations) == 1
    assert rule in csms.violations[0].rule


async def test_two_calls_at_a_time(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    await charge_point.boot()
    await charge_point.send(b'[2,"a","Heartbeat",{}]', b'[2,"b","Heartbeat",{}]')
    await trio.testing.wait_all_tasks_blocked()
    assert [violation.rule[:18] for violation in csms.violations] == ["more than one CALL"]
    assert len(charge_point.received) == 3, "both are answered all the same"


async def _slowly(payload: dict[str, Any], call: Any) -> dict[str, Any]:
    await trio.sleep(1)
    return {"idTagInfo": {"status": "Accepted"}}


@pytest.mark.parametrize("wait", [0.5, 2.0])
@pytest.mark.parametrize("late", ["delayed", "dropped", "async", "never"])
async def test_a_call_before_the_answer_that_is_owed(
    autojump_clock: Any, csms: Any, connect: Any, late: str, wait: float
) -> None:
    charge_point = await connect(csms)
    await charge_point.boot()
    if late in {"delayed", "dropped"}:
        csms.misbehave(Fault.DELAY if late == "delayed" else Fault.DROP, "Authorize", seconds=1)
    else:
        csms.answers["Authorize"] = _slowly if late == "async" else None
    await charge_point.say("Authorize", {"idTag": "A"})
    await trio.sleep(wait)
    await charge_point.ask("Heartbeat", {})
    rules = [violation.rule[:18] for violation in csms.violations]
    assert rules == (["more than one CALL"] if wait < 1 else []), "later it may have been given up"


async def test_a_call_that_was_answered_owes_nothing(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    await charge_point.boot()
    csms.misbehave(Fault.DELAY, "Authorize", seconds=0.5)
    assert await charge_point.ask("Authorize", {"idTag": "A"}) is not None
    await charge_point.send(b'[2,"a","Heartbeat",{}]')
    await trio.testing.wait_all_tasks_blocked()
    assert not csms.violations


@pytest.mark.parametrize(
    ("status", "triggered", "violations"),
    [(None, False, 0), ("Rejected", False, 1), ("Pending", False, 1), ("Pending", True, 0), ("Accepted", False, 0)],
)
async def test_calls_before_the_boot_was_accepted(
    autojump_clock: Any, csms: Any, connect: Any, status: Any, triggered: Any, violations: Any
) -> None:
    charge_point = await connect(csms)
    charge_point.replies["TriggerMessage"] = lambda call: serialize(CallResult(call.unique_id, {"status": "Accepted"}))
    if status is not None:
        csms.refuse_boot(status)
        await charge_point.boot()
    if triggered:
        await csms.call("CP1", "TriggerMessage", {"requestedMessage": "Heartbeat"})
    await charge_point.ask("Heartbeat", {})
    assert len(csms.violations) == violations


@pytest.mark.parametrize("boots", [False, True])
async def test_who_was_accepted_by_an_earlier_central_system_is_not_accused(
    autojump_clock: Any, csms: Any, connect: Any, boots: bool
) -> None:
    charge_point = await connect(csms)
    for _ in range(3):
        await charge_point.ask("Heartbeat", {})
    if boots:  # so it was not accepted: it should have begun with this
        await charge_point.boot()
    assert [violation.rule[:9] for violation in csms.violations] == ["Heartbeat"] * boots


async def test_the_same_script_gives_the_same_record(autojump_clock: Any, connect: Any) -> None:
    records = []
    for _ in range(2):
        async with CentralSystem() as csms:
            began = trio.current_time()
            charge_point = await connect(csms)
            for action, payload in USUAL:
                await charge_point.ask(action, payload)
            await csms.close("CP1")
            records.append([(round(line.time - began, 6), line.direction, line.text) for line in csms.traffic])
    assert records[0] == records[1]


def test_outside_of_its_block_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        CentralSystem().stream()
