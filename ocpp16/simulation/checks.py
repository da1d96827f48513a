"""Checks of values as JSON has them, for options, arguments of commands and answers put into the station's mouth.

A check returns what the value means, or raises ValueError with a sentence without a subject ("must be …").
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)

Check = Callable[[Any], Any]


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def whole(lowest: int, highest: int) -> Callable[[Any], int]:
    """A whole number within limits."""

    def check(value: Any) -> int:
        if not is_whole(value) or not lowest <= value <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        result: int = value
        return result

    return check


def number(lowest: float, highest: float) -> Callable[[Any], float]:
    """A number within limits; NaN is within none."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise ValueError(f"must be a number from {lowest:g} to {highest:g}")
        return float(value)

    return check


def flag(value: Any) -> bool:
    """true or false, and nothing that counts as one of them."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def one_of(values: type[E], *but: str) -> Callable[[Any], E]:
    """One of the values of an enumeration, spelt as on the wire."""
    allowed = tuple(str(value) for value in values if value not in but)

    def check(value: Any) -> E:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return values(value)

    return check
