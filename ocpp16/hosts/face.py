"""The faces that hosts without trio have in hand: the same names as ChargePoint's, each call made in trio's thread.

A face is made of the class it stands for: what that has is here, with its docstring. What returns at once does so here,
too; what waits is awaited or waited for, as the host does.
"""

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import cache, partial, wraps
from typing import Any, Protocol

from ocpp16.charge_point.authorization_door import AuthorizationDoor
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.charge_points import ChargePoints
from ocpp16.charge_point.charging_door import ChargingDoor
from ocpp16.charge_point.configuration_door import ConfigurationDoor
from ocpp16.charge_point.connection_door import ConnectionDoor
from ocpp16.charge_point.dead_letters_door import DeadLettersDoor
from ocpp16.charge_point.plug_and_charge_door import PlugAndChargeDoor
from ocpp16.charge_point.reservation_door import ReservationDoor
from ocpp16.charge_point.station_check import is_async_function
from ocpp16.charge_point.station_door import StationDoor
from ocpp16.errors import ConfigurationError
from ocpp16.faults import sentence
from ocpp16.hosts.crossing import Crossing
from ocpp16.hosts.host_log import HostLog
from ocpp16.hosts.listener import LISTENERS, Listener, function_problem
from ocpp16.hosts.station import Changes, Polling, World, asked_security, asked_station, measured
from ocpp16.hosts.trio_thread import TrioThread
from ocpp16.texts import shown
from ocpp16.values import described

_DOORS = (
    AuthorizationDoor,
    ChargingDoor,
    ConfigurationDoor,
    ConnectionDoor,
    DeadLettersDoor,
    PlugAndChargeDoor,
    ReservationDoor,
    StationDoor,
)
_SPECIAL = frozenset({"__call__", "__getitem__", "__len__"})
_OF_TRIO = frozenset({"clock", "leave", "log", "spawn", "timers", "watch"})
"""What only code in trio's thread can use."""


class Waits(Protocol):
    """How the host waits for what crosses."""

    is_async: bool

    def __call__(self, crossing: Crossing) -> Any: ...


class House:
    """What all faces of one block share."""

    def __init__(self, thread: TrioThread, world: World, wait: Waits, meter_interval: float) -> None:
        self.thread = thread
        self.world = world
        self.wait = wait
        self.meter_interval = meter_interval
        self.faces: dict[Any, Any] = {}
        self.kinds: dict[type, Callable[[Any], Any]] = {}
        """Others than the doors of a charge point that are seen through a face, and what makes it."""

    def charge_point(self, original: ChargePoint, station: Any) -> Any:
        """The face of one charge point, which is asked for its meter from here on; in a thread of the host."""
        face = self.faces[original] = self.unasked(original, station)
        self.thread.spawn(Polling(original, station, self.world, self.meter_interval, face._log).run)
        attach = getattr(station, "attach", None)
        if callable(attach):
            attach(face)
        return face

    def unasked(self, original: ChargePoint, station: Any = None) -> Any:
        """The face of one that is asked for nothing here: its station is in trio's thread."""
        log = HostLog()
        self.thread.look(log.attach, original)
        return face_of(ChargePoint, self.wait.is_async)(original, self, station, log)

    def faced(self, value: Any) -> Any:
        """A door is seen through its face."""
        kind: Any = type(value)
        if kind in _DOORS:
            return face_of(kind, self.wait.is_async)(value, self)
        make = self.kinds.get(kind)
        return value if make is None else make(value)


class Face:
    """Of one object of the charge point. Raises what that raises; views answer when its thread has ended as well."""

    def __init__(self, original: Any, house: House, station: Any = None, log: Any = None) -> None:
        self._original = original
        self._house = house
        self._station = station
        self._log = log
        """HostLog of a charge point."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._original!r}>"

    def _in_its_thread(self, function: Callable[[], Any]) -> Any:
        """For metrics, which look behind many faces in one step."""
        return self._house.thread.run_sync(function)

    def _read_meter(self, connector_id: Any) -> Callable[[], None]:
        """Ask the station for its meter here, in the host's world; returns what tells the charge point of it."""
        log = self._log.log
        found = measured(self._station, connector_id, self._log)

        def tell() -> None:
            if found is not None:
                try:
                    self._original.on_meter_values(connector_id, found)
                except ValueError as error:
                    log.error("station, measurement(%s): %s", connector_id, sentence(error), about=connector_id)

        return tell


@cache
def face_of(original: type, is_async: bool, of_trio: frozenset[str] = _OF_TRIO) -> type:
    """The class of the faces of a class. of_trio: names that only code in trio's thread can use."""
    members: dict[str, Any] = {"__doc__": original.__doc__, "__module__": original.__module__}
    for name in dir(original):
        if name in of_trio:
            members[name] = property(_refused(name))
            continue
        if name.startswith("_") and name not in _SPECIAL:
            continue
        member = inspect.getattr_static(original, name)
        if isinstance(member, property) or inspect.ismemberdescriptor(member):
            members[name] = property(_read(name), doc=member.__doc__)
        elif inspect.iscoroutinefunction(member):
            members[name] = wraps(member)(_awaited(name) if is_async else _waited(name))
        elif inspect.isfunction(member):
            members[name] = wraps(member)(_called(name))
    if original is ChargePoint:
        members |= {name: wraps(members[name])(special(members[name])) for name, special in _WITH_THE_HOST.items()}
    if original is ChargePoints:
        members |= _MANY_AWAITED if is_async else _MANY_WAITED
    return type(original.__name__, (Face,), members)


def _refused(name: str) -> Callable[[Face], Any]:
    def refuse(self: Face) -> Any:
        raise AttributeError(f"{name} is for code in trio's thread; what there is without is in docs/hosts.md")

    return refuse


def _read(name: str) -> Callable[[Face], Any]:
    def read(self: Face) -> Any:
        return self._house.faced(self._house.thread.look(getattr, self._original, name))

    return read


def _called(name: str) -> Callable[..., Any]:
    def call(self: Face, *arguments: Any, **named: Any) -> Any:
        return self._house.thread.look(
            partial(getattr(type(self._original), name), self._original, *arguments, **named)
        )

    return call


def _waited(name: str) -> Callable[..., Any]:
    def wait(self: Face, *arguments: Any, **named: Any) -> Any:
        return self._house.wait(
            self._house.thread.run(partial(getattr(type(self._original), name), self._original, *arguments, **named))
        )

    return wait


def _awaited(name: str) -> Callable[..., Any]:
    waited = _waited(name)

    async def wait(self: Face, *arguments: Any, **named: Any) -> Any:
        return await waited(self, *arguments, **named)

    return wait


# What the host has a part in


def _with_the_meter(call: Callable[..., Any]) -> Callable[..., Any]:
    """What the meter shows now is told first, in the same step."""

    def told(self: Face, connector_id: Any, *arguments: Any, **named: Any) -> Any:
        tell = self._read_meter(connector_id)
        own = partial(getattr(type(self._original), call.__name__), self._original, connector_id, *arguments, **named)

        def both() -> Any:
            tell()
            return own()

        return self._house.thread.run_sync(both)

    return told


def _handled_by_the_host(call: Callable[..., Any]) -> Callable[..., Any]:
    def on_data_transfer(self: Face, vendor_id: str, message_id: str | None, handler: Callable[..., Any]) -> None:
        world = self._house.world
        if not callable(handler):
            raise ValueError(f"handler must be a function, not {described(handler)}")
        if is_async_function(handler) and not world.takes_coroutines:
            raise ValueError("handler must be a plain function: threads await nothing")
        call(self, vendor_id, message_id, partial(world.ask, handler))

    return on_data_transfer


def _told_to_the_host(call: Callable[..., Any]) -> Callable[..., Any]:
    def on_change(self: Face, key: Any, callback: Callable[..., Any]) -> Callable[[], None]:
        if not callable(callback) or is_async_function(callback):
            raise ValueError(f"callback must be a function that is not async, not {described(callback)}")
        name = shown(getattr(key, "name", key))
        about = self._original if self._station is None else self._station
        undo = call(self, key, Changes(self._house.world, about, callback, name, self._log))
        return partial(self._house.thread.look, undo)

    return on_change


_WITH_THE_HOST: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "on_transaction_started": _with_the_meter,
    "on_transaction_stopped": _with_the_meter,
    "sample_now": _with_the_meter,
    "on_data_transfer": _handled_by_the_host,
    "on_change": _told_to_the_host,
}


# Many


class _Opening:
    """One more charge point of a block: one that nobody gets in hand is closed again."""

    def __init__(self, block: Face, config: Any, station: Any, named: dict[str, Any]) -> None:
        self._block = block
        self._station = station
        asked, arguments = arguments_for(station, block._house.world, named)
        self.crossing = block._house.thread.run(partial(block._original.open, config, asked, **arguments))

    def faced(self, original: Any) -> Any:
        return self._block._house.charge_point(original, self._station)

    def given_up(self) -> None:
        self.crossing.future.add_done_callback(self._close)

    def _close(self, opened: "Future[Any]") -> None:
        if not opened.cancelled() and opened.exception() is None:
            house = self._block._house
            house.faces.pop(opened.result(), None)
            house.thread.spawn_soon(partial(self._block._original.close, opened.result()))


def _open_waited(self: Face, config: Any, station: Any, **named: Any) -> Any:
    opening = _Opening(self, config, station, named)
    try:
        return opening.faced(self._house.wait(opening.crossing))
    except BaseException:
        opening.given_up()
        raise


async def _open_awaited(self: Face, config: Any, station: Any, **named: Any) -> Any:
    opening = _Opening(self, config, station, named)
    try:
        return opening.faced(await self._house.wait(opening.crossing))
    except BaseException:
        opening.given_up()
        raise


def _closed(self: Face, charge_point: Any) -> Crossing:
    original = charge_point._original if isinstance(charge_point, Face) else charge_point
    house, block = self._house, self._original

    async def close() -> Any:
        try:
            return await block.close(original)
        finally:
            house.faces.pop(original, None)

    return house.thread.run(close)


def _close_waited(self: Face, charge_point: Any) -> Any:
    return self._house.wait(_closed(self, charge_point))


async def _close_awaited(self: Face, charge_point: Any) -> Any:
    return await self._house.wait(_closed(self, charge_point))


def _iterated(self: Face) -> Iterator[Any]:
    return iter(
        [self._house.faces[one] for one in self._house.thread.look(tuple, self._original) if one in self._house.faces]
    )


_MANY_WAITED = {
    "open": wraps(ChargePoints.open)(_open_waited),
    "close": wraps(ChargePoints.close)(_close_waited),
    "__iter__": _iterated,
}
_MANY_AWAITED = {
    "open": wraps(ChargePoints.open)(_open_awaited),
    "close": wraps(ChargePoints.close)(_close_awaited),
    "__iter__": _iterated,
}


def many(original: ChargePoints, house: House) -> Any:
    """The face of a block of many."""
    return face_of(ChargePoints, house.wait.is_async)(original, house)


def arguments_for(station: Any, world: World, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Station and arguments of `open_charge_point` as trio's side takes them. Raises ConfigurationError for a station
    whose methods are none for the host's world; all else is checked where all arguments are."""
    asked, problems = asked_station(station, world)
    named = {**named, "evse_security": asked_security(named.get("evse_security"), world)}
    if "observer" in named:
        observer, wrong = told_observer(named["observer"], world)
        problems += wrong
        named = {**named, "observer": observer}
    for name in LISTENERS:
        if (function := named.get(name)) is not None:
            problem = function_problem(name, function)
            problems += [problem] if problem else []
            named = {**named, name: Listener(world, function, name)}
    if problems:
        raise ConfigurationError(problems)
    return asked, named


def told_observer(observer: Any, world: World) -> tuple[Any, list[str]]:
    """The host's observer as it is told in its world, and what is wrong with it for that; what is none is left as it
    is, and refused where all arguments are checked."""
    notify = getattr(observer, "notify", None)
    if not callable(notify):
        return observer, []
    is_wrong = is_async_function(notify) and not world.takes_coroutines
    problems = ["observer.notify must be a plain function: threads await nothing"] if is_wrong else []
    return _Observer(world, notify), problems


class _Observer:
    """The host's observer, told in its world."""

    def __init__(self, world: World, notify: Callable[..., Any]) -> None:
        self._world = world
        self._notify = notify

    async def notify(self, event: Any) -> None:
        await self._world.ask(self._notify, event, of="observer")
