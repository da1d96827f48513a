"""The internal events of a charge point, and the bus that carries them from feature to feature.

Rules of this file:
1. A signal tells a fact that already holds in memory. Features hear it in the order of `charge_point/assembly.py`, by
   the table of their kind; then the subscribers act, in the order in which they subscribed. What one of them emits is
   delivered after the signal in hand.
2. Synchronous: no subscriber waits. An exception of a subscriber goes to `on_error` if there is one, and the others
   hear the signal all the same. Without, it propagates to the emitter, and what waited for delivery is dropped: the
   next signal does not bring up what belongs to a broken one.
3. Each class names its subscribers; a test compares the list with reality.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from ocpp16.enums import ChargePointStatus, RegistrationStatus, SessionStartedReason
from ocpp16.faults import obey_exit
from ocpp16.models import IdTagInfo
from ocpp16.state.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Signal:
    """Base of all signals."""


S = TypeVar("S", bound=Signal)


@dataclass(frozen=True, slots=True)
class Connected(Signal):
    """A WebSocket is open.

    Heard by: availability, diagnostics, firmware_updates, log_upload, plug_and_charge, pricing, security_profile,
    smart_charging.
    """


@dataclass(frozen=True, slots=True)
class Disconnected(Signal):
    """The WebSocket is gone.

    Heard by: pricing, reset, security_profile, smart_charging.
    """


@dataclass(frozen=True, slots=True)
class AttemptFailed(Signal):
    """An attempt to connect failed. `is_refusal`: the Central System was reached, and did not want us.

    Heard by: security_profile.
    """

    is_refusal: bool


@dataclass(frozen=True, slots=True)
class SecurityEventRaised(Signal):
    """Something that matters for security has happened (security white paper ed. 3, section 4).

    Heard by: security_events.
    """

    type: str
    tech_info: str = ""
    is_critical: bool | None = None
    """None: as the list of the white paper has it."""
    at: int | None = None
    """µs UTC; None: now."""


@dataclass(frozen=True, slots=True)
class RegistrationChanged(Signal):
    """BootNotification was answered.

    Heard by: authorization, availability, certificate_signing, diagnostics, firmware_updates, log_upload,
    plug_and_charge, security_profile, smart_charging.
    """

    status: RegistrationStatus


@dataclass(frozen=True, slots=True)
class ClockSet(Signal):
    """The Central System told the time and the clock moved by `shift` µs.

    Heard by: authorization, availability, firmware_updates, meter_values, pricing, reservation, security_events,
    smart_charging.
    """

    shift: int
    is_first: bool = False
    """Nobody had set the clock before: all times taken so far were wrong by `shift`."""


@dataclass(frozen=True, slots=True)
class ClockSettled(Signal):
    """It is known by how much the clock was wrong, once in a start: the Central System has told the time, or accepts
    the charge point without. It comes before the registration, and before `ClockSet`, and the clock shows it already.

    Heard by: firmware_updates, pricing, reservation.
    """


@dataclass(frozen=True, slots=True)
class ConnectorStatusChanged(Signal):
    """The reported state of a connector is another one.

    Heard by: free_charging, pricing, reservation.
    """

    connector_id: int
    status: ChargePointStatus


@dataclass(frozen=True, slots=True)
class PutInService(Signal):
    """The station is asked to enable a connector; what it is asked next of that one comes after it.

    Heard by: free_charging.
    """

    connector_id: int


@dataclass(frozen=True, slots=True)
class SessionStarted(Signal):
    """The station told the first interaction at a connector, whose status is still what it was.

    Heard by: free_charging.
    """

    connector_id: int
    reason: SessionStartedReason


@dataclass(frozen=True, slots=True)
class SessionStopped(Signal):
    """The station told that the car is gone; the status of the connector is still what it was.

    Heard by: pricing.
    """

    connector_id: int


@dataclass(frozen=True, slots=True)
class TransactionStarted(Signal):
    """The station told a start; StartTransaction is queued.

    Heard by: pricing, reservation, reset, smart_charging.
    """

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class TransactionIdAssigned(Signal):
    """StartTransaction was answered; the id tag may have been refused.

    Heard by: authorization, pricing, smart_charging.
    """

    transaction: Transaction
    id_tag_info: IdTagInfo


@dataclass(frozen=True, slots=True)
class TransactionEnded(Signal):
    """The station told the end; StopTransaction is queued.

    Heard by: firmware_updates, pricing, reservation, reset, smart_charging, transactions.
    """

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class TransactionAcknowledged(Signal):
    """StopTransaction was answered, or given up: the transaction is closed.

    Heard by: availability, pricing, reset.
    """

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class IdTagDecided(Signal):
    """It was decided whether an id tag may charge, by whomever.

    Heard by: reservation, smart_charging.
    """

    id_tag: str
    is_accepted: bool
    parent_id_tag: str | None = None
    was_asked: bool = False
    """Is it what the Central System answered?"""


@dataclass(frozen=True, slots=True)
class IdTagInfoLearned(Signal):
    """The Central System told something about an id tag.

    Heard by: authorization.
    """

    id_tag: str
    info: IdTagInfo


@dataclass(frozen=True, slots=True)
class LocalListChanged(Signal):
    """The local authorization list is another one.

    Heard by: authorization.
    """


@dataclass(frozen=True, slots=True)
class ConfigurationChanged(Signal):
    """A configuration key has a new value; `key` is its canonical name.

    Heard by: authorization, availability, boot, free_charging, meter_values, plug_and_charge, pricing, reset,
    security_events, smart_charging, runtime.
    """

    key: str
    old: str | None = None
    new: str | None = None
    """Texts on the wire; None where there is none, or it cannot be read."""


Hearers = Mapping[type[Signal], tuple[tuple[int, str], ...]]
"""Signal → positions of the features that hear it, each with the name of the method that does."""
_NOBODY: Hearers = MappingProxyType({})


class Signals:
    """The bus of one charge point."""

    __slots__ = ("_emitting", "_features", "_hearers", "_subscribers", "_waiting", "on_error")

    def __init__(self) -> None:
        self.on_error: Callable[[str, BaseException], None] | None = None
        """Is given the place ("signal TransactionEnded") and the exception of a subscriber that raised."""
        self._features: Sequence[object] = ()
        self._hearers = _NOBODY
        self._subscribers: tuple[tuple[type[Signal], Callable[..., None]], ...] = ()
        """They are few: what features hear is a table for all charge points of a kind."""
        self._waiting: list[Signal] = []
        self._emitting = False

    def tell_features(self, features: Sequence[object], hearers: Hearers) -> None:
        """These are the features, and what they hear of."""
        self._features, self._hearers = features, hearers

    def on(self, kind: type[S], subscriber: Callable[[S], None]) -> None:
        self._subscribers = (*self._subscribers, (kind, subscriber))

    def emit(self, signal: Signal) -> None:
        self._waiting.append(signal)
        if self._emitting:
            return
        self._emitting = True
        try:
            for current in self._waiting:  # grows meanwhile: what subscribers emit is next
                kind = type(current)
                for position, method in self._hearers.get(kind, ()):
                    self._tell(getattr(self._features[position], method), current)
                for heard, subscriber in self._subscribers:
                    if heard is kind:
                        self._tell(subscriber, current)
        finally:
            self._emitting = False
            self._waiting.clear()

    def _tell(self, subscriber: Callable[[Any], None], signal: Signal) -> None:
        try:
            subscriber(signal)
        except BaseException as error:
            if self.on_error is None:
                raise
            obey_exit(error)
            self.on_error(f"signal {type(signal).__name__}", error)
