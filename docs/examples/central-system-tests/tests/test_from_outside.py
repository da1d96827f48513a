"""The same Central System as a process of its own, and tests without a loop."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocpp16.pytest_plugin import ChargePoint

PROGRAM = Path(__file__).parents[1] / "central_system.py"


@pytest.fixture(scope="module")
def ocpp16_url() -> Iterator[str]:
    with subprocess.Popen([sys.executable, PROGRAM, "0"], stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.terminate()


def test_a_session(charge_point: ChargePoint) -> None:
    charge_point.wait_registered()
    charge_point.plug_in(1, plug_after=0)
    charge_point.present_id_tag("CARD1")
    assert charge_point.wait_sent("StartTransaction").answer["idTagInfo"]["status"] == "Accepted"
    charge_point.present_id_tag("CARD1")
    assert charge_point.wait_sent("StopTransaction").payload["reason"] == "Local"


def test_a_heartbeat_brings_the_time(charge_point: ChargePoint) -> None:
    charge_point.wait_registered()
    charge_point.heartbeat()
    assert charge_point.wait_sent("Heartbeat").answer["currentTime"].endswith("Z")
