"""Values out of JSON, checked: options of the station and arguments of its commands are of the same kinds."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

Check = Callable[[Any], Any]
"""What a value means. Raises ValueError with a sentence about what it must be."""


def is_whole(value: Any) -> bool:
    """A whole number, which true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def whole(lowest: int, highest: int) -> Check:
    """A whole number within limits."""

    def check(value: Any) -> int:
        if not is_whole(value) or not lowest <= value <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        result: int = value
        return result

    return check


def number(lowest: float, highest: float) -> Check:
    """A number within limits; NaN is within none."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise ValueError(f"must be a number from {lowest:g} to {highest:g}")
        return float(value)

    return check


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def one_of(values: type[StrEnum], *but: str) -> Check:
    """One of the values of an enumeration, spelt as it has them."""
    allowed = tuple(str(value) for value in values if value not in but)

    def check(value: Any) -> StrEnum:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return values(value)

    return check
