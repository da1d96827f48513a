"""`--metrics-port`: metrics of the command, from its own process."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import trio
from patience import PATIENCE

from ocpp16.cli import main
from ocpp16.testing import CentralSystem

pytestmark = [pytest.mark.world]


def scraped(url: str) -> str:
    assert urlsplit(url).hostname == "127.0.0.1"
    with urlopen(url, timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.real_time
async def test_a_station_is_scraped(control: Callable[..., Any], write_configuration: Callable[..., Path]) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        async with control(write_configuration(port), "--metrics-port", "0") as station:
            url = (await station.event("metrics"))["url"]
            await station.event("boot", status="Accepted")
            await station.ok("plug_in", connector=1, plug_after=0)
            await station.event("status", connector=1, status="Preparing")
            text = await trio.to_thread.run_sync(scraped, url)
            for line in (
                "ocpp16_charge_points_registered 1.0",
                "ocpp16_connections_total 1.0",
                'ocpp16_connectors{status="Preparing"} 1.0',
            ):
                assert f"\n{line}\n" in text, text
            with pytest.raises(HTTPError, match="404") as refused:
                await trio.to_thread.run_sync(scraped, url + "/more")
            refused.value.close()
            assert await station.end_input() == 0
            assert b"Traceback" not in station.errors


def test_the_console_says_where(
    ocpp16: Callable[..., subprocess.CompletedProcess[str]], write_configuration: Callable[..., Path]
) -> None:
    done = ocpp16("charge-point", "--conf", str(write_configuration()), "--metrics-port", "0", typed=b"quit\n")
    assert done.returncode == 0
    assert "metrics: http://127.0.0.1:" in done.stdout


@pytest.fixture
def taken_port() -> Iterator[str]:
    """A port on which somebody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield str(held.getsockname()[1])


def test_a_taken_port(
    ocpp16: Callable[..., subprocess.CompletedProcess[str]], write_configuration: Callable[..., Path], taken_port: str
) -> None:
    done = ocpp16("charge-point", "--conf", str(write_configuration()), "--metrics-port", taken_port)
    assert done.returncode == 2
    assert done.stderr.endswith(
        f"ocpp16: cannot listen on 127.0.0.1, port {taken_port}: another program listens there\n"
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "http", "", "1.5"])
def test_what_is_no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["charge-point", "--csms", "ws://127.0.0.1:1/", "--id", "cp", "--metrics-port", port]) == 2
    said = capsys.readouterr().err
    assert "'--metrics-port'" in said
    assert len(said.splitlines()) <= 4


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.setitem(sys.modules, "prometheus_client.core", None)
    for name in ("ocpp16.metrics.prometheus", "ocpp16.metrics.http_door"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert main(["charge-point", "--csms", "ws://127.0.0.1:1/", "--id", "cp", "--metrics-port", "0"]) == 2
    assert capsys.readouterr().err == 'ocpp16: --metrics-port needs an extra: pip install "ocpp16[metrics]"\n'
    with pytest.raises(ImportError, match=r'pip install "ocpp16\[metrics\]"'):
        __import__("ocpp16.metrics.prometheus")
    assert __import__("ocpp16.metrics").metrics.collect([]).charge_points == 0, "numbers need nothing"
