"""A program as its reader runs it: started in a folder, typed to, read, ended."""

import os
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from patience import PATIENCE
from programs import CentralSystemProgram


class TypedProgram:
    """One of the reader's: typed to, and read. It is killed where the test leaves it running."""

    def __init__(self, *arguments: str, folder: Path, **environment: str) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**OURS, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def prints(self, pattern: str, count: int = 1) -> str:
        """Wait for the line number `count` that fits a pattern."""

        def there() -> list[str]:
            return [line for line in self.lines if re.search(pattern, line)]

        with self._news:
            self._news.wait_for(lambda: len(there()) >= count or not self._reader.is_alive(), PATIENCE)
        assert len(there()) >= count, f"no {pattern}: {self.text}"
        return there()[count - 1]

    def typed(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ends(self, number: int | None = None) -> int:
        """Wait for its end, which a signal or the end of its input asks for. Returns the exit code."""
        assert self.process.stdin is not None
        if number is not None:
            self.process.send_signal(number)
        else:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


OURS = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
"""What a program is told of the tests' surroundings: not that it is one of several workers."""


def status(csms: CentralSystemProgram, connector: int, name: str, count: int = 1) -> None:
    """Wait until it was told so often."""

    def told() -> bool:
        statuses = csms.received("StatusNotification")
        return sum((one["connectorId"], one["status"]) == (connector, name) for one in statuses) >= count

    csms.wait_until(told, f"{name} of connector {connector}, time {count}")
