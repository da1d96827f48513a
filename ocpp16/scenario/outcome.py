"""What a scenario came to: its stages, what was expected and was so or not, and how far it is while it runs."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ocpp16.fleet import ViolationCount

MOST_FAILURES: Final = 20
"""Charge points that are told of one expectation; the others are counted."""


class StageRun(NamedTuple):
    """One stage. begin, end: seconds of the story."""

    name: str
    """That of the stage."""
    begin: float
    end: float


class Failure(NamedTuple):
    """What was not as expected: at which charge point ("" is the fleet), when in seconds of the story, and why."""

    charge_point: str
    at: float
    why: str


class ExpectationResult(NamedTuple):
    """One expectation, or one step of a script that waits. checked: charge points it was looked for at; met: how many
    did so; failures: the first of the others; unseen: how many were not looked at, for the scenario was cut short, and
    it had not come to that."""

    name: str
    """That of the expectation, or of the step."""
    is_met: bool
    """Did enough of them do so?"""
    checked: int
    met: int
    failures: list[Failure]
    unseen: int = 0


@dataclass(frozen=True, slots=True)
class FleetCount:
    """What one who plays saw for an expectation that is counted over all charge points. Where several play the same,
    each with others, it is judged by the counts of all of them.

    count: CALLs, or states; right: those that were answered as expected; link: how much of an order was seen; at, why:
    the first that was wrong, in seconds of the story, "" if nothing was. now: until when it was looked at; is_accepted:
    was any charge point, by the Central System; is_over: the time that was given is; is_cut_short: there was less time,
    or there were fewer drivers, than is written."""

    count: int
    right: int
    link: int
    at: float
    why: str
    now: float
    is_accepted: bool
    is_over: bool
    is_cut_short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`is_passed`: the story was played to its end, came to something of what was expected (if nothing was, to an
    answer of the Central System), and all of that was so, and the Central System kept to the protocol. `is_complete` is
    False where it was ended before. counts: charge points, arrivals, sessions, transactions and others, by name. notes:
    what whoever believes this should know, in sentences. violations: what the Central System did against the protocol.
    breach: what of these alone makes it fail, in words; "" if nothing does, and where the scenario itself disturbs the
    wire. fleet: what the expectations that are counted over the whole fleet were judged by, in their order, for whoever
    plays a part of it."""

    scenario: str
    """Its name."""
    is_complete: bool
    stages: list[StageRun]
    expectations: list[ExpectationResult]
    counts: dict[str, int]
    notes: list[str] = field(default_factory=list)
    violations: tuple[ViolationCount, ...] = ()
    breach: str = ""
    fleet: tuple[FleetCount, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Went it to its end, with every expectation met that it came to, and came it to any? Was the protocol kept?"""
        if self.breach:
            return False
        is_in_vain = bool(self.expectations) and all(one.unseen and not one.checked for one in self.expectations)
        return self.is_complete and not is_in_vain and all(one.is_met for one in self.expectations)


class Progress(NamedTuple):
    """How far a scenario is. seconds: of the story; connected, registered: charge points that are, of all
    `charge_points` that came so far; in_flight: messages that wait to be sent or for their answer, of all charge
    points; waiting: what most scripts wait for, in words, and how many of them."""

    seconds: float
    stage: str
    """The name of the one that runs."""
    connected: int
    charge_points: int
    registered: int
    in_flight: int
    waiting: str = ""
