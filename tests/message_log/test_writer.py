"""The thread that writes: it holds up nobody, has bounds, says once what is wrong, and goes on."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.lowlevel
import trio.testing

from ocpp16.charge_point.blocks import soon_in_trio
from ocpp16.message_log.writer import BYTES_LIMIT, LIMIT, NEEDED_LIMIT, Writer

PATIENCE = 30.0


class Recorded:
    """A log that keeps what it was told and written."""

    def __init__(self, name: str = "cp001") -> None:
        self.name = name
        self.has_ended = False
        self.told: list[Any] = []
        self.written: list[Any] = []
        self.failure: BaseException | None = None

    def tell(self, value: Any) -> None:
        self.told.append(value)

    def end(self) -> None:
        self.has_ended = True

    def flush(self) -> int:
        told, self.told = self.told, []
        if self.failure is not None:
            raise self.failure
        self.written += told
        return len(told)


def at_once(news: Callable[[], object]) -> None:
    news()


def inline() -> Writer:
    return Writer(lambda: 0.0, at_once, inline=True)


@pytest.fixture
def hung() -> Any:
    """A writer whose thread is held up by a disk, until it is let go."""
    made, entered, go_on = Writer(lambda: 0.0, at_once, inline=False), threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        assert go_on.wait(PATIENCE)

    assert made.put(Recorded(), hang)
    assert entered.wait(PATIENCE)
    yield made, go_on.set
    go_on.set()
    made.close()
    assert made.join(PATIENCE)


def test_all_is_written_in_order_and_before_the_end() -> None:
    made, logs = Writer(lambda: 0.0, at_once, inline=False), [Recorded("a"), Recorded("b")]
    for number in range(1000):
        for log in logs:
            assert made.put(log, log.tell, number, size=3)
    assert made.close()
    assert made.join(PATIENCE)
    assert [log.written for log in logs] == [list(range(1000))] * 2
    assert not made.put(logs[0], logs[0].tell, 1)


def test_without_anything_to_write_there_is_no_thread() -> None:
    made = Writer(lambda: 0.0, at_once, inline=False)
    assert made._thread is None
    assert not made.close()
    assert made.join(0)


def test_what_waits_is_bounded(hung: tuple[Writer, Callable[[], None]]) -> None:
    made, go_on = hung
    log = Recorded()
    taken = sum(made.put(log, log.tell, number) for number in range(LIMIT + 50))
    assert taken == LIMIT - 1  # what hangs counts, too
    needed = sum(made.put(log, log.tell, -1, is_needed=True) for _ in range(NEEDED_LIMIT))
    assert taken + needed + 1 == NEEDED_LIMIT
    go_on()
    made.close()
    assert made.join(PATIENCE)
    assert log.written == [*range(taken), *[-1] * needed]


def test_what_waits_is_bounded_in_bytes(hung: tuple[Writer, Callable[[], None]]) -> None:
    made, _ = hung
    log = Recorded()
    assert made.put(log, log.tell, 1, size=BYTES_LIMIT)
    assert not made.put(log, log.tell, 2, size=1)
    assert made.put(log, log.tell, 3, is_needed=True)


def test_there_is_room_again_for_what_was_written() -> None:
    made, log = Writer(lambda: 0.0, at_once, inline=False), Recorded()
    done = threading.Event()
    assert made.put(log, log.tell, 1, size=BYTES_LIMIT)
    for _ in range(1000):  # until the thread has counted it
        done.wait(0.01)
        if made.put(log, log.tell, 2, size=BYTES_LIMIT):
            break
    made.close()
    assert made.join(PATIENCE)
    assert log.written == [1, 2]


def test_a_disk_that_hangs_does_not_hold_up_the_end(hung: tuple[Writer, Callable[[], None]]) -> None:
    made, _ = hung
    assert made.close()
    assert not made.join(0.01)
    thread = made._thread
    assert thread is not None
    assert thread.daemon


def test_a_full_disk_is_said_once_for_all_logs(caplog: pytest.LogCaptureFixture) -> None:
    made = inline()
    logs = [Recorded(f"cp{number}") for number in range(20)]
    for log in logs:
        log.failure = OSError(28, "No space left on device")
    for _ in range(5):
        for log in logs:
            made.put(log, log.tell, 1)
    (line,) = [one.getMessage() for one in caplog.records]
    assert "No space left on device" in line
    for log in logs:
        log.failure = None
        made.put(log, log.tell, 2)
        assert log.written == [2]
    assert [one.getMessage() for one in caplog.records[1:]] == ["message log: can be written again"]


def test_a_log_that_ended_is_waited_for_no_more(caplog: pytest.LogCaptureFixture) -> None:
    made, ended, other = inline(), Recorded("ended"), Recorded("other")
    for log in (ended, other):
        log.failure = OSError("full")
        made.put(log, log.tell, 1)
    made.put(ended, ended.end)
    other.failure = None
    made.put(other, other.tell, 2)
    assert "can be written again" in caplog.records[-1].getMessage()
    assert made._failing == set()


@pytest.mark.parametrize("error", [ZeroDivisionError("boom"), GeneratorExit(), SystemExit()])
def test_a_fault_ends_nothing_else(caplog: pytest.LogCaptureFixture, error: BaseException) -> None:
    made, log = inline(), Recorded()

    def fail() -> None:
        raise error

    made.put(log, fail)
    made.put(log, log.tell, 1)
    assert log.written == [1]
    assert [one.levelno for one in caplog.records] == [logging.ERROR]


def test_without_threads_the_log_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading, "Thread", Refused)
    made, log = Writer(lambda: 0.0, at_once, inline=False), Recorded()
    assert not made.put(log, log.tell, 1)
    assert not made.close()


def test_a_log_with_nothing_to_write_does_not_say_that_the_disk_is_well(caplog: pytest.LogCaptureFixture) -> None:
    made, log = inline(), Recorded()
    for _ in range(3):
        log.failure = OSError(28, "No space left on device")
        made.put(log, log.tell, 1)
        log.failure = None
        made.put(log, lambda: None)
    assert len(caplog.records) == 1
    made.put(log, log.tell, 2)
    assert "can be written again" in caplog.records[-1].getMessage()


def test_news_come_from_the_thread_to_that_of_trio_once() -> None:
    seen: list[threading.Thread] = []

    async def main() -> None:
        made, log = Writer(lambda: 0.0, soon_in_trio(), inline=False), Recorded()
        news = lambda: seen.append(threading.current_thread())  # noqa: E731 - the same one each time
        for _ in range(3):
            assert made.put(log, made.tell, news)
        assert made.close()
        assert made.join(PATIENCE)  # the thread of trio does nothing else meanwhile
        with trio.fail_after(PATIENCE):
            while not seen:
                await trio.lowlevel.checkpoint()
        await trio.testing.wait_all_tasks_blocked()

    trio.run(main)
    assert seen == [threading.current_thread()]


def test_news_that_come_when_all_is_over_are_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> Writer:
        return Writer(lambda: 0.0, soon_in_trio(), inline=False)

    made, log = trio.run(main), Recorded()
    assert made.put(log, made.tell, pytest.fail)
    assert made.put(log, log.tell, 1)
    assert made.close()
    assert made.join(PATIENCE)
    assert log.written == [1]
    assert not caplog.text
