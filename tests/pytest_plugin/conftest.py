"""A Central System over TCP in a thread of its own, and charge points of the plugin in front of it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from host_faces import TIMEOUT, Server

import ocpp16
from ocpp16.pytest_plugin import ChargePoint, Fleet
from ocpp16.pytest_plugin.settings import Settings


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.thread.leave().result(TIMEOUT)


@pytest.fixture
def fleet_of(server: Server) -> Iterator[Callable[..., Fleet]]:
    """Opens fleets; what is left open is cut off."""
    opened: list[Fleet] = []

    def make(**changes: Any) -> Fleet:
        settings = Settings(timeout=TIMEOUT).over("the test", changes)
        fleet = Fleet(f"ws://127.0.0.1:{server.port}/", settings, count(1).__next__)
        fleet.open()
        opened.append(fleet)
        return fleet

    yield make
    for fleet in opened:
        fleet.close(in_order=False)


@pytest.fixture
def charge_point(fleet_of: Callable[..., Fleet]) -> ChargePoint:
    return fleet_of().add("CP1")


class Project:
    """A project with tests of a Central System, and pytest run on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = ""
        """All that the last run has printed."""

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(
        self, *options: str, url: str = "", plugins: tuple[str, ...] = ("pytest_asyncio.plugin",)
    ) -> dict[str, int]:
        """How many tests passed, failed, …; the exit code among them."""
        words = [
            word for plugin in ("ocpp16.pytest_plugin", "pytest_asyncio.plugin", *plugins) for word in ("-p", plugin)
        ]
        if url:
            words.append(f"--ocpp16-url={url}")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))},
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(Path(ocpp16.__file__).parents[1]),
            "COLUMNS": "200",
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", *words, *options],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.text = done.stdout + done.stderr
        summary = next((line for line in reversed(done.stdout.splitlines()) if " in " in line and "s" in line), "")
        words = summary.strip("= ").split(" in ")[0].replace(",", "").split()
        counted = {word.rstrip("s"): int(number) for number, word in zip(words[::2], words[1::2], strict=False)}
        return {**counted, "code": done.returncode}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write("pytest.ini", "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    return made
