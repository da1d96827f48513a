"""What may stand in a scenario, table by table: read by `loading`, told as JSON Schema by `schema`."""

from collections.abc import Mapping
from typing import Any, Final

from ocpp16.enums import ChargePointStatus, ResetType
from ocpp16.fleet import BLUEPRINTS, TagPool, identities
from ocpp16.messages.actions import ACTIONS
from ocpp16.scenario.distribution import distribution
from ocpp16.scenario.kinds import (
    Anything,
    Checked,
    Either,
    Field,
    Flag,
    Kind,
    Many,
    Names,
    Number,
    Record,
    Tagged,
    Text,
    Whole,
    Word,
)
from ocpp16.scenario.matching import ANY, Pattern, PatternKind, answered
from ocpp16.scenario.model import (
    AUTHENTICATIONS,
    LEAVINGS,
    MOST_UNKNOWN,
    Arrivals,
    Drivers,
    Expectation,
    FleetTable,
    Link,
    Per,
    Sort,
    Stage,
    StageKind,
)
from ocpp16.scenario.problems import Place
from ocpp16.scenario.step_words import STEP
from ocpp16.simulation.car_models import CAR_FIELDS, car_plan
from ocpp16.wire import WireFaults
from ocpp16.wire import Word as WireWord

ANY_ACTION: Final = "*"
_SECONDS = Number(what="seconds")
_POSITIVE = Number(0.001, what="seconds")
_PART = Number(0.0, 1.0, "a part")
_WEIGHT = Number(0.0, 1e6, "a share")
_PER = Word(Per)
_NAME = Text(100)
_ACTION = Text(words=tuple(ACTIONS))
_ACTION_OR_ANY = Text(words=(ANY_ACTION, *ACTIONS))
_PATTERN = PatternKind()


# The fleet

_MIXED = Record(
    (Field("blueprint", Text(words=tuple(BLUEPRINTS))), Field("share", _WEIGHT, 1.0)),
    lambda *, blueprint, share: (share, blueprint),
)


def _fleet(*, blueprint: str | None = None, mix: tuple[tuple[float, str], ...] = (), **others: Any) -> FleetTable:
    if blueprint is not None and mix:
        raise ValueError("either blueprint or mix, not both")
    for _, named in mix or ((1.0, blueprint or "ac-22kw"),):
        BLUEPRINTS[named].over(options=dict(others.get("options", {})))
    if mix and not sum(share for share, _ in mix):
        raise ValueError("the shares of mix must not all be 0")
    if blueprint is not None:
        mix = ((1.0, blueprint),)
    return FleetTable(mix=mix, **others) if mix else FleetTable(**others)


FLEET: Final = Record(
    (
        Field("blueprint", Text(words=tuple(BLUEPRINTS)), None, "What all stations are made of."),
        Field("mix", Many(_MIXED, 1, 100), None, "Several blueprints, with their shares."),
        Field("connectors", Whole(1, 1_000), None, "Connectors of each, instead of those of the blueprint."),
        Field("id", Text(200, check=lambda text: list(identities(text, 2))), None, "Pattern of ids: CP{number:05}."),
        Field("count", Whole(1, 1_000_000), None, "How many, where nobody says otherwise."),
        Field("options", Names(Anything()), None, "Options of the simulated station, over those of the blueprint."),
        Field("keys", Names(Names(Anything())), None, "Configuration keys of all of them, by section."),
    ),
    _fleet,
)

# Drivers


def _arrivals(kind: str) -> Any:
    def make(**fields: Any) -> Arrivals:
        made = Arrivals(kind=kind, **fields)
        if made.end <= made.begin:
            raise ValueError(f"end must be after begin ({made.begin:g}), not {made.end:g}")
        return made

    return make


_WHEN = (
    Field("begin", _SECONDS, None, "Seconds of the story, before which nobody comes."),
    Field("end", _SECONDS, None, "Seconds of the story, after which nobody comes."),
    Field("per", _PER, None, "Are these the arrivals at each charge point, or of the whole fleet?"),
)
_PERIOD = Field("period", _SECONDS, None, "Seconds after which they come again; 0: never.")
_COUNT = Field("count", Whole(1, 100_000), None, "How many come.")
ARRIVALS: Final = Tagged(
    "kind",
    {
        "poisson": Record(
            (Field("rate", Number(1e-6, 1e6), text="Arrivals an hour, in the mean."), *_WHEN),
            _arrivals("poisson"),
            "kind",
        ),
        "every": Record(
            (
                Field("seconds", _POSITIVE, text="Between two arrivals."),
                Field("first", _SECONDS, None, "Seconds to the first one; else any part of `seconds`."),
                *_WHEN,
            ),
            _arrivals("every"),
            "kind",
        ),
        "fixed": Record(
            (Field("moments", Many(_SECONDS, 1), text="Seconds of the story."), _PERIOD, *_WHEN),
            _arrivals("fixed"),
            "kind",
        ),
        "uniform": Record(
            (_COUNT, _PERIOD, Field("end", _SECONDS), *(one for one in _WHEN if one.name != "end")),
            _arrivals("uniform"),
            "kind",
        ),
        "drawn": Record(
            (_COUNT, Field("moment", distribution(), text="Seconds of the story."), _PERIOD, *_WHEN),
            _arrivals("drawn"),
            "kind",
        ),
    },
)


def _car(*, share: float = 1.0, **said: Any) -> tuple[float, Mapping[str, Any]]:
    car_plan(said)
    return share, said


CAR: Final = Record(
    (
        Field("share", _WEIGHT, None, "How many drivers have one like this."),
        *(Field(name, Anything(), None) for name in CAR_FIELDS),
    ),
    _car,
)


class _Shares(Names):
    """Shares by name, not all of them 0."""

    __slots__ = ()

    def read(self, value: Any, place: Place) -> dict[str, float]:
        shares: dict[str, float] = Names.read(self, value, place)
        if not sum(shares.values()):
            raise place.wrong("the shares must not all be 0")
        return shares


def _drivers(*, cars: tuple[tuple[float, Mapping[str, Any]], ...] | None = None, **fields: Any) -> Drivers:
    if cars is not None:
        if not sum(share for share, _ in cars):
            raise ValueError("the shares of cars must not all be 0")
        fields["cars"] = cars
    return Drivers(**fields)


_CARDS = Text(100, check=lambda text: TagPool(text, 1))
_UNKNOWN_CARDS = Text(100, check=lambda text: TagPool(text, 1, first=MOST_UNKNOWN))
DRIVERS: Final = Record(
    (
        Field("name", _NAME, None),
        Field("arrivals", ARRIVALS, text="When they come."),
        Field("cars", Many(CAR, 1, 100), None, "What they drive, as of plug_in, with shares."),
        Field("soc", distribution(0.0, 100.0), None, "Percent at arrival, of cars with a battery."),
        Field("plugs_first", _PART, None, "Which part of them plugs in before showing a card."),
        Field("hesitation", distribution(), None, "Seconds between plug and card, or card and plug."),
        Field("authentication", _Shares(_WEIGHT, AUTHENTICATIONS, 1), None, "Shares of what they authenticate with."),
        Field("leaving", _Shares(_WEIGHT, LEAVINGS, 1), None, "Shares of how they leave."),
        Field("parking", distribution(), None, "Seconds from the arrival until they come back."),
        Field("drawing", distribution(), None, "Seconds from the plug until the car is full."),
        Field("patience", _SECONDS, None, "Seconds after which a driver whose car does not charge goes."),
        Field("cards", _CARDS, None, "Pattern of known id tags: CARD{number:06}."),
        Field("card_count", Whole(1, 10_000_000), None, "How many cards there are; else two for each connector."),
        Field("unknown_cards", _UNKNOWN_CARDS, None, "Pattern of id tags that the Central System does not know."),
    ),
    _drivers,
)

# Stages

FAULTS: Final = Checked(WireFaults.load, Names(Anything(), (*map(str, WireWord), "direction")).schema)
_FAULTS = Field("faults", FAULTS, None, "Faults of the wire while it lasts.")
_STAGE_USUAL = (
    Field("name", _NAME, None),
    Field("keys", Names(Anything()), None, "Configuration keys that are changed when it begins."),
    _FAULTS,
)
_OVER = Field("over", _SECONDS, None, "Seconds in which each has a moment of its own.")
_SETTLE = Field("settle", _SECONDS, None, "Seconds that they may take until all are registered; 0: nobody waits.")
_SHARE = Field("share", _PART, None, "Which part of the fleet.")
_STAGES: Final[Mapping[str, tuple[Field, ...]]] = {
    StageKind.RAMP: (_OVER, _SETTLE),
    StageKind.HOLD: (Field("duration", _SECONDS, text="Seconds."),),
    StageKind.STORM: (
        _SHARE,
        _OVER,
        _SETTLE,
        Field("times", Whole(1, 10_000), None, "How often all connections are cut."),
        Field("pause", _SECONDS, None, "Seconds between two."),
    ),
    StageKind.RESTART: (
        _SHARE,
        _SETTLE,
        Field("rate", Number(1e-3, 1e6), text="Charge points a second."),
        Field("reset", Text(words=tuple(map(str, ResetType))), None),
    ),
    StageKind.BLACKOUT: (
        _SHARE,
        _OVER,
        _SETTLE,
        Field("duration", _SECONDS, text="Seconds."),
        Field("power", Flag(), None, "Is it the power that fails, and not the network?"),
    ),
    StageKind.STEPS: (Field("within", _SECONDS, None, "Seconds that the script may take."),),
    StageKind.STOP: (_OVER,),
}


def _stage(kind: StageKind) -> Any:
    return lambda **fields: Stage(kind=kind, **{"name": str(kind), **fields})


STAGE: Final = Tagged(
    "kind",
    {str(kind): Record((*_STAGE_USUAL, *fields), _stage(StageKind(kind)), "kind") for kind, fields in _STAGES.items()},
)

# Expectations

_LINK = Record((Field("action", _ACTION), Field("payload", _PATTERN, ANY)), Link)


class _LinkName(Text):
    """An action, as a link of an order."""

    __slots__ = ()

    def read(self, value: Any, place: Place) -> Any:
        return Link(Text.read(self, value, place))


_ONLY_OF: Final[Mapping[str, tuple[Sort, ...]]] = {
    "connector": (Sort.STATE,),
    "payload": (Sort.SENT, Sort.RECEIVED, Sort.ABSENT),
    "count": (Sort.SENT, Sort.RECEIVED, Sort.STATE),
    "most": (Sort.SENT, Sort.RECEIVED, Sort.STATE),
    "each": (Sort.SENT, Sort.RECEIVED),
}
"""Key → what it can be said of; of others it would be said in vain."""


def _expectation(
    *,
    name: str = "",
    sent: str | None = None,
    received: str | None = None,
    absent: str | None = None,
    order: tuple[Link, ...] | None = None,
    state: str | None = None,
    answer: Pattern | None = None,
    status: str | None = None,
    error: str = "",
    **fields: Any,
) -> Expectation:
    sort, of = next(
        (sort, of)
        for sort, of in (
            (Sort.SENT, sent),
            (Sort.RECEIVED, received),
            (Sort.ABSENT, absent),
            (Sort.STATE, state),
            (Sort.ORDER, ""),
        )
        if of is not None
    )
    of = str(of)
    if (answer is not None or status is not None or error) and sort not in (Sort.SENT, Sort.RECEIVED):
        raise ValueError(f"answer, status and error are of sent and received, not of {sort}")
    if error and (answer is not None or status is not None):
        raise ValueError("either error or answer and status: an answer is one of the two")
    for key, sorts in _ONLY_OF.items():
        if key in fields and sort not in sorts:
            raise ValueError(f"{key} is of {', '.join(sorts)}, not of {sort}")
    if sort is Sort.STATE:
        ChargePointStatus(of)
    most, count = fields.get("most"), fields.setdefault("count", 1 if fields.get("most") != 0 else 0)
    if most is not None and most < count:
        raise ValueError(f"most must be {count} or more, not {most}")
    return Expectation(
        name=name or _said(sort, of, order or (), status or error),
        sort=sort,
        of=of,
        order=order or (),
        answer=answered(of, answer, status),
        error=error,
        **fields,
    )


def _said(sort: Sort, of: str, order: tuple[Link, ...], answer: str) -> str:
    what = " then ".join(link.action for link in order) if sort is Sort.ORDER else of
    return f"{sort} {what} {answer}".rstrip()


EXPECTATION: Final = Record(
    (
        Field("name", Text(200), None),
        Field("sent", _ACTION_OR_ANY, None, "The charge point sends this CALL."),
        Field("received", _ACTION_OR_ANY, None, "The Central System sends this CALL."),
        Field("absent", _ACTION, None, "Neither of them sends this CALL."),
        Field("order", Many(Either(_LinkName(words=tuple(ACTIONS)), _LINK), 2, 100), None, "CALLs, one after another."),
        Field("state", Text(words=tuple(map(str, ChargePointStatus))), None, "A connector has this status."),
        Field("connector", Whole(0, 10_000), None, "Of a state: where."),
        Field("payload", _PATTERN, None, "What the CALL says."),
        Field("answer", _PATTERN, None, "What its answer says."),
        Field("status", Text(100), None, "The status in its answer, or that of the id tag there."),
        Field("error", Text(100), None, "The code of the CALLERROR that answers it."),
        Field("within", _POSITIVE, None, "Seconds to the answer of what is sent; to the coming of all else."),
        Field("count", Whole(0), None, "How often, at least."),
        Field("most", Whole(0), None, "How often, at most."),
        Field("each", Flag(), None, "Is every one to be answered so, or are `count` enough?"),
        Field("share", _PART, None, "The part of the charge points that must do so."),
        Field("per", _PER, None, "Counted for each charge point, or for all together?"),
        Field("stage", _NAME, None, "Counted in the stage of this name only."),
    ),
    _expectation,
    one_of=("sent", "received", "absent", "order", "state"),
)

VALUES: Final = Names(Text(1_000))
"""What `${name}` stands for in the file."""
TEXT: Final = Field("text", Text(2_000), None, "What it is, in a sentence.")
LISTS: Final[Mapping[str, Kind]] = {"drivers": DRIVERS, "stage": STAGE, "step": STEP, "expect": EXPECTATION}
"""Tables of which there may be several."""
