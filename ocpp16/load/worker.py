"""A child process of a load test, seen from inside: it does its job, and tells in lines what happened.

→ {"do": "run", …}  the job, as of `Job`; for Locust {"do": "run", "csms": …, "tell_calls": true} and what `Guests` has
→ {"do": "stop"}    end in order; so does the end of the lines
→ {"do": "add", "charge_point": …}, {"do": "remove", "charge_point": …}  with tell_calls; to "add", where it plays a
   scenario: number, scenario and values, too
← {"second": …, …}  a `Portion`, each second
← {"calls": [[action, seconds, outcome, code], …]}  with tell_calls
← {"stories": [[scenario, charge point, seconds, unmet, why], …]}  with tell_calls
← {"outcome": …}    a `Played`, at the end
← {"failed": …}     why there is none
← {"wrong": …}      a line to it that cannot be followed, and why
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.errors import Ocpp16Error
from ocpp16.faults import sentence
from ocpp16.load.documents import DocumentError
from ocpp16.load.driver import Driver
from ocpp16.load.guests import Guests
from ocpp16.load.job import Job
from ocpp16.load.lines import LineError, parsed, written
from ocpp16.load.portion import Portion
from ocpp16.scenario import ScenarioError, load_scenario

Write = Callable[[bytes], Awaitable[object]]

LAST_LINES: Final = 30.0
"""Real seconds for what waits at the end to be taken."""
MOST_UNREAD: Final = 1_000
"""Lines that wait for a parent who does not read, before the child is stopped."""


class Worker:
    """Parameters: `first` line; `lines` that follow; `write` hands over a line. `wall`, `cpu`, `connector` as of
    `Driver`."""

    def __init__(
        self,
        first: bytes,
        lines: AsyncIterator[bytes],
        write: Write,
        *,
        wall: Callable[[], float],
        cpu: Callable[[], float],
        connector: StreamOpener | None = None,
    ) -> None:
        self._first = first
        self._lines = lines
        self._write = write
        self._wall = wall
        self._cpu = cpu
        self._connector = connector
        self._work: Driver | Guests | None = None
        self._is_stopped = False
        self._speed = 1.0
        self._out, self._waiting = trio.open_memory_channel[bytes](MOST_UNREAD)

    def stop(self) -> None:
        """End in order."""
        self._is_stopped = True
        if self._work is not None:
            self._work.stop()

    async def run(self) -> int:
        """Do it. Returns the exit code: 0 if there is an outcome."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._hand_over)
            try:
                last = await self._outcome()
            except (Ocpp16Error, ValueError, OSError, LookupError) as error:
                last = {"failed": sentence(error)}
            nursery.cancel_scope.deadline = trio.current_time() + LAST_LINES * self._speed
            await self._out.send(written(last))
            self._out.close()  # what waits is handed over, and then that task ends
        return 0 if "failed" not in last else 2

    async def _outcome(self) -> dict[str, Any]:
        message = parsed(self._first)
        if message.get("do") != "run":
            raise LineError("the first line must be a job: do must be 'run'")
        self._work = self._guests(message) if message.get("tell_calls") is True else self._driver(message)
        if self._is_stopped:
            self._work.stop()
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen)
            try:
                played = await self._work.run()
            except Exception as error:
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure  # by itself, and not as one of a group
        return {"outcome": played.to_json()}

    def _driver(self, message: dict[str, Any]) -> Driver:
        job = Job.from_json(message)
        self._speed = job.speed
        scenario = load_scenario(job.scenario, job.values)
        return Driver(job, scenario, self._tell, wall=self._wall, cpu=self._cpu, connector=self._connector)

    def _guests(self, message: dict[str, Any]) -> Guests:
        return Guests.from_json(message, self._put, connector=self._connector)

    async def _listen(self) -> None:
        async for line in self._lines:
            try:
                message = parsed(line)
                if message.get("do") == "stop":
                    self.stop()
                elif isinstance(self._work, Guests):
                    self._work.order(message)
            except (LineError, DocumentError, ScenarioError) as error:
                self._put({"wrong": sentence(error)})
        self.stop()  # nobody is there any more

    def _tell(self, portion: Portion) -> None:
        self._put(portion.to_json())

    def _put(self, message: object) -> None:
        try:
            self._out.send_nowait(written(message))
        except trio.WouldBlock:  # the parent does not read: it is as good as gone
            self.stop()

    async def _hand_over(self) -> None:
        async for line in self._waiting:
            await self._write(line)
