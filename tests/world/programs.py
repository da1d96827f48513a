"""Programs of their own that talk JSON lines: the independent Central System, and our command.

A thread reads each program's output; everything it said stays in `lines`, in order, and can be waited for.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import warm_start
from patience import PATIENCE
from warm_start import WarmProcess

Line = dict[str, Any]


class ProgramError(Exception):
    """A command was answered with an error."""


class JsonLinesProgram:
    """Parameters: `arguments` of the Python interpreter, or of our command where `is_ours`; `log` is the file that
    takes standard error."""

    def __init__(self, arguments: Sequence[str], log: Path | None = None, *, is_ours: bool = False) -> None:
        self.lines: list[Line] = []
        self.has_ended = False
        self._news = threading.Condition()
        self._last_id = 0
        self._log = None if log is None else log.open("ab")
        self.process: subprocess.Popen[bytes] | WarmProcess
        if is_ours and warm_start.IS_POSSIBLE:
            self.process = WarmProcess(arguments, self._log)
        else:
            started = [sys.executable, *(("-m", "ocpp16") if is_ours else ()), *arguments]
            self.process = subprocess.Popen(started, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            if not text.endswith(b"\n"):
                break  # killed in the middle of a line
            with self._news:
                self.lines.append(json.loads(text))
                self._news.notify_all()
        with self._news:
            self.has_ended = True
            self._news.notify_all()

    def wait_until(self, is_true: Callable[[], Any], what: str, timeout: float = PATIENCE) -> Any:
        """Wait until something becomes true of `lines`, and return it. Raises AssertionError."""
        with self._news:
            found = self._news.wait_for(lambda: is_true() or self.has_ended, timeout) and is_true()
        if not found:
            raise AssertionError(f"no {what}; the last lines are {self.lines[-8:]}")
        return found

    def wait_for(self, timeout: float = PATIENCE, after: int = 0, **members: Any) -> Line:
        """The first line, from number `after` on, with all these members."""

        def find() -> Line | None:
            for line in self.lines[after:]:
                if line.items() >= members.items():
                    return line
            return None

        found: Line = self.wait_until(find, f"line {members}", timeout)
        return found

    def send(self, do: str, **members: Any) -> int:
        """Write a command and do not wait. Returns its id; a program that has gone is ignored."""
        self._last_id += 1
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps({"id": self._last_id, "do": do, **members}).encode() + b"\n")
            self.process.stdin.flush()
        return self._last_id

    def do(self, do: str, **members: Any) -> Any:
        """Carry out a command and return its result. Raises ProgramError."""
        number = self.send(do, **members)
        answer = self.wait_for(id=number)
        if not answer["ok"]:
            raise ProgramError(f"{do}: {answer}")
        return answer.get("result")

    def events(self, name: str) -> list[Line]:
        """Everything told under this name so far."""
        return [line for line in self.lines if line.get("event") == name]

    def close(self) -> None:
        """End its input, which ends it in order. Raises AssertionError if it does not end."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the program does not end with its input") from None
        self._ended()

    def kill(self) -> None:
        """As a loss of power."""
        self.process.kill()
        self.process.wait()
        self._ended()

    def _ended(self) -> None:
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self._log):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            if error is None:
                self.close()
            else:
                self.kill()
        else:
            self._ended()


class CentralSystemProgram(JsonLinesProgram):
    """csms_process.py. `url` is where it listens, without the identity; `ahead`: seconds that its clock is ahead."""

    def __init__(self, interval: int = 300, ahead: float = 0) -> None:
        script = Path(__file__).with_name("csms_process.py")
        super().__init__([str(script), "--interval", str(interval), f"--ahead={ahead}"])
        self.port: int = self.wait_for(event="listening")["port"]
        self.url = f"ws://127.0.0.1:{self.port}/ocpp"

    def frames(self, event: str | None = None) -> list[list[Any]]:
        """The text frames it received or sent (or both), as JSON."""
        return [json.loads(line["text"]) for line in self.lines if line.get("event") in _frame_events(event)]

    def received(self, action: str) -> list[dict[str, Any]]:
        """The payloads of all requests of this action."""
        return [frame[3] for frame in self.frames("received") if frame[0] == 2 and frame[2] == action]

    def wait_for_request(self, action: str, count: int = 1, timeout: float = PATIENCE) -> dict[str, Any]:
        """The payload of the request of this action that came as number `count`."""
        self.wait_until(lambda: len(self.received(action)) >= count, f"{action} number {count}", timeout)
        return self.received(action)[count - 1]

    def call(self, action: str, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request to the charge point; returns the confirmation's payload."""
        result: dict[str, Any] = self.do("call", action=action, payload=payload or {})
        return result

    @property
    def objections(self) -> list[str]:
        """What the `ocpp` package found wrong."""
        return [line["error"] for line in self.events("objection")]


def _frame_events(event: str | None) -> tuple[str, ...]:
    return ("received", "sent") if event is None else (event,)


class ChargePointProgram(JsonLinesProgram):
    """Our command, on a folder that keeps all that lasts."""

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        station: Mapping[str, Any] | None = None,
        *,
        launcher: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        conf = folder / "config.json"
        conf.write_text(json.dumps(config))
        arguments = ["charge-point", "--maindir", str(folder), "--conf", str(conf), "--control", "jsonl"]
        arguments += ["--transfer", "played", *options]
        if station is not None:
            path = folder / "station.json"
            path.write_text(json.dumps(station))
            arguments += ["--station", str(path)]
        super().__init__([*launcher, *arguments], folder / "stderr.log", is_ours=not launcher)
