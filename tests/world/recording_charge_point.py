"""A charge point that records what it is told, with a clock moved by hand."""

from collections.abc import Callable, Collection, Coroutine, Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ocpp16.configuration.keys import core
from ocpp16.enums import AuthorizationStatus, ConfigurationStatus, ReservationCheckStatus
from ocpp16.errors import FeatureNotBuilt
from ocpp16.log import FoldingLog
from ocpp16.models import Counters, DataTransferResponse, DeadLetter, IdTagInfo, Reservation
from ocpp16.state.clock import Clock
from ocpp16.state.reservations import is_for
from ocpp16.state.timers import Timers
from ocpp16.state.transaction import Transaction, Transactions

ANCHOR = 1_700_000_000_000_000
"""µs; any time will do."""

QUIET = ("on_max_current_offered", "on_max_power_offered", "on_meter_values")


class Held:
    """An awaitable that waits until somebody steps its task again."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class KeptReservations:
    """Those that a test puts there, by connector."""

    def __init__(self) -> None:
        self.of: dict[int, Reservation] = {}

    def is_token_reserved_for_connector(
        self, connector_id: int, id_tag: str, parent_id_tag: str | None = None
    ) -> ReservationCheckStatus:
        reservation = self.of.get(connector_id)
        if reservation is None:
            return ReservationCheckStatus.NOT_RESERVED
        if is_for(reservation, id_tag, parent_id_tag):
            return ReservationCheckStatus.RESERVED_FOR_TOKEN
        return ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN

    def use(self, connector_id: int, id_tag: str, parent_id_tag: str | None = None) -> Reservation | None:
        reservation = self.of.get(connector_id)
        is_used = reservation is not None and is_for(reservation, id_tag, parent_id_tag)
        return self.of.pop(connector_id) if is_used else None

    def all(self) -> tuple[Reservation, ...]:
        return tuple(self.of.values())

    async def reserve(self, *arguments: Any) -> Any:
        raise FeatureNotBuilt("no reservations are kept: by a test")

    async def cancel(self, reservation_id: int) -> Any:
        raise FeatureNotBuilt("no reservations are kept: by a test")


class ForStation:
    """What a station uses of it."""

    def __init__(self, charge_point: "RecordingChargePoint", connectors: int) -> None:
        self._charge_point = charge_point
        self.number_of_connectors = connectors
        self.clock = Clock(lambda: charge_point.seconds, ANCHOR)
        self.timers = Timers()
        self.reservations = KeptReservations()
        self.log = FoldingLog("recording", self.clock.monotonic)

    def spawn(self, async_fn: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> None:
        self._charge_point.tasks.append(async_fn(*args))
        self._charge_point.step()

    def meter_checkpoint(self, connector_id: int) -> int | None:
        return self._charge_point.checkpoints.get(connector_id)

    def running_sessions(self) -> list[str]:
        return [transaction.session_id for transaction in self._charge_point.transactions.all_running()]


class Connection:
    """It obeys."""

    def __init__(self) -> None:
        self.is_connected = True
        self.registration = None
        self.queue_depth = 0

    def connect(self) -> None:
        self.is_connected = True

    def disconnect(self) -> None:
        self.is_connected = False


class Keys(dict[Any, Any]):
    """Any key may have any value."""

    def get(self, keys: Any = (), default: Any = None) -> dict[str, Any]:
        return {"configurationKey": [], "unknownKey": list(keys)}

    async def set(self, key: str, value: str) -> ConfigurationStatus:
        return ConfigurationStatus.ACCEPTED

    def problem(self, key: str, value: str) -> str:
        return ""


class DeadLetters:
    """A list of them, which resending and discarding shorten."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    async def __call__(self) -> tuple[DeadLetter, ...]:
        return tuple(self.letters)

    async def resend(self, sequences: Collection[int] | None = None) -> int:
        kept = [one for one in self.letters if sequences is not None and one.sequence not in sequences]
        taken, self.letters = len(self.letters) - len(kept), kept
        return taken

    discard = resend


class NoSmartCharging:
    """As where the feature is not built."""

    is_built = False

    def composite_schedule(self, *arguments: Any) -> Any:
        raise FeatureNotBuilt("smart charging is not built in: by a test")

    charging_limit = explain_limit = composite_schedule

    async def set_charging_profile(self, *arguments: Any) -> Any:
        raise FeatureNotBuilt("smart charging is not built in: by a test")

    async def clear_charging_profiles(self, **which: Any) -> Any:
        raise FeatureNotBuilt("smart charging is not built in: by a test")

    @property
    def charging_profiles(self) -> Any:
        raise FeatureNotBuilt("smart charging is not built in: by a test")


class RecordingChargePoint:
    """What the station sees of a `ChargePoint`. Facts land in `told`, as (name without on_, arguments…)."""

    def __init__(self, connectors: int) -> None:
        self.seconds = 0.0
        self.for_station = ForStation(self, connectors)
        self.transactions = Transactions()
        self.told: list[tuple[Any, ...]] = []
        self.details: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.parents: dict[str, str | None] = {}
        self.refused: set[str] = set()
        self.checkpoints: dict[int, int] = {}
        self.holds_answers = False
        self.tasks: list[Coroutine[Any, Any, Any]] = []
        self.is_running = True
        self.connection = Connection()
        self.smart_charging = NoSmartCharging()
        self.configuration = Keys({core.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT: True})
        self.started_with: list[dict[str, Any]] = []
        self.transfer: DataTransferResponse | Exception | None = None
        self.sessions: dict[int, str] = {}
        self.counters = Counters()
        self.dead_letters = DeadLetters()

    # Time and tasks

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.seconds + seconds
        timers = self.for_station.timers
        while timers.deadline() <= end:
            self.seconds = timers.deadline()
            timers.run_due(self.seconds)
        self.seconds = end

    def step(self) -> None:
        """Let every task go on to where it waits, or to its end."""
        for task in tuple(self.tasks):
            try:
                task.send(None)
            except StopIteration:
                self.tasks.remove(task)

    # What the station asks

    async def authorize_id_token(self, id_tag: str) -> IdTagInfo:
        self.asked.append(id_tag)
        while self.holds_answers:
            await Held()
        status = AuthorizationStatus.INVALID if id_tag in self.refused else AuthorizationStatus.ACCEPTED
        return IdTagInfo(status, parent_id_tag=self.parents.get(id_tag))

    def transaction(self, connector_id: int) -> Transaction | None:
        return self.transactions.running(connector_id)

    # What the commands and the operation ask

    def connector_status(self, connector_id: int) -> Any:
        return SimpleNamespace(status="Available", error_code="NoError")

    async def data_transfer(
        self, vendor_id: str, message_id: str | None, data: str | None
    ) -> DataTransferResponse | None:
        if isinstance(self.transfer, Exception):
            raise self.transfer
        return self.transfer

    async def on_change_availability(self, connector_id: int, kind: Any) -> str:
        self.told.append(("change_availability", connector_id, kind))
        return "Accepted"

    async def start(self, **how: Any) -> None:
        self.started_with.append(how)
        for transaction in self.transactions.all_running():
            if transaction.session_id not in how["resuming_session_ids"]:
                self.transactions.stop(transaction)
        self.is_running = True

    async def stop(self) -> bool:
        was_running, self.is_running = self.is_running, False
        return was_running

    async def restart(self, **how: Any) -> bool:
        if self.is_running:
            return False
        self.started_with.append(how)
        self.is_running = True
        return True

    # What it is told

    def on_transaction_started(
        self, connector_id: int, session_id: str, id_tag: str, meter_start: float, **details: Any
    ) -> None:
        key = self.transactions.next_key
        self.transactions.add(
            Transaction(key, connector_id, session_id, id_tag, self.for_station.clock.now(), round(meter_start))
        )
        self._tell("transaction_started", connector_id, id_tag, meter_start, **details)

    def on_transaction_stopped(
        self, connector_id: int, session_id: str, reason: str, energy_wh: float, **details: Any
    ) -> None:
        transaction = self.transactions.running(connector_id)
        assert transaction is not None
        assert transaction.session_id == session_id
        self.transactions.stop(transaction)
        self._tell("transaction_stopped", connector_id, str(reason), energy_wh, **details)

    def on_session_started(self, connector_id: int, session_id: str, reason: str, folder: Path | None = None) -> None:
        transaction = self.transactions.running(connector_id)
        assert transaction is None or transaction.session_id == session_id
        self.sessions[connector_id] = session_id
        self._tell("session_started", connector_id, str(reason))

    def on_session_stopped(self, connector_id: int, session_id: str) -> None:
        # What the real one refuses.
        assert self.transactions.running(connector_id) is None
        assert self.sessions.pop(connector_id) == session_id
        self._tell("session_stopped", connector_id)

    def on_error(self, connector_id: int, error: Any) -> None:
        self._tell("error", connector_id, str(error.error_code), error.is_fault)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *arguments: self._tell(name.removeprefix("on_"), *arguments)

    def _tell(self, name: str, *arguments: Any, **details: Any) -> None:
        self.told.append((name, *arguments))
        self.details.append(details)

    def take(self, *, all_of_it: bool = False) -> list[tuple[Any, ...]]:
        """What was told since the last call, without offers and meter values unless asked for."""
        told, self.told = self.told, []
        self.details = []
        return [fact for fact in told if all_of_it or f"on_{fact[0]}" not in QUIET]
