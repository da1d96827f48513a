"""Is this object a station? Asked once, when a charge point is opened, and answered with every fault in one message.

A method that is missing, synchronous, or of other parameters would be found when the Central System asks for it, in the
middle of the night. One that is misspelt would make a feature vanish without a word.
"""

import inspect
from abc import ABCMeta
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache, lru_cache, partial
from types import FunctionType, MethodType
from typing import Any, Protocol

from ocpp16.charge_point.features import protocols
from ocpp16.faults import name_of, obey_exit
from ocpp16.station import CoreStation
from ocpp16.texts import shown
from ocpp16.values import is_a

_MISSING = object()
_PLAIN_KINDS = (type, ABCMeta, type(CoreStation))
"""Of classes that `dir` looks at as it does at what is made of them."""
_METHODS = frozenset({FunctionType, type(None)})
"""What a class has under the name of a method that is the same for all that is made of it, or is not there."""
_KNOWN: dict[tuple[Any, ...], tuple[str, ...]] = {}
_MOST_KNOWN = 256


class _Attached(Protocol):
    """What a station may have besides."""

    def attach(self, charge_point: Any) -> None: ...


def station_problems(station: object) -> list[str]:
    """What keeps this from being a station, each with the name of the method."""
    kind = _as_its_class(station)
    if kind is None:
        return _problems(station)
    known = _KNOWN.get(kind)
    if known is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[kind] = tuple(_problems(station))
    return list(known)


def _as_its_class(station: object) -> tuple[Any, ...] | None:
    """What is wrong with it is wrong with each of which this is the same: its class with the functions that we ask for,
    and the names it has besides. None where it has methods of its own, or a class that is no plain one.

    A fleet has thousands of stations of a class, and looking at one took a twenty-fifth of its boot.
    """
    kind: Any = type(station)
    if not _is_plain(kind) or kind.__getattribute__ is not object.__getattribute__ or hasattr(kind, "__getattr__"):
        return None
    own: Any = _attribute(station, "__dict__")
    if own is _MISSING:
        own = {}
    if type(own) is not dict or not _asked_for().isdisjoint(own):
        return None
    functions = [getattr(kind, name, None) for name in _asked_for()]
    if not _METHODS.issuperset(map(type, functions)) or _attribute(station, "__class__") is not kind:
        return None
    return kind, *functions, *own


def _problems(station: object) -> list[str]:
    if station is None:
        return ["station must be an object with the methods of CoreStation, not None"]
    if is_a(station, type):
        return [f"station must be an object, not the class {shown(name_of(station))} itself: make one of it"]
    problems = list(faults(CoreStation, station))
    begun: list[type] = []
    for protocol in protocols():
        names = _methods(protocol)
        if any(_attribute(station, name) is not _MISSING for name in names) or _misspelt(station, names):
            begun.append(protocol)
            problems += faults(protocol, station)
            for base in protocol.__bases__:  # what extends another is not enough without it
                problems += () if base in begun else faults(base, station)
    if callable(_attribute(station, "attach")):
        problems += faults(_Attached, station)
    return [f"{type(station).__name__}.{problem}" for problem in problems]


def _attribute(station: object, name: str) -> object:
    """What is there, or `_MISSING`. Where reading it raises, a function stands in: `faults` says what is wrong."""
    try:
        return getattr(station, name, _MISSING)
    except BaseException as error:  # of a property of the host's
        obey_exit(error)
        return _attribute


def _is_plain(kind: Any) -> bool:
    """Does it tell its names as most classes do?"""
    return type(kind) in _PLAIN_KINDS and kind.__dir__ is object.__dir__


@cache
def _asked_for() -> frozenset[str]:
    """Names of all that a station may be asked."""
    return frozenset(name for protocol in (CoreStation, *protocols(), _Attached) for name in _methods(protocol))


@cache
def _methods(protocol: type) -> dict[str, Callable[..., Any]]:
    """Those of a Protocol of ours, by name; not to be changed."""
    return {
        name: member
        for name, member in vars(protocol).items()
        if not name.startswith("_") and inspect.isfunction(member)
    }


def _misspelt(station: object, names: dict[str, Callable[..., Any]]) -> tuple[str, ...]:
    """Public names of the station that look like one of these and are none of a Protocol."""
    return _alike(_names(station), tuple(names))


def _names(station: object) -> tuple[str, ...]:
    """As `dir` has them, which takes longer than all the rest of this file: those of a class are asked for once."""
    kind: Any = type(station)
    if not _is_plain(kind) or _attribute(station, "__class__") is not kind:  # a proxy has those of another
        return tuple(dir(station))
    own = getattr(station, "__dict__", None)
    return tuple(sorted({*_names_of(kind), *own})) if own else _names_of(kind)


@lru_cache(maxsize=256)
def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(dir(kind))


@lru_cache(maxsize=256)
def _alike(there: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Found out once for all stations of a class: comparing words takes longer than all else of an opening."""
    known = {name for protocol in (CoreStation, *protocols()) for name in _methods(protocol)}
    return tuple(
        name
        for name in there
        if not name.startswith("_") and name not in known and get_close_matches(name, names, n=1, cutoff=0.9)
    )


def faults(protocol: type, station: object) -> Iterator[str]:
    """What the object lacks of a Protocol, and what it does otherwise."""
    names = _methods(protocol)
    for name, expected in names.items():
        try:
            method = getattr(station, name, None)
        except BaseException as error:  # a property of the host's
            obey_exit(error)
            yield f"{name} cannot be read: {shown(type(error).__name__)}"
            continue
        if method is None:
            close = [other for other in _misspelt(station, names) if get_close_matches(other, [name], cutoff=0.9)]
            hint = f" ({close[0]} looks like it)" if close else ""
            yield f"{name} is missing{hint}; {protocol.__name__} asks for it"
        elif not callable(method):
            yield f"{name} must be a method"
        elif type(method) is MethodType and type(method.__func__) is FunctionType:
            yield from _faults_of_function(name, expected, method.__func__)
        else:
            yield from _faults_of_method(name, expected, method)


@lru_cache(maxsize=256)
def _faults_of_function(name: str, expected: Callable[..., Any], function: FunctionType) -> tuple[str, ...]:
    """Of a method of the station's class: a fleet has thousands of stations, and a few classes of them."""
    return tuple(_faults_of_method(name, expected, MethodType(function, _MISSING)))


def _faults_of_method(name: str, expected: Callable[..., Any], method: Callable[..., Any]) -> Iterator[str]:
    is_async = inspect.iscoroutinefunction(expected)
    if is_async and not is_async_function(method):
        yield f"{name} must be async: `async def {name}(…)`"
    elif not is_async and is_async_function(method):
        yield f"{name} must not be async: it has to answer at once"
    parameters = list(inspect.signature(expected).parameters)[1:]
    try:
        inspect.signature(method).bind(*parameters)
    except TypeError:
        yield f"{name} must take ({', '.join(parameters)})"
    except ValueError:  # a built-in without a signature
        return


def is_async_function(method: Callable[..., Any]) -> bool:
    """Does it have to be awaited, as far as can be seen? Partial functions and objects that are called included."""
    while isinstance(method, partial):
        method = method.func
    if inspect.iscoroutinefunction(method):
        return True
    call = getattr(type(method), "__call__", None)  # noqa: B004 - not whether, but how it is called
    return inspect.iscoroutinefunction(call)
