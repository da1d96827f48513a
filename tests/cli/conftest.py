"""The command as a process, worked through its JSON lines, and configurations for it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from patience import PATIENCE

COMMAND = (sys.executable, "-m", "ocpp16")
AT_ONCE = (sys.executable, str(Path(__file__).with_name("at_once.py")))


@pytest.fixture
def command() -> tuple[str, ...]:
    """What starts the command."""
    return COMMAND


@pytest.fixture
def ocpp16(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command to its end: `ocpp16("demo", "--speed", "50", typed="")`; `at_once` without waiting for time."""

    def run(
        *arguments: str, typed: bytes = b"", at_once: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*(AT_ONCE if at_once else COMMAND), *arguments],
            input=typed,
            capture_output=True,
            timeout=PATIENCE,
            cwd=tmp_path,
            env={**os.environ, **environment},
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        )

    return run


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, and nobody else will meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def write_configuration(tmp_path: Path, closed_port: int) -> Callable[..., Path]:
    """Writes a small configuration for a Central System on a port; keys given change section Core."""

    def write(port: int = closed_port, **core: Any) -> Path:
        document = {
            "Internal": {
                "ChargePointId": "cp001",
                "CentralSystemURI": f"ws://127.0.0.1:{port}/ocpp/",
                "ChargePointVendor": "V",
                "ChargePointModel": "M",
                "RetryBackoffWaitMinimum": 1,
                "RetryBackoffRandomRange": 0,
                **dict.fromkeys(("StationTimeout", "StopTimeout", "StoreTimeout"), int(PATIENCE)),
            },
            "Core": {"NumberOfConnectors": 2, "WebSocketPingInterval": 0, **core},
            "Security": {"SecurityProfile": 0},
        }
        path = tmp_path / "cp001.json"
        path.write_text(json.dumps(document))
        return path

    return write


class Controlled:
    """A running `ocpp16 charge-point --control jsonl`. Every line it prints is kept in `printed`."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.printed: list[dict[str, Any]] = []
        self.errors = b""
        self._more = trio.Event()
        self._outputs_ended = (trio.Event(), trio.Event())
        self._last_id = 0
        self._taken: set[int] = set()

    async def read_output(self) -> None:
        """Each line must be one JSON object, whatever happens."""
        assert self.process.stdout is not None
        kept = b""
        with suppress(trio.ClosedResourceError):  # a test may stop reading
            async for chunk in self.process.stdout:
                *lines, kept = (kept + chunk).split(b"\n")
                self.printed += [json.loads(line) for line in lines]
                self._more.set()
                self._more = trio.Event()
        assert kept == b""
        self._outputs_ended[0].set()

    async def read_errors(self) -> None:
        assert self.process.stderr is not None
        async for chunk in self.process.stderr:
            self.errors += chunk
        self._outputs_ended[1].set()

    async def _find(self, fits: Callable[[dict[str, Any]], bool]) -> tuple[int, dict[str, Any]]:
        with trio.move_on_after(PATIENCE):
            while True:
                for number, record in enumerate(self.printed):
                    if number not in self._taken and fits(record):
                        return number, record
                await self._more.wait()
        raise AssertionError(f"not printed; but: {self.printed} {self.errors.decode()}")

    async def send(self, data: bytes) -> None:
        """Write to its standard input."""
        assert self.process.stdin is not None
        await self.process.stdin.send_all(data)

    async def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Have a command carried out; returns its answer."""
        self._last_id += 1
        request_id = f"t{self._last_id}"
        await self.send(json.dumps({"id": request_id, "do": command, **arguments}).encode() + b"\n")
        _, answer = await self._find(lambda record: record.get("id") == request_id)
        return answer

    async def ok(self, command: str, **arguments: Any) -> Any:
        """Have a command carried out that must succeed; returns its result."""
        answer = await self.do(command, **arguments)
        assert answer["ok"] is True, answer
        return answer["result"]

    async def event(self, event: str, **members: Any) -> dict[str, Any]:
        """An event of this name with these members; each is given once."""
        wanted = {"event": event, **members}
        number, record = await self._find(lambda record: wanted.items() <= record.items())
        self._taken.add(number)
        return record

    async def end_input(self) -> int:
        """Close its standard input and wait for its exit code."""
        assert self.process.stdin is not None
        await self.process.stdin.aclose()
        return await self.exit_code()

    async def exit_code(self) -> int:
        """Wait for its end, and until all that it printed is read."""
        with trio.fail_after(PATIENCE):
            code = await self.process.wait()
            for ended in self._outputs_ended:
                await ended.wait()
        return code


@pytest.fixture
def control(tmp_path: Path) -> Callable[..., Any]:
    """`async with control(conf, *options) as station:` runs the command in `tmp_path/station`."""

    @asynccontextmanager
    async def run(configuration: Path, *options: str) -> AsyncIterator[Controlled]:
        arguments = ("charge-point", "--maindir", "station", "--conf", str(configuration), "--control", "jsonl")
        async with trio.open_nursery() as nursery:
            process = await trio.lowlevel.open_process(
                [*COMMAND, *arguments, *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=tmp_path,
            )
            controlled = Controlled(process)
            nursery.start_soon(controlled.read_output)
            nursery.start_soon(controlled.read_errors)
            try:
                yield controlled
            finally:
                if process.poll() is None:
                    process.kill()
                with trio.CancelScope(shield=True):
                    await process.wait()

    return run
