"""Which charging profile decides when: the stack of a connector, and the sweep that turns it into stretches of time."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal, final

from ocpp16._core.periods import CompiledProfile

@final
class RunningTransaction:
    @property
    def start(self) -> datetime: ...
    @property
    def transaction_id(self) -> int | None: ...
    def __init__(self, start: datetime | int, transaction_id: int | None = None) -> None: ...

@final
class ProfileStack:
    @property
    def connector_id(self) -> int: ...
    @property
    def profiles(self) -> tuple[CompiledProfile, ...]: ...
    def __init__(self, profiles: Iterable[CompiledProfile], connector_id: int) -> None: ...
    def verdicts(
        self, at: datetime | int, *, transaction: RunningTransaction | None = None, ignored: Collection[str] = ()
    ) -> list[
        tuple[
            CompiledProfile,
            Literal[
                "decides",
                "outranked",
                "ignored",
                "no transaction",
                "other transaction",
                "replaced",
                "not valid yet",
                "no longer valid",
                "not started",
                "over",
                "gap",
            ],
        ]
    ]: ...
