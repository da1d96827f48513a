"""One long run of everything, with kill -9 and a bad network at random moments.

The environment says how long and which: OCPP16_ROUNDS (40) and OCPP16_RUN_SEED (1); a failure tells the seed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bad_network import BadNetwork
from long_run import LongRun
from long_run_configuration import AHEAD
from long_run_requests import reserve
from programs import CentralSystemProgram

pytestmark = [pytest.mark.world]

ROUNDS = int(os.environ.get("OCPP16_ROUNDS", "40"))
SEED = int(os.environ.get("OCPP16_RUN_SEED", "1"))


@pytest.fixture
def ahead() -> float:
    """Seconds by which the clock of the Central System is."""
    return 0


@pytest.fixture
def csms(ahead: float) -> Iterator[CentralSystemProgram]:
    with CentralSystemProgram(ahead=ahead) as running:
        yield running


@pytest.fixture
def network(csms: CentralSystemProgram) -> Iterator[BadNetwork]:
    with BadNetwork(csms.port) as running:
        yield running


@pytest.mark.soak
@pytest.mark.parametrize("ahead", [AHEAD[SEED % len(AHEAD)]])
@pytest.mark.timeout(900 + 120 * ROUNDS)
def test_a_long_run_of_everything(csms: CentralSystemProgram, network: BadNetwork, tmp_path: Path) -> None:
    run = LongRun(csms, network, tmp_path / "charge point", SEED)
    run.run(ROUNDS)
    assert run.problems == []
    assert run.site.kills >= ROUNDS // 3
    assert run.transactions >= ROUNDS // 4, "too little happened to prove anything"
    assert run.site.compared > 20 * run.site.kills


def test_two_kills(csms: CentralSystemProgram, network: BadNetwork, tmp_path: Path) -> None:
    """The same, short enough for every day."""
    run = LongRun(csms, network, tmp_path / "charge point", 5)
    run.run(10, kills=2)
    assert run.problems == []
    assert run.site.kills == 2
    assert run.site.compared > 0


@pytest.mark.parametrize("broken", [None, "lost-reservation"])
def test_what_is_not_in_force_any_more_is_noticed(
    csms: CentralSystemProgram, network: BadNetwork, tmp_path: Path, broken: str | None
) -> None:
    launcher = () if broken is None else (str(Path(__file__).with_name("broken_command.py")), broken)
    run = LongRun(csms, network, tmp_path / "charge point", 1, launcher)
    run.site.start()
    run.site.program.wait_for(event="boot")
    while True not in run.site.record.verdicts().values():
        reserve(run.site)
    run.site.kill()
    run.finish()
    assert ["reservation_" in problem for problem in run.problems] == ([] if broken is None else [True])


def test_what_it_says_on_standard_error_is_noticed(
    csms: CentralSystemProgram, network: BadNetwork, tmp_path: Path
) -> None:
    run = LongRun(csms, network, tmp_path / "charge point", 1)
    run.site.start()
    with (tmp_path / "charge point" / "stderr.log").open("a") as log:
        log.write("Traceback (most recent call last):\n")
    run.finish()
    assert ["on standard error" in problem for problem in run.problems] == [True]
