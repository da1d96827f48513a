"""What code of others may raise that is no Exception, and yet ends nothing."""

import asyncio
from collections.abc import Callable

import trio


class PanicException(BaseException):
    """As a native extension (PyO3) raises it."""


def _cancelled() -> BaseException:
    """trio's cancellation, of a scope that is long left."""
    found: list[BaseException] = []

    async def main() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.lowlevel.checkpoint()
            except trio.Cancelled as error:
                found.append(error)
                raise

    trio.run(main)
    return found[0].with_traceback(None)


_STRAY = _cancelled()

STRANGE: dict[str, Callable[[], BaseException]] = {
    "another loop's cancellation": lambda: asyncio.CancelledError("of asyncio"),
    "a panic": lambda: PanicException("called `Option::unwrap()` on a `None` value"),
    "GeneratorExit": GeneratorExit,
    "another task's cancellation": lambda: _STRAY.with_traceback(None),
    "a group": lambda: BaseExceptionGroup("both", [ValueError("one"), _STRAY.with_traceback(None)]),
    "a group in a group": lambda: BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [GeneratorExit()])]),
}
"""By what it is: makes one to raise, in whatever task."""
