"""What is of threads alone: calls from all of them, hosts that hang, end, or shut their executor down."""

import ast
import asyncio
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from host_faces import TIMEOUT, Server, Threaded, wait_until_stopped

from ocpp16 import ChargePointStopped, ConfigurationError, blocking
from ocpp16.enums import SessionStartedReason
from ocpp16.hosts import threads

OF_TRIO = {"clock", "leave", "log", "spawn", "timers", "watch"}
"""Names that say in an error where they are to be had."""


def test_the_types_name_what_there_is(server: Server) -> None:
    stub = ast.parse(Path(blocking.__file__).with_suffix(".pyi").read_text())
    names = {
        node.name: {it.name for it in node.body if isinstance(it, ast.FunctionDef)}
        for node in stub.body
        if isinstance(node, ast.ClassDef)
    }
    names["ChargePoint"] |= names["StationEvents"]
    with blocking.open_charge_points() as charge_points:
        charge_point = charge_points.open(server.config(), Threaded())
        doors = [
            charge_point.connection,
            charge_point.configuration,
            charge_point.smart_charging,
            charge_point.plug_and_charge,
            charge_point.dead_letters,
            charge_point.for_station.authorization,
            charge_point.for_station,
            charge_point.for_station.reservations,
        ]
        for face in (charge_points, charge_point, *doors):
            assert names_of(type(face)) - OF_TRIO == names[type(face).__name__]
    with blocking.open_fleet(f"ws://127.0.0.1:{server.port}/") as fleet:
        member = fleet.add("CP1")
        for face in (fleet, member, member.station, member.commands):
            found = {name for kind in type(face).__mro__[:-2] for name in names_of(kind)}
            assert found - refused_by(face, found) == names[type(face).__name__]


def names_of(kind: type) -> set[str]:
    special = {"__call__", "__contains__", "__getitem__", "__len__", "__iter__"}
    return {name for name in vars(kind) if not name.startswith("_") or name in special}


def refused_by(face: Any, names: set[str]) -> set[str]:
    """Those that say in an error where they are to be had."""
    return {name for name in names if not hasattr(face, name)}


def test_calls_from_many_threads_at_once(server: Server) -> None:
    with blocking.open_charge_point(server.config(), Threaded()) as charge_point:
        charge_point.start()
        charge_point.wait_registered()

        def tell(number: int) -> None:
            for _ in range(50):
                charge_point.on_max_current_offered(1 + number % 2, 16.0)
                charge_point.authorize_id_token(f"TAG{number}")

        with ThreadPoolExecutor(8) as pool:
            for future in [pool.submit(tell, number) for number in range(8)]:
                future.result(TIMEOUT)
    assert server.actions().count("Authorize") == 400


def test_what_waits_for_ever_is_let_go_when_the_block_is_left(server: Server) -> None:
    raised: list[BaseException] = []

    def wait(charge_point: Any) -> None:
        try:
            charge_point.wait_registered()
        except ChargePointStopped as error:
            raised.append(error)

    server.system.refuse_boot("Rejected", times=100)
    with blocking.open_charge_point(server.config(), Threaded()) as charge_point:
        charge_point.start()
        waiting = threading.Thread(target=wait, args=(charge_point,))
        waiting.start()
        threading.Event().wait(0.1)
    waiting.join(TIMEOUT)
    assert len(raised) == 1


def test_a_method_that_hangs_is_not_waited_for(server: Server) -> None:
    go_on = threading.Event()

    class Hanging(Threaded):
        def unlock_connector(self, connector_id: int) -> Any:
            go_on.wait(TIMEOUT)

    try:
        with blocking.open_charge_point(server.config(StationTimeout=1), Hanging()) as charge_point:
            charge_point.start()
            charge_point.wait_registered()
            answer = server.call("UnlockConnector", {"connectorId": 1})
            assert answer == {"status": "UnlockFailed"}
            assert charge_point.heartbeat_now()
    finally:
        go_on.set()


def test_observers_and_meters_that_hang_take_no_thread_of_the_station(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "MOST_THREADS", 1)
    go_on = threading.Event()
    hanging = [threading.Event() for _ in range(2)]

    class Hanging(Threaded):
        def measurement(self, connector_id: int) -> None:
            if threading.current_thread() is not threading.main_thread():
                hanging[0].set()
                go_on.wait(TIMEOUT)

    class Observer:
        def notify(self, event: Any) -> None:
            hanging[1].set()
            go_on.wait(TIMEOUT)

    block = blocking.open_charge_point(server.config(), Hanging(), observer=Observer(), meter_interval=0.01)
    with block as charge_point:
        try:
            charge_point.start()
            charge_point.wait_registered()
            charge_point.on_transaction_started(1, "s", "TAG", 1000)
            assert all(one.wait(TIMEOUT) for one in hanging)
            assert server.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        finally:
            go_on.set()


def test_a_crew_does_what_is_begun_by_so_many_threads() -> None:
    crew, go_on, done = threads._Crew(2), threading.Event(), threading.Semaphore(0)
    workers: set[int] = set()

    def work() -> None:
        workers.add(threading.get_ident())
        go_on.wait(TIMEOUT)
        done.release()

    for _ in range(10):
        crew.begin(work)
    go_on.set()
    assert all(done.acquire(timeout=TIMEOUT) for _ in range(10))
    assert len(workers) <= 2
    crew.begin(work)
    assert done.acquire(timeout=TIMEOUT), "a thread that had nothing to do is free again"


def test_an_executor_of_the_host(server: Server) -> None:
    station = Threaded()
    with ThreadPoolExecutor(2, thread_name_prefix="mine") as executor:
        block = blocking.open_charge_point(server.config(), station, executor=executor)
        with block as charge_point:
            charge_point.start()
            charge_point.wait_registered()
            assert server.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
            assert all(thread.name.startswith("mine") for thread in station.threads("unlock_connector"))
            executor.shutdown()
            assert server.call("UnlockConnector", {"connectorId": 1}) == {"status": "UnlockFailed"}
            assert charge_point.heartbeat_now(), "what is left goes on"


def test_a_thread_that_ends_without_leaving_is_noticed(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    opened: list[Any] = []

    def host() -> None:
        charge_point = blocking.open_charge_point(server.config(), Threaded()).__enter__()
        charge_point.start()
        charge_point.wait_registered()
        charge_point.on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
        charge_point.on_transaction_started(1, "s", "TAG", 1000)
        opened.append(charge_point)

    thread = threading.Thread(target=host, name="firmware")
    thread.start()
    thread.join(TIMEOUT)
    server.do(server.system.wait_disconnected, "CP1")
    wait_until_stopped(opened[0])
    assert "StopTransaction" in server.actions(), "it was left in order"
    assert any("firmware" in record.getMessage() for record in caplog.records)


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from host_faces import Threaded
from ocpp16 import blocking
from ocpp16.enums import SessionStartedReason

with blocking.open_charge_point({config!r}, Threaded()) as charge_point:
    charge_point.start()
    charge_point.wait_registered()
    charge_point.on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
    charge_point.on_transaction_started(1, "s", "TAG", 1000)
    charge_point.connection.disconnect()
    charge_point.heartbeat_now()
    charge_point.on_transaction_stopped(1, "s", "Local", 1000)
    print("waits", flush=True)
    charge_point.wait_all_answered()
"""


def test_ctrl_c_comes_where_a_call_waits(server: Server) -> None:
    program = PROGRAM.format(path=[entry for entry in sys.path if entry], config=server.config())
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"waits\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=TIMEOUT)
    assert process.returncode == -signal.SIGINT
    assert said.rstrip().endswith(b"KeyboardInterrupt")


def test_methods_to_be_awaited_are_refused(server: Server) -> None:
    class Async(Threaded):
        async def unlock_connector(self, connector_id: int) -> Any:  # type: ignore[override]
            raise NotImplementedError

        async def measurement(self, connector_id: int) -> Any:  # type: ignore[override]
            raise NotImplementedError

    station: Any = Async()
    with pytest.raises(ConfigurationError) as caught, blocking.open_charge_point(server.config(), station):
        pass
    assert "Async.unlock_connector must be a plain function" in str(caught.value)
    assert "Async.measurement must not be async" in str(caught.value)


def test_the_meter_is_read_while_a_transaction_runs(server: Server) -> None:
    station = Threaded()
    with blocking.open_charge_point(server.config(), station, meter_interval=0.02) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        threading.Event().wait(0.1)
        assert not station.threads("measurement"), "nothing charges"
        charge_point.on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
        charge_point.on_transaction_started(1, "s", "TAG", 1000)
        before = station.energy
        for _ in range(500):
            if station.energy > before + 3:
                break
            threading.Event().wait(0.01)
        else:
            raise AssertionError("the meter is not read")


def test_a_meter_that_raises_is_no_reason_to_stop(server: Server) -> None:
    class Broken(Threaded):
        def measurement(self, connector_id: int) -> Any:
            raise OSError("no meter")

    with blocking.open_charge_point(server.config(), Broken(), meter_interval=0.01) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        charge_point.on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
        charge_point.on_transaction_started(1, "s", "TAG", 1000)
        threading.Event().wait(0.1)
        charge_point.wait_all_answered()
    assert "StartTransaction" in server.actions()


def test_handlers_to_be_awaited_are_refused(server: Server) -> None:
    async def handler(data: str | None) -> Any:
        raise NotImplementedError

    class Called:
        async def __call__(self, *arguments: Any) -> Any:
            raise NotImplementedError

    with blocking.open_charge_point(server.config(), Threaded()) as charge_point:
        for each in (handler, Called()):
            with pytest.raises(ValueError, match="plain function"):
                charge_point.on_data_transfer("V", None, each)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="not async"):
            charge_point.on_change("HeartbeatInterval", Called())  # type: ignore[arg-type]


def test_a_block_that_is_entered_otherwise_says_how(server: Server) -> None:
    block: Any = blocking.open_charge_point(server.config(), Threaded())

    async def main() -> None:
        async with block:
            pass

    with pytest.raises(TypeError, match=r"entered by `with … as …:`.*ocpp16\.aio"):
        asyncio.run(main())
    with pytest.raises(AttributeError, match=r"no start yet: .*`with"):
        block.start()
