"""The child processes of a load test, seen from the parent: begun, told what to do, listened to, and missed.

Rules of this file:
1. A child that dies, says what cannot be, or says nothing for long, is lost: that is told, what it told before counts,
   and the others go on.
2. No child outlives its parent: each ends with its standard input; and none outlives `run`.
3. Ctrl-C is the parent's: children are in process groups of their own.
"""

import signal
from collections.abc import Callable, Sequence
from subprocess import PIPE
from typing import Final

import trio

from ocpp16.faults import sentence
from ocpp16.load.job import Job, Played
from ocpp16.load.lines import Lines, parsed, written
from ocpp16.load.portion import Portion
from ocpp16.load.results import ProcessResult
from ocpp16.texts import shown

LONGEST_SILENCE: Final = 90.0
"""Seconds without a line after which a child is lost: it tells one each second, and to be begun takes it few."""
GRACE: Final = 15.0
"""Seconds that a child may take to end after it has closed its output."""


class Crew:
    """Parameters: `command` begins a child, of which each has one of the `jobs`. `take(number, portion)` is told what
    they tell, `gone(number)` that one tells no more.
    """

    def __init__(
        self,
        command: Sequence[str],
        jobs: Sequence[Job],
        take: Callable[[int, Portion], None],
        gone: Callable[[int], None],
    ) -> None:
        self._command = list(command)
        self._jobs = list(jobs)
        self._take = take
        self._gone = gone
        self._stopping = trio.Event()
        self._lost: dict[int, str] = {}
        self.failures: dict[int, str] = {}
        """Why they cannot do their jobs, by number, of those that said so."""
        self.pids: dict[int, int] = {}
        """Of the children that are alive, by number."""
        self.played: dict[int, Played] = {}
        """What came of it, by number, of those that came to an end."""

    def stop(self) -> None:
        """End all in order."""
        self._stopping.set()

    def processes(self) -> tuple[ProcessResult, ...]:
        """How each fares, or fared."""
        return tuple(
            ProcessResult(number, len(job.ids), number not in self._lost, self._lost.get(number, self._end_of(number)))
            for number, job in enumerate(self._jobs)
        )

    def _end_of(self, number: int) -> str:
        played = self.played.get(number)
        return played.why if played is not None else ""

    async def run(self) -> None:
        """Until all are over."""
        async with trio.open_nursery() as nursery:
            for number in range(len(self._jobs)):
                nursery.start_soon(self._run_one, number)

    async def _run_one(self, number: int) -> None:
        try:
            process = await trio.lowlevel.open_process(self._command, stdin=PIPE, stdout=PIPE, process_group=0)
        except OSError as error:
            self._lost[number] = f"could not be begun: {sentence(error)}"
            self._gone(number)
            return
        self.pids[number] = process.pid
        why = ""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._order, process, self._jobs[number])
                why = await self._listen(number, process)
                nursery.cancel_scope.cancel()
            if not why:
                with trio.move_on_after(GRACE):
                    await process.wait()
        finally:
            with trio.CancelScope(shield=True):  # a process that was killed is soon gone
                if process.returncode is None:
                    process.kill()
                await process.wait()
            del self.pids[number]
            self._gone(number)
            if number not in self.played:
                self._lost[number] = why or _ending(process.returncode)

    async def _order(self, process: trio.Process, job: Job) -> None:
        """Tell it what to do, and that it is enough. One that does not listen is gone: that is seen elsewhere."""
        assert process.stdin is not None
        try:
            await process.stdin.send_all(written({"do": "run", **job.to_json()}))
            await self._stopping.wait()
            await process.stdin.send_all(written({"do": "stop"}))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    async def _listen(self, number: int, process: trio.Process) -> str:
        """To its end. Returns why it cannot be used any more, "" if it ended by itself."""
        assert process.stdout is not None
        told = Lines(process.stdout)
        try:
            while True:
                with trio.move_on_after(LONGEST_SILENCE) as limit:
                    line = await anext(told, None)
                if limit.cancelled_caught:
                    return f"said nothing for {LONGEST_SILENCE:g} s"
                if line is None:
                    return ""
                failure = self._hear(number, line)
                if failure:
                    return failure
        except ValueError as error:
            return f"said what cannot be: {shown(error)}"
        except (trio.BrokenResourceError, OSError) as error:
            return f"cannot be listened to: {sentence(error)}"

    def _hear(self, number: int, line: bytes) -> str:
        """One line; returns why the child cannot go on, if it says so. Raises ValueError for what cannot be."""
        found = parsed(line)
        if "second" in found:
            self._take(number, Portion.from_json(found))
        elif "outcome" in found:
            self.played[number] = Played.from_json(found["outcome"])
        elif "failed" in found:
            self.failures[number] = shown(found["failed"], 500)
            return f"failed: {self.failures[number]}"
        return ""


def _ending(code: int | None) -> str:
    """How a process ended that was to say more."""
    if code is not None and code < 0:
        return f"was killed by {_name(-code)}"
    return f"ended too early, with exit code {code}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
