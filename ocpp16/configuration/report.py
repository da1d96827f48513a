"""GetConfiguration (OCPP 1.6 ed. 2 §5.8): which keys are told, and by which text.

- Key names are compared without regard to case, answers have the canonical spelling.
- A request that names more than GetConfigurationMaxKeys keys is answered for the first that many; the rest is neither
  found nor unknown. Who names none gets all; what a message has no room for is cut by
  `profiles/settings`.
- A value of more than 500 characters never breaks the answer: lists lose items at the end, texts are cut, JSON
  objects are reported without value.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

from ocpp16.configuration import key_families
from ocpp16.configuration.key import WIRE_TEXT_LIMIT, Access, Key
from ocpp16.configuration.keys.core import GET_CONFIGURATION_MAX_KEYS, NUMBER_OF_CONNECTORS, SUPPORTED_FEATURE_PROFILES
from ocpp16.configuration.keys.internal import AUTHORIZE_CONNECTOR_ZERO_ON_CONNECTOR_ONE, LOG_MESSAGES
from ocpp16.configuration.layers import Layers


class _KeyValueName(TypedDict):
    key: str
    readonly: bool


class KeyValue(_KeyValueName, total=False):
    """OCPP 1.6 ed. 2 §7.29, as on the wire. Without `value`: known but without one, or too long for the wire."""

    value: str


def report(layers: Layers, names: Sequence[str] | None) -> tuple[list[KeyValue], list[str]]:
    """See `Configuration.report`."""
    if not names:
        return list(_all(layers)), []
    found: list[KeyValue] = []
    unknown: list[str] = []
    for name in names[: layers[GET_CONFIGURATION_MAX_KEYS] or None]:
        row = _row(layers, name)
        if row is None:
            unknown.append(name)
        else:
            found.append(row)
    return found, unknown


def text_on_the_wire(
    layers: Layers, key: Key[Any], entry: key_families.FamilyEntry | None, get: key_families.Get
) -> str | None:
    """The text of a key, or of one entry of many, with the values of `get`. None: absent, or none that fits."""
    if entry is not None:
        again = entry.family.find(entry.name, get)
        return None if again is None else again.text
    value = get(key)
    if value is None:
        return None
    if key is SUPPORTED_FEATURE_PROFILES:
        value = tuple(name for name in value if layers.is_built(name))
    elif key is AUTHORIZE_CONNECTOR_ZERO_ON_CONNECTOR_ONE:
        value = value and get(NUMBER_OF_CONNECTORS) == 1
    elif key is LOG_MESSAGES:
        value = value and layers.is_recorded
    text = key.format(value)
    return text if len(text) <= WIRE_TEXT_LIMIT else key.kind.shortened(value, WIRE_TEXT_LIMIT)


def _all(layers: Layers) -> Iterator[KeyValue]:
    for key in layers.all_keys():
        if not (layers.is_known(key) and layers.has_value(key)) or layers.access(key) in (Access.WO, Access.HIDDEN):
            continue
        family = key_families.BY_KEY.get(key)
        if family is None:
            yield _key_value(layers, key, key.name, text_on_the_wire(layers, key, None, layers.__getitem__))
        else:
            for entry in family.entries(layers.__getitem__):
                yield _key_value(layers, key, entry.name, entry.text)


def _row(layers: Layers, name: str) -> KeyValue | None:
    key, entry = layers.addressed(name, layers.__getitem__)
    if key is None or not layers.is_known(key) or layers.access(key) in (Access.WO, Access.HIDDEN):
        return None
    if entry is not None:
        return _key_value(layers, key, entry.name, entry.text)
    if layers.has_value(key):
        return _key_value(layers, key, key.name, text_on_the_wire(layers, key, None, layers.__getitem__))
    return _key_value(layers, key, key.name, None) if key.is_creatable else None


def _key_value(layers: Layers, key: Key[Any], name: str, text: str | None) -> KeyValue:
    row: KeyValue = {"key": name, "readonly": layers.access(key) is Access.RO}
    if text is not None:
        row["value"] = text
    return row
