"""Commands of required modules: each has an end, whatever the module behind it does.

The framework's `call_command` blocks until there is an answer, and raises what it likes. Here it runs in a thread of
its own, which is given up when the time is over. One that never comes back holds its thread, so that of a module there
are only so many; while it holds them all, nothing more is asked of it, and it is as if it had not answered.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

from ocpp16.faults import obey_exit, sentence

__all__ = ["Calls", "Unanswered"]

MOST_OPEN: Final = 8
"""Calls of one connection that wait for an answer at a time."""


class Unanswered(Exception):
    """There is no answer; the text says why."""


class Calls:
    """`call_command(fulfillment, command, arguments)` is the framework's."""

    def __init__(self, call_command: Callable[[Any, str, dict[str, Any]], Any]) -> None:
        self._call_command = call_command
        self._open: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def ask(self, fulfillment: Any, command: str, arguments: Mapping[str, Any], seconds: float) -> Any:
        """The answer as it came. Raises Unanswered after so many seconds, and for what the framework raises."""
        return self.answer(self.begin(fulfillment, command, arguments), seconds, seconds)

    def begin(self, fulfillment: Any, command: str, arguments: Mapping[str, Any]) -> "Future[Any]":
        """A call that is under way. Raises Unanswered where it cannot begin."""
        connection = (str(fulfillment.module_id), str(fulfillment.implementation_id))
        with self._lock:
            if self._open[connection] >= MOST_OPEN:
                raise Unanswered(f"{MOST_OPEN} earlier calls are not answered yet")
            self._open[connection] += 1
        answer: Future[Any] = Future()
        call = partial(self._call_command, fulfillment, command, dict(arguments))
        thread = threading.Thread(
            target=self._answered, args=(connection, call, answer), name=f"{connection[0]} {command}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # limit of the machine
            self._done(connection)
            raise Unanswered(f"no thread can be had: {error}") from error
        return answer

    def answer(self, answer: "Future[Any]", seconds: float, waited: float) -> Any:
        """What a call gives within so many seconds. `waited`: the seconds that it has had then. Raises Unanswered."""
        try:
            return answer.result(seconds)
        except TimeoutError as error:
            if answer.done():
                raise Unanswered(sentence(error)) from error
            raise Unanswered(f"no answer within {waited:g} s") from None
        except BaseException as error:
            obey_exit(error)
            raise Unanswered(sentence(error)) from error

    def _answered(self, connection: tuple[str, str], call: Callable[[], Any], answer: "Future[Any]") -> None:
        try:
            result = call()
        except BaseException as error:
            self._done(connection)
            answer.set_exception(error)
        else:
            self._done(connection)
            answer.set_result(result)

    def _done(self, connection: tuple[str, str]) -> None:
        with self._lock:
            self._open[connection] -= 1
