"""The station of a host without trio, as a charge point asks it: every question goes to the host's world and back.

What must return at once is told there, in order, and not waited for; the meter is asked there, each second while a
transaction runs (`Polling`), and where the host itself tells of a transaction (`face`).
"""

import inspect
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import trio

from ocpp16.charge_point.features import protocols
from ocpp16.charge_point.station_check import is_async_function
from ocpp16.errors import ChargePointStopped
from ocpp16.faults import name_of, obey, obey_exit, sentence
from ocpp16.hosts.host_log import HostLog
from ocpp16.log import FoldingLog
from ocpp16.models import ChargingLimit
from ocpp16.security.evse_security import EvseSecurity
from ocpp16.station import CoreStation
from ocpp16.texts import shown

TOLD_AT_ONCE = ("measurement", "charging_limit_changed", "attach")
"""Methods that are not async in any world."""
POLL_TIMEOUT = 10.0
"""Seconds after which a meter that does not answer is not waited for."""
MOST_CHANGES = 100
"""Changes of a configuration key that wait for a callback; then the last ones are told as one."""


class World(Protocol):
    """Where the host's code runs. Called in the thread of trio."""

    takes_coroutines: bool
    log: FoldingLog
    """For what the host's code can do wrong again and again."""

    def problems(self) -> list[str]:
        """What is wrong with the arguments that describe it."""

    async def ask(self, function: Callable[..., Any], *arguments: Any, of: str = "station") -> Any:
        """What the function gives there. Raises what it raises, and RuntimeError where nobody is there any more.

        of: whose it is; where those of one kind hang, the others are asked all the same.
        """

    def tell(self, about: object, function: Callable[..., Any], *arguments: Any) -> None:
        """Call it there, after what was told before `about` the same object. Waits for nothing, and raises nothing."""

    @property
    def is_telling(self) -> bool:
        """Is there something told that was not called yet, or is called just now?"""


class _Question:
    """A method of the host's station, asked in its world."""

    def __init__(self, world: World, method: Callable[..., Any]) -> None:
        self._world = world
        self._method = method
        self.__name__ = getattr(method, "__name__", type(method).__name__)
        self.__signature__ = _signature(method)

    async def __call__(self, *arguments: Any) -> Any:
        return await self._world.ask(self._method, *arguments)


def _signature(method: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(method)
    except ValueError:  # a built-in without one
        return None


class _Limits:
    """`charging_limit_changed`: the newest limit of each connector is told, and no older one after it."""

    def __init__(self, world: World, station: object, method: Callable[..., Any], log: HostLog) -> None:
        self._world = world
        self._station = station
        self._method = method
        self._log = log
        self._latest: dict[int, ChargingLimit] = {}
        self._lock = threading.Lock()
        self.__signature__ = _signature(method)

    def __call__(self, connector_id: int, limit: ChargingLimit) -> None:
        with self._lock:
            is_told = connector_id in self._latest
            self._latest[connector_id] = limit
        if not is_told:
            self._world.tell(self._station, self._tell, connector_id)

    def _tell(self, connector_id: int) -> None:
        with self._lock:
            limit = self._latest.pop(connector_id)
        self._log.call(f"charging_limit_changed({connector_id})", self._method, connector_id, limit)


class Changes:
    """A callback of `on_change` for `key`: told each change, in order, and in that of all that is told `about` the same
    object."""

    def __init__(
        self, world: World, about: object, callback: Callable[[str, str], object], key: str, log: HostLog
    ) -> None:
        self._world = world
        self._about = about
        self._callback = callback
        self._what = f"callback of on_change({key})"
        self._log = log
        self._waiting: deque[tuple[str, str]] = deque()
        self._lock = threading.Lock()

    def __call__(self, old: str, new: str) -> None:
        with self._lock:
            if len(self._waiting) >= MOST_CHANGES:
                self._waiting.append((self._waiting.pop()[0], new))
                return
            self._waiting.append((old, new))
        self._world.tell(self._about, self._tell)

    def _tell(self) -> None:
        with self._lock:
            old, new = self._waiting.popleft()
        self._log.call(self._what, self._callback, old, new)


def asked_station(station: Any, world: World) -> tuple[Any, list[str]]:
    """The station to open a charge point with, and what is wrong with the host's own for its world."""
    if station is None or isinstance(station, type):
        return station, []  # there is a word for it where all arguments are checked
    problems: list[str] = []
    log = HostLog()
    members: dict[str, Any] = {"attach": log.attach}
    for protocol in (CoreStation, *protocols()):
        for name in _names(protocol):
            method = getattr(station, name, None)
            if not callable(method):
                if method is not None:
                    members[name] = method
                continue
            is_async = is_async_function(method)
            where = f"{type(station).__name__}.{name}"
            if is_async and name in TOLD_AT_ONCE:
                problems.append(f"{where} must not be async: it has to answer at once")
            elif is_async and not world.takes_coroutines:
                problems.append(f"{where} must be a plain function: threads await nothing")
            members[name] = _member(name, world, station, method, log)
    names = dir(station)
    made = type(type(station).__name__, (), {"__dir__": lambda self: names, "__slots__": ("__dict__",)})()
    vars(made).update(members)
    return made, problems


def asked_security(security: Any, world: World) -> Any:
    """The keeper of certificates to open a charge point with: its plain functions are called in the host's world, its
    async ones are of trio, as those of the built-in one, and stay."""
    if security is None or isinstance(security, type):
        return security
    members: dict[str, Any] = {}
    is_plain = False
    for name in (*_names(EvseSecurity), "examine_certificate"):
        method = getattr(security, name, None)
        if callable(method):
            is_plain = is_plain or not is_async_function(method)
            members[name] = staticmethod(method if is_async_function(method) else _Question(world, method))
    return type(type(security).__name__, (_Security,), members)(security) if is_plain else security


class _Security:
    """A keeper of certificates of whose methods some are asked in the host's world; all else is its own."""

    def __init__(self, security: Any) -> None:
        object.__setattr__(self, "_security", security)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._security, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._security, name, value)


def _names(protocol: type) -> list[str]:
    return [name for name, member in vars(protocol).items() if not name.startswith("_") and inspect.isfunction(member)]


def _member(name: str, world: World, station: object, method: Callable[..., Any], log: HostLog) -> Any:
    if name == "measurement":
        return _known_by_what_is_told
    return _Limits(world, station, method, log) if name == "charging_limit_changed" else _Question(world, method)


def _known_by_what_is_told(connector_id: int) -> None:
    """The meter is not asked in trio's thread: the last values told are used."""


def measured(station: Any, connector_id: int, log: HostLog) -> Any:
    """In the host's world: what the meter shows, or None; whether it is a Measurement the charge point looks. A fault
    of the meter is logged, and none of the charge point."""
    try:
        read = getattr(station, "measurement", None)  # looking it up is part of asking
        return None if read is None else read(connector_id)
    except BaseException as error:
        log.failed(f"station, measurement({shown(connector_id)})", error)
        return None


class Polling:
    """Asks the meter of a charge point each `interval` seconds while a transaction runs there."""

    def __init__(self, charge_point: Any, station: Any, world: World, interval: float, log: HostLog) -> None:
        self._charge_point = charge_point
        self._station = station
        self._world = world
        self._interval = interval
        self._log = log
        self._reading: set[int] = set()
        """Connectors whose meter is being read in the host's world, by the last question or an older one."""

    async def run(self) -> None:
        """Until the charge point is closed."""
        charge_point = self._charge_point
        try:
            while True:
                await trio.sleep(self._interval)
                for connector in range(1, charge_point.for_station.number_of_connectors + 1):
                    if charge_point.transaction(connector) is not None:
                        await self._ask(connector)
        except ChargePointStopped:
            return

    async def _ask(self, connector_id: int) -> None:
        if connector_id in self._reading:  # a meter that never answers holds one thread, not all of them
            return
        log, what = self._log.log, f"station, measurement({connector_id})"
        with trio.move_on_after(POLL_TIMEOUT) as timeout:
            try:
                found = await self._world.ask(self._read, connector_id, of="meter")
                if found is not None:
                    self._charge_point.on_meter_values(connector_id, found)
            except ChargePointStopped:
                raise
            except BaseException as error:  # nobody is there, or not now; what was read is refused
                obey(error)
                log.error("%s: %s", what, sentence(error), about=what)
        if timeout.cancelled_caught:
            log.error("%s: no answer for %s s", what, POLL_TIMEOUT, about=what)

    def _read(self, connector_id: int) -> Any:
        """In the host's world."""
        self._reading.add(connector_id)
        try:
            return measured(self._station, connector_id, self._log)
        finally:
            self._reading.discard(connector_id)


class Orderly:
    """Calls about one object one after another, in the order in which they were told, where `begin(work)` has a piece
    of work done. What is about others goes on beside it: a callback that hangs holds up its own charge point alone.

    What cannot be begun is done with what is told next about the same, or when `later(function)` calls in a while:
    whoever tells the next only when one was heard would wait for ever.
    """

    def __init__(
        self,
        begin: Callable[[Callable[[], None]], None],
        log: FoldingLog,
        later: Callable[[Callable[[], None]], object],
    ) -> None:
        self._begin = begin
        self._log = log
        self._later = later
        self._is_later = False
        """Is it to be called in a while?"""
        self._waiting: dict[int, deque[tuple[Callable[..., Any], tuple[Any, ...]]]] = {}
        """By the id of what it is about; there is a queue as long as somebody works on it."""
        self._unbegun: set[int] = set()
        """Of these, what nobody works on."""
        self._lock = threading.Lock()

    @property
    def is_at_work(self) -> bool:
        with self._lock:
            return len(self._waiting) > len(self._unbegun)

    def tell(self, about: object, function: Callable[..., Any], *arguments: Any) -> None:
        key = id(about)
        with self._lock:
            queue = self._waiting.get(key)
            begins = queue is None or key in self._unbegun
            if queue is None:
                queue = self._waiting[key] = deque()
            queue.append((function, arguments))
            self._unbegun.discard(key)
        if begins:
            self._start(key)

    def _start(self, key: int) -> None:
        try:
            self._begin(partial(self._work_off, key))
        except BaseException as error:  # nobody is there any more, no thread can be had just now, a bound is reached
            with self._lock:
                self._unbegun.add(key)
            if not self._is_later:
                self._is_later = True
                self._later(self._try_again)
            obey_exit(error)
            self._log.error("the host cannot be told: %s", sentence(error))

    def _try_again(self) -> None:
        self._is_later = False
        with self._lock:
            keys = tuple(self._unbegun)
            self._unbegun.clear()
        for key in keys:
            self._start(key)

    def _work_off(self, key: int) -> None:
        """In the host's world."""
        while True:
            with self._lock:
                queue = self._waiting[key]
                if not queue:
                    del self._waiting[key]
                    return
                function, arguments = queue.popleft()
            try:
                called(self._log, function, *arguments)
            except BaseException as error:  # an exit, in a thread that nobody waits for: it ends nothing there
                self._log.error("%s of the host: %s", name_of(function), sentence(error))


def called(log: FoldingLog, function: Callable[..., Any], *arguments: Any) -> None:
    """Call what belongs to the host, and whose outcome nobody waits for."""
    try:
        function(*arguments)
    except BaseException as error:
        obey_exit(error)
        log.error("%s of the host: %s", name_of(function), sentence(error))
