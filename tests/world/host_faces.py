"""Three faces of one charge point: trio, threads, asyncio; and a Central System in a thread of its own, over TCP."""

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio

import ocpp16
from ocpp16 import ChargePointStopped, DataTransferResponse, Measurement, PhaseValues, aio, blocking
from ocpp16.enums import DataTransferStatus, Reason, ResetType, UnlockStatus
from ocpp16.fleet import open_fleet
from ocpp16.hosts.trio_thread import TrioThread
from ocpp16.testing import CentralSystem

TIMEOUT = 120.0
"""Seconds for what takes a few milliseconds: machines may be slow."""


def wait_until_stopped(charge_point: Any) -> None:
    """Until a face says that its charge point has ended, of which it tells nobody."""
    last_moment = time.monotonic() + TIMEOUT
    while time.monotonic() < last_moment:
        try:
            charge_point.on_enabled(1)
        except ChargePointStopped:
            return
        time.sleep(0.01)
    raise AssertionError("it goes on without its host")


class Server:
    """A Central System that listens, seen from any thread."""

    def __init__(self) -> None:
        self.thread = TrioThread(CentralSystem, lambda: "")
        self.system: CentralSystem = self.thread.begin().result(TIMEOUT)
        self.port: int = self.do(self.system.listen, "127.0.0.1")

    def do(self, function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        return self.thread.run(function, *arguments).future.result(TIMEOUT)

    def call(self, action: str, payload: dict[str, Any], identity: str = "CP1") -> Any:
        return self.do(self.system.call, identity, action, payload)

    def actions(self, identity: str = "CP1") -> list[str]:
        return [call.action for call in self.system.calls(identity=identity)]

    def payload(self, action: str, identity: str = "CP1") -> dict[str, Any]:
        return self.system.calls(action, identity)[-1].payload

    def config(self, identity: str = "CP1", **internal: Any) -> dict[str, Any]:
        return {
            "Internal": {
                "ChargePointId": identity,
                "CentralSystemURI": f"ws://127.0.0.1:{self.port}/",
                "ChargePointVendor": "V",
                "ChargePointModel": "M",
                **internal,
            },
            "Core": {"NumberOfConnectors": 2, "MeterValueSampleInterval": 0},
            "Security": {"SecurityProfile": 0},
        }


class Threaded:
    """A station of plain functions that notes in which thread it was asked."""

    def __init__(self) -> None:
        self.energy = 1000.0
        self.asked: list[tuple[str, threading.Thread]] = []
        self.charge_point: Any = None

    def attach(self, charge_point: Any) -> None:
        self.charge_point = charge_point

    def note(self, name: str) -> None:
        self.asked.append((name, threading.current_thread()))

    def threads(self, name: str) -> set[threading.Thread]:
        return {thread for asked, thread in self.asked if asked == name}

    def measurement(self, connector_id: int) -> Measurement | None:
        self.note("measurement")
        self.energy += 1
        return Measurement(energy_import=PhaseValues(total=self.energy))

    def enable_evse(self, connector_id: int) -> None:
        self.note("enable_evse")
        self.charge_point.on_enabled(connector_id)

    def disable_evse(self, connector_id: int) -> None:
        self.note("disable_evse")
        self.charge_point.on_disabled(connector_id)

    def pause_charging(self, connector_id: int) -> None:
        self.note("pause_charging")

    def provide_token(self, id_tag: str, connectors: Any, prevalidated: bool) -> None:
        self.note("provide_token")

    def stop_transaction(self, connector_id: int, reason: Reason) -> None:
        self.note("stop_transaction")
        self.charge_point.on_transaction_stopped(connector_id, "s", reason, self.energy)

    def unlock_connector(self, connector_id: int) -> UnlockStatus:
        self.note("unlock_connector")
        if connector_id == 2:
            raise RuntimeError("stuck")
        return UnlockStatus.UNLOCKED

    def is_reset_allowed(self, kind: ResetType) -> bool:
        self.note("is_reset_allowed")
        return False

    def reset(self, kind: ResetType) -> None:
        self.note("reset")

    def set_system_time(self, time: Any) -> None:
        self.note("set_system_time")

    def set_connection_timeout(self, seconds: int) -> None:
        self.note("set_connection_timeout")

    def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        self.note("data_transfer")
        return DataTransferResponse(DataTransferStatus.REJECTED)


def _awaited(name: str) -> Callable[..., Any]:
    async def method(self: Threaded, *arguments: Any) -> Any:
        return getattr(Threaded, name)(self, *arguments)

    return method


Awaited = type(
    "Awaited",
    (Threaded,),
    {
        name: _awaited(name)
        for name, member in vars(Threaded).items()
        if inspect.isfunction(member) and name not in {"__init__", "attach", "note", "threads", "measurement"}
    },
)
for _name in vars(Awaited):
    if inspect.iscoroutinefunction(vars(Awaited)[_name]):
        vars(Awaited)[_name].__signature__ = inspect.signature(getattr(Threaded, _name))


async def done(value: Any) -> Any:
    """What a method gave: awaited where it has to be."""
    return await value if inspect.isawaitable(value) else value


class Face:
    """One of the three. `run` runs a scenario, a coroutine function, as its world does."""

    name: str

    def station(self) -> Threaded:
        return Awaited()  # type: ignore[no-any-return]

    def run(self, scenario: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        raise NotImplementedError

    def one(self, config: Any, station: Any, **named: Any) -> Any:
        raise NotImplementedError

    def many(self, **named: Any) -> Any:
        raise NotImplementedError

    def fleet(self, csms: str, *arguments: Any, **named: Any) -> Any:
        raise NotImplementedError

    async def pause(self) -> None:
        raise NotImplementedError

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(12000):
            if condition():
                return
            await self.pause()
        raise TimeoutError("what was waited for did not come")

    async def elsewhere(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Something that blocks, in a thread that is none of ours."""
        raise NotImplementedError


class OfTrio(Face):
    name = "trio"

    def run(self, scenario: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        return trio.run(scenario, *arguments)

    one = staticmethod(ocpp16.open_charge_point)  # type: ignore[assignment]
    many = staticmethod(ocpp16.open_charge_points)  # type: ignore[assignment]
    fleet = staticmethod(open_fleet)

    async def pause(self) -> None:
        await trio.sleep(0.01)

    async def elsewhere(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await trio.to_thread.run_sync(function, *arguments)


class OfAsyncio(Face):
    name = "asyncio"

    def run(self, scenario: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async def main() -> Any:
            return await scenario(*arguments)

        return asyncio.run(main())

    one = staticmethod(aio.open_charge_point)  # type: ignore[assignment]
    many = staticmethod(aio.open_charge_points)  # type: ignore[assignment]
    fleet = staticmethod(aio.open_fleet)

    async def pause(self) -> None:
        await asyncio.sleep(0.01)

    async def elsewhere(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.to_thread(function, *arguments)


class OfThreads(Face):
    name = "threads"

    def station(self) -> Threaded:
        return Threaded()

    def run(self, scenario: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        coroutine: Any = scenario(*arguments)
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("nothing here is to be awaited")

    def one(self, config: Any, station: Any, **named: Any) -> Any:
        return _entered(partial(blocking.open_charge_point, config, station, **named))

    def many(self, **named: Any) -> Any:
        return _entered(partial(blocking.open_charge_points, **named))

    def fleet(self, csms: str, *arguments: Any, **named: Any) -> Any:
        return _entered(partial(blocking.open_fleet, csms, *arguments, **named))

    async def pause(self) -> None:
        threading.Event().wait(0.01)

    async def elsewhere(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)


@asynccontextmanager
async def _entered(block: Callable[[], Any]) -> AsyncIterator[Any]:
    with block() as entered:
        yield entered
