"""Members of payloads, which may be anything: None where it is not of the kind that is asked for."""

import re
from typing import Any, Final

from ocpp16.codec import parse_datetime_tolerant

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def whole(payload: Any, name: str) -> int | None:
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if type(value) is int else None


def whole_in_any_form(payload: Any, name: str) -> int | None:
    """One that is a text, too: that it must not be was told, and those who wrote it go on with it."""
    value = payload.get(name) if isinstance(payload, dict) else None
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    return whole(payload, name)


def text(payload: Any, name: str) -> str | None:
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if isinstance(value, str) else None


def rows(payload: Any, name: str) -> list[dict[str, Any]]:
    """The objects of a list."""
    value = payload.get(name) if isinstance(payload, dict) else None
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def part(payload: Any, name: str) -> dict[str, Any]:
    """An object, {} where there is none."""
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if isinstance(value, dict) else {}


def time(payload: Any, name: str = "timestamp") -> int | None:
    """µs since 1970."""
    return time_of(text(payload, name))


def time_of(value: str | None) -> int | None:
    """µs since 1970; None for what is no time."""
    if not value:
        return None
    try:
        return parse_datetime_tolerant(value)
    except ValueError:
        return None
