"""The one border to the station's code: questions with an answer, and commands in the order they were accepted.

Rules of this file:
1. A question has StationTimeout seconds, or until `by`. One that overruns, raises, is no coroutine, or answers
   something of another kind than asked for gets the safe answer; that is logged, and counted where it is a fault of the
   station's code.
2. A command waits for the earlier ones of its connectors and for nothing else: what is asked of a connector reaches it
   in the order in which it was accepted, however slow an answer is.
3. A command may stand in for an earlier one of the same topic that has not begun: what was superseded is not carried
   out, so that nothing piles up at a slow station. Beyond `MOST_WAITING`, and `MOST_OF_EACH` for each connector, the
   oldest goes.
4. No lock is held, and nothing of the charge point waits, while the station's code runs.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable
from enum import StrEnum
from functools import partial
from math import inf
from typing import Any, TypeVar

import trio

from ocpp16.enums import Reason
from ocpp16.faults import obey, obey_exit
from ocpp16.models import DataTransferResponse
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.state.transaction import Transaction
from ocpp16.texts import plain
from ocpp16.values import exactly, flag, member

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

MOST_WAITING = 256
"""Commands that may wait for the station, remote starts above all: each id tag is a topic."""
MOST_OF_EACH = 4
"""Commands that may wait besides, for each connector: it has few topics of its own."""

SpawnWithin = Callable[..., None]
"""`(seconds, late, async_fn, *arguments)`"""
Failed = Callable[[str, BaseException], None]


# What an answer may be: each gives the answer in our type, or raises ValueError.


def yes_or_no(answer: Any) -> bool:
    """A bool; an integer or a text is no answer to a question of yes or no."""
    return flag(answer, "the answer")


def member_of(enumeration: type[E]) -> Callable[[Any], E]:
    """A member of an enumeration, or its text."""
    return lambda answer: member(enumeration, answer, "the answer")


def data_transfer_response(answer: Any) -> DataTransferResponse:
    """A DataTransferResponse."""
    return exactly(DataTransferResponse, answer, "the answer")


def _name_of(question: object) -> str:
    """As the log has it; some of ours look whether it still is to be asked."""
    try:
        return plain(getattr(question, "__name__", "question")).lstrip("_")
    except BaseException as error:  # an attribute of the host's handler
        obey_exit(error)
        return "question"


class _Command:
    __slots__ = ("arguments", "connectors", "has_begun", "question", "topic")

    def __init__(
        self,
        connectors: tuple[Hashable, ...],
        topic: Hashable,
        question: Callable[..., Any],
        arguments: tuple[Any, ...],
    ) -> None:
        self.connectors = connectors
        self.topic = topic
        self.question = question
        self.arguments = arguments
        self.has_begun = False


class StationSide:
    """Asks the station of one charge point.

    Parameters: `station` has the questions; `timeout` in seconds (StationTimeout); `spawn_within` starts a task of this
    start that has a bound; `failed(place, error)` is told of exceptions of the station's code; `overran(name, seconds)`
    of questions that took too long; `connectors` is their number.
    """

    __slots__ = ("_failed", "_most_waiting", "_overran", "_queues", "_spawn_within", "_station", "_timeout", "waiting")

    def __init__(
        self,
        station: AskedStation,
        timeout: float,
        spawn_within: SpawnWithin,
        failed: Failed,
        overran: Callable[[str, float], None],
        connectors: int = 0,
    ) -> None:
        self._station = station
        self._timeout = timeout
        self._most_waiting = MOST_WAITING + MOST_OF_EACH * connectors
        self._spawn_within = spawn_within
        self._failed = failed
        self._overran = overran
        self._queues: dict[Hashable, deque[_Command]] = {}
        """By connector: its commands in order. The first one runs, or waits to be first at its other connectors too."""
        self.waiting: int = 0
        """Commands that have not begun."""

    async def ask(
        self,
        question: Callable[..., Awaitable[Any]],
        *arguments: Any,
        accept: Callable[[Any], T],
        safe: T,
        by: float = inf,
    ) -> T:
        """Ask now. `accept` checks the answer; `safe` stands in for one that is late, wrong or an exception. `by`: when
        the answer has to be there (trio's time), where that is sooner than the question's own time."""
        seconds = min(self._timeout, round(by - trio.current_time(), 3))
        if seconds <= 0:  # others have used it up
            return safe
        name = _name_of(question)
        try:
            with trio.move_on_after(seconds) as limit:
                return accept(await question(*arguments))
        except BaseException as error:
            obey(error)
            self._failed(f"station, {name}", error)
            return safe
        assert limit.cancelled_caught
        self._overran(f"{name}({arguments[0]})" if len(arguments) == 1 and type(arguments[0]) is int else name, seconds)
        return safe

    def command(
        self,
        question: Callable[..., Awaitable[Any]],
        *arguments: Any,
        connectors: Collection[Hashable],
        topic: Hashable,
    ) -> None:
        """Have the station do something, after what it was told earlier about these connectors.

        `connectors`: ids, or any other name of something that keeps an order of its own. `topic`: a command of the same
        topic and connectors that has not begun is superseded by this one.
        """
        command = _Command(tuple(dict.fromkeys(connectors)), topic, question, arguments)
        for earlier in self._queues.get(command.connectors[0], ()):
            if not earlier.has_begun and earlier.topic == topic and earlier.connectors == command.connectors:
                self._take_out(earlier)
                break
        if self.waiting >= self._most_waiting:
            self._drop_one(command.connectors[0])
        self.waiting += 1
        for connector in command.connectors:
            self._queues.setdefault(connector, deque()).append(command)
        self._begin_if_first(command)

    def stop_transaction(self, transaction: Transaction, reason: Reason) -> None:
        """Have the station stop this transaction, if it still runs when its turn comes: the next one is not meant."""
        connectors = (transaction.connector_id,)
        self.command(self._stop_transaction, transaction, reason, connectors=connectors, topic="stop_transaction")

    async def _stop_transaction(self, transaction: Transaction, reason: Reason) -> None:
        if transaction.is_running:
            await self._station.stop_transaction(transaction.connector_id, reason)

    def forget(self) -> None:
        """The start is over: what has not begun never will."""
        self._queues.clear()
        self.waiting = 0

    def _drop_one(self, connector: Hashable) -> None:
        """Too many wait: the oldest of this connector goes, else the oldest of the longest queue."""
        queues = sorted(self._queues.values(), key=len)
        for queue in (self._queues.get(connector, ()), *reversed(queues)):
            oldest = next((command for command in queue if not command.has_begun), None)
            if oldest is not None:
                self._take_out(oldest)
                break
        self._failed("station", RuntimeError(f"{self._most_waiting} commands wait for the station; the oldest goes"))

    def _take_out(self, command: _Command) -> None:
        self.waiting -= 1
        self._leave_queues(command)

    def _leave_queues(self, command: _Command) -> None:
        freed: list[_Command] = []
        for connector in command.connectors:
            queue = self._queues.get(connector)
            if queue is None or command not in queue:
                continue
            queue.remove(command)
            if queue:
                freed.append(queue[0])
            else:
                del self._queues[connector]
        if not self._queues:
            self._queues = {}  # one that held something stays as large
        for first in freed:
            self._begin_if_first(first)

    def _begin_if_first(self, command: _Command) -> None:
        if command.has_begun or any(self._queues[connector][0] is not command for connector in command.connectors):
            return
        command.has_begun = True
        self.waiting -= 1
        seconds = self._timeout
        self._spawn_within(seconds, partial(self._late, command, seconds), self._carry_out, command)

    def _late(self, command: _Command, seconds: float) -> None:
        numbers = [str(connector) for connector in command.connectors if type(connector) is int]
        name = _name_of(command.question)
        self._overran(f"{name}({', '.join(numbers)})" if numbers else name, seconds)

    async def _carry_out(self, command: _Command) -> None:
        # As `ask`; the task has a bound of its own, and needs no second one.
        try:
            await command.question(*command.arguments)
        except BaseException as error:
            obey(error)
            self._failed(f"station, {_name_of(command.question)}", error)
        finally:
            self._leave_queues(command)
