"""The repairs that tolerance can make, by name, and how each mends a payload.

A repair looks at one place where a rule is broken and says whether it changed anything. It has one plausible meaning
or does nothing, and what it changed is closer to the schema than before, so that repairing ends.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

from ocpp16._core import format_datetime, json_text, parse_datetime_tolerant
from ocpp16.messages.actions import TOLERATED_VALUES

__all__ = ["PAYLOAD_REPAIRS", "Place", "Repair"]


class Repair(StrEnum):
    """The names. Made by default: the first eleven."""

    NULL_MEMBERS = "null_members"
    """A member that is null counts as absent, a required one too."""
    NULL_PAYLOAD = "null_payload"
    """null in place of {}."""
    UNKNOWN_MEMBERS = "unknown_members"
    """Members that the message does not have are left out."""
    INTEGRAL_FLOATS = "integral_floats"
    """30.0 for an integer."""
    DATE_TIMES = "date_times"
    """No zone (UTC), offsets without colon or minutes, a blank for the T, a comma; an empty text counts as absent."""
    MESSAGE_IDS = "message_ids"
    """Integers and texts of more than 36 characters as message id; the answer carries them back unchanged."""
    DATA_TRANSFER_OBJECT = "data_transfer_object"
    """An object as DataTransfer `data` becomes its JSON text."""
    ENUMERATION_NAMES = "enumeration_names"
    """Names known to be written for a value (`TOLERATED_VALUES`)."""
    CALL_ERRORS = "call_errors"
    """CALLERROR with three or four elements, description or details of another type; other spellings of its code."""

    BYTE_ORDER_MARK = "byte_order_mark"
    """A UTF-8 byte order mark before the frame."""
    BINARY_FRAMES = "binary_frames"
    """A binary WebSocket message that holds UTF-8 text. Made where bytes become text (`transport.websocket`)."""

    ABSENT_PAYLOAD = "absent_payload"
    """`[3, "id"]`."""
    EMPTY_IDS = "empty_ids"
    """An empty message id."""
    NULL_TEXT = "null_text"
    """The text "null" where a number is due counts as absent."""
    NUMBER_TEXT = "number_text"
    """A number as text."""
    PLAIN_VALUES = "plain_values"
    """A number, true or false where text is due."""
    FRACTIONAL_INTEGERS = "fractional_integers"
    """An integer with a fraction is rounded."""
    DECIMALS = "decimals"
    """More than one decimal place is rounded."""
    SINGLE_ELEMENTS = "single_elements"
    """A single value where an array is due."""
    EMPTY_ARRAYS = "empty_arrays"
    """An empty array where one element is the least counts as absent."""
    EMPTY_ENUMERATIONS = "empty_enumerations"
    """An empty text for an enumeration counts as absent."""
    ENUMERATION_CASE = "enumeration_case"
    """A value of an enumeration in another case."""
    RUNNING_COST = "running_cost"
    """CostMsg.RunningCost with `time` for `timestamp`, without chargingPrice, with its transactionId as text."""


class Place(NamedTuple):
    """Where a rule may be broken: `holder[key]`; what the rule asks for; whose payload it is."""

    holder: Any
    key: Any
    limit: Any
    action: str

    @property
    def value(self) -> Any:
        """The value there, or None."""
        if isinstance(self.holder, dict):
            return self.holder.get(self.key)
        return self.holder[self.key]

    def put(self, value: Any) -> bool:
        self.holder[self.key] = value
        return True

    def leave_out(self) -> bool:
        """Remove the member; elements of an array stay, since their position may mean something."""
        if not isinstance(self.holder, dict) or self.key not in self.holder:
            return False
        del self.holder[self.key]
        return True


_INTEGER = re.compile(r"-?[0-9]{1,15}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_EXACT = 2.0**53
"""Up to here every integer is a float."""


def _null_member(place: Place) -> bool:
    if isinstance(place.holder, dict) and place.key not in place.holder:
        return False
    return place.value is None and place.leave_out()


def _null_unknown_members(place: Place) -> bool:
    return _drop(place.holder, [k for k, v in place.holder.items() if v is None and k not in place.limit])


def _unknown_members(place: Place) -> bool:
    return _drop(place.holder, [key for key in place.holder if key not in place.limit])


def _drop(holder: dict[str, Any], keys: list[str]) -> bool:
    for key in keys:
        del holder[key]
    return bool(keys)


def _integral_float(place: Place) -> bool:
    value = place.value
    if place.limit != "integer" or not isinstance(value, float) or not value.is_integer() or abs(value) > _EXACT:
        return False
    return place.put(int(value))


def _fractional_integer(place: Place) -> bool:
    value = place.value
    if place.limit != "integer" or not isinstance(value, float) or not abs(value) <= _EXACT:
        return False
    return place.put(round(value))


def _date_time(place: Place) -> bool:
    if place.value == "":
        return place.leave_out()
    try:
        micros = parse_datetime_tolerant(place.value)
    except (TypeError, ValueError):
        return False
    text = format_datetime(micros, 6 if micros % 1000 else 3 if micros % 1_000_000 else 0)
    return text != place.value and place.put(text)


def _data_transfer_object(place: Place) -> bool:
    if place.action != "DataTransfer" or place.key != "data" or type(place.value) is not dict:
        return False
    return _put_json(place)


def _put_json(place: Place) -> bool:
    try:
        return place.put(json_text(place.value))
    except (TypeError, ValueError):  # what is nested too deep cannot be written
        return False


def _enumeration_name(place: Place) -> bool:
    replacements = TOLERATED_VALUES.get(place.limit, {})
    if not isinstance(place.value, str) or place.value not in replacements:
        return False
    replacement = replacements[place.value]
    return place.leave_out() if replacement is None else place.put(replacement)


def _enumeration_case(place: Place) -> bool:
    if not isinstance(place.value, str):
        return False
    same = [known for known in place.limit if known.casefold() == place.value.casefold()]
    return len(same) == 1 and same[0] != place.value and place.put(same[0])


def _empty_value(place: Place) -> bool:
    return place.value in ("", []) and place.leave_out()


def _null_text(place: Place) -> bool:
    return place.limit in ("integer", "number") and place.value == "null" and place.leave_out()


def _number_text(place: Place) -> bool:
    if not isinstance(place.value, str):
        return False
    if place.limit == "integer" and _INTEGER.fullmatch(place.value):
        return place.put(int(place.value))
    return place.limit == "number" and bool(_DECIMAL.fullmatch(place.value)) and place.put(float(place.value))


def _plain_value(place: Place) -> bool:
    if place.limit != "string" or not isinstance(place.value, bool | int | float):
        return False
    return _put_json(place)


def _decimals(place: Place) -> bool:
    return isinstance(place.value, float) and place.put(round(place.value, 1))


def _single_element(place: Place) -> bool:
    value = place.value
    return place.limit == "array" and value is not None and not isinstance(value, list) and place.put([value])


def _running_cost(place: Place) -> bool:
    if place.action != "CostMsg.RunningCost" or not isinstance(place.holder, dict):
        return False
    if place.key == "time" and "timestamp" not in place.holder and "time" in place.holder:
        place.holder["timestamp"] = place.holder.pop("time")
        return True
    if place.key == "chargingPrice" and "chargingPrice" not in place.holder:
        return place.put({})
    return place.key == "transactionId" and place.limit == "integer" and _number_text(place)


_Mend = Callable[[Place], bool]
# Broken rule → repairs that may help, in the order they are tried.
PAYLOAD_REPAIRS: Final[dict[str, tuple[tuple[Repair, _Mend], ...]]] = {
    "type": (
        (Repair.NULL_MEMBERS, _null_member),
        (Repair.INTEGRAL_FLOATS, _integral_float),
        (Repair.DATA_TRANSFER_OBJECT, _data_transfer_object),
        (Repair.NULL_TEXT, _null_text),
        (Repair.NUMBER_TEXT, _number_text),
        (Repair.PLAIN_VALUES, _plain_value),
        (Repair.FRACTIONAL_INTEGERS, _fractional_integer),
        (Repair.SINGLE_ELEMENTS, _single_element),
        (Repair.RUNNING_COST, _running_cost),
    ),
    "required": ((Repair.RUNNING_COST, _running_cost),),
    "format": ((Repair.DATE_TIMES, _date_time),),
    "enum": (
        (Repair.ENUMERATION_NAMES, _enumeration_name),
        (Repair.EMPTY_ENUMERATIONS, _empty_value),
        (Repair.ENUMERATION_CASE, _enumeration_case),
    ),
    "multipleOf": ((Repair.DECIMALS, _decimals),),
    "minItems": ((Repair.EMPTY_ARRAYS, _empty_value),),
    "additionalProperties": (
        (Repair.NULL_MEMBERS, _null_unknown_members),
        (Repair.RUNNING_COST, _running_cost),
        (Repair.UNKNOWN_MEMBERS, _unknown_members),
    ),
}
