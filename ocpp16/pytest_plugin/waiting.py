"""One call that takes its time, for whoever made it: a test without a loop waits here, one of asyncio or trio awaits.

Which it is shows where the call is made: in a thread with a running loop it must not block, for the Central System may
live in that very loop. What was not awaited has checked nothing, so it is kept, and told at the end of the test.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Generator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

import trio

from ocpp16.errors import ChargePointStopped
from ocpp16.hosts.crossing import Crossing
from ocpp16.pytest_plugin.watch import NotSeen

_MOST_NAMED = 5
MOST_KEPT = 10_000
"""Calls of one fleet that nobody has awaited yet, and that are remembered."""


class Waits:
    """All calls of one fleet that are waited for. `asleep`: names of asynchronous fixtures that are there, whose loop
    stands still while a test blocks."""

    def __init__(self, asleep: Collection[str] = ()) -> None:
        self._asleep = asleep
        self._begun: list[Awaited] = []

    def outcome(self, crossing: Crossing, what: str) -> Any:
        """What the call gives; where a loop runs, something to be awaited that does. `what`: the call, in words."""
        __tracebackhide__ = True
        wait = _way_of_this_thread()
        if wait is None:
            try:
                return _blocking(crossing)
            except NotSeen as error:
                raise NotSeen(f"{error}{self._who_sleeps()}") from None
        awaited = Awaited(wait(crossing), crossing, what)
        self._begun = [one for one in self._begun if not one.is_awaited][:MOST_KEPT]
        self._begun.append(awaited)
        return awaited

    def _who_sleeps(self) -> str:
        """What may be why a test that blocks waits in vain."""
        if not self._asleep:
            return ""
        names, one = ", ".join(sorted(self._asleep)[:_MOST_NAMED]), len(self._asleep) == 1
        return (
            f"\nThe fixture{'' if one else 's'} {names} {'is' if one else 'are'} asynchronous: a Central System that"
            " lives in such a loop stands still while this test waits, which is not async. Make it an async test that"
            " awaits, or let the Central System live in a thread or process of its own."
        )

    def forgotten(self) -> list[str]:
        """The calls that were never awaited, in words, each told once; they are given up."""
        forgotten = [one for one in self._begun if not one.is_awaited]
        self._begun = []
        for one in forgotten:
            one.close()
        return [one.what for one in forgotten]


class Awaited(Coroutine[Any, Any, Any]):
    """A coroutine for `await`, tasks and nurseries, whose work has begun already."""

    def __init__(self, waiting: Coroutine[Any, Any, Any], crossing: Crossing, what: str) -> None:
        self._waiting = waiting
        self._crossing = crossing
        self.what = what
        self.is_awaited: bool = False

    def __repr__(self) -> str:
        return f"<{self.what}, to be awaited>"

    def __await__(self) -> Generator[Any, Any, Any]:
        self.is_awaited = True
        return self._waiting.__await__()

    def send(self, value: Any) -> Any:
        """As of every coroutine."""
        self.is_awaited = True
        return self._waiting.send(value)

    def throw(self, *error: Any) -> Any:
        """As of every coroutine."""
        self.is_awaited = True
        self._crossing.cancel()
        return self._waiting.throw(*error[-1:] if isinstance(error[-1], BaseException) else error)

    def close(self) -> None:
        """As of every coroutine: what it waits for is given up."""
        self._crossing.cancel()
        self._waiting.close()

    # A task shows where its coroutine is.

    @property
    def cr_frame(self) -> Any:
        return getattr(self._waiting, "cr_frame", None)

    @property
    def cr_await(self) -> Any:
        return getattr(self._waiting, "cr_await", None)

    @property
    def cr_running(self) -> bool:
        return bool(getattr(self._waiting, "cr_running", False))

    @property
    def cr_code(self) -> Any:
        return getattr(self._waiting, "cr_code", None)


def _way_of_this_thread() -> Callable[[Crossing], Coroutine[Any, Any, Any]] | None:
    """How to wait here; None: it may block."""
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return _in_asyncio
    with suppress(RuntimeError):
        trio.lowlevel.current_trio_token()
        return _in_trio
    return None


def _blocking(crossing: Crossing) -> Any:
    __tracebackhide__ = True
    try:
        return given(crossing.future)
    except BaseException:
        if not crossing.future.done():  # Ctrl-C, or the time of the test is over
            crossing.cancel()
        raise


async def _in_asyncio(crossing: Crossing) -> Any:
    __tracebackhide__ = True
    await _until_done(crossing, asyncio.wrap_future(_shadow(crossing.future)))
    return given(crossing.future)


async def _in_trio(crossing: Crossing) -> Any:
    __tracebackhide__ = True
    done, token = trio.Event(), trio.lowlevel.current_trio_token()

    def wake(_: object) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(done.set)

    crossing.future.add_done_callback(wake)
    await _until_done(crossing, done.wait())
    return given(crossing.future)


async def _until_done(crossing: Crossing, done: Awaitable[Any]) -> None:
    try:
        await done
    except BaseException:  # it was cancelled: nobody wants it any more
        crossing.cancel()
        raise


def _shadow(future: "Future[Any]") -> "Future[None]":
    """Done when that is, with nothing in it: asyncio complains of an exception that nobody took."""
    shadow: Future[None] = Future()

    def done(_: object) -> None:
        if shadow.set_running_or_notify_cancel():
            shadow.set_result(None)

    future.add_done_callback(done)
    return shadow


def given(future: "Future[Any]") -> Any:
    """What it gives, or raises: without the steps in the other thread, which say nothing to the author of a test."""
    __tracebackhide__ = True
    try:
        error = future.exception()
    except CancelledError:
        raise ChargePointStopped("the call was given up") from None
    if error is not None:
        raise error.with_traceback(None)
    return future.result()
