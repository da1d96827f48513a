"""Ctrl-C comes where something is waited for, never in the middle of what belongs together.

trio raises KeyboardInterrupt in the program's main task between any two steps of it, unless one of its callers is
protected; then at the next wait. So what is protected here is done whole: a fact is in memory, queued and on its way
to the disk, or was never told; a block is entered and left with all it takes.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import wraps
from inspect import isfunction
from types import TracebackType
from typing import Generic, NoReturn, ParamSpec, TypeVar

import trio

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")


def only_at_waits(cls: type[C]) -> type[C]:
    """Class decorator: Ctrl-C interrupts none of its methods but where one waits. A call costs no more for it."""
    for name, member in list(vars(cls).items()):
        if isfunction(member):
            setattr(cls, name, trio.lowlevel.enable_ki_protection(member))
    return cls


def entered_and_left_whole(
    open_block: Callable[P, AbstractAsyncContextManager[T]],
) -> Callable[P, AbstractAsyncContextManager[T]]:
    """Decorator of an asynccontextmanager: Ctrl-C interrupts the block, and its ends only where they wait."""

    @wraps(open_block)
    def opened(*args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[T]:
        return _Whole(open_block(*args, **kwargs), open_block.__name__)

    return opened


@only_at_waits
class _Whole(Generic[T]):
    """What to do with it is said to who does otherwise: it is the first thing that a program meets."""

    __slots__ = ("_block", "_name")

    def __init__(self, block: AbstractAsyncContextManager[T], name: str) -> None:
        self._block = block
        self._name = name

    async def __aenter__(self) -> T:
        try:
            trio.lowlevel.current_trio_token()
        except RuntimeError:
            raise RuntimeError(
                f"{self._name}(…) needs trio: begin the program by trio.run(main); for asyncio there is "
                f"ocpp16.aio.{self._name}, for threads ocpp16.blocking.{self._name}"
            ) from None
        return await self._block.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._block.__aexit__(kind, error, traceback)

    def _must_be_entered(self) -> str:
        return f"{self._name}(…) is entered by `async with {self._name}(…) as …:`, and left with that block"

    def __enter__(self) -> NoReturn:
        raise TypeError(self._must_be_entered())

    def __exit__(self, *exc_info: object) -> None: ...

    def __await__(self) -> NoReturn:
        raise TypeError(self._must_be_entered())

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"no {name} yet: {self._must_be_entered()}")
