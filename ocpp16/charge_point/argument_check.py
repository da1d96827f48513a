"""Are these arguments of `open_charge_point`, and of a start? Asked before anything is done.

A path that no file can have, an observer that cannot be told, a store that stores nothing would be found later, one by
one, by exceptions that name none of them.
"""

import errno
import inspect
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ocpp16.charge_point.station_check import faults, station_problems
from ocpp16.configuration.configuration import Configuration
from ocpp16.enums import ChargePointStatus
from ocpp16.errors import ConfigurationError
from ocpp16.faults import obey_exit, sentence
from ocpp16.observer import Observer
from ocpp16.security.certificate_paths import PASSWORD, PATHS
from ocpp16.security.evse_security import EvseSecurity
from ocpp16.spelling import did_you_mean
from ocpp16.store.base import Store
from ocpp16.store.journal import Journal
from ocpp16.texts import kind_of, shown
from ocpp16.values import described, is_a, items, member, pairs, text, whole

_PATHS = (
    "user_config_path",
    "database_path",
    "share_path",
    "custom_schema_path",
    "certificates_path",
    "message_log_path",
)
_FILES = ("config", "user_config_path", "custom_schema_path")
_FOLDERS = ("certificates_path", "message_log_path", "session_logging_path")
"""Which need not be there."""
_NEVER_NONE = frozenset({"config", "station", "trace_messages"})
"""Any other one that is None was left out."""
_NOT_GIVEN = object()
_IMPOSSIBLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP)
"""Why nothing will ever be at a path."""


def check_arguments(given: Mapping[str, Any]) -> None:
    """`given`: the arguments by name, all or some. Raises ConfigurationError that names each that cannot be meant."""
    problems: list[str] = []
    for name, check in _CHECKS.items():
        value = given.get(name, _NOT_GIVEN)
        if value is _NOT_GIVEN or (value is None and name not in _NEVER_NONE):
            continue
        try:
            problems += [f"{place} {fault}" for place, fault in check(name, value)]
        except BaseException as error:  # of an object that cannot even be looked at
            obey_exit(error)
            problems.append(f"{name} cannot be what it should: {sentence(error)}")
    if not problems:
        problems = list(_unread_paths(given))
    if problems:
        raise ConfigurationError(problems)


def known_before(
    connector_status: Any, resuming_session_ids: Any, highest: int
) -> tuple[dict[int, ChargePointStatus], list[str]]:
    """What the station knows of connectors 0 to `highest`, and of sessions, when the charge point starts.

    Raises ValueError that names the argument.
    """
    status = connector_states({} if connector_status is None else connector_status, highest)
    sessions = items(resuming_session_ids, "resuming_session_ids", "session ids")
    return status, [text(session_id, "resuming_session_ids") for session_id in sessions]


def connector_states(connector_status: Any, highest: int) -> dict[int, ChargePointStatus]:
    """What the station says of connectors 0 to `highest`. Raises ValueError that names the argument."""
    status: dict[int, ChargePointStatus] = {}
    for connector_id, value in pairs(connector_status, "connector_status"):
        number = whole(connector_id, "connector_status: a connector", 0)
        if number > highest:
            raise ValueError(f"connector_status: no connector {number}, there are 0 to {highest}")
        status[number] = member(ChargePointStatus, value, f"connector_status[{number}]")
    return status


def folder(value: Any, name: str) -> Path:
    """The folder that the host names. Raises ValueError that names the argument."""
    if value is None:
        raise ValueError(f"{name} must be a path, not None")
    for place, fault in _path_faults(name, value):
        raise ValueError(f"{place} {fault}")
    return Path(value).absolute()


Faults = Iterator[tuple[str, str]]
"""Which argument, or part of one, and what is wrong with it."""


def _config_faults(name: str, value: Any) -> Faults:
    if is_a(value, (str, os.PathLike)):
        yield from _path_faults(name, value)
    elif not is_a(value, (Mapping, Configuration)):
        yield name, f"must be a path, a mapping or a Configuration, not {described(value)}"


def _observer_faults(name: str, value: Any) -> Faults:
    for fault in faults(Observer, value):
        yield name, f"is no Observer: {fault}"


def _tolerances_faults(name: str, value: Any) -> Faults:
    if is_a(value, (str, bytes)) or not is_a(value, (Iterable,)):
        yield name, f"must be a list of names, not {described(value)}"


def _seed_faults(name: str, value: Any) -> Faults:
    if not is_a(value, int) or is_a(value, bool):
        yield name, f"must be a whole number, not {described(value)}"


def _trace_faults(name: str, value: Any) -> Faults:
    if not is_a(value, bool):
        yield name, f"must be True or False, not {described(value)}"


def _station_faults(name: str, value: Any) -> Faults:
    for problem in station_problems(value):
        kind, _, fault = problem.partition(" ")
        yield kind, fault


def _path_faults(name: str, value: Any) -> Faults:
    try:
        text = os.fspath(value) if is_a(value, (str, os.PathLike)) else None
    except BaseException as error:  # of the host's own kind of path
        obey_exit(error)
        text = None
    if type(text) is not str:
        yield name, f"must be a path, not {described(value)}"
        return
    try:
        mode = _mode(text)
    except ValueError:
        yield name, f"must be a path that a file can have, not {described(text)}"
        return
    if name in _FILES and (not Path(text).name or stat.S_ISDIR(mode)):
        yield name, f"must be the path of a file, not of the folder {described(text)}"
    elif name == "share_path" and not stat.S_ISDIR(mode):
        yield name, f"must be the path of a folder, and {described(text)} is none"
    elif name == "user_config_path" and mode and not stat.S_ISREG(mode):
        # It would be replaced by a file of that name: for root even /dev/null.
        yield name, f"must be the path of a file that can be replaced, and {described(text)} is none"
    elif name in _FOLDERS and mode and not stat.S_ISDIR(mode):
        yield name, f"must be the path of a folder, and {described(text)} is none"
    elif name == "database_path" and mode and not (stat.S_ISREG if text.endswith(".db") else stat.S_ISDIR)(mode):
        yield name, f"must be the path of a folder, or of a file that ends in .db, and {described(text)} is neither"


def _mode(path: str) -> int:
    """What is at the path, as `os.stat` says; 0: nothing that could be seen. Raises ValueError if nothing can be."""
    if not path:
        raise ValueError("empty")
    try:
        return os.stat(path).st_mode  # ValueError for a NUL and for what the file system cannot write down
    except OSError as error:
        if error.errno in _IMPOSSIBLE:
            raise ValueError(error.strerror) from error
        return 0


def _security_faults(name: str, value: Any) -> Faults:
    if not is_a(value, (Mapping,)):
        yield name, f"must be a mapping of names to paths, not {described(value)}"
        return
    for part, given in pairs(value, name):
        place = f"{name}.{shown(part)}"
        if part == PASSWORD:
            if given is not None and not is_a(given, str):
                yield place, f"must be text, not {shown(kind_of(given))}"  # never what it is
        elif not is_a(part, str) or part not in PATHS:
            yield place, f"is no path of certificates{did_you_mean(shown(part), (*PATHS, PASSWORD))}"
        elif given is not None and given != "":
            yield from _path_faults(place, given)


def _most_connecting_faults(name: str, value: Any) -> Faults:
    if not is_a(value, int) or is_a(value, bool) or value < 1:
        yield name, f"must be a number from 1 on, not {described(value)}"


def _unread_paths(given: Mapping[str, Any]) -> Iterator[str]:
    """Paths of certificates that nobody would ever read, and of a database that nobody would ever write."""
    if given.get("store") is not None and given.get("database_path") is not None:
        yield "database_path is given, and store takes its place: give one of them"
    if given.get("certificates_path") is not None and given.get("evse_security") is not None:
        yield "certificates_path is given, and evse_security takes its place: give one of them"
    named = [name for name, path in (given.get("security_configuration") or {}).items() if path]
    if not named:
        return
    if given.get("evse_security") is not None:
        yield "security_configuration is for the files of the built-in EvseSecurity, and evse_security takes its place"
    elif given.get("certificates_path") is None and "csms_ca_bundle" not in named:
        names = ", ".join(named)
        yield f"security_configuration has {names}, and no place for the rest: give csms_ca_bundle or certificates_path"


def _evse_security_faults(name: str, value: Any) -> Faults:
    for fault in faults(EvseSecurity, value):
        yield name, f"is no EvseSecurity: {fault}"


def _store_faults(name: str, value: Any) -> Faults:
    if is_a(value, Journal):
        return
    if is_a(value, type):
        yield name, f"must be a Store or a Journal, not the class {described(value.__name__)}"
        return
    for fault in faults(Store, value):
        yield name, f"is neither a Journal nor a Store: {fault}"
    try:
        value.is_volatile  # noqa: B018 - whether it can be read
    except BaseException as error:
        obey_exit(error)
        yield name, "is neither a Journal nor a Store: is_volatile is missing"


def _connector_faults(name: str, value: Any) -> Faults:
    if not callable(value):
        yield name, f"must be an async function of an endpoint, not {described(value)}"
        return
    try:
        inspect.signature(value).bind("endpoint")
    except TypeError:
        yield name, "must take one argument, the endpoint"
    except ValueError:  # a built-in without a signature
        return


def _listener_faults(name: str, value: Any) -> Faults:
    if not callable(value):
        yield name, f"must be a function, not {described(value)}"


_CHECKS: dict[str, Callable[[str, Any], Faults]] = {
    "config": _config_faults,
    **dict.fromkeys(_PATHS, _path_faults),
    "security_configuration": _security_faults,
    "evse_security": _evse_security_faults,
    "store": _store_faults,
    "observer": _observer_faults,
    "connector": _connector_faults,
    **dict.fromkeys(("calls", "frames", "links", "violations"), _listener_faults),
    "tolerances": _tolerances_faults,
    "seed": _seed_faults,
    "trace_messages": _trace_faults,
    "most_connecting": _most_connecting_faults,
    "station": _station_faults,
}
"""By argument, in the order in which they are told."""
