"""What EVerest tells waits in order, the newest of a state, and so much at most."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ocpp16.errors import ChargePointStopped
from ocpp16.everest import intake as intake_module
from ocpp16.everest import subscriptions as subscriptions_module
from ocpp16.everest.intake import Intake
from ocpp16.everest.subscriptions import Subscriptions
from ocpp16.log import FoldingLog

TIMEOUT = 120.0


@pytest.fixture
def intake() -> Iterator[Intake]:
    made = Intake(FoldingLog("", lambda: 0.0))
    yield made
    made.end()


class Heard(list[Any]):
    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def of(self, value: Any) -> Callable[[], None]:
        return lambda: self.append(value)

    def all_of(self, intake: Intake) -> "Heard":
        """What was told until now."""
        intake.tell("the last", self.over.set, outlives_stop=True)
        assert self.over.wait(TIMEOUT)
        return self


def test_in_order_and_of_a_state_the_newest(intake: Intake) -> None:
    heard = Heard()
    intake.tell("reading", heard.of("reading 1"), state=("meter", 1))
    intake.tell("event", heard.of("event 1"))
    intake.tell("reading", heard.of("reading 2"), state=("meter", 1))
    intake.tell("reading", heard.of("other"), state=("meter", 2))
    intake.tell("event", heard.of("event 2"))
    assert heard == []
    intake.begin()
    assert heard.all_of(intake) == ["reading 2", "event 1", "other", "event 2"]
    intake.tell("reading", heard.of("reading 3"), state=("meter", 1))
    heard.over.clear()
    assert heard.all_of(intake)[-1] == "reading 3"


def test_what_floods_forgets_the_oldest(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(intake_module, "MOST_WAITING", 5)
    heard = Heard()
    intake.tell("reading", heard.of("reading"), state="meter")
    for number in range(6):
        intake.tell("event", heard.of(number))
    intake.tell("reading", heard.of("new reading"), state="meter")
    monkeypatch.setattr(intake_module, "MOST_WAITING", 6)
    intake.begin()
    assert heard.all_of(intake) == [2, 3, 4, 5, "new reading"]
    assert "is forgotten" in caplog.text


def test_a_flood_of_errors_costs_no_session_its_end(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "MOST_WAITING", 5)
    heard = Heard()
    for name in ("started", "finished"):
        intake.tell("session_event", heard.of(name), is_last_to_go=True)
        for number in range(7):
            intake.tell("error", heard.of(number))
    monkeypatch.setattr(intake_module, "MOST_WAITING", 6)
    intake.begin()
    assert heard.all_of(intake) == ["started", "finished", 4, 5, 6]


def test_one_that_fails_ends_no_other(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()

    def fail(error: BaseException) -> Callable[[], None]:
        def act() -> None:
            raise error

        return act

    for error in (ValueError("no such connector"), RuntimeError("a fault"), ChargePointStopped("over"), OSError(5)):
        intake.tell("event", fail(error))
    intake.tell("event", heard.of("after"))
    intake.begin()
    assert heard.all_of(intake) == ["after"]
    assert "event of EVerest: no such connector" in caplog.text
    assert "event of EVerest: RuntimeError: a fault" in caplog.text


def test_what_is_told_while_stopped_is_forgotten(intake: Intake) -> None:
    heard = Heard()
    intake.begin()
    intake.tell("event", heard.of("before"))
    heard.all_of(intake)
    intake.is_stopped = True
    intake.tell("event", heard.of("session"))
    intake.tell("error", heard.of("error"), outlives_stop=True)
    intake.is_stopped = False
    heard.over.clear()
    assert heard.all_of(intake) == ["before", "error"]


def test_who_ends_waits_for_what_was_told_but_not_for_good(intake: Intake) -> None:
    heard, may_go_on, has_begun = Heard(), threading.Event(), threading.Event()
    intake.settle(TIMEOUT)  # nobody works yet: there is nothing to wait for

    def slow() -> None:
        has_begun.set()
        may_go_on.wait(TIMEOUT)

    intake.tell("event", slow)
    intake.tell("event", heard.of("after"))
    intake.begin()
    assert has_begun.wait(TIMEOUT)
    intake.settle(0.01)
    assert heard == []
    may_go_on.set()
    intake.settle(TIMEOUT)
    assert heard == ["after"]


def test_cars_that_wait_and_sessions_that_go_on_have_a_bound(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscriptions_module, "MOST_CARS", 6)
    monkeypatch.setattr(subscriptions_module, "MOST_RESUMED", 5)
    answer, answered = threading.Event(), threading.Semaphore(0)

    def ask(*arguments: Any) -> None:
        answer.wait(TIMEOUT)
        answered.release()

    side: Any = SimpleNamespace(log=FoldingLog("", lambda: 0.0), ask=ask)
    told = Subscriptions(side, intake, lambda: None)
    try:
        for number in range(20):
            told.certificate_request(1, {"certificate_action": "Update"})
            told.session_event(1, {"event": "SessionResumed", "uuid": str(number)})
        assert told._certificates._work_queue.qsize() <= 6
        assert len(told.resumed) == 5
        assert "6 cars wait for a certificate already" in caplog.text
    finally:
        answer.set()
    for _ in range(6):
        assert answered.acquire(timeout=TIMEOUT)
    told._certificates.shutdown()
    assert told._room_for_cars.acquire(blocking=False), "others come"
    assert not answered.acquire(blocking=False)
