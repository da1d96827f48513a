"""What is of asyncio alone: cancellation both ways, and loops that end."""

import asyncio
import gc
import threading
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import pytest
from host_faces import TIMEOUT, Awaited, Server, Threaded, wait_until_stopped

from ocpp16 import ConfigurationError, aio


def test_what_waits_is_cancelled_and_the_charge_point_goes_on(server: Server) -> None:
    server.system.refuse_boot("Rejected", times=100)

    async def main() -> None:
        async with aio.open_charge_point(server.config(), Awaited()) as charge_point:
            await charge_point.start()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(charge_point.wait_registered(), 0.1)
            waiting = asyncio.create_task(charge_point.wait_registered())
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert charge_point.is_running

    asyncio.run(main())


def test_a_method_that_overruns_is_cancelled_in_the_hosts_loop(server: Server) -> None:
    cancelled: list[bool] = []

    class Hanging(Awaited):  # type: ignore[misc]
        async def unlock_connector(self, connector_id: int) -> Any:
            try:
                await asyncio.sleep(TIMEOUT)
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

    async def main() -> None:
        async with aio.open_charge_point(server.config(StationTimeout=1), Hanging()) as charge_point:
            await charge_point.start()
            await charge_point.wait_registered()
            answer = await asyncio.to_thread(server.call, "UnlockConnector", {"connectorId": 1})
            assert answer == {"status": "UnlockFailed"}
            while not cancelled:  # noqa: ASYNC110 - as a host would, who knows no event of it
                await asyncio.sleep(0.01)

    asyncio.run(main())


def test_a_loop_that_stands_still_delays_no_answer_but_its_own(server: Server) -> None:
    async def main() -> None:
        async with aio.open_charge_point(server.config(), Awaited()) as charge_point:
            await charge_point.start()
            await charge_point.wait_registered()
            answer: Any = server.call("GetConfiguration", {"key": ["HeartbeatInterval"]})  # blocks this loop
            assert answer["configurationKey"][0]["key"] == "HeartbeatInterval"

    asyncio.run(main())


def test_a_loop_that_is_closed_is_noticed(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    opened: list[Any] = []

    async def main() -> None:
        charge_point = await aio.open_charge_point(server.config(), Awaited()).__aenter__()
        await charge_point.start()
        await charge_point.wait_registered()
        opened.append(charge_point)

    asyncio.run(main())
    server.do(server.system.wait_disconnected, "CP1")
    wait_until_stopped(opened[0])
    assert any("event loop" in record.getMessage() for record in caplog.records)


def test_leaving_that_is_cancelled_goes_to_its_end(server: Server) -> None:
    async def use() -> None:
        async with aio.open_charge_point(server.config(), Awaited()) as charge_point:
            await charge_point.start()
            await charge_point.wait_registered()
            await asyncio.sleep(TIMEOUT)

    async def main() -> None:
        task = asyncio.create_task(use())
        while "BootNotification" not in server.actions():  # noqa: ASYNC110 - another thread's
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    server.do(server.system.wait_disconnected, "CP1")


def test_a_meter_to_be_awaited_is_refused(server: Server) -> None:
    class Async(Awaited):  # type: ignore[misc]
        async def measurement(self, connector_id: int) -> Any:
            raise NotImplementedError

    async def main() -> None:
        async with aio.open_charge_point(server.config(), Async()):
            pass

    with pytest.raises(ConfigurationError, match="measurement must not be async"):
        asyncio.run(main())


def test_one_of_many_whose_opening_is_cancelled_is_closed(server: Server) -> None:
    async def main() -> None:
        async with aio.open_charge_points() as charge_points:
            for number in range(30):
                task = asyncio.create_task(charge_points.open(server.config(f"CP{number}"), Awaited()))
                for _ in range(number % 10):
                    await asyncio.sleep(0.0005)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            while len(charge_points) > len(list(charge_points)):  # noqa: ASYNC110 - another thread's
                await asyncio.sleep(0.01)

    asyncio.run(main())


def test_opening_that_is_cancelled_leaves_nothing_behind(server: Server) -> None:
    async def main() -> None:
        async def opening() -> None:
            async with aio.open_charge_point(server.config(), Awaited()):
                await asyncio.sleep(TIMEOUT)

        task = asyncio.create_task(opening())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [thread.name for thread in threading.enumerate()].count("ocpp16") == 1, "that of the Central System"


def test_what_a_loop_comes_to_too_late_is_not_begun(server: Server) -> None:
    station = Threaded()

    async def main() -> None:
        async with aio.open_charge_point(server.config(StationTimeout=1), station) as charge_point:
            await charge_point.start()
            await charge_point.wait_registered()
            answer = server.call("UnlockConnector", {"connectorId": 1})  # blocks this loop
            assert answer == {"status": "UnlockFailed"}
            await asyncio.sleep(0)
            assert not station.threads("unlock_connector"), "a door that was said to stay closed opens"

    asyncio.run(main())


def test_a_station_sees_the_context_in_which_the_block_was_entered(server: Server) -> None:
    request: ContextVar[str] = ContextVar("request")
    seen: list[str] = []

    class Seeing(Awaited):  # type: ignore[misc]
        async def unlock_connector(self, connector_id: int) -> Any:
            seen.append(request.get("nothing"))
            request.set("of one question")
            raise RuntimeError("stuck")

    async def main() -> None:
        request.set("entered")
        async with aio.open_charge_point(server.config(), Seeing()) as charge_point:
            await charge_point.start()
            await charge_point.wait_registered()
            for _ in range(2):
                await asyncio.to_thread(server.call, "UnlockConnector", {"connectorId": 1})

    asyncio.run(main())
    assert seen == ["entered", "entered"]


def test_what_nobody_waits_for_any_more_is_no_complaint_of_the_loop(server: Server) -> None:
    said: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context))

        async def opening() -> None:
            async with aio.open_charge_point(server.config(), Awaited()) as charge_point:
                await charge_point.start()
                await charge_point.wait_registered()

        for number in range(20):
            task = asyncio.create_task(opening())
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert said == []


def test_a_block_that_is_entered_otherwise_says_how(server: Server) -> None:
    block: Any = aio.open_charge_point(server.config(), Awaited())
    with pytest.raises(TypeError, match=r"entered by `async with … as …:`.*ocpp16\.blocking"), block:
        pass
    with pytest.raises(AttributeError, match=r"no start yet: .*`async with"):
        block.start()
