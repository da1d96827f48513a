"""The thread of trio: calls that come too late, processes that were forked, programs that end with a block open."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from host_faces import TIMEOUT, Server, Threaded

from ocpp16 import ChargePointStopped, ConfigurationError, blocking
from ocpp16.hosts.trio_thread import TrioThread


class SlowToLeave:
    """A block that is left when it is told so, and notes whether it came to its end."""

    def __init__(self) -> None:
        self.is_leaving, self.go_on, self.is_left = threading.Event(), threading.Event(), False

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[str]:
        yield "value"
        self.is_leaving.set()
        await trio.to_thread.run_sync(self.go_on.wait, abandon_on_cancel=True)
        self.is_left = True


def test_a_call_that_comes_while_the_block_is_left_does_not_cut_that_short() -> None:
    block = SlowToLeave()
    thread = TrioThread(block, lambda: "")
    assert thread.begin().result(TIMEOUT) == "value"
    ended = thread.leave()
    try:
        assert block.is_leaving.wait(TIMEOUT)
        with pytest.raises(ChargePointStopped):
            thread.run(trio.sleep, 0).future.result(TIMEOUT)
        with pytest.raises(ChargePointStopped):
            thread.spawn(trio.sleep_forever)
        assert thread.run_sync(lambda: "at once") == "at once"
        assert thread.leave() is ended, "left twice is left once"
        thread.run_sync(lambda: None)
    finally:
        block.go_on.set()
    assert ended.result(TIMEOUT) is None
    thread.join()
    assert block.is_left


def test_a_task_of_ours_that_fails_ends_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        failed.set()
        raise KeyError("of a host's charge point")

    failed, block = threading.Event(), SlowToLeave()
    block.go_on.set()
    thread = TrioThread(block, lambda: "")
    thread.begin().result(TIMEOUT)
    thread.spawn(fails)
    assert failed.wait(TIMEOUT)
    assert thread.run_sync(lambda: "it goes on") == "it goes on"
    assert thread.leave().result(TIMEOUT) is None
    thread.join()
    assert "KeyError" in caplog.text


def test_a_machine_without_threads_is_an_error_and_no_hanging(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    block = blocking.open_charge_point(server.config(), Threaded())
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start new thread"), block:
        pass


def test_ctrl_c_before_the_thread_has_begun_leaves_nothing(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    def start(self: threading.Thread) -> None:
        raise KeyboardInterrupt

    block = blocking.open_charge_point(server.config(), Threaded())
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt), block:
        pass


@pytest.mark.parametrize("interval", [0, -1, float("nan"), "1", None])
def test_an_interval_that_cannot_be_is_refused(server: Server, interval: Any) -> None:
    block = blocking.open_charge_point(server.config(), Threaded(), meter_interval=interval, executor=5)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError) as caught, block:
        pass
    assert "meter_interval must be" in str(caught.value)
    assert "executor must be an Executor" in str(caught.value)


def test_a_block_is_entered_once(server: Server) -> None:
    block = blocking.open_charge_point(server.config(), Threaded())
    with block as charge_point:
        with pytest.raises(RuntimeError, match="entered before"):
            block.__enter__()
        assert not charge_point.is_running, "the first one is still open"
    with pytest.raises(RuntimeError, match="entered before"):
        block.__enter__()


def run(program: str, server: Server) -> "subprocess.CompletedProcess[bytes]":
    head = f"""
import os, signal, sys, threading, time
sys.path[:0] = {[entry for entry in sys.path if entry]!r}
from host_faces import Threaded
from ocpp16 import ChargePointStopped, blocking
config = {server.config()!r}
"""
    return subprocess.run([sys.executable, "-W", "ignore", "-c", head + program], capture_output=True, timeout=TIMEOUT)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_waits_for_nothing_and_leaves_its_parent_alone(server: Server) -> None:
    done = run(
        """
with blocking.open_charge_point(config, Threaded()) as charge_point:
    charge_point.start()
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            charge_point.on_enabled(1)
        except ChargePointStopped as error:
            print("child:", error, flush=True)
        sys.exit(7)
    _, status = os.waitpid(child, 0)
    charge_point.wait_registered()
    print("parent:", os.waitstatus_to_exitcode(status), charge_point.connection.is_connected)
""",
        server,
    )
    assert done.returncode == 0, done.stderr
    assert b"child: the charge point lives in the process that opened its block" in done.stdout
    assert b"parent: 7 True" in done.stdout


def test_a_program_ends_although_a_daemon_has_a_block_open(server: Server) -> None:
    done = run(
        """
is_open = threading.Event()
def firmware():
    with blocking.open_charge_point(config, Threaded()) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        is_open.set()
        threading.Event().wait()
threading.Thread(target=firmware, daemon=True).start()
is_open.wait()
""",
        server,
    )
    assert done.returncode == 0, done.stderr
    assert b"the program has ended without leaving the block" in done.stderr
    server.do(server.system.wait_disconnected, "CP1")


def test_a_daemon_goes_on_as_long_as_the_program_does(server: Server) -> None:
    done = run(
        """
is_open = threading.Event()
def firmware():
    global charge_point
    with blocking.open_charge_point(config, Threaded()) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        is_open.set()
        threading.Event().wait()
def other():
    threading.main_thread().join()
    time.sleep(1.5)
    print("heartbeat", charge_point.heartbeat_now() is not None)
threading.Thread(target=firmware, daemon=True).start()
is_open.wait()
threading.Thread(target=other).start()
""",
        server,
    )
    assert done.returncode == 0, done.stderr
    assert b"heartbeat True" in done.stdout


def test_a_program_that_was_interrupted_leaves_in_order(server: Server) -> None:
    done = run(
        f"""
block = blocking.open_charge_point(config, Threaded())
charge_point = block.__enter__()
charge_point.start()
charge_point.wait_registered()
os.kill(os.getpid(), {int(signal.SIGINT)})
time.sleep(60)
""",
        server,
    )
    assert done.returncode == -signal.SIGINT
    assert b"without leaving the block" in done.stderr
    server.do(server.system.wait_disconnected, "CP1")
