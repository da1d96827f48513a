"""The drivers: when they come, and what each does from arrival to departure.

Rules of this file:
1. What a driver does is drawn when the driver comes, from the seed, the charge point's id and the number of the visit:
   the story of a charge point does not depend on how many others there are. (Which card a driver has does.)
2. No task and no generator is kept for anybody: a story is an entry in the agenda, a visit another.
3. Whoever finds the station without power tries again a little later.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from random import Random
from typing import Any, Final

from ocpp16.faults import obey_exit, sentence
from ocpp16.fleet import Member, TagPool
from ocpp16.scenario.cars import drawn_plan
from ocpp16.scenario.model import AWAITS_STOP, CARD, MOST_UNKNOWN, UNKNOWN_CARD, UNPLUGS, Arrivals, Drivers
from ocpp16.scenario.run import Run
from ocpp16.simulation import CarPlan
from ocpp16.texts import shown

AGAIN: Final = 10.0
"""Seconds after which somebody who found no power tries again."""
WALK: Final = 5.0
"""Seconds from the card reader to the plug."""
LOOK: Final = 5.0
"""Seconds after which whoever waits looks again."""
MOST_CARDS: Final = 10_000_000


def _cards(run: Run, drivers: Drivers, connectors: int) -> tuple[int, int]:
    """The number of the first card, and how many there are. `connectors`: of the charge points of this run."""
    if run.of_all is None:
        count = drivers.card_count or min(MOST_CARDS, max(2 * connectors, 10))
        return (run.first_number - 1) * count + 1, count
    in_all = drivers.card_count or min(MOST_CARDS, max(2 * connectors * run.of_all // len(run.ids), 10))
    begin, end = (
        in_all * number // run.of_all for number in (run.first_number - 1, run.first_number - 1 + len(run.ids))
    )
    return min(begin, in_all - 1) + 1, max(1, end - begin)


class Crowd:
    """One sort of drivers in one run: its cards, and where it comes."""

    def __init__(self, run: Run, number: int, drivers: Drivers, connectors: int) -> None:
        self.run = run
        self.number = number
        self.drivers = drivers
        first, count = _cards(run, drivers, connectors)
        self.cards: TagPool = TagPool(drivers.cards, count, seed=run.seed, first=first)

    def random(self, who: str, visit: int) -> Random:
        """Of one visit."""
        return Random(f"{self.run.seed} {who} drivers {self.number} {visit}")  # noqa: S311 - repeatable, not secret

    def visit(self, member: Member, chance: Random) -> None:
        """A driver arrives at this charge point."""
        self.run.counts["arrivals"] += 1
        plan = drawn_plan(self.drivers, chance)
        free = [
            evse.connector_id
            for evse in member.station.evses
            if evse.car is None and (member.identity, evse.connector_id) not in self.run.taken and evse.takes(plan)
        ]
        if not free or not len(self.cards):
            self.run.counts["turned away"] += 1
            return
        Visit(self, member, chance.choice(free), plan, chance).begin()


class Story:
    """Arrivals of one crowd, at one charge point, or (`member` None) at any of the fleet.

    late: seconds by which that charge point came later than it was due, and so do its drivers: none of them is left out
    because a machine is slow.
    """

    __slots__ = ("_crowd", "_late", "_member", "_moments", "_next", "_period", "_visit")

    def __init__(self, crowd: Crowd, member: Member | None, late: float = 0.0) -> None:
        self._crowd = crowd
        self._late = late
        self._member = member
        self._visit = 0
        self._period = 0
        self._next = crowd.run.now
        self._moments: list[float] = []
        """Of this period, those to come, the last first."""

    def begin(self) -> None:
        """From now on."""
        self._await(self._random())

    def _random(self) -> Random:
        self._visit += 1
        return self._crowd.random("" if self._member is None else self._member.identity, self._visit)

    def _await(self, chance: Random) -> None:
        """Put the next arrival on the agenda, if there is one."""
        run, arrivals = self._crowd.run, self._crowd.drivers.arrivals
        moment, is_arrival = _GAPS[arrivals.kind](self, arrivals, chance)
        if moment < arrivals.end + self._late:
            run.agenda.at(run.began + moment, partial(self._arrive if is_arrival else self._await, chance))

    def _arrive(self, chance: Random) -> None:
        self._await(self._random())
        run, member = self._crowd.run, self._member
        if member is None:
            if not run.is_ours(chance):
                return
            members = [one for one in run.members.values() if run.stays(one.identity)]
            if not members:
                return
            member = chance.choice(members)
        if run.stays(member.identity):
            self._crowd.visit(member, chance)

    # Each gives the moment of the next arrival, and whether there is one then: else it is asked again.

    def _poisson(self, arrivals: Arrivals, chance: Random) -> tuple[float, bool]:
        rate = arrivals.rate * self._crowd.run.pace / 3600.0
        self._next = max(self._next, arrivals.begin) + chance.expovariate(rate)
        return self._next, True

    def _every(self, arrivals: Arrivals, chance: Random) -> tuple[float, bool]:
        seconds = arrivals.seconds / self._crowd.run.pace
        if self._visit == 1:
            first = chance.uniform(0.0, seconds) if arrivals.first is None else arrivals.first
            self._next = max(self._next, arrivals.begin + first)
        else:
            self._next += seconds
        return self._next, True

    def _listed(self, arrivals: Arrivals, chance: Random) -> tuple[float, bool]:
        """Moments that are known for a period at a time; of one in which nobody comes, the begin of the next."""
        while self._moments:
            moment = self._moments.pop()
            if moment >= max(self._next, arrivals.begin):
                return moment, True
        offset = self._period * arrivals.period
        if (self._period and not arrivals.period) or offset > arrivals.end:
            return inf, False
        self._period += 1
        run = self._crowd.run
        match arrivals.kind:
            case "fixed":
                moments = [moment for moment in arrivals.moments for _ in range(run.paced(1, chance))]
            case "uniform":
                first, last = arrivals.begin if not offset else 0.0, arrivals.period or arrivals.end
                moments = [chance.uniform(first, last) for _ in range(run.paced(arrivals.count, chance))]
            case _:
                moments = [arrivals.moment.draw(chance) for _ in range(run.paced(arrivals.count, chance))]
        self._moments = sorted((self._late + offset + moment for moment in moments), reverse=True)
        if self._moments and self._moments[0] >= max(self._next, arrivals.begin):
            return self._listed(arrivals, chance)
        self._moments.clear()
        return self._late + offset + arrivals.period, False


_GAPS: Final[Mapping[str, Callable[[Story, Arrivals, Random], tuple[float, bool]]]] = {
    "poisson": Story._poisson,
    "every": Story._every,
    "fixed": Story._listed,
    "uniform": Story._listed,
    "drawn": Story._listed,
}


class Visit:
    """One driver at one connector."""

    __slots__ = (
        "_act",
        "_came",
        "_card",
        "_connector",
        "_crowd",
        "_drawing",
        "_gives_up_at",
        "_hesitation",
        "_is_done",
        "_leaving",
        "_means",
        "_member",
        "_parking",
        "_plan",
        "_plugs_first",
        "_was_begun",
    )

    def __init__(self, crowd: Crowd, member: Member, connector: int, plan: CarPlan, chance: Random) -> None:
        drivers = crowd.drivers
        self._crowd = crowd
        self._member = member
        self._connector = connector
        self._means = _drawn(drivers.authentication, chance)
        self._leaving = _drawn(drivers.leaving, chance)
        self._plugs_first = chance.random() < drivers.plugs_first
        self._hesitation = drivers.hesitation.draw(chance)
        self._parking = drivers.parking.draw(chance)
        self._drawing = None if drivers.drawing is None else drivers.drawing.draw(chance)
        self._plan = plan
        self._card: str | None = None
        if self._means == CARD:
            self._card = crowd.cards.take()
        elif self._means == UNKNOWN_CARD:
            self._card = drivers.unknown_cards.format(number=chance.randint(1, MOST_UNKNOWN))
        self._came = crowd.run.now
        self._act = "comes"
        self._was_begun = self._is_done = False
        self._gives_up_at = inf

    def begin(self) -> None:
        """The driver is there."""
        self._crowd.run.taken.add((self._member.identity, self._connector))
        self._with_power(self._first)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._crowd.run.agenda.after(seconds, lambda: self._with_power(call))

    def _with_power(self, call: Callable[[], None]) -> None:
        run = self._crowd.run
        if self._is_done:
            return
        if not run.stays(self._member.identity):
            self._done()
        elif self._member.station.is_powered:
            try:
                call()
            except BaseException as error:
                obey_exit(error)
                what = f"{shown(self._crowd.drivers.name, 64)}, a driver {self._act}: {sentence(error)}"
                run.not_done(self._member.identity, what)
                self._break_off()
        else:
            self._later(AGAIN, call)

    def _first(self) -> None:
        (self._plug if self._plugs_first else self._authenticate)()
        self._later(self._hesitation, self._second)

    def _second(self) -> None:
        (self._authenticate if self._plugs_first else self._plug)()
        # Who wants to go before that looks then; whoever has just shown a card waits a moment for what comes of it.
        self._later(min(self._crowd.drivers.patience, max(self._left, LOOK)), self._look)

    @property
    def _left(self) -> float:
        """Seconds until the driver wants to go."""
        return max(0.0, self._came + self._parking - self._crowd.run.now)

    @property
    def _has_transaction(self) -> bool:
        return self._member.station.evse(self._connector).has_transaction

    def _plug(self) -> None:
        self._act = "plugs in"
        self._member.station.plug_in(self._connector, self._plan)
        if self._drawing is not None:
            self._later(self._drawing, self._full)

    def _authenticate(self) -> None:
        if self._card is not None:
            self._act = "shows a card"
            self._member.station.present_id_tag(self._card, [self._connector])

    def _look(self) -> None:
        """Does it charge?"""
        if not self._has_transaction:
            self._crowd.run.counts["sessions refused"] += 1
            self._depart()
            return
        self._was_begun = True
        self._crowd.run.counts["sessions"] += 1
        self._later(self._left, self._return)

    def _full(self) -> None:
        self._act = "has a full car"
        self._member.station.pause_drawing(self._connector)

    def _return(self) -> None:
        """The driver comes back, and wants to go."""
        if self._leaving == AWAITS_STOP and self._has_transaction:
            if self._gives_up_at == inf:
                self._gives_up_at = self._crowd.run.now + self._crowd.drivers.patience
            if self._crowd.run.now < self._gives_up_at:
                self._later(LOOK, self._return)
                return
            self._crowd.run.counts["stops awaited in vain"] += 1
        if self._leaving == UNPLUGS or not self._has_transaction or self._card is None:
            self._depart()
            return
        self._authenticate()
        self._later(WALK, self._depart)

    def _depart(self) -> None:
        self._act = "unplugs"
        self._member.station.unplug(self._connector)
        if self._was_begun:
            self._crowd.run.counts["sessions ended"] += 1
        self._done()

    def _break_off(self) -> None:
        """Something went wrong, which was told: whoever comes next finds connector and card free all the same."""
        try:
            self._member.station.unplug(self._connector)
        finally:
            self._done()

    def _done(self) -> None:
        self._is_done = True
        self._crowd.run.taken.discard((self._member.identity, self._connector))
        if self._means == CARD and self._card is not None:
            self._crowd.cards.give_back(self._card)
            self._card = None


def _drawn(shares: Mapping[Any, float], chance: Random) -> Any:
    return chance.choices(list(shares), list(shares.values()))[0]
