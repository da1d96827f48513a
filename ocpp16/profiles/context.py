"""The Context: what all features of one charge point share, held together and nothing else.

What sends is the `sender`; what asks the station the `station_side`, by the questions of `station`; what keeps the
`journal` for facts and `asked` for changes that somebody asked for. It knows no feature.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ocpp16._core import format_datetime
from ocpp16._core.by_number import ByNumber
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys.internal import TIMESTAMP_FRACTION_DIGITS
from ocpp16.log import FoldingLog
from ocpp16.models import Counters
from ocpp16.observer import ObserverEvent
from ocpp16.profiles.asked import AskedChanges, Writer
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.profiles.sender import Payload, Sender
from ocpp16.profiles.station_side import StationSide
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock, within
from ocpp16.state.connector import Connector
from ocpp16.state.signals import Signals
from ocpp16.state.timers import Timers
from ocpp16.state.transaction import Transactions

__all__ = ["Context", "Payload", "Start"]


class Start(Protocol):
    """One start of the charge point, as its features need it."""

    @property
    def is_running(self) -> bool: ...

    def spawn(self, async_fn: Callable[..., Awaitable[Any]], *arguments: Any) -> None: ...

    def spawn_within(
        self, seconds: float, late: Callable[[], None] | None, async_fn: Callable[..., Awaitable[Any]], *arguments: Any
    ) -> None: ...


class Context:
    """Made anew by each start, given to every profile."""

    __slots__ = (
        "_fraction_digits",
        "asked",
        "charge_point_id",
        "clock",
        "configuration",
        "connectors",
        "counters",
        "failed",
        "journal",
        "kick",
        "log",
        "sender",
        "session",
        "signals",
        "spawn_outside",
        "start",
        "station",
        "station_side",
        "tell",
        "timers",
        "transactions",
    )

    def __init__(
        self,
        *,
        charge_point_id: str,
        clock: Clock,
        timers: Timers,
        configuration: Configuration,
        signals: Signals,
        connectors: ByNumber[Connector],
        transactions: Transactions,
        journal: Writer,
        asked: AskedChanges,
        sender: Sender,
        session: Session,
        station: AskedStation,
        station_side: StationSide,
        counters: Counters,
        kick: Callable[[], None],
        start: Start,
        spawn_outside: Callable[..., None],
        tell: Callable[[ObserverEvent, int], None],
        failed: Callable[[str, BaseException], None],
        log: FoldingLog,
    ) -> None:
        self.charge_point_id: str = charge_point_id
        self.clock: Clock = clock
        self.timers: Timers = timers
        self.configuration: Configuration = configuration
        self.signals: Signals = signals
        self.connectors: ByNumber[Connector] = connectors
        self.transactions: Transactions = transactions
        self.journal: Writer = journal
        self.asked: AskedChanges = asked
        self.sender: Sender = sender
        self.session: Session = session
        self.station: AskedStation = station
        self.station_side: StationSide = station_side
        self.counters: Counters = counters
        self.kick: Callable[[], None] = kick
        self.start: Start = start
        self.spawn_outside: Callable[..., None] = spawn_outside
        """Run a task that goes on when the charge point is stopped and started again, until it is closed."""
        self.tell: Callable[[ObserverEvent, int], None] = tell
        self._fraction_digits = configuration[TIMESTAMP_FRACTION_DIGITS]
        """No other number holds before the next start."""
        self.failed: Callable[[str, BaseException], None] = failed
        self.log: FoldingLog = log

    def spawn(self, async_fn: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Run a task that ends with this start; what it raises ends nothing else."""
        self.start.spawn(async_fn, *arguments)

    def is_current(self) -> bool:
        """Is this the start that runs?"""
        return self.start.is_running

    def time_text(self, micros: int) -> str:
        """A time as we write it on the wire (UTC, `TimestampFractionDigits`)."""
        return format_datetime(within(micros), self._fraction_digits)
