"""`charge_point.dead_letters`: the messages that were given up after TransactionMessageAttempts."""

from collections.abc import Collection
from typing import Any

import trio

from ocpp16.charge_point.runtime import Runtime
from ocpp16.ctrl_c import only_at_waits
from ocpp16.models import DeadLetter
from ocpp16.values import items, whole


@only_at_waits
class DeadLettersDoor:
    """Made anew each time it is asked for. One `resend` or `discard` follows the other, so that each counts what it did
    itself."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def __call__(self) -> tuple[DeadLetter, ...]:
        """All of them, the oldest first; of a thousand at most."""
        self._runtime.guard.check()
        await trio.lowlevel.checkpoint()
        return self._runtime.features.dead_letters.all()

    async def resend(self, sequences: Collection[int] | None = None) -> int:
        """Queue dead letters again, behind everything that waits: those of these numbers, or all. Returns how many.

        Raises ValueError for what are no whole numbers; StoreError if it could not be stored within StoreTimeout,
        ChargePointStopped if the charge point is stopped before: then nothing has changed.
        """
        self._runtime.guard.check()
        return await self._runtime.features.dead_letters.resend(_sequences(sequences))

    async def discard(self, sequences: Collection[int] | None = None) -> int:
        """Delete dead letters for good: those of these numbers, or all. Returns how many there were.

        Raises as `resend`.
        """
        self._runtime.guard.check()
        return await self._runtime.features.dead_letters.discard(_sequences(sequences))


def _sequences(sequences: Any) -> list[int] | None:
    if sequences is None:
        return None
    numbers = items(sequences, "sequences", "whole numbers")
    return [whole(number, "sequences", 0, 2**63 - 1) for number in numbers]
