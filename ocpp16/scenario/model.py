"""A scenario, as it is played: what it is made of, whether it was read from a file or written in Python."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from random import Random
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ocpp16.fleet import Blueprint, Member
from ocpp16.scenario.distribution import Distribution, constant
from ocpp16.scenario.matching import ANY, Pattern
from ocpp16.wire import WireFaults

Play = Callable[[Member, Random], Awaitable[None]]
"""What happens at one charge point, in Python: `async def play(member, random)`."""
A_DAY: Final = 86_400.0
"""Seconds that a script may take where no stage says so; each of its steps has a time of its own."""
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTable:
    """What charge points are made of. mix: blueprints with their shares. connectors: None: those of the blueprint. id,
    count: of charge points, where nobody says otherwise. options: of the station, over
    those of the blueprint. keys: configuration keys by section."""

    mix: tuple[tuple[float, str | Blueprint], ...] = ((1.0, "ac-22kw"),)
    connectors: int | None = None
    id: str = "CP{number:05}"
    count: int = 1
    options: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NONE)


class Per(StrEnum):
    """Of whom something is counted."""

    CHARGE_POINT = "charge_point"
    FLEET = "fleet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """When drivers come. kind: poisson (`rate` an hour), every (`seconds` between two, the first after `first`), fixed
    (at these `moments`), uniform (`count` of them between `begin` and `end`), drawn (`count` of them, each at a moment
    from `moment`). begin, end: seconds of the story between which any come. period: seconds after which moments come
    again; 0: never. per: these are the arrivals at each charge point, or at one of the whole fleet at a time."""

    kind: str = "poisson"
    rate: float = 1.0
    seconds: float = 3600.0
    first: float | None = None
    moments: tuple[float, ...] = ()
    count: int = 1
    moment: Distribution = field(default_factory=lambda: constant(0.0))
    begin: float = 0.0
    end: float = inf
    period: float = 0.0
    per: Per = Per.CHARGE_POINT


CARD: Final = "card"
"""The driver's own card, that is known."""
UNKNOWN_CARD: Final = "unknown_card"
MOST_UNKNOWN: Final = 9_999
"""Highest number of a card that nobody knows."""
REMOTE_START: Final = "remote_start"
"""No card: the Central System is expected to start the transaction."""
NOTHING: Final = "nothing"
"""The driver plugs in and does nothing else, as where charging is free."""
AUTHENTICATIONS: Final = (CARD, UNKNOWN_CARD, REMOTE_START, NOTHING)

SWIPES: Final = "swipes"
"""The same card again, then the cable."""
UNPLUGS: Final = "unplugs"
"""The cable at once, while it charges."""
AWAITS_STOP: Final = "awaits_stop"
"""The Central System is expected to stop the transaction; failing that as `swipes`."""
LEAVINGS: Final = (SWIPES, UNPLUGS, AWAITS_STOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """Drivers of one sort. cars: as of `car_plan`, with their shares; soc: their percent at arrival, None: as of the
    car. plugs_first: which part of them plugs in before showing a card. hesitation: seconds between the two.
    authentication, leaving: shares by name. parking: seconds from the arrival until they come back; drawing: seconds
    from the plug until the car is full (None: as the car does). patience: seconds after which a driver whose car does
    not charge goes. cards, unknown_cards: patterns of id tags; card_count: how many cards there are, None: two for each
    connector."""

    name: str = "drivers"
    arrivals: Arrivals = field(default_factory=Arrivals)
    cars: tuple[tuple[float, Mapping[str, Any]], ...] = ((1.0, _NONE),)
    soc: Distribution | None = None
    plugs_first: float = 1.0
    hesitation: Distribution = field(default_factory=lambda: constant(5.0))
    authentication: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({CARD: 1.0}))
    leaving: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({SWIPES: 1.0}))
    parking: Distribution = field(default_factory=lambda: constant(3600.0))
    drawing: Distribution | None = None
    patience: float = 120.0
    cards: str = "CARD{number:06}"
    card_count: int | None = None
    unknown_cards: str = "UNKNOWN{number:04}"


class StageKind(StrEnum):
    """What a stage does."""

    RAMP = "ramp"
    HOLD = "hold"
    STORM = "storm"
    RESTART = "restart"
    BLACKOUT = "blackout"
    STEPS = "steps"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One part of the story. over: seconds over which charge points come, come back or go, each at a moment of its own.
    duration: seconds of a hold and a blackout. share: which part of the fleet it is about. times, pause: how often a
    storm comes, and seconds between. rate: charge points a second. reset: Soft or Hard. power: the blackout is one of
    power, not of the network. settle: seconds it may take until all are registered again. within: seconds that steps
    may take. keys: configuration keys changed at its begin. faults: of the wire, while it lasts."""

    kind: StageKind
    name: str = ""
    """By which expectations name it, and progress shows it."""
    over: float = 0.0
    duration: float = 0.0
    share: float = 1.0
    times: int = 1
    pause: float = 60.0
    rate: float = 1.0
    reset: str = "Soft"
    power: bool = False
    settle: float = 300.0
    within: float = 3600.0
    keys: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    faults: WireFaults | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the script of each charge point: `do` with its arguments, as of the commands of a station, or one of
    the own steps of scenarios (see `steps`). fails: it is expected to fail, and the script goes on when it does."""

    do: str
    arguments: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    name: str = ""
    """By which results tell of it."""
    fails: bool = False


class Sort(StrEnum):
    """What an expectation is about; the name of the key that holds its action or state."""

    SENT = "sent"
    RECEIVED = "received"
    ABSENT = "absent"
    ORDER = "order"
    STATE = "state"


class Seen(StrEnum):
    """Who asked."""

    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Link:
    """One CALL of an expected order."""

    action: str
    payload: Pattern = ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One thing that is expected. sort and `of`: of `sent`, `received` and `absent` the action, "*" any; of `state` the
    status of `connector` (None: of any). order: CALLs that come one after another, whatever is between. payload: of the
    CALL. answer: of its answer; error: its answer is a CALLERROR of this code. within: seconds from a sent CALL to its
    answer; of all others from when the charge point came, or from the begin of `stage`. count, most: how many CALLs.
    each: every one of them is answered so, not only `count`. share: the part of the charge points that must do so.
    per: counted for each charge point, or for all together. stage: counted only then."""

    name: str
    """By which results tell of it: a sentence."""
    sort: Sort
    of: str = ""
    order: tuple[Link, ...] = ()
    connector: int | None = None
    payload: Pattern = ANY
    answer: Pattern = ANY
    error: str = ""
    within: float = inf
    count: int = 1
    most: int | None = None
    each: bool = True
    share: float = 1.0
    per: Per = Per.CHARGE_POINT
    stage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story with what is expected of the Central System in it. `play` is a script in Python in the place of `steps`.
    faults: of the wire, all the time. source: the document it was read from, as data."""

    name: str
    """By which `ocpp16 scenario` lists it."""
    text: str = ""
    """What it is about, a sentence or more."""
    fleet: FleetTable = field(default_factory=FleetTable)
    drivers: tuple[Drivers, ...] = ()
    stages: tuple[Stage, ...] = ()
    steps: tuple[Step, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    faults: WireFaults | None = None
    play: Play | None = None
    source: Mapping[str, Any] = field(default_factory=lambda: _NONE, repr=False, compare=False)

    @property
    def is_watched(self) -> bool:
        """Must the frames be looked at?"""
        return bool(self.expectations or self.steps)

    @property
    def is_disturbed(self) -> bool:
        """Does anything go wrong on the wire, at some time?"""
        return bool(self.faults) or any(stage.faults for stage in self.stages)

    @property
    def acts(self) -> tuple[Stage, ...]:
        """The stages; where none is written all come at once, and do what the script says."""
        if self.stages:
            return self.stages
        come = Stage(kind=StageKind.RAMP, name="ramp", settle=60.0)
        if self.steps or self.play is not None:
            steps = Stage(kind=StageKind.STEPS, name="steps", within=A_DAY)
            return (Stage(kind=StageKind.RAMP, name="ramp", settle=0.0), steps)
        return (come, Stage(kind=StageKind.HOLD, name="hold", duration=60.0))


class StoryFault(NamedTuple):
    """A part of a scenario that nothing would ever come of, and why."""

    table: str
    key: str
    why: str


def story_fault(scenario: Scenario) -> StoryFault | None:
    """The first part that would be played at nobody, or never: what was expected of it would not be looked for."""
    scripts = bool(scenario.steps) or scenario.play is not None
    has_come = has_gone = is_played = False
    for number, stage in enumerate(scenario.stages, 1):
        table = f"[[stage]] {number}"
        if stage.keys and not has_come:
            return StoryFault(table, "keys", "no charge point is there when it begins; write [fleet.keys.…]")
        if has_gone and stage.kind is not StageKind.HOLD:
            return StoryFault(table, "kind", "behind a stop, where nobody is there any more, there can only be hold")
        has_come = has_come or stage.kind is StageKind.RAMP
        if not has_come and stage.kind is not StageKind.HOLD:
            return StoryFault(table, "kind", "no charge point is there yet: a ramp must come before it")
        has_gone = has_gone or stage.kind is StageKind.STOP
        if stage.kind is StageKind.STEPS:
            is_played = True
            if not scripts:
                return StoryFault(table, "kind", "there is no [[step]] for it to play")
    if scenario.stages and not has_come:
        return StoryFault("[[stage]]", "", "without a ramp no charge point ever comes")
    if scenario.stages and scripts and not is_played:
        return StoryFault("[[step]]", "", "no stage plays the script; write one of the kind steps")
    return None
