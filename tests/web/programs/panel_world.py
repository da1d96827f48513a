"""What the tests of the page need around it: the programs, a network that can be cut, and the browser."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "token-of-the-browser-tests"
PATIENCE = 120.0
"""Seconds, for what takes one at a desk."""
COMMAND = (sys.executable, "-m", "ocpp16")


class CentralSystem:
    """`ocpp16 central-system` on a free port."""

    def __init__(self, folder: Path) -> None:
        self.process = _started(folder, "central-system", "--port", "0", "--control")
        assert self.process.stdout is not None
        self.port = 0
        while not self.port:
            line = self.process.stdout.readline()
            assert line, "the Central System does not start"
            _, found, rest = line.decode().partition("ws://127.0.0.1:")
            if found:
                self.port = int("".join(character for character in rest[:6].split("/")[0] if character.isdigit()))
        self._reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self._reader.start()

    def say(self, line: str) -> None:
        """An order, as a person types it."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """It neither reads nor answers meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        _ended(self.process, [self._reader])


class Station:
    """`ocpp16 charge-point --web`, which may be killed and started again with the same port and token."""

    def __init__(self, folder: Path, central_system: CentralSystem, *options: str) -> None:
        self._folder = folder
        self._options = ("--csms", f"ws://127.0.0.1:{central_system.port}/", "--id", "web-1", *options)
        self.port = 0
        self.start()

    def start(self) -> None:
        more = ("--control", "jsonl", "--web", str(self.port), "--web-token", TOKEN)
        self.process = _started(self._folder, "charge-point", *self._options, *more)
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            event = json.loads(line)
            if event.get("event") == "web":
                self.port = int(event["url"].split(":")[2].split("/")[0])
                break
        assert self.port, "the charge point does not start"
        self.errors: list[bytes] = []
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self.process.stdout.read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors += list(self.process.stderr)

    def url(self, port: int | None = None) -> str:
        return f"http://127.0.0.1:{port or self.port}/#{TOKEN}"

    def ask(self, path: str, body: Any = None) -> Any:
        """What the program says, past the page."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"http://127.0.0.1:{self.port}{path}", data, headers), timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def do(self, name: str, **arguments: Any) -> Any:
        answer = self.ask("/api/command", {"do": name, "arguments": arguments})
        assert answer["ok"], answer
        return answer["result"]

    def write(self, name: str, **arguments: Any) -> None:
        """A command whose answer nobody waits for."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": name, **arguments}).encode() + b"\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        _ended(self.process, self._readers)


class LoadTest:
    """`ocpp16 load --web`, whose stages take so many `seconds`."""

    def __init__(self, folder: Path, central_system: CentralSystem, *options: str, count: int, seconds: int) -> None:
        story = folder / "story.toml"
        story.write_text(
            f'[[stage]]\nkind = "ramp"\nover = 0.5\nsettle = 60\n[[stage]]\nkind = "hold"\nduration = {seconds}\n'
        )
        csms = ("--csms", f"ws://127.0.0.1:{central_system.port}/", "--charge-points", str(count))
        self.process = _started(folder, "load", *csms, "--scenario", str(story), "--web", *options)
        assert self.process.stderr is not None
        line = self.process.stderr.readline().decode()
        assert "panel at http://" in line, line
        self.url = line.split()[-1]
        self._readers = [
            threading.Thread(target=stream.read, daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    def interrupt(self) -> int:
        """Ctrl-C, and its end; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        _ended(self.process, self._readers)


def _started(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if {"charge-point", "load"} & set(arguments) else subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def _ended(process: "subprocess.Popen[bytes]", readers: Iterable[threading.Thread] = ()) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE)
    for reader in readers:
        reader.join(PATIENCE)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


class Network:
    """A way to a port that can be cut: nothing more is let through, nobody is told, and new connections fail."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: set[socket.socket] = set()
        self._is_cut = False
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._is_cut:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._sockets |= {client, server}
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self._is_cut:
                    return
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self._is_cut = True
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._sockets.clear()

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self._listener.close()
        self.cut()


@contextmanager
def network(port: int) -> Iterator[Network]:
    way = Network(port)
    try:
        yield way
    finally:
        way.close()
