"""What hooks raise, and what cannot be written, ends nothing: it is told, and the machine is in order afterwards."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strange_errors import STRANGE

from ocpp16._core import CallError, CallResult, json_text
from ocpp16.errors import LocalProtocolError
from ocpp16.rpc.pending import Asker, Entry
from ocpp16.rpc.policy import OutboxLimits, RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Ledger, Line


class Caught:
    """A second line that writes down what it is told."""

    def __init__(self) -> None:
        self.places: list[str] = []
        self.errors: list[BaseException] = []

    def __call__(self, place: str, error: BaseException) -> None:
        self.places.append(place)
        self.errors.append(error)


@pytest.fixture
def caught() -> Caught:
    return Caught()


@pytest.fixture
def guarded(new_line: "type[Line]", caught: Caught) -> "Line":
    return new_line(on_internal_error=caught, retry=RetryRules(attempts=2, interval=10.0))


def boom(*arguments: object) -> None:
    raise RuntimeError("boom")


def test_without_a_second_line_it_is_raised(line: "Line") -> None:
    entry = line.put("Heartbeat")
    entry.asker = Asker(boom)
    line.take()
    with pytest.raises(RuntimeError, match="boom"):
        line.answer()
    assert line.session.in_flight is None


@pytest.mark.parametrize("action", ["StartTransaction", "Heartbeat", "BootNotification"])
def test_a_confirmation_hook_that_raises_counts_as_told(guarded: "Line", caught: Caught, action: str) -> None:
    guarded.put(action).asker = Asker(boom)
    guarded.put("StopTransaction")
    guarded.take()
    guarded.answer()
    assert caught.places == ["confirmation of a message"]
    assert guarded.take() == ["StopTransaction"]
    guarded.answer()
    assert guarded.advance(1000) == []
    assert guarded.session.outbox.depth == 0


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_exception_ends_nothing_either(
    guarded: "Line", caught: Caught, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(*_: object) -> None:
        raise STRANGE[kind]()

    monkeypatch.setattr(guarded.ledger, "confirmed", strange)
    guarded.put("StartTransaction").asker = Asker(strange)
    guarded.take()
    guarded.answer()
    guarded.session.on_boot_wanted = strange
    guarded.put("StopTransaction")
    guarded.take()
    guarded.refuse("SecurityError")
    guarded.session._reading._on_invalid = strange
    guarded.receive("[]")
    guarded.call("ClearCache")
    guarded.session.reply(CallResult("cs-1", {"status": "Accepted"}), then=strange)
    guarded.lose()
    assert caught.places == [
        "delivery of a message",
        "confirmation of a message",
        "wish for a BootNotification",
        "report of an invalid frame",
        "what follows an answer",
    ]


@pytest.mark.parametrize("how", ["refused", "timeout", "lost", "stopped"])
def test_a_failure_hook_that_raises_counts_as_told(guarded: "Line", caught: Caught, how: str) -> None:
    guarded.put("Authorize", waits=True).asker = Asker(on_failure=boom)
    guarded.put("DataTransfer", waits=True)
    guarded.take()
    match how:
        case "refused":
            guarded.refuse()
        case "timeout":
            guarded.advance(30)
        case "lost":
            guarded.lose()
        case "stopped":
            guarded.session.stop(guarded.now)
    assert caught.places == ["failure of a message"]
    if guarded.session.is_connected:
        guarded.drain()
    assert [number for number, _, _ in guarded.ends] == [2]


@pytest.mark.parametrize("method", ["confirmed", "attempted", "given_up", "dropped", "set_aside", "partly_confirmed"])
def test_a_delivery_that_raises_loses_nothing_and_repeats_nothing(
    new_line: "type[Line]", caught: Caught, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    line = new_line(
        on_internal_error=caught, retry=RetryRules(attempts=2, interval=10.0), limits=OutboxLimits(threshold=3)
    )
    monkeypatch.setattr(line.ledger, method, boom)
    line.put("StartTransaction")
    line.take()
    match method:
        case "confirmed":
            line.answer()
        case "partly_confirmed":
            line.answer({"idTagInfo": {"status": "Invalid"}})
        case "dropped":
            line.answer()
            for _ in range(4):
                line.put("MeterValues")
        case "set_aside":
            for _ in range(2):
                line.session.heard(line.now)
                line.now = line.session.deadline(-1)
                line.session.on_time(line.now)
                line.wait()
        case _:
            line.refuse()
            line.wait()
            line.refuse()
    assert caught.places == ["delivery of a message"]
    assert [str(error) for error in caught.errors] == ["boom"]
    if line.session.in_flight is None:
        line.wait()
    line.drain()
    assert line.session.outbox.depth == 0
    assert line.session.in_flight is None
    assert line.advance(10_000) == []


@pytest.mark.parametrize("action", ["StartTransaction", "StatusNotification"])
def test_a_stored_message_that_can_never_be_bound_is_given_up(
    new_line: "type[Line]", caught: Caught, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    limits = OutboxLimits(queue_all=True)
    line = new_line(on_internal_error=caught, retry=RetryRules(attempts=3, interval=10.0), limits=limits)
    bad = line.put(action, is_persistent=True)
    line.put("StopTransaction")
    monkeypatch.setattr(line.ledger, "corrected", lambda entry: boom() if entry is bad else None)
    for _ in range(4):
        line.drain()
        line.wait()
    line.drain()
    assert line.ledger.of("given up") == [1]
    assert line.ledger.of("confirmed") == [2]
    assert len(caught.errors) == 3
    assert all(isinstance(error, LocalProtocolError) for error in caught.errors)


def test_a_message_that_can_be_bound_the_second_time_goes(
    guarded: "Line", caught: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.put("StartTransaction")
    with monkeypatch.context() as broken:
        broken.setattr(guarded.ledger, "corrected", boom)
        assert guarded.take() == []
    assert guarded.advance(10) == ["StartTransaction"]
    guarded.answer()
    assert guarded.ledger.of("confirmed") == [1]


def test_a_boot_notification_that_cannot_be_written_is_tried_again(
    guarded: "Line", caught: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.put("BootNotification", waits=True)
    guarded.put("StartTransaction")
    with monkeypatch.context() as broken:
        broken.setattr(guarded.ledger, "corrected", lambda entry: {"extra": 1} if "Boot" in entry.action else None)
        assert guarded.take() == ["StartTransaction"]
    assert caught.places == ["writing of BootNotification"]
    guarded.answer()
    assert guarded.advance(60) == ["BootNotification"]
    guarded.answer()
    assert [reason for _, reason, _ in guarded.ends] == ["confirmed"]


@pytest.mark.parametrize("bound", [{"extra": 1}, {"data": float("nan")}, {"currentTime": object()}, "", 7])
def test_a_message_nobody_waits_for_that_cannot_be_written_is_dropped(
    guarded: "Line", caught: Caught, monkeypatch: pytest.MonkeyPatch, bound: Any
) -> None:
    guarded.put("Heartbeat")
    guarded.put("StartTransaction")
    monkeypatch.setattr(guarded.ledger, "corrected", lambda entry: bound if entry.action == "Heartbeat" else None)
    assert guarded.take() == ["StartTransaction"]
    assert caught.places == ["writing of Heartbeat"]
    assert guarded.counters.dropped == 1


@pytest.mark.parametrize("payload", [{"a": object()}, {"a": "\ud800"}, {"a": {1, 2}}, {7: 1.5, (): 2}])
def test_an_answer_that_cannot_be_written_becomes_an_internal_error(
    guarded: "Line", caught: Caught, payload: dict[Any, Any]
) -> None:
    happened: list[int] = []
    guarded.call("ClearCache")
    guarded.session.reply(CallResult("cs-1", payload), then=lambda: happened.append(1))
    assert guarded.take() == ["error"]
    [error] = guarded.replies
    assert isinstance(error, CallError)
    assert (error.unique_id, error.code) == ("cs-1", "InternalError")
    assert caught.places == ["writing the answer to ClearCache"]
    assert happened == [1]
    assert guarded.call("ClearCache") is not None


@pytest.mark.parametrize("how", ["written", "lost", "too late"])
def test_what_follows_an_answer_may_raise(guarded: "Line", caught: Caught, how: str) -> None:
    happened: list[int] = []
    guarded.call("ClearCache", unique_id="a")
    guarded.call("ClearCache", unique_id="b")
    if how == "too late":
        guarded.lose()
    guarded.session.reply(CallResult("a", {"status": "Accepted"}), number=1, then=boom)
    guarded.session.reply(CallResult("b", {"status": "Accepted"}), number=1, then=lambda: happened.append(1))
    if how == "written":
        guarded.durable = 1
        guarded.take()
    elif how == "lost":
        guarded.lose()
    assert caught.places == ["what follows an answer"]
    assert happened == [1]


def test_a_report_that_raises_is_told(new_line: "type[Line]", caught: Caught) -> None:
    line = new_line(on_internal_error=caught)
    line.session._reading._on_invalid = boom
    line.receive("[]")
    assert caught.places == ["report of an invalid frame"]


def test_a_wish_for_a_boot_that_raises_leaves_the_message_to_its_attempts(guarded: "Line", caught: Caught) -> None:
    guarded.session.on_boot_wanted = boom
    entry = guarded.put("StopTransaction")
    guarded.take()
    guarded.refuse("SecurityError")
    assert caught.places == ["wish for a BootNotification"]
    assert entry.attempts == 0
    assert guarded.take() == ["StopTransaction"]
    guarded.refuse("SecurityError")
    assert entry.attempts == 1


def test_a_call_that_cannot_be_written_down_again_is_reported_all_the_same(line: "Line") -> None:
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"a": deep}
    call = line.handed_out("Reset", {"type": "Soft"})
    call.payload["type"] = deep
    with pytest.raises(ValueError):
        line.session.validate_request(call)
    assert line.invalid[0][0] == '[2,"cs-1","Reset",…]'


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # what JSON text can hold: no lone surrogates
    | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["transactionId", "idTagInfo", "status", "currentTime", "interval", "data", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)
STEPS = st.one_of(
    st.tuples(
        st.just("put"),
        st.sampled_from(["StartTransaction", "StopTransaction", "MeterValues", "StatusNotification", "Heartbeat"])
        | st.sampled_from(["Authorize", "DataTransfer", "BootNotification", "SecurityEventNotification"]),
    ),
    st.tuples(st.just("result"), VALUES),
    st.tuples(st.just("error"), st.lists(VALUES, max_size=4)),
    st.tuples(st.just("frame"), st.lists(VALUES, max_size=5)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 1.0, 30.0, 300.0])),
    st.tuples(st.just("lose"), st.none()),
)
FAULTS = st.sets(st.sampled_from(["confirmed", "attempted", "given_up", "dropped", "corrected", "hooks", "report"]))


@settings(max_examples=300, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, max_size=20), faults=FAULTS)
def test_anything_in_any_order_leaves_the_machine_in_order(
    new_line: "type[Line]", new_ledger: "type[Ledger]", steps: list[tuple[str, Any]], faults: set[str]
) -> None:
    """Nothing is raised, one CALL is open at most, each message ends once, and none of a transaction is lost."""
    caught = Caught()
    ledger = new_ledger()
    line = new_line(ledger=ledger, on_internal_error=caught, retry=RetryRules(attempts=2, interval=10.0))
    ended: list[int] = []
    for method in ("confirmed", "given_up", "dropped"):
        real = getattr(ledger, method)

        def told(entry: Entry, *rest: Any, real: Any = real, method: str = method) -> None:
            ended.append(entry.sequence)
            real(entry, *rest)
            if method in faults:
                boom()

        setattr(ledger, method, told)
    if "attempted" in faults:
        ledger.attempted = boom  # type: ignore[method-assign, assignment]
    if "report" in faults:
        line.session._reading._on_invalid = boom
    put: list[Entry] = []
    for what, value in steps:
        line.take()
        open_id = line.session._requests.open_call.unique_id
        match what:
            case "put":
                entry = line.put(value, waits=value in ("Authorize", "DataTransfer"))
                put.append(entry)
                if "hooks" in faults and entry.asker is None:
                    entry.asker = Asker(boom)
            case "result":
                line.receive(f'[3,"{open_id}",{json_text(value)}]')
            case "error":
                line.receive(json_text([4, open_id, *value]))
            case "frame":
                call = line.receive(json_text(value))
                if call is not None:
                    line.session.reply(CallError(call.unique_id, "GenericError"), call=call)
            case "wait":
                line.advance(value)
            case "lose":
                line.lose()
                line.connect()
    line.drain(limit=1000)
    while line.wait():
        line.drain(limit=1000)
    assert line.session.in_flight is None
    assert (line.session.outbox.depth, line.session.outbox.bytes) == (0, 0)
    stored = [entry.sequence for entry in put if entry.is_retried]
    assert sorted(ended) == sorted(stored)
    asked = [entry.sequence for entry in put if entry.asker is not None and entry.asker.on_failure is not None]
    assert sorted(number for number, _, _ in line.ends) == sorted(asked)
    assert all(str(error) == "boom" for error in caught.errors)
