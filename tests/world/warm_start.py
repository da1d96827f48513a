"""The command `ocpp16`, begun in no time: hundreds of tests start it, and what it imports is the same each time.

One process of each worker has imported all, and forks for each start. What it forks is a process like any other, with
an environment, a folder and pipes of its own: it can be killed, and is reported. That the command starts as users start
it is for the tests of the command.

    python warm_start.py FD    # serves on this socket until its other end is closed
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import IO, Any

IMPORTED = (
    "ocpp16.cli.command_line",
    "ocpp16.cli.charge_point",
    "ocpp16.charge_point.open",
    "ocpp16.simulation.controlled",
    "ocpp16.simulation.transfer",
    "ocpp16.transfer.service",
    "cryptography.x509",
    "sqlite3",
)
IS_POSSIBLE = hasattr(socket, "recv_fds") and hasattr(os, "fork")
_MOST = 1 << 20
"""Bytes of one request."""


class WarmProcess:
    """What `subprocess.Popen` is elsewhere. `arguments`: those of `ocpp16`; `stderr`: a file, None: that of here."""

    def __init__(self, arguments: Sequence[str], stderr: IO[bytes] | None) -> None:
        read_end, stdin = os.pipe()
        stdout, write_end = os.pipe()
        status, told = os.pipe()
        self.stdin: IO[bytes] = open(stdin, "wb")  # noqa: SIM115 - whoever started it closes them
        self.stdout: IO[bytes] = open(stdout, "rb")  # noqa: SIM115
        self._status: IO[bytes] = open(status, "rb", buffering=0)  # noqa: SIM115
        self.returncode: int | None = None
        request = {"arguments": list(arguments), "environment": dict(os.environ), "folder": str(Path.cwd())}
        errors = 2 if stderr is None else stderr.fileno()
        _Server.of_here().send(json.dumps(request).encode(), [read_end, write_end, errors, told])
        for number in (read_end, write_end, told):
            os.close(number)
        self.pid = int(self._status.readline())

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._status.readline()))
            self._status.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        until = None if timeout is None else monotonic() + timeout
        while self.poll() is None:
            left = None if until is None else until - monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired("ocpp16", timeout or 0)
            select.select([self._status], [], [], left)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Server:
    """The process that forks; one for each that runs tests."""

    _running: "_Server | None" = None

    def __init__(self) -> None:
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            number = other.fileno()
            self._process = subprocess.Popen([sys.executable, __file__, str(number)], pass_fds=[number])

    @classmethod
    def of_here(cls) -> "_Server":
        if cls._running is None:
            cls._running = cls()
        return cls._running

    def send(self, request: bytes, files: list[int]) -> None:
        socket.send_fds(self._socket, [request], files)


def _serve(requests: socket.socket) -> dict[str, Any] | None:
    """Returns in each process that is forked, with its request; None at the end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # attendants are waited for by nobody
    while True:
        request, files, _, _ = socket.recv_fds(requests, _MOST, 4)
        if not request:
            return None
        if os.fork() == 0:
            requests.close()
            return _attend(json.loads(request), files)
        for number in files:
            os.close(number)


def _attend(request: dict[str, Any], files: list[int]) -> dict[str, Any]:
    """Fork the command and tell how it ended; returns in the command's process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, told = files
    pid = os.fork()
    if pid == 0:
        os.close(told)
        for place, number in enumerate(streams):
            os.dup2(number, place)
            os.close(number)
        return request
    for number in (0, 1, 2, *streams):
        os.close(number)
    try:
        os.write(told, b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        os.write(told, b"%d\n" % status)
    finally:
        os._exit(0)


def main() -> int:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        return 0
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    # Those that are here know their files as what they were.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", 1, errors="backslashreplace", closefd=False)  # type: ignore[misc] # noqa: SIM115
    sys.argv = ["ocpp16", *request["arguments"]]
    from ocpp16.cli import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
