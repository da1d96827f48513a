"""The demonstration: it tells its story, and it notices when the story goes wrong."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trio
import trio.testing
from patience import PATIENCE
from story_told import tell

from ocpp16.cli.scaled_clock import ScaledClock
from ocpp16.cli.stories.charging import Charging
from ocpp16.models import ChargingLimit
from ocpp16.simulation import SimulatedStation
from ocpp16.testing import CentralSystem, Fault

Process = subprocess.CompletedProcess[str]


async def told(
    csms: CentralSystem, connectors: int, kind: type[SimulatedStation] = SimulatedStation
) -> tuple[Charging, list[str]]:
    """The story, and its sentences too."""
    sentences: list[str] = []
    story = Charging(csms, sentences.append, patience=300.0)
    await tell(story, csms, connectors, kind(meter_interval=0))
    return story, sentences


async def test_all_goes_well(autojump_clock: trio.testing.MockClock) -> None:
    async with CentralSystem() as csms:
        story, sentences = await told(csms, 3)
        assert story.problems(3) == []
        assert [story.energy(connector) > 500 for connector in (1, 2, 3)] == [True] * 3
        assert sum("connector 2" in sentence for sentence in sentences) == 10
        assert "connector 1: GUEST is presented and refused: ReservedForOtherToken" in sentences
        limited = [call for call in csms.calls("StatusNotification") if call.payload["status"] == "SuspendedEVSE"]
        assert limited == []


async def test_many_cars_have_less_each_and_a_limit_is_less_again(autojump_clock: trio.testing.MockClock) -> None:
    async with CentralSystem() as csms:
        story, _ = await told(csms, 12)
        assert story.problems(12) == []


class Deaf(SimulatedStation):
    """It does not hear of limits."""

    __slots__ = ()

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        pass


class Stubborn(SimulatedStation):
    """It does not hear of limits that end."""

    __slots__ = ()

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        if limit.limit is not None:
            super().charging_limit_changed(connector_id, limit)


class Careless(SimulatedStation):
    """It asks for every card."""

    __slots__ = ()

    def present_id_tag(self, id_tag: str, connectors: Sequence[int] = ()) -> None:
        super().present_id_tag(id_tag, connectors)
        if id_tag == "GUEST":
            self.charge_point.for_station.spawn(self.charge_point.authorize_id_token, id_tag)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Deaf, "A flow under a limit of 10 A"),
        (Stubborn, "A flow without a limit"),
        (Careless, "GUEST was not refused"),
    ],
)
async def test_a_station_that_does_not_follow_is_told(
    autojump_clock: trio.testing.MockClock, kind: type[SimulatedStation], problem: str
) -> None:
    async with CentralSystem() as csms:
        story, _ = await told(csms, 1, kind)
        (told_problem,) = story.problems(1)
        assert told_problem.startswith("connector 1: ")
        assert told_problem.endswith(problem)


def refuse_cards(csms: CentralSystem) -> None:
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}


def refuse_boot(csms: CentralSystem) -> None:
    csms.refuse_boot(times=100, interval=3600)


def lose_stop(csms: CentralSystem) -> None:
    csms.misbehave(Fault.CLOSE, "StopTransaction", times=1)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (refuse_cards, "connector 1: nothing happened when CARD-1 is presented"),
        (refuse_boot, "the Central System did not accept the charge point"),
        (lose_stop, "connector 1: 1 transactions began, 2 ended with the card"),
    ],
)
async def test_what_goes_wrong_is_told(
    autojump_clock: trio.testing.MockClock, spoil: Callable[[CentralSystem], None], problem: str
) -> None:
    async with CentralSystem() as csms:
        spoil(csms)
        story, _ = await told(csms, 1)
        assert problem in story.problems(1)


def test_the_clock_runs_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("ocpp16.cli.scaled_clock.time.monotonic", lambda: now)
    clock = ScaledClock(10.0)
    clock.start_clock()
    now = 102.5
    assert clock.current_time() == 25.0
    assert clock.deadline_to_sleep_time(40.0) == 1.5
    assert clock.calendar_rate == 0.1  # the world outside lives as ever
    assert ScaledClock(10.0, is_calendar=True).calendar_rate == 1.0


@pytest.mark.world
def test_as_a_process(ocpp16: Callable[..., Process]) -> None:
    done = ocpp16("demo", "--connectors", "1", at_once=True)
    assert (done.returncode, done.stderr) == (0, "")
    story = (
        "a car is plugged in",
        "connector 1: Preparing",
        "CARD-1 is presented",
        "connector 1: Charging",
        "the Central System allows 10 A",
        "connector 1: limit 10 A",
        "the Central System lifts the limit",
        "connector 1: no limit",
        "the car pauses",
        "connector 1: SuspendedEV",
        "CARD-1 is presented again",
        "connector 1: Finishing",
        "the car is unplugged",
        "connector 1: Available",
        "the Central System reserves it for CARD-1",
        "connector 1: Reserved",
        "GUEST is presented and refused: ReservedForOtherToken",
        "the Central System cancels the reservation",
        "all went well",
    )
    positions = [done.stdout.find(text) for text in story]
    assert -1 not in positions
    assert positions == sorted(positions)
    for action in ("BootNotification", "Authorize", "StartTransaction", "MeterValues", "StopTransaction"):
        assert f"→ {action} " in done.stdout
        assert f"← {action}: " in done.stdout


@pytest.mark.world
def test_a_port_in_use(ocpp16: Callable[..., Process]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for arguments in (("demo",), ("central-system",)):
            done = ocpp16(*arguments, "--port", str(port))
            assert done.returncode == 2
            assert len(done.stderr.splitlines()) == 1
            assert str(port) in done.stderr


@pytest.mark.world
@pytest.mark.real_time
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_signals(number: signal.Signals, exit_code: int, command: tuple[str, ...]) -> None:
    async with trio.open_nursery() as nursery:
        process: Any = await trio.lowlevel.open_process(
            [*command, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with trio.fail_after(PATIENCE):
            seen = b""
            async for chunk in process.stdout:
                seen += chunk
                if b"BootNotification" in seen and process.returncode is None:
                    process.send_signal(number)
                    break
            nursery.start_soon(_drain, process.stdout)
            assert await process.wait() == exit_code
            assert await process.stderr.receive_some() == b""


async def _drain(stream: trio.abc.ReceiveStream) -> None:
    async for _ in stream:
        pass


@pytest.mark.world
def test_output_that_nobody_reads(command: tuple[str, ...]) -> None:
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    process = subprocess.Popen([*command, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(PATIENCE) == 1
    assert process.stderr.read() == b""
    process.stderr.close()
