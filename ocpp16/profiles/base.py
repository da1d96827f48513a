"""What every feature profile is made of: the marks of its handlers, the Reply it gives, all that it may ask for.

A feature profile is one small object and carries all of itself: a table of the actions it answers (`@on`) and one of
the messages that can be triggered of it (`@triggered`), what it reads of the store (`restore`), the signals it listens
to (`@hears`), timers it owns (ended in `stop`), the Protocol its station must have. It knows no link, no SQL and no
other profile; a peer it needs comes by constructor, typed by a Protocol of `peers`. A handler awaits the station and
the disk and nothing else (CALLs of one concern are answered one after another); what takes longer goes into
`Reply.then`, `Context.command` or `Context.spawn`.
"""

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from ocpp16 import messages
from ocpp16._core import ValidationError
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.key import Key
from ocpp16.configuration.keys.core import SUPPORTED_FEATURE_PROFILES
from ocpp16.enums import MessageTrigger
from ocpp16.messages.actions import ACTIONS
from ocpp16.models import IdTagInfo
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.context import Context, Payload
from ocpp16.profiles.peers import (
    Carried,
    Carrier,
    Collected,
    FirmwareKeeper,
    MeterReports,
    MeterSampler,
    OfflineCheck,
    RemoteStartProfiles,
    Reporter,
    ReservationCheck,
    Taken,
    UserPriceKeeper,
)
from ocpp16.state.signals import Signal
from ocpp16.store.rows import Rows

__all__ = [
    "Carried",
    "Carrier",
    "Collected",
    "Context",
    "FeatureProfile",
    "FirmwareKeeper",
    "MeterReports",
    "MeterSampler",
    "OfflineCheck",
    "Others",
    "Payload",
    "RemoteStartProfiles",
    "Reply",
    "Reporter",
    "ReservationCheck",
    "Stored",
    "Taken",
    "Trigger",
    "UserPriceKeeper",
    "hears",
    "on",
    "triggered",
]

P = TypeVar("P")
H = TypeVar("H", bound=Callable[..., Any])
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[P]):
    """A confirmation, and what is to happen once its bytes have left: respond, then act."""

    payload: P
    then: Callable[[], None] | None = None


Concern = Callable[[Payload], Hashable]


def on(action: str, *, concern: Concern | None = None) -> Callable[[H], H]:
    """Mark a method as the handler of `action`; the class collects the marks.

    It is annotated with the payloads of the action, as text: to make all their classes would take every program 10 ms.
    One that waits for nothing is a plain function: it may answer in the turn in which the CALL came.

    `concern`: of a valid request, what it is about. Requests of one concern are answered in order; without it, all of
    the feature are one concern.
    """

    def mark(handler: H) -> H:
        handler.__ocpp_action__ = action  # type: ignore[attr-defined]
        handler.__ocpp_concern__ = concern  # type: ignore[attr-defined]
        return handler

    return mark


Trigger = Callable[[Sequence[int]], Callable[[], None] | None]
"""Of connectors (0 is the charge point), what sends their messages once TriggerMessage is answered; None: there is
nothing that it could say, so the answer is Rejected."""


def triggered(message: MessageTrigger | str) -> Callable[[H], H]:
    """Mark a method, which is a `Trigger`, as that of `message`; the class collects the marks.

    What ExtendedTriggerMessage alone knows has the name of its action, or the word there (`extended_trigger`).
    """

    def mark(trigger: H) -> H:
        trigger.__ocpp_trigger__ = message  # type: ignore[attr-defined]
        return trigger

    return mark


def hears(*kinds: type[Signal]) -> Callable[[H], H]:
    """Mark a method that is called with each signal of these kinds; the class collects the marks."""

    def mark(hearer: H) -> H:
        hearer.__ocpp_hears__ = kinds  # type: ignore[attr-defined]
        return hearer

    return mark


class Stored(Protocol):
    """What was found in the store at a start; rows that cannot be read are told and left out."""

    def read(self, rows: Rows[R]) -> list[R]: ...

    def taken(self, take: Callable[[R], T], rows: Rows[R]) -> list[T]:
        """What `take` makes of the rows, without those it refuses by ValueError."""
        ...

    def whole(self, take: Callable[[R], T], rows: Rows[R]) -> list[T] | None:
        """What `take` makes of the rows; None if one of them cannot be read, where half of them is worse than none."""
        ...

    def has(self, rows: Rows[R]) -> bool:
        """Are there any?"""
        ...


class Others(Protocol):
    """All features of the charge point, for the one that asks whoever it concerns."""

    def trigger(self, message: str) -> Trigger | None:
        """None: nobody has such a message."""
        ...

    def listed(self, id_tag: str) -> IdTagInfo | None: ...

    @property
    def availability(self) -> "Reporter": ...

    @property
    def firmware(self) -> "FirmwareKeeper":
        """There wherever the station is a FirmwareStation."""
        ...

    @property
    def evse_security(self) -> AskedSecurity | None:
        """Who keeps certificates; None: nobody does. May be asked for from `build` on."""
        ...

    @property
    def meter_values(self) -> "MeterReports": ...

    @property
    def prices(self) -> "UserPriceKeeper | None":
        """Who knows what a driver is to pay; None: nobody shows prices."""

    async def set_keys(self, values: Callable[[], Mapping[Key[Any], Any]]) -> None:
        """Give keys values, as `Settings.set_all`."""
        ...

    @property
    def data_transfer(self) -> "Carrier": ...

    @property
    def authorization(self) -> "OfflineCheck": ...

    def remote_start(
        self, request: "messages.RemoteStartTransactionRequest", is_open: Callable[[int], bool]
    ) -> "Reply[messages.RemoteStartTransactionResponse]":
        """Answer RemoteStartTransaction; `is_open`: may its id tag have this connector, which is Reserved?"""
        ...


class FeatureProfile:
    """Base of all features. Subclasses set `name` and use `@on`."""

    __slots__ = ("ctx",)

    name: ClassVar[str] = "Core"
    """The feature profile of SupportedFeatureProfiles it belongs to; empty where that names none."""
    protocol: ClassVar[type | None] = None
    """What the station must have besides CoreStation; `runtime_checkable`."""
    extras: ClassVar[tuple[type, ...]] = ()
    """What it may have besides, each as a whole or not at all; the feature is there without them, too."""
    triggers: ClassVar[Mapping[str, str]] = {}
    """Message → name of the method that is its `Trigger`."""
    heard: ClassVar[Mapping[type[Signal], str]] = {}
    """Signal → name of the method that is called with it."""
    handlers: ClassVar[Mapping[str, str]] = {}
    """Action → name of the method that answers it."""
    concerns: ClassVar[Mapping[str, Concern]] = {}
    """Action → what tells its concern, where that is not the feature as a whole."""
    plain: ClassVar[frozenset[str]] = frozenset()
    """Actions whose handler is a plain function, which waits for nothing."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        found: dict[str, str] = {}
        concerns: dict[str, Concern] = {}
        cls.triggers = {
            str(member.__ocpp_trigger__): attribute
            for attribute, member in vars(cls).items()
            if hasattr(member, "__ocpp_trigger__")
        }
        cls.heard = {
            kind: attribute for attribute, member in vars(cls).items() for kind in getattr(member, "__ocpp_hears__", ())
        }
        for attribute, member in vars(cls).items():
            action = getattr(member, "__ocpp_action__", None)
            if action is None:
                continue
            known = ACTIONS.get(action)
            if known is None or known.initiator == "ChargePoint":
                raise TypeError(f"{cls.__name__}.{attribute}: a Central System sends no {action}")
            answers = (f"messages.{action}Response", f"Reply[messages.{action}Response]")
            is_handler = inspect.isfunction(member) and not (
                inspect.isgeneratorfunction(member) or inspect.isasyncgenfunction(member)
            )
            given = dict(member.__annotations__) if is_handler else {}
            if given.pop("return", None) not in answers or given != {"request": f"messages.{action}Request"}:
                raise TypeError(
                    f"{cls.__name__}.{attribute} must be "
                    f'`async def {attribute}(self, request: "messages.{action}Request") -> "{answers[1]}"`, '
                    "or the same without `async`"
                )
            found[action] = attribute
            if member.__ocpp_concern__ is not None:
                concerns[action] = member.__ocpp_concern__
        cls.handlers = found
        cls.concerns = concerns
        cls.plain = frozenset(
            action for action, method in found.items() if not inspect.iscoroutinefunction(vars(cls)[method])
        )

    def __init__(self, ctx: Context) -> None:
        self.ctx: Context = ctx

    @classmethod
    def is_wanted(cls, configuration: Configuration) -> bool:
        """Is it to be built, where the station can do it? Most are where SupportedFeatureProfiles names them."""
        return not cls.name or cls.name in configuration[SUPPORTED_FEATURE_PROFILES]

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        """The feature with all that it consists of. `others` may be asked from `attach` on."""
        return cls(ctx)

    def restore(self, stored: Stored) -> None:
        """Take in what was stored. Called once, before `attach`."""

    def listed(self, id_tag: str) -> IdTagInfo | None:
        """What it knows of an id tag itself, without asking the Central System (OCPP 1.6 ed. 2 §3.5)."""
        return None

    def attach(self) -> None:
        """All features are built, and may be asked for. Called once, in the order of building."""

    def start(self) -> None:
        """The charge point starts: what was restored is in place, nothing is connected yet."""

    def stop(self) -> None:
        """End the timers of this feature."""

    def answer_to_invalid(self, action: str, error: ValidationError) -> Payload | None:
        """The confirmation for a request that breaks its schema so, where one has a status for it; None: CALLERROR."""
        return None
