"""The charge points of a test: a fleet in a trio thread of its own, opened and closed from the thread of the tests."""

import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from concurrent.futures import TimeoutError as TooLong
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import trio

from ocpp16.address import profile_for
from ocpp16.fleet import Fleet as TrioFleet
from ocpp16.fleet import Member, MemberState, blueprint, open_fleet
from ocpp16.hosts.trio_thread import TrioThread, ended
from ocpp16.pytest_plugin.charge_points import ChargePoint
from ocpp16.pytest_plugin.settings import Settings, patience
from ocpp16.pytest_plugin.waiting import Waits
from ocpp16.pytest_plugin.watch import NotSeen, Watch

if TYPE_CHECKING:
    from ocpp16.pytest_plugin.seen import Done

LONGEST_END: Final = 5.0
"""Seconds that the orderly end of all may take; then it is cut short."""
LONGEST_CUT: Final = 10.0
"""Seconds that what is cut short may take: it waits for nobody but the machine."""
_MOST_NAMED: Final = 10


class Fleet:
    """Charge points in the order in which they were added, and each by its id: `fleet[id]`. Made by the fixtures."""

    def __init__(
        self, url: str, settings: Settings, next_number: Callable[[], int], asleep: Collection[str] = ()
    ) -> None:
        self._url = url
        self.settings = settings
        self._next_number = next_number
        self._watches: dict[str, Watch] = {}
        self._charge_points: dict[str, ChargePoint] = {}
        self._removed: list[Watch] = []
        self._waits = Waits(asleep)
        self._fleet: TrioFleet
        self._thread = TrioThread(self._make, partial(ended, threading.current_thread()))

    def __len__(self) -> int:
        return len(self._charge_points)

    def __iter__(self) -> Iterator[ChargePoint]:
        return iter(tuple(self._charge_points.values()))

    def __contains__(self, identity: object) -> bool:
        return identity in self._charge_points

    def __getitem__(self, identity: str) -> ChargePoint:
        """The charge point of this id. Raises KeyError."""
        return self._charge_points[identity]

    def add(self, id: str | None = None, **changes: Any) -> ChargePoint:  # noqa: A002 - as the marker has it
        """One more, which begins to connect at once.

        id: as of the marker, also a format; None: the next of the test's. changes: `blueprint`, `connectors`, `keys`,
        `password`, as of the marker. Raises pytest.UsageError for what cannot be, ValueError for an id that is there
        already, ConfigurationError for keys that cannot be, TypeError for what is set for a whole test only.
        """
        if id is not None:
            changes["id"] = id
        refused = sorted(changes.keys() - {"id", "blueprint", "connectors", "keys", "password"})
        if refused:
            raise TypeError(f"add() takes no {refused[0]}: that is set for a whole test")
        settings = self.settings.over("add()", changes)
        identity = settings.identity(self._next_number())
        made_of = blueprint(settings.blueprint)
        if settings.connectors is not None:
            made_of = made_of.over(connectors=settings.connectors)
        keys: dict[str, Mapping[str, Any]] = dict(settings.keys)
        if settings.password is not None:
            profile = profile_for(self._url, has_password=True)
            own = {"AuthorizationKey": settings.password, "SecurityProfile": profile}
            keys["Security"] = {**own, **keys.get("Security", {})}
        self._thread.run(self._add, identity, made_of, keys).future.result()
        made = ChargePoint(self._watches[identity], self._thread, self._waits, settings.timeout)
        self._charge_points[identity] = made
        return made

    def add_all(self, count: int, **changes: Any) -> list[ChargePoint]:
        """So many more, with ids of their own; `changes` as of `add`."""
        return [self.add(**changes) for _ in range(count)]

    def remove(self, identity: str) -> "Done":
        """Stop one in order, and let go of it; takes its time, as `wait_…` do. Raises KeyError for one that is not
        there."""
        __tracebackhide__ = True
        del self._charge_points[identity]
        outcome: Done = self._waits.outcome(self._thread.run(self._remove, identity), f"fleet.remove({identity!r})")
        return outcome

    def wait_registered(self, timeout: float | None = None) -> "Done":
        """Until each is accepted by the Central System; takes its time, as that of a charge point does.

        Raises NotSeen, which says who is not.
        """
        __tracebackhide__ = True
        longest = patience(timeout, self.settings.timeout)
        outcome: Done = self._waits.outcome(self._thread.run(self._registered, longest), "fleet.wait_registered()")
        return outcome

    # For the fixtures and hooks

    def open(self) -> None:
        """Begin the thread. Raises what opening a fleet raises."""
        try:
            self._thread.begin().result(LONGEST_CUT)
        except BaseException:
            self.close(in_order=False)
            raise

    def close(self, *, in_order: bool) -> None:
        """Stop all, and end the thread. Not in order: connections end at once, as when the power fails."""
        if not in_order:
            self._thread.abandon()
        left = self._thread.leave()
        try:
            left.result(LONGEST_END)
        except TooLong:
            self._thread.abandon()
            left.result(LONGEST_CUT)
        self._thread.join()

    def watches(self) -> list[Watch]:
        """Of all that there are and were."""
        return [*self._removed, *self._watches.values()]

    def removed(self) -> list[Watch]:
        """Of those that were, and are still looked at."""
        return list(self._removed)

    def forget(self, watch: Watch) -> None:
        """Let go of what was seen of one that was removed."""
        self._thread.look(self._removed.remove, watch)

    def forgotten(self) -> list[str]:
        """What was never awaited."""
        return self._waits.forgotten()

    def look(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The outcome of a function that looks at watches, in their thread."""
        return self._thread.look(function, *arguments)

    # In the thread of trio

    @asynccontextmanager
    async def _make(self) -> AsyncIterator[TrioFleet]:
        keys = {"Internal": {"LogMessagesFormat": ["callback"]}}
        async with open_fleet(
            self._url,
            keys=keys,
            observer=lambda identity: self._watches[identity],
            certificates_path=self.settings.certificates,
        ) as self._fleet:
            yield self._fleet

    async def _add(self, identity: str, made_of: Any, keys: Mapping[str, Mapping[str, Any]]) -> None:
        if identity in self._watches:
            raise ValueError(f"the fleet has a charge point {identity!r} already")
        self._watches[identity] = watch = Watch(identity)
        try:
            watch.member = member = await self._fleet.add(identity, made_of, keys=keys)
            # What a person does in front of it then is not refused because it has not started yet.
            await watch.until(partial(_has_begun, member), LONGEST_CUT, "a start")
        except BaseException:
            try:
                await self._fleet.remove(identity)  # nobody gets it in hand, who could: the id is free again
            finally:
                del self._watches[identity]
            raise

    async def _remove(self, identity: str) -> None:
        try:
            await self._fleet.remove(identity)
        finally:
            self._removed.append(self._watches.pop(identity))

    async def _registered(self, longest: float) -> None:
        until = trio.current_time() + longest
        missing: list[str] = []
        for watch in tuple(self._watches.values()):
            try:
                await watch.wait_registered(max(until - trio.current_time(), 0))
            except NotSeen:
                missing.append(f"{watch.identity}: {watch.standing()}")
        if missing:
            more = "" if len(missing) <= _MOST_NAMED else f"\n  and {len(missing) - _MOST_NAMED} more"
            raise NotSeen(
                f"{len(missing)} of {len(self._watches)} charge points were not accepted within {longest:g} s:\n  "
                + "\n  ".join(missing[:_MOST_NAMED])
                + more
            )


def _has_begun(member: Member) -> bool | None:
    """Or has it failed to?"""
    return member.state is MemberState.RUNNING or bool(member.failure) or None
