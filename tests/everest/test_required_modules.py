"""Required modules that raise, hang, answer nonsense, and come back: the outcome of each command, and a warning."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from everest_double import TIMEOUT, Nonsense
from everest_interfaces import interfaces, needs_interfaces
from everest_site import Site, warnings

from ocpp16.everest import side as side_module
from ocpp16.everest.calls import MOST_OPEN, Calls, Unanswered
from ocpp16.everest.manifest import REQUIRES
from ocpp16.everest.questions import LONG, QUESTIONS, USUAL
from ocpp16.everest.side import EverestSide
from ocpp16.log import FoldingLog

NONSENSE: tuple[Any, ...] = (None, 5, "no such word", [], {"status": 7, "id": "x", "upload_logs_status": None})


@needs_interfaces
def test_every_question_is_a_command_of_its_interface() -> None:
    for requirement, command in QUESTIONS:
        assert command in interfaces().commands(REQUIRES[requirement].interface), command
    assert all(question.seconds in (USUAL, LONG) for question in QUESTIONS.values())


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets go what hangs."""
    event = threading.Event()
    yield event
    event.set()


class Recorder:
    """A framework with one connection of everything, and what is answered there."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer
        self.info = SimpleNamespace(id="ocpp")
        self.connections = {name: [SimpleNamespace(module_id=name, implementation_id="main")] for name in REQUIRES}

    def call_command(self, fulfillment: Any, command: str, arguments: Any) -> Any:
        return self.answer()


def side(answer: Callable[[], Any]) -> EverestSide:
    recorder = Recorder(answer)
    return EverestSide(recorder, recorder.connections, FoldingLog("", lambda: 0.0))


@pytest.mark.parametrize(("requirement", "command"), list(QUESTIONS))
def test_the_outcome_of_a_module_that_raises_or_hangs(
    requirement: str,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    release: threading.Event,
    caplog: pytest.LogCaptureFixture,
) -> None:
    question = QUESTIONS[requirement, command]

    def seconds(number: float) -> None:
        monkeypatch.setattr(side_module, "QUESTIONS", {(requirement, command): question._replace(seconds=number)})

    def fail() -> Any:
        raise RuntimeError("no such module")

    seconds(TIMEOUT)
    assert side(fail).ask(requirement, command) == question.otherwise
    assert f"{requirement}.{command} of {requirement}: RuntimeError: no such module; {question.outcome}" in caplog.text
    caplog.clear()

    def time_out() -> Any:
        raise TimeoutError("of the framework")

    assert side(time_out).ask(requirement, command) == question.otherwise
    assert "TimeoutError: of the framework" in caplog.text
    caplog.clear()
    seconds(0.02)
    assert side(lambda: release.wait(TIMEOUT)).ask(requirement, command) == question.otherwise
    assert f"no answer within 0.02 s; {question.outcome}" in caplog.text


@needs_interfaces
@pytest.mark.parametrize(("requirement", "command"), list(QUESTIONS))
def test_the_outcome_of_a_module_that_answers_nonsense(
    requirement: str, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    question = QUESTIONS[requirement, command]
    has_result = "result" in interfaces().commands(REQUIRES[requirement].interface)[command]
    refused = 0
    for nonsense in NONSENSE:
        caplog.clear()
        found = side(lambda nonsense=nonsense: nonsense).ask(requirement, command)  # type: ignore[misc]
        if question.outcome in caplog.text:
            refused += 1
            assert found == question.otherwise
            assert "the answer" in caplog.text
    assert refused >= 3 if has_result else refused == 0


def test_calls_that_are_not_answered_do_not_grow_without_end(release: threading.Event) -> None:
    connection = SimpleNamespace(module_id="m", implementation_id="i")
    other = SimpleNamespace(module_id="n", implementation_id="i")
    before = threading.active_count()
    calls = Calls(lambda fulfillment, command, arguments: fulfillment is connection and release.wait(TIMEOUT))
    for _ in range(MOST_OPEN):
        with pytest.raises(Unanswered, match="no answer within"):
            calls.ask(connection, "c", {}, 0.01)
    for _ in range(100):
        with pytest.raises(Unanswered, match="8 earlier calls are not answered yet"):
            calls.ask(connection, "c", {}, TIMEOUT)
    assert threading.active_count() <= before + MOST_OPEN
    assert calls.ask(other, "c", {}, TIMEOUT) is False, "another module is asked"
    release.set()
    for _ in range(10_000):
        try:
            assert calls.ask(connection, "c", {}, TIMEOUT) is True
            break
        except Unanswered:
            threading.Event().wait(0.01)
    else:
        raise AssertionError("it came back, and is not asked")


def test_exits_of_the_host_are_obeyed() -> None:
    def leave(fulfillment: Any, command: str, arguments: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Calls(leave).ask(SimpleNamespace(module_id="m", implementation_id="i"), "c", {}, TIMEOUT)


def fail(arguments: Any) -> Any:
    raise RuntimeError("time-out")


ALL_FAIL = (
    ("connector_1", "enable_disable"),
    ("connector_1", "external_ready_to_start_charging"),
    ("connector_1", "set_plug_and_charge_configuration"),
    ("connector_1", "force_unlock"),
    ("connector_1", "stop_transaction"),
    ("charger_information", "get_charger_information"),
    ("reservation", "reserve_now"),
    ("reservation", "cancel_reservation"),
    ("auth", "set_connection_timeout"),
    ("system", "get_boot_reason"),
    ("system", "set_system_time"),
    ("system", "is_reset_allowed"),
    ("system", "update_firmware"),
    ("system", "upload_logs"),
    ("data_transfer", "data_transfer"),
    ("security", "install_ca_certificate"),
    ("security", "delete_certificate"),
    ("security", "get_installed_certificates"),
)


def test_an_everest_that_fails_at_everything_and_comes_back(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site(optional=("charger_information", "data_transfer"), document={"PnC": {"ISO15118PnCEnabled": True}})
    for place in ALL_FAIL:
        here.everest.answers[place] = fail
    here.start()
    assert here.wait_call("BootNotification")["chargePointVendor"] == "V"
    for command in ("external_ready", "get_boot_reason", "get_charger_information", "set_plug_and_charge", "enable_d"):
        # EVSEs are enabled beside the boot, by threads of their own
        here.until(lambda command=command: command in warnings(caplog.records), command)  # type: ignore[misc]
    here.plug_in()
    transaction = here.wait_call("StartTransaction")
    assert transaction["connectorId"] == 1
    assert here.ask("UnlockConnector", {"connectorId": 2}) == {"status": "Unlocked"}
    here.until(lambda: here.everest.values("ocpp_generic", "ocpp_transaction_event")[1:])
    assert here.ask("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}
    here.until(lambda: "the transaction goes on" in warnings(caplog.records))
    asked: list[tuple[str, dict[str, Any], Any]] = [
        (
            "ReserveNow",
            {"connectorId": 2, "expiryDate": "2099-01-01T00:00:00Z", "idTag": "T", "reservationId": 1},
            {"status": "Rejected"},
        ),
        ("CancelReservation", {"reservationId": 1}, {"status": "Rejected"}),
        ("Reset", {"type": "Soft"}, {"status": "Rejected"}),
        ("GetDiagnostics", {"location": "ftp://h/"}, {}),
        ("DataTransfer", {"vendorId": "v"}, {"status": "Rejected"}),
        (
            "InstallCertificate",
            {"certificateType": "CentralSystemRootCertificate", "certificate": "x"},
            {"status": "Failed"},
        ),
        (
            "GetInstalledCertificateIds",
            {"certificateType": "CentralSystemRootCertificate"},
            {"status": "NotFound"},
        ),
    ]
    for action, payload, answer in asked:
        assert here.ask(action, payload) == answer, action
    update = {"location": "ftp://h/", "retrieveDate": "2020-01-01T00:00:00Z"}
    assert here.ask("UpdateFirmware", update) == {}
    assert here.wait_call("FirmwareStatusNotification") == {"status": "DownloadFailed"}
    here.everest.answers.clear()
    assert here.ask("ReserveNow", {**asked[0][1], "reservationId": 2}) == {"status": "Accepted"}
    assert here.ask("DataTransfer", {"vendorId": "v"})["status"] == "Accepted"
    here.tell(1, Nonsense({}))
    assert here.module._intake.is_stopped is False
