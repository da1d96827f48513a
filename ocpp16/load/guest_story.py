"""A charge point that comes with a scenario of its own, as a process of Locust wants it: it is played, told, and played
again until the charge point goes.

Each is a fleet of one: whatever a scenario counts of the whole fleet, it counts of this one alone. What it costs more
than others is a block of its own, and an observer of its frames.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final, NamedTuple, Protocol

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.errors import Ocpp16Error
from ocpp16.faults import sentence
from ocpp16.fleet import CallEnded, ViolationListener
from ocpp16.scenario import Outcome, Scenario, run_scenario
from ocpp16.texts import shown

PAUSE: Final = (5.0, 30.0)
"""Seconds between two times."""
AGAIN: Final = 60.0
"""Seconds after one that could not be played."""
LONGEST_WHY: Final = 300


class Played(NamedTuple):
    """One time. seconds: it took; unmet: the first expectation that was not met, "": it passed; why: of that."""

    scenario: str
    charge_point: str
    seconds: float
    unmet: str
    why: str


class Wished(Protocol):
    """What all of a process have in common."""

    @property
    def csms(self) -> str: ...
    @property
    def blueprint(self) -> str | None: ...
    @property
    def keys(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def seed(self) -> int: ...
    @property
    def certificates(self) -> str | None: ...
    @property
    def source_addresses(self) -> tuple[str, ...]: ...


class GuestStory:
    """Parameters: `number` of the charge point, from 1: its own among all of the test."""

    def __init__(
        self,
        scenario: Scenario,
        identity: str,
        number: int,
        wish: Wished,
        *,
        calls: Callable[[CallEnded], None],
        links: Callable[[str, bool, str], None],
        violations: ViolationListener,
        tell: Callable[[Played], None],
        connector: StreamOpener | None,
    ) -> None:
        self._scenario = scenario
        self._identity = identity
        self._number = number
        self._wish = wish
        self._calls = calls
        # what goes wrong on the wire is our own doing
        self._links = None if scenario.is_disturbed else links
        self._violations = None if scenario.is_disturbed else violations
        self._tell = tell
        self._connector = connector
        self._is_going = trio.Event()

    def go(self) -> None:
        """It ends what it does, in order, and comes no more."""
        self._is_going.set()

    async def run(self) -> None:
        """Until it goes. Raises nothing of a scenario: that is told."""
        chance = Random(f"{self._wish.seed} {self._identity} story")  # noqa: S311 - repeatable, not secret
        time = 0
        while not self._is_going.is_set():
            time += 1
            began = trio.current_time()
            pause = chance.uniform(*PAUSE)
            unmet = why = ""
            try:
                outcome = await self._play(time)
                if not outcome.is_complete:
                    return
                unmet, why = _first_unmet(outcome)
            except (Ocpp16Error, ValueError) as error:
                unmet, why, pause = "it cannot be played", sentence(error), AGAIN
            self._tell(
                Played(
                    self._scenario.name,
                    self._identity,
                    trio.current_time() - began,
                    shown(unmet, 200),
                    shown(why, LONGEST_WHY),
                )
            )
            with trio.move_on_after(pause):
                await self._is_going.wait()

    async def _play(self, time: int) -> Outcome:
        wish, addresses = self._wish, self._wish.source_addresses
        turn = self._number % len(addresses) if addresses else 0
        options: dict[str, Any] = {"source_addresses": addresses[turn:] + addresses[:turn], "links": self._links}
        if wish.certificates is not None:
            options["certificates_path"] = wish.certificates
        return await run_scenario(
            self._scenario,
            wish.csms,
            ids=[self._identity],
            first_number=self._number,
            blueprint=wish.blueprint,
            keys=wish.keys,
            seed=wish.seed + time - 1,
            calls=self._calls,
            violations=self._violations,
            connector=self._connector,
            is_stopping=self._is_going,
            **options,
        )


def _first_unmet(outcome: Outcome) -> tuple[str, str]:
    for one in outcome.expectations:
        if not one.is_met:
            return one.name, one.failures[0].why if one.failures else ""
    return ("the protocol is kept", outcome.breach) if outcome.breach else ("", "")
