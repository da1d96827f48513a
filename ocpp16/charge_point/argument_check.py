"""Are these arguments of `open_charge_point`? Asked before anything is opened, and answered with every fault at once.

A path that no file can have, an observer that cannot be told, a store that stores nothing would be found later, one by
one, by exceptions that name none of them.
"""

import errno
import inspect
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ocpp16.charge_point.station_check import faults, station_problems
from ocpp16.errors import ConfigurationError
from ocpp16.observer import Observer
from ocpp16.state.configuration import Configuration
from ocpp16.store.base import Store
from ocpp16.store.journal import Journal
from ocpp16.values import described

_PATHS = ("user_config_path", "database_path", "share_path", "custom_schema_path", "certificates_path")
_FILES = ("config", "user_config_path", "custom_schema_path")
_IMPOSSIBLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP)
"""Why nothing will ever be at a path."""


def check_arguments(given: Mapping[str, Any]) -> None:
    """`given`: the arguments by name. Raises ConfigurationError that names each one that cannot be meant."""
    problems = [f"{name} {fault}" for name, fault in _argument_faults(given)]
    problems += station_problems(given["station"])
    if problems:
        raise ConfigurationError(problems)


def _argument_faults(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    config = given["config"]
    if isinstance(config, str | os.PathLike):
        yield from _path_faults("config", config)
    elif not isinstance(config, Mapping | Configuration):
        yield "config", f"must be a path, a mapping or a Configuration, not {described(config)}"
    for name in _PATHS:
        if given[name] is not None:
            yield from _path_faults(name, given[name])
    yield from _security_faults(given["security_configuration"])
    yield from _store_faults(given["store"])
    if given["observer"] is not None:
        for fault in faults(Observer, given["observer"]):
            yield "observer", f"is no Observer: {fault}"
    yield from _connector_faults(given["connector"])
    tolerances, seed, trace = given["tolerances"], given["seed"], given["trace_messages"]
    if tolerances is not None and (isinstance(tolerances, str | bytes) or not isinstance(tolerances, Iterable)):
        yield "tolerances", f"must be a list of names, not {described(tolerances)}"
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        yield "seed", f"must be a whole number, not {described(seed)}"
    if not isinstance(trace, bool):
        yield "trace_messages", f"must be True or False, not {described(trace)}"


def _path_faults(name: str, value: Any) -> Iterator[tuple[str, str]]:
    try:
        text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    except Exception:  # of the host's own kind of path
        text = None
    if not isinstance(text, str):
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


def _security_faults(value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield "security_configuration", f"must be a mapping of names to paths, not {described(value)}"
    elif value.get("csms_ca_bundle"):
        yield from _path_faults("security_configuration.csms_ca_bundle", value["csms_ca_bundle"])


def _store_faults(value: Any) -> Iterator[tuple[str, str]]:
    if value is None or isinstance(value, Journal):
        return
    if isinstance(value, type):
        yield "store", f"must be a Store or a Journal, not the class {described(value.__name__)}"
        return
    for fault in faults(Store, value):
        yield "store", f"is neither a Journal nor a Store: {fault}"
    try:
        value.is_volatile  # noqa: B018 - whether it can be read
    except Exception:
        yield "store", "is neither a Journal nor a Store: is_volatile is missing"


def _connector_faults(value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if not callable(value):
        yield "connector", f"must be an async function of an endpoint, not {described(value)}"
        return
    try:
        inspect.signature(value).bind("endpoint")
    except TypeError:
        yield "connector", "must take one argument, the endpoint"
    except ValueError:  # a built-in without a signature
        return
