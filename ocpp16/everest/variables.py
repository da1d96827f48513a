"""Configuration keys, by the words of OCPP 1.6 (`main`) and by those of OCPP 2.0.1 (`ocpp_generic`).

Of a ComponentVariable only `variable.name` counts, the name of a key. Keys that are monitored are told whenever they
change.
"""

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from ocpp16.enums import ConfigurationStatus
from ocpp16.everest.border import Part, rfc3339
from ocpp16.everest.side import EverestSide

__all__ = ["SET", "UNKNOWN_VARIABLE", "Variables", "refused", "requests_of"]

LONGEST_NAME: Final = 50
LONGEST_VALUE: Final = 2_500
UNKNOWN_VARIABLE: Final = "UnknownVariable"
SET: Final[Mapping[ConfigurationStatus, str]] = MappingProxyType(
    {
        ConfigurationStatus.ACCEPTED: "Accepted",
        ConfigurationStatus.REJECTED: "Rejected",
        ConfigurationStatus.REBOOT_REQUIRED: "RebootRequired",
        ConfigurationStatus.NOT_SUPPORTED: UNKNOWN_VARIABLE,
    }
)
"""Answer of ChangeConfiguration → SetVariableStatusEnumType."""
TRIGGER: Final = "Alerting"
NOTIFICATION: Final = "CustomMonitor"


class AttributeEnum(StrEnum):
    ACTUAL = "Actual"
    TARGET = "Target"
    MIN_SET = "MinSet"
    MAX_SET = "MaxSet"


class Variables:
    """Of one charge point."""

    def __init__(self, charge_point: Any, side: EverestSide) -> None:
        self._charge_point = charge_point
        self._side = side
        self._monitored: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def get_configuration_key(self, arguments: Part) -> dict[str, Any]:
        found = self._charge_point.configuration.get(arguments.texts("keys"))
        return {
            "configuration_keys": [_key_value(row) for row in found["configurationKey"]],
            "unknown_keys": list(found["unknownKey"]),
        }

    def set_configuration_key(self, arguments: Part) -> str:
        key, value = arguments.text("key", is_needed=True), arguments.text("value", is_needed=True)
        if key is None or value is None:
            return str(ConfigurationStatus.REJECTED)
        return str(self._charge_point.configuration.set(key, value))

    def monitor_configuration_keys(self, arguments: Part) -> None:
        for key in arguments.texts("keys", is_needed=True):
            self._monitor("main", key, partial(self._key_changed, key))

    def get_variables(self, arguments: Part) -> list[dict[str, Any]]:
        return [self._got(request) for request in arguments.parts("requests", is_needed=True)]

    def set_variables(self, arguments: Part) -> list[dict[str, Any]]:
        return [self._set(request) for request in arguments.parts("requests", is_needed=True)]

    def monitor_variables(self, arguments: Part) -> None:
        for variable in arguments.parts("component_variables", is_needed=True):
            key, identity = named(variable)
            if key is not None:
                self._monitor("ocpp_generic", key, partial(self._variable_changed, identity))

    def monitor_and_get_variables(self, arguments: Part) -> list[dict[str, Any]]:
        """Monitored first, so that no change is missed between the two."""
        self.monitor_variables(arguments)
        return [self._got(request) for request in requests_of(arguments)]

    def _got(self, request: Part) -> dict[str, Any]:
        """Named by its key alone, as EVerest's own module does; whatever attribute is asked for, there is the actual
        value only."""
        key = _named(request)[0]
        named = {"component_variable": _by_key(key)}
        found = [] if key is None else self._charge_point.configuration.get([key])["configurationKey"]
        if not found or found[0].get("value") is None:
            return {"status": UNKNOWN_VARIABLE, **named}
        value = found[0]["value"][:LONGEST_VALUE]
        return {"status": "Accepted", "attribute_type": str(AttributeEnum.ACTUAL), "value": value, **named}

    def _set(self, request: Part) -> dict[str, Any]:
        key, identity = _named(request)
        result = {"component_variable": identity}
        value = request.text("value", is_needed=True)
        if key is None:
            return {"status": UNKNOWN_VARIABLE, **result}
        if value is None:
            return {"status": "Rejected", **result}
        return {"status": SET[self._charge_point.configuration.set(key, value)], **result}

    def _monitor(self, implementation: str, key: str, callback: Any) -> None:
        """Raises nothing for a key that is not there: the others are monitored."""
        with self._lock:
            if (implementation, key.lower()) in self._monitored:
                return
            try:
                self._charge_point.on_change(key, callback)
            except ValueError as error:
                self._side.log.warning("a key to be monitored: %s", str(error), about=key)
                return
            self._monitored.add((implementation, key.lower()))

    def _key_changed(self, key: str, old: str, new: str) -> None:
        rows = self._charge_point.configuration.get([key])["configurationKey"]
        if rows:  # else one that nobody may read
            self._side.publish("main", "configuration_key", {**_key_value(rows[0]), "value": new})

    def _variable_changed(self, identity: Mapping[str, Any], old: str, new: str) -> None:
        if not self._charge_point.configuration.get([identity["variable"]["name"]])["configurationKey"]:
            return  # one that nobody may read
        event = {
            "component_variable": identity,
            "event_id": 0,
            "timestamp": rfc3339(self._charge_point.for_station.local_time().astimezone(UTC)),
            "trigger": TRIGGER,
            "actual_value": new[:LONGEST_VALUE],
            "event_notification_type": NOTIFICATION,
        }
        self._side.publish("ocpp_generic", "event_data", event)


def named(variable: Part) -> tuple[str | None, dict[str, Any]]:
    """The key that a ComponentVariable means, and what it is called in answers: as it was given, where that has all
    that it must have."""
    inner = variable.part("variable", is_needed=True)
    key = None if inner is None else inner.text("name", LONGEST_NAME, is_needed=True)
    component = variable.part("component")
    if key is not None and component is not None and component.text("name", LONGEST_NAME) is not None:
        return key, dict(variable.members)
    return key, _by_key(key)


def refused(requests: Iterable[Part]) -> list[dict[str, Any]]:
    """An answer for each request, none of which could be looked at."""
    answers = []
    for request in requests:
        result = {"status": "Rejected", "component_variable": _named(request)[1]}
        attribute = request.word(AttributeEnum, "attribute_type")
        answers.append(result if attribute is None else {**result, "attribute_type": str(attribute)})
    return answers


def requests_of(arguments: Part) -> list[Part]:
    """The requests of `get_variables` for these `component_variables`."""
    variables = arguments.parts("component_variables", is_needed=True)
    return [Part({"component_variable": one.members}, one.place, one.log) for one in variables]


def _named(request: Part) -> tuple[str | None, dict[str, Any]]:
    variable = request.part("component_variable", is_needed=True)
    return named(variable if variable is not None else Part({}, request.place, request.log))


def _by_key(key: str | None) -> dict[str, Any]:
    return {"component": {"name": ""}, "variable": {"name": key or ""}}


def _key_value(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {"key": row["key"], "read_only": row["readonly"]}
    if row.get("value") is not None:
        found["value"] = row["value"]
    return found
