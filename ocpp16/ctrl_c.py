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
from typing import Generic, ParamSpec, TypeVar

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
        return _Whole(open_block(*args, **kwargs))

    return opened


@only_at_waits
class _Whole(Generic[T]):
    __slots__ = ("_block",)

    def __init__(self, block: AbstractAsyncContextManager[T]) -> None:
        self._block = block

    async def __aenter__(self) -> T:
        return await self._block.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._block.__aexit__(kind, error, traceback)
