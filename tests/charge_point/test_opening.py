"""Opening a charge point: whatever fails at which moment, it ends, says why, and leaves nothing open."""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel

import ocpp16
from ocpp16.charge_point.open import open_charge_point
from ocpp16.enums import Reason
from ocpp16.errors import ChargePointStopped, StoreError
from ocpp16.observer import StoreFailing, StoreRecovered
from ocpp16.store import fallback
from ocpp16.store import owner as store_opening
from ocpp16.store.base import ChargePointChanges, Row, Table
from ocpp16.store.memory import MemoryStore
from ocpp16.store.open import open_store
from ocpp16.testing.stations import RecordingStation

PACKAGE = Path(ocpp16.__file__).parent


class Driver(MemoryStore):
    """Somebody's own: `reads` and `writes` do what is wrong with it."""

    def __init__(
        self,
        reads: Callable[[Table, list[Row]], Any] | None = None,
        writes: Callable[[dict[str, Exception]], Any] | None = None,
        is_volatile: bool = False,
    ) -> None:
        super().__init__(is_volatile=is_volatile)
        self._reads = reads
        self._writes = writes

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> Any:
        found = super().load(charge_point_id, table, key)
        return found if self._reads is None else self._reads(table, found)

    def apply(self, batches: Sequence[ChargePointChanges]) -> Any:
        refused = super().apply(batches)
        return refused if self._writes is None else self._writes(refused)


def raising(error: BaseException, table_name: str = "") -> Callable[..., Any]:
    def fail(table: Any, *found: Any) -> Any:
        if not table_name or table.name == table_name:
            raise error
        return found[0]

    return fail


@pytest.mark.parametrize("is_volatile", [False, True])
@pytest.mark.parametrize(
    "reads",
    [
        raising(StoreError("I/O error")),
        raising(StoreError("I/O error"), "transactions"),
        raising(OSError(5, "I/O error"), "transactions"),
        raising(RuntimeError("a driver's own"), "message_queue"),
        raising(ValueError("a driver's own"), "message_queue"),
        raising(asyncio.CancelledError(), "transactions"),
        raising(SystemExit(3)),
        lambda table, found: None,
        lambda table, found: 5,
        lambda table, found: [5],
    ],
)
async def test_a_store_that_cannot_be_read_is_a_store_error(make_config: Any, reads: Any, is_volatile: bool) -> None:
    store = Driver(reads, is_volatile=is_volatile)
    before = trio.current_time()
    with pytest.raises(StoreError):
        async with open_charge_point(make_config(), RecordingStation(), store=store):
            pass
    assert trio.current_time() - before < 1
    store._reads = None  # and nobody holds on to it
    async with open_charge_point(make_config(), RecordingStation(), store=store):
        pass


@pytest.mark.parametrize("row", [("x",) * 30, (), (None,), ["x"], (b"x",)])
async def test_rows_that_make_no_sense_do_not_stop_the_start(open_bench: Any, row: Any) -> None:
    async with open_bench(store=Driver(lambda table, found: [*found, row])) as bench:
        await bench.charge_point.wait_registered()


WRONG_ANSWERS: list[tuple[Callable[[Any], Any], int, int]] = [
    # what apply does; whether it is an outage; whether what was told is left out
    (lambda refused: None, 1, 0),
    (lambda refused: ["cp001"], 1, 0),
    (lambda refused: {"another": ValueError("no")}, 0, 0),
    (lambda refused: {"cp001": "no room"}, 0, 1),
    (lambda refused: {"cp001": asyncio.CancelledError()}, 0, 1),
    (raising(LookupError("a driver's own")), 1, 0),
    (raising(asyncio.CancelledError()), 1, 0),
    (raising(SystemExit(3)), 1, 0),
    (raising(KeyboardInterrupt()), 1, 0),
]


@pytest.mark.parametrize("is_volatile", [False, True])
@pytest.mark.parametrize(("writes", "is_outage", "is_left_out"), WRONG_ANSWERS)
async def test_what_apply_answers_and_raises_ends_nothing(
    open_bench: Any, writes: Any, is_outage: int, is_left_out: int, is_volatile: bool
) -> None:
    store = Driver(is_volatile=is_volatile)
    async with open_bench(store=store) as bench:
        await bench.charge_point.wait_registered()
        store._writes = writes
        bench.begin()
        await trio.sleep(5)
        assert len(bench.events.of(StoreFailing)) == is_outage
        assert (bench.charge_point.counters.internal_errors > 0) == is_left_out
        store._writes = None
        await trio.sleep(60)
        assert len(bench.events.of(StoreRecovered)) == is_outage
        assert len(bench.sent("StartTransaction")) == 1


@pytest.mark.parametrize("has_database", [False, True])
async def test_cancelled_at_any_moment(
    open_bench: Any, make_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_database: bool
) -> None:
    for moment in range(20):
        options: dict[str, Any] = {"database_path": tmp_path} if has_database else {"store": Driver()}
        with trio.move_on_after(100) as limit:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_after, moment, nursery.cancel_scope)
                async with open_charge_point(make_config(), RecordingStation(), **options):
                    await trio.sleep_forever()
        assert not limit.cancelled_caught
    async with open_bench(database_path=tmp_path) as bench:  # nobody has the lock
        await bench.charge_point.wait_registered()


async def _cancel_after(moment: int, scope: trio.CancelScope) -> None:
    for _ in range(moment):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_what_a_thread_opens_when_nobody_waits_any_more_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        began.set()
        assert may_end.wait(60)
        return fallback.open_or_fall_back(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(store_opening, "open_or_fall_back", slow)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_open_and_wait, tmp_path / "db")
            while not began.is_set():
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    may_end.set()
    while True:
        try:
            async with open_store(tmp_path / "db", inline=True) as journal:
                assert journal.outage == ""
                break
        except StoreError as error:  # until the thread is through
            assert "has it open" in str(error)  # noqa: PT017
            await trio.lowlevel.checkpoint()


async def _open_and_wait(path: Path) -> None:
    async with open_store(path, inline=False):
        await trio.sleep_forever()


async def test_there_is_no_connection_before_the_start(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        connection = bench.charge_point.connection
        assert (connection.is_connected, connection.registration, connection.queue_depth) == (False, None, 0)
        for ask in (connection.connect, connection.disconnect):
            with pytest.raises(ChargePointStopped):
                ask()
        connection.reconnect()  # of nothing
        connection.set_message_queue_resume_delay(1)
        assert not await bench.charge_point.stop()


async def test_a_station_that_fails_to_be_attached(make_config: Any) -> None:
    class Station(RecordingStation):
        def attach(self, charge_point: Any) -> None:
            raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        async with open_charge_point(make_config(), Station()):
            pass


async def test_what_the_block_raises_is_raised_as_it_is(make_config: Any) -> None:
    async def fail() -> None:
        async with open_charge_point(make_config(), RecordingStation()) as charge_point:
            await charge_point.start()
            raise LookupError("of the block")

    with pytest.raises(LookupError, match="of the block"):
        await fail()


@pytest.mark.parametrize("is_journal", [False, True])
async def test_one_identity_is_open_once_on_a_store(
    open_bench: Any, make_config: Any, tmp_path: Path, is_journal: bool
) -> None:
    async with open_store(tmp_path / "db") as journal:
        store = journal if is_journal else Driver()
        async with open_bench(store=store) as bench:
            with pytest.raises(StoreError, match="'cp001' is open already on this store"):
                async with open_charge_point(make_config(), RecordingStation(), store=store):
                    pass
            other = make_config(Internal__ChargePointId="cp002")
            async with open_charge_point(other, RecordingStation(), store=store):
                pass
            bench.begin()
        async with open_bench(store=store) as bench:
            assert len(bench.charge_point._runtime.ctx.transactions) == 0, "told by the one before"


def test_ctrl_c_at_the_lines_of_opening_and_starting(make_config: Any, virtual_run: Callable[..., Any]) -> None:
    """The block is left in order and in time, wherever the signal comes."""
    number, has_come = 5, True
    while has_come:
        interrupt, took = SignalAtLine(number), list[float]()

        async def main(interrupt: SignalAtLine = interrupt, took: list[float] = took) -> None:
            try:
                with interrupt:
                    async with open_charge_point(make_config(), RecordingStation(), store=Driver()) as charge_point:
                        await charge_point.start()
                        interrupt.end()
                        await trio.lowlevel.checkpoint()
            finally:
                took.append(trio.current_time())

        try:
            virtual_run(main)
        except KeyboardInterrupt:
            assert interrupt.has_come
        has_come = interrupt.has_come
        assert took[0] <= 20, f"line {number}"
        number += 17
    assert number > 500, "the scene"


def test_a_fact_is_taken_whole(make_config: Any, virtual_run: Callable[..., Any]) -> None:
    """Ctrl-C at the lines of a handler comes after it."""
    number, has_come, half_done = 1, True, list[str]()
    while has_come:
        interrupt = SignalAtLine(number)

        async def main(interrupt: SignalAtLine = interrupt) -> None:
            async with open_charge_point(make_config(), RecordingStation(), store=Driver()) as charge_point:
                await charge_point.start()
                try:
                    with interrupt:
                        charge_point.on_transaction_started(1, "s1", "TAG", 1)
                except KeyboardInterrupt:
                    half_done.append(interrupt.line)
                depth = charge_point.connection.queue_depth
                assert charge_point.transaction(1) is not None
                assert depth > 0
                await charge_point.stored()
                charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2)

        try:
            virtual_run(main)
        except KeyboardInterrupt:
            assert interrupt.has_come
        has_come = interrupt.has_come
        number += 7
    assert number > 50, "the scene"
    assert half_done == []


class SignalAtLine:
    """SIGINT at the n-th line of the library that is run inside."""

    def __init__(self, number: int) -> None:
        self.has_come = False
        self.line = ""
        self._number = number

    def __enter__(self) -> "SignalAtLine":
        self._former = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def end(self) -> None:
        sys.settrace(self._former)

    def _call(self, frame: Any, event: str, argument: Any) -> Any:
        return self._line if Path(frame.f_code.co_filename).is_relative_to(PACKAGE) else None

    def _line(self, frame: Any, event: str, argument: Any) -> Any:
        if event == "line" and not self.has_come:
            self._number -= 1
            if self._number <= 0:
                self.has_come = True
                self.line = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                signal.raise_signal(signal.SIGINT)
        return self._line
