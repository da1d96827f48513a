"""A fleet for hosts without trio: charge points and their stations live in trio's thread, and are seen through faces.

What is the host's own runs in the host's world. A function of an id (`keys`, `observer`, `connector_of`) is called
where the charge point is added, and its answer holds as long as that is there; observers are told as those of one
charge point are; listeners (`calls`, `frames`, `links`, `violations`) are told in order, shortly after.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from functools import cache, partial, wraps
from operator import contains, getitem
from typing import Any, Final, NamedTuple

from ocpp16.errors import ChargePointStopped, ConfigurationError
from ocpp16.fleet import Fleet, Member, open_fleet
from ocpp16.fleet.blueprint import merged
from ocpp16.hosts.crossing import Crossing
from ocpp16.hosts.face import Face, House, face_of, told_observer
from ocpp16.hosts.listener import LISTENERS, Listener, function_problem
from ocpp16.hosts.station import World
from ocpp16.simulation import Commands, SimulatedStation

_OF_AN_ID: Final = ("keys", "observer", "connector_of")

KEPT: Final = frozenset(
    {
        "clear_fault",
        "is_powered",
        "measurement",
        "meter_reading",
        "number_of_connectors",
        "pause_drawing",
        "plug_in",
        "present_id_tag",
        "raise_fault",
        "resume_drawing",
        "unplug",
    }
)
"""What a person does in front of a station, and sees there; all else of it is trio's."""


def _others(original: type, kept: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in dir(original) if not name.startswith("_")) - kept


_OF_TRIO: Final[Mapping[type, frozenset[str]]] = {
    SimulatedStation: _others(SimulatedStation, KEPT),
    Commands: _others(Commands, frozenset({"is_deferred", "reason", "run"})),
    Member: frozenset(
        {"begin", "end", "is_over", "left", "on_open", "open", "operation", "wait_for_news", "wait_over"}
    ),
}


class _Own(NamedTuple):
    """Of one charge point, by the host's functions."""

    observer: Any = None
    connector: Any = None


class HostedFleet:
    """What a block of a fleet opens, and its face. arguments: as of `open_fleet`."""

    def __init__(self, csms: str, made_of: Any, world: World, arguments: Mapping[str, Any]) -> None:
        self._csms = csms
        self._made_of = made_of
        self._world = world
        self._arguments = dict(arguments)
        self.of_an_id: dict[str, Callable[[str], Any]] = {
            name: self._arguments.pop(name) for name in _OF_AN_ID if callable(self._arguments.get(name))
        }
        self._own: dict[str, _Own] = {}
        """Of those that are there, or are being added; in trio's thread."""

    def problems(self) -> list[str]:
        """What is wrong with what is the host's own."""
        return [
            problem
            for name in (*LISTENERS, *self.of_an_id)
            if (problem := function_problem(name, self._arguments.get(name, self.of_an_id.get(name))))
        ]

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Fleet]:
        """In trio's thread."""
        arguments: dict[str, Any] = dict(self._arguments)
        listeners = {
            name: Listener(self._world, arguments.pop(name), name)
            for name in LISTENERS
            if arguments.get(name) is not None
        }
        if "observer" in self.of_an_id:
            arguments["observer"] = lambda identity: self._own[identity].observer
        if "connector_of" in self.of_an_id:
            arguments["connector_of"] = lambda identity: self._own[identity].connector
        if self._made_of is not None:
            arguments["made_of"] = self._made_of
        async with open_fleet(self._csms, **{**arguments, **listeners}) as fleet:
            yield fleet

    def face(self, fleet: Fleet, house: House) -> Any:
        """In a thread of the host."""
        house.kinds |= {
            Member: partial(_member, house),
            SimulatedStation: lambda station: _made(house, station),
            Commands: lambda commands: _made(house, commands),
        }
        kind = "Awaited" if house.wait.is_async else "Waited"
        return _KINDS[kind](fleet, house, self)

    def asked(self, identity: str) -> tuple[Any, _Own]:
        """Keys of its own, and the rest of what the host's functions say of this id; in the host's world."""
        found = {name: function(identity) for name, function in self.of_an_id.items()}
        observer = found.get("observer")
        if observer is not None:
            observer, problems = told_observer(observer, self._world)
            if problems:
                raise ConfigurationError(problems)
        return found.get("keys"), _Own(observer, found.get("connector_of"))

    # In trio's thread

    async def add(self, fleet: Fleet, identity: str, made_of: Any, keys: Any, own: _Own) -> Member:
        if identity in self._own:  # it has a word for that
            return await fleet.add(identity, made_of, keys=keys)
        self._own[identity] = own
        try:
            return await fleet.add(identity, made_of, keys=keys)
        except BaseException:
            del self._own[identity]
            raise

    async def remove(self, fleet: Fleet, identity: str) -> bool:
        if identity not in fleet:  # it may be about to come
            return await fleet.remove(identity)
        own = self._own.get(identity)
        try:
            return await fleet.remove(identity)
        finally:
            if identity not in fleet and self._own.get(identity) is own:
                self._own.pop(identity, None)

    async def give_up(self, fleet: Fleet, member: Member) -> None:
        """It was added, and nobody got it in hand."""
        if member.identity in fleet and fleet[member.identity] is member:
            await self.remove(fleet, member.identity)


def _made(house: House, original: Any) -> Any:
    kind: Any = type(original)
    return face_of(kind, house.wait.is_async, _OF_TRIO[kind])(original, house)


def _member(house: House, original: Member) -> Any:
    """One face for each, as long as it is there."""
    found = house.faces.get(original)
    if found is None:
        found = house.faces.setdefault(original, _kind_of_member(house.wait.is_async)(original, house))
    return found


@cache
def _kind_of_member(is_async: bool) -> type:
    base = face_of(Member, is_async, _OF_TRIO[Member])
    members = {
        "charge_point": property(_charge_point),
        "_seen": None,
        "__doc__": base.__doc__,
        "__module__": base.__module__,
    }
    return type("Member", (base,), members)


def _charge_point(self: Any) -> Any:
    """Another one after a reset that switches the station off: then the face of the one before is let go of."""
    original = self._house.thread.look(getattr, self._original, "charge_point")
    known = self._seen
    if known is None or known._original is not original:
        known = self._seen = self._house.unasked(original)
    return known


class _Fleet(Face):
    """The face of a fleet: what is the same however the host waits."""

    def __init__(self, original: Fleet, house: House, hosted: HostedFleet) -> None:
        super().__init__(original, house)
        self._hosted = hosted

    def __len__(self) -> int:
        found: int = self._house.thread.look(len, self._original)
        return found

    def __contains__(self, identity: object) -> bool:
        found: bool = self._house.thread.look(contains, self._original, identity)
        return found

    def __getitem__(self, identity: str) -> Any:
        return self._house.faced(self._house.thread.look(getitem, self._original, identity))

    def __iter__(self) -> Iterator[Any]:
        return iter([self._house.faced(one) for one in self._house.thread.look(tuple, self._original)])

    def abandon(self) -> None:
        self._house.thread.look(self._original.abandon)

    def _adding(self, identity: str, made_of: Any, keys: Any) -> Crossing:
        asked, own = self._hosted.asked(identity)
        if asked is not None:
            keys = merged(merged({}, asked), keys or {})
        return self._house.thread.run(self._hosted.add, self._original, identity, made_of, keys, own)

    def _given_up(self, adding: Crossing) -> None:
        adding.future.add_done_callback(self._take_back)

    def _take_back(self, added: "Future[Any]") -> None:
        if not added.cancelled() and added.exception() is None:
            self._house.thread.spawn_soon(partial(self._hosted.give_up, self._original, added.result()))

    def _removing(self, identity: str) -> Crossing:
        with suppress(KeyError, ChargePointStopped):
            self._house.faces.pop(self._house.thread.run_sync(getitem, self._original, identity), None)
        return self._house.thread.run(self._hosted.remove, self._original, identity)

    def _registered(self) -> Crossing:
        return self._house.thread.run(self._original.wait_registered)


def _add_waited(self: _Fleet, identity: str, made_of: Any = None, *, keys: Any = None) -> Any:
    adding = self._adding(identity, made_of, keys)
    try:
        return self._house.faced(self._house.wait(adding))
    except BaseException:
        self._given_up(adding)
        raise


async def _add_awaited(self: _Fleet, identity: str, made_of: Any = None, *, keys: Any = None) -> Any:
    adding = self._adding(identity, made_of, keys)
    try:
        return self._house.faced(await self._house.wait(adding))
    except BaseException:
        self._given_up(adding)
        raise


def _add_all_waited(self: _Fleet, ids: Iterable[str], made_of: Any = None) -> Any:
    return [_add_waited(self, identity, made_of) for identity in ids]


async def _add_all_awaited(self: _Fleet, ids: Iterable[str], made_of: Any = None) -> Any:
    return [await _add_awaited(self, identity, made_of) for identity in ids]


def _remove_waited(self: _Fleet, identity: str) -> Any:
    return self._house.wait(self._removing(identity))


async def _remove_awaited(self: _Fleet, identity: str) -> Any:
    return await self._house.wait(self._removing(identity))


def _wait_registered_waited(self: _Fleet) -> Any:
    return self._house.wait(self._registered())


async def _wait_registered_awaited(self: _Fleet) -> Any:
    return await self._house.wait(self._registered())


def _kind(*functions: Callable[..., Any]) -> type[_Fleet]:
    names = ("add", "add_all", "remove", "wait_registered")
    members = {name: wraps(getattr(Fleet, name))(function) for name, function in zip(names, functions, strict=True)}
    members["abandon"] = wraps(Fleet.abandon)(_Fleet.abandon)
    return type("Fleet", (_Fleet,), {"__doc__": Fleet.__doc__, "__module__": Fleet.__module__, **members})


_KINDS: Final = {
    "Waited": _kind(_add_waited, _add_all_waited, _remove_waited, _wait_registered_waited),
    "Awaited": _kind(_add_awaited, _add_all_awaited, _remove_awaited, _wait_registered_awaited),
}
