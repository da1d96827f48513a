"""Standard streams that are full, closed or not read: the station goes on, and what was lost is said."""

import errno
import json
import logging
import os
import select
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.cli import charge_point, standard_error, standard_streams
from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.log import LogChoice
from ocpp16.cli.standard_error import StandardError
from ocpp16.cli.standard_streams import STDOUT, StandardInput, StandardOutput
from ocpp16.testing import CentralSystem

# Standard output


class Disk:
    """What os.write of standard output comes to: so many bytes, or an error; all of it when nothing is planned."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written = b""
        self.plan: list[int | OSError] = []
        self._elsewhere = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, fileno: int, data: Any) -> int:
        if fileno != STDOUT:
            return self._elsewhere(fileno, data)
        planned = self.plan.pop(0) if self.plan else len(data)
        if isinstance(planned, OSError):
            raise planned
        self.written += bytes(data[:planned])
        return planned


FULL = OSError(errno.ENOSPC, "No space left on device")


async def test_what_does_not_fit_on_a_full_disk_is_dropped_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[bool] = []
    output, disk = StandardOutput(lambda: ended.append(True)), Disk(monkeypatch)
    disk.plan = [3, FULL, FULL, OSError(errno.EIO, "broken")]
    for line in (b"first\n", b"second\n", b"third\n", b"fourth\n", b"fifth\n"):
        await output.write(line)
    assert disk.written == b"fir\nfourth\nfifth\n", "a torn line does not spoil the next one"
    assert ended == []
    assert [record.getMessage() for record in caplog.records] == [
        "standard output cannot be written, what is printed is lost: No space left on device",
        "standard output can be written again, 3 lines were lost",
    ]


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EBADF])
async def test_when_nobody_reads_any_more_that_is_told_once(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    ended: list[bool] = []
    output, disk = StandardOutput(lambda: ended.append(True)), Disk(monkeypatch)
    disk.plan = [OSError(number, "")]
    await output.write(b"first\n")
    await output.write(b"second\n")
    assert (disk.written, ended) == (b"", [True])


async def test_threads_that_others_hold_hold_up_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """As resolvers do where names are not resolved: each attempt of a fleet holds one."""
    disk, limiter = Disk(monkeypatch), trio.to_thread.current_default_thread_limiter()
    monkeypatch.setattr(standard_streams, "_read", lambda: b"{}")
    for number in range(int(limiter.total_tokens)):
        limiter.acquire_on_behalf_of_nowait(number)
    with trio.fail_after(20):
        await StandardOutput(lambda: None).write(b"line\n")
        assert await anext(StandardInput()) == b"{}"
    assert disk.written == b"line\n"


@pytest.mark.world
@pytest.mark.parametrize("control", [("--control", "jsonl"), ()], ids=["jsonl", "console"])
async def test_a_station_whose_output_is_on_a_full_disk_goes_on(command: tuple[str, ...], control: Any) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        arguments = ["charge-point", "--csms", f"ws://127.0.0.1:{port}/", "--id", "cp", *control]
        with open("/dev/full", "wb") as full:  # noqa: ASYNC230 - a device
            process = await trio.lowlevel.open_process(
                [*command, *arguments], stdin=subprocess.PIPE, stdout=full, stderr=subprocess.DEVNULL
            )
        await csms.wait_for_call("StatusNotification", 3)
        assert process.stdin is not None
        typed = json.dumps({"id": 1, "do": "plug_in", "connector": 1}) if control else "plug_in 1"
        await process.stdin.send_all(typed.encode() + b"\n")
        preparing = await csms.wait_for_call("StatusNotification", 4)
        assert preparing.payload["status"] == "Preparing"
        await process.stdin.aclose()
        assert await process.wait() == 0


@pytest.mark.world
def test_streams_that_are_closed_are_no_places_for_other_files(
    command: tuple[str, ...], write_configuration: Callable[..., Path], tmp_path: Path
) -> None:
    arguments = shlex.join(
        [*command, "charge-point", "--maindir", "d", "--conf", str(write_configuration()), "--control", "jsonl"]
    )
    done = subprocess.run(
        ["sh", "-c", f"{arguments} <&- >&- 2>&-; echo $?"], capture_output=True, cwd=tmp_path, text=True, timeout=600
    )
    assert done.stdout == "0\n"
    assert (tmp_path / "d" / "cp001.db").read_bytes().startswith(b"SQLite format 3\0")


# Standard error


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard error of the process is a pipe; the end to read from."""
    reading, writing = os.pipe()
    monkeypatch.setattr(standard_error, "STDERR", writing)
    monkeypatch.setattr(standard_error, "LAST_LINES", 30.0)
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    yield reading
    os.close(reading)
    os.close(writing)


def read(pipe: int, length: int) -> str:
    found = b""
    while len(found) < length:
        found += os.read(pipe, length - len(found))
    return found.decode()


def test_what_is_read_comes_whole_and_in_order(pipe: int) -> None:
    errors = StandardError()
    lines = [f"line {number} → {'x' * 100}\n" for number in range(100)]
    for line in lines:
        errors.write(line)
    errors.finish()
    assert read(pipe, len("".join(lines).encode())) == "".join(lines)


def test_a_log_that_nobody_reads_holds_up_nobody_and_says_what_was_lost(pipe: int) -> None:
    errors = StandardError()
    line = "x" * 999 + "\n"
    for _ in range(100):
        assert errors.write(line) == 1000
    while select.select([], [standard_error.STDERR], [], 0)[1]:
        time.sleep(0.001)  # until the pipe is full, and what writes to it waits: from here on nothing makes room
    for _ in range(1400):
        assert errors.write(line) == 1000
    ending = threading.Thread(target=errors.finish)
    ending.start()
    found = b""
    while not found.endswith(b"in time\n"):
        found += os.read(pipe, 1 << 16)
    *lines, missed = found.decode().splitlines(keepends=True)
    assert set(lines) == {line}
    # What the pipe itself takes is not lost; how much that is, is the kernel's.
    assert 1000 <= len(lines) < 1500
    assert missed == f"… {1500 - len(lines):,} more lines, which nobody read in time\n"
    ending.join(30)
    errors.write("after\n")
    assert read(pipe, 6) == "after\n"


def test_the_end_waits_for_a_log_that_nobody_reads_but_not_for_ever(pipe: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard_error, "LAST_LINES", 0.01)
    errors = StandardError()
    for _ in range(200):
        errors.write("x" * 1000)
    errors.finish()  # comes back
    os.set_blocking(pipe, False)
    while errors._length:
        try:
            os.read(pipe, 1 << 20)
        except BlockingIOError:
            continue


@pytest.mark.parametrize("has_file", [False, True])
def test_every_handler_of_standard_error_is_one_of_these(tmp_path: Path, has_file: bool) -> None:
    file = Path(__file__).parents[2] / "share" / "logging.ini"
    choice = LogChoice()
    choice.begin("info", file if has_file else None)
    handlers = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    assert choice.errors in [handler.stream for handler in handlers]


def test_what_stands_in_for_standard_error_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    errors = StandardError()
    errors.write("a line\n")
    errors.flush()
    assert capsys.readouterr().err == "a line\n"


def test_no_standard_error_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    errors = StandardError()
    errors.write("lost\n")
    errors.flush()
    errors.finish()


# The main directory


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_takes_no_folder_is_no_reason_not_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def mkdir(path: Path, *_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    charge_point._make("", tmp_path / "it", tmp_path / "other")
    charge_point._make("--message-log: ", tmp_path / "it")
    kept, logged = [record.getMessage() for record in caplog.records]
    assert kept.startswith(f"{tmp_path / 'it'}: cannot be made, and what is to be kept stays in memory")
    assert logged.startswith(f"--message-log: {tmp_path / 'it'}: cannot be made, and nothing is logged")


def test_nobody_else_looks_into_certificates_and_logs(tmp_path: Path) -> None:
    charge_point._make("", *charge_point._kept_close(tmp_path / "main"))
    made = {path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("main/**")}
    assert {"main/certs/ca/csms", "main/certs/client", "main/logs"} < made.keys()
    del made["main"]
    assert set(made.values()) == {0o700}


def test_a_folder_that_can_never_be_made_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandFailed, match="Not a directory"):
        charge_point._make("", tmp_path / "file" / "it")
