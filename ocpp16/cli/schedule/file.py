"""Scenarios of smart charging in a file: read, looked at member by member, found by name.

What a scenario means is `scenario`; here is what a person who wrote one by hand needs to hear: the file, the scenario,
the member, and what is wrong with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocpp16.cli.charge_point_options import MOST_CONNECTORS
from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.schedule.scenario import Scenario
from ocpp16.codec import parse_datetime_tolerant
from ocpp16.configuration.file import read_json_object
from ocpp16.configuration.keys import BY_NAME
from ocpp16.profiles.schedule_keys import SCHEDULE_KEYS
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """The scenarios of a file, each still as its document."""

    path: Path
    documents: Mapping[str, Any]
    """By name; without one, by number."""
    defaults: Mapping[str, Any]
    """`config_defaults`."""
    is_many: bool
    """Is it the form with `vectors`?"""

    @classmethod
    def read(cls, path: Path) -> "ScenarioFile":
        """Raises ConfigurationError for what is no JSON object, CommandFailed for what has no scenarios."""
        content = read_json_object(path)
        if "vectors" not in content:
            return cls(path, {_name(content, 1): content}, {}, is_many=False)
        vectors, defaults = content["vectors"], content.get("config_defaults", {})
        if not isinstance(vectors, list):
            raise CommandFailed(f"{path}: vectors must be a list of scenarios")
        if not isinstance(defaults, dict):
            raise CommandFailed(f"{path}: config_defaults must be an object")
        problem = _problem(defaults, _CONFIG, "config_defaults.", is_open=True)
        if problem is not None:
            raise CommandFailed(f"{path}: {problem}")
        documents: dict[str, Any] = {}
        for number, vector in enumerate(vectors, 1):
            name = _name(vector, number)
            if name in documents:
                raise CommandFailed(f"{path}: there are two scenarios named {name}")
            documents[name] = vector
        return cls(path, documents, defaults, is_many=True)

    def named(self, name: str | None) -> Sequence[str]:
        """This name, or all names. Raises CommandFailed for an unknown one, with one that is like it."""
        if name is None:
            return list(self.documents)
        if name not in self.documents:
            raise CommandFailed(f"{self.path}: there is no scenario {name}{did_you_mean(name, self.documents)}")
        return [name]

    def scenario(self, name: str) -> Scenario:
        """The scenario of this name, ready to be calculated. Raises CommandFailed naming the member that is wrong."""
        document = self.documents[name]
        problem = _scenario_problem(document)
        if problem is not None:
            raise CommandFailed(f"{self.path}: {name}: {problem}")
        relevant = {key: value for key, value in document.get("config", {}).items() if key in _CONFIG}
        try:
            own = {member: value for member, value in document.items() if member in _SCENARIO}
            return Scenario.from_json({**own, "name": name, "config": relevant}, self.defaults)
        except ValueError as error:
            raise CommandFailed(f"{self.path}: {error}") from error
        except OverflowError as error:
            raise CommandFailed(f"{self.path}: {name}: a number in config is too large") from error


def _name(document: Any, number: int) -> str:
    name = document.get("name") if isinstance(document, Mapping) else None
    # What cannot be printed is replaced (half a character of UTF-16, as JSON may hold it), or made visible.
    return f"#{number}" if name is None else shown(str(name).encode("utf-8", "replace").decode())


# What the members of a scenario must look like


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number_of_connectors(value: Any) -> bool:
    return _integer(value) and 0 <= value <= MOST_CONNECTORS


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _time(value: Any) -> bool:
    try:
        parse_datetime_tolerant(value)
    except (TypeError, ValueError):
        return False
    return True


def _or_null(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


_Shape = Mapping[str, tuple[bool, str, Callable[[Any], bool]]]
"""Member → is it required, what it must be, does a value fit."""

_SCENARIO: _Shape = {
    "name": (False, "a text", _of(str)),
    "note": (False, "a text", _of(str)),
    "now": (False, "an RFC 3339 time", _time),
    "connector": (True, "an integer", _integer),
    "transaction": (False, "an RFC 3339 time or null", _or_null(_time)),
    "transactionId": (False, "an integer", _or_null(_integer)),
    "transactions": (False, "an object", _object),
    "online": (False, "true or false", _of(bool)),
    "config": (False, "an object", _object),
    "profiles": (True, "a list", _of(list)),
    "request": (True, "an object", _object),
    "expected": (False, "an object", _or_null(_object)),
}
_TRANSACTION: _Shape = {
    "start": (True, "an RFC 3339 time", _time),
    "transactionId": (False, "an integer", _or_null(_integer)),
}
_REQUEST: _Shape = {
    "start": (True, "an RFC 3339 time", _time),
    "duration": (True, "an integer", _integer),
    "unit": (True, "A or W", lambda value: value in ("A", "W")),
}
_PROFILE: _Shape = {
    "connectorId": (True, "an integer", _integer),
    "csChargingProfiles": (True, "an object", _of(dict)),
}
_WHOLE = {"default_number_phases", "max_duration"}
_CONFIG: _Shape = {
    "NumberOfConnectors": (False, f"an integer from 0 to {MOST_CONNECTORS}", _number_of_connectors),
    **{key.name: (False, "a number", _number) for member, key in SCHEDULE_KEYS.items() if member not in _WHOLE},
    **{key.name: (False, "an integer", _integer) for member, key in SCHEDULE_KEYS.items() if member in _WHOLE},
    "IgnoredProfilePurposesOffline": (False, "a text", _of(str)),
    "AllowChargingProfileWithoutStartSchedule": (False, "true or false", _of(bool)),
}


def _problem(value: Any, shape: _Shape, place: str = "", *, is_open: bool = False) -> str | None:
    """What is wrong with an object; is_open: other configuration keys may be there, too.

    A scenario may have members of its author's, unless one looks like a slip in the name of one of ours.
    """
    if not isinstance(value, Mapping):
        return f"{place.rstrip('.') or 'a scenario'} must be an object"
    for name in value:
        if name in shape or (is_open and name.lower() in BY_NAME):
            continue
        hint = did_you_mean(name, shape)
        if hint or shape is not _SCENARIO:
            return f"{place}{name}: there is no such member{hint}"
    for name, (is_required, wanted, fits) in shape.items():
        if name not in value:
            if is_required:
                return f"{place}{name} is missing"
        elif not fits(value[name]):
            return f"{place}{name} must be {wanted}, not {value[name]!r:.60}"
    return None


def _scenario_problem(document: Any) -> str | None:
    return _problem(document, _SCENARIO) or next(filter(None, _deeper_problems(document)), None)


def _deeper_problems(document: Mapping[str, Any]) -> Iterator[str | None]:
    yield _problem(document["request"], _REQUEST, "request.")
    yield _problem(document.get("config", {}), _CONFIG, "config.", is_open=True)
    for connector, transaction in document.get("transactions", {}).items():
        if not connector.isdecimal():
            yield f"transactions.{connector}: the name must be the number of a connector"
        yield _problem(transaction, _TRANSACTION, f"transactions.{connector}.")
    for number, profile in enumerate(document["profiles"]):
        yield _problem(profile, _PROFILE, f"profiles[{number}].")
