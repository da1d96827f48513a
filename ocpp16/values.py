"""Checks of single values where the host's world meets ours: a number, a time, a text, a word of an enumeration.

Rules of this file:
1. A value that cannot mean what its argument says is refused with a ValueError that names the argument and shows the
   value on one line, whatever it is: its `repr` may raise, or have no end.
2. What is taken comes back, an enumeration as its member. Nothing else is converted: a text of digits is no number, and
   a bool is none either, though Python counts with it.
3. A text must have a form in UTF-8: a lone surrogate (an undecodable byte read with `surrogateescape`) has none.
"""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Any, TypeVar

from ocpp16.faults import obey_exit
from ocpp16.texts import shown

INT32_LOW, INT32_HIGH = -(2**31), 2**31 - 1
"""What a Central System can be expected to keep of a whole number (OCPP 1.6 names no size)."""

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


def finite(value: Any, name: str) -> float:
    """`value`, if it is an int or a float within the range of float, neither NaN nor infinite. Raises ValueError."""
    if type(value) is float and isfinite(value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            if isfinite(value):
                return value
        except OverflowError:  # an int that no float can hold
            pass
    raise ValueError(f"{name} must be a finite number, not {described(value)}")


def whole(value: Any, name: str, low: int = INT32_LOW, high: int = INT32_HIGH) -> int:
    """`value`, if it is an int from `low` to `high`, both included. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise ValueError(f"{name} must be a whole number from {low} to {high}, not {described(value)}")


def register(value: Any, name: str) -> float:
    """`value`, if it is a finite number whose nearest whole one has 32 bits: what StartTransaction, StopTransaction and
    a Central System can be expected to keep of a meter's register. Raises ValueError."""
    number = finite(value, name)
    if INT32_LOW - 0.5 <= number < INT32_HIGH + 0.5:
        return number
    raise ValueError(f"{name} must fit into 32 bits, not {described(number)}")


def flag(value: Any, name: str) -> bool:
    """`value`, if it is True or False. Raises ValueError."""
    if value is True or value is False:
        return bool(value)
    raise ValueError(f"{name} must be True or False, not {described(value)}")


def text(value: Any, name: str, limit: int | None = None, least: int = 0) -> str:
    """`value`, if it is text of `least` to `limit` characters that UTF-8 can carry. Raises ValueError."""
    if not isinstance(value, str) or len(value) < least or (limit is not None and len(value) > limit):
        if limit is not None:
            size = f" of {least} to {limit} characters"
        else:
            size = f" of at least {least} characters" if least else ""
        raise ValueError(f"{name} must be text{size}, not {described(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} must be text that UTF-8 can carry, not {described(value)}") from None
    return value


def items(value: Any, name: str, what: str) -> list[Any]:
    """What a collection holds; a text is none, though it has letters. `what` they should be. Raises ValueError."""
    if isinstance(value, str | bytes | bytearray) or not isinstance(value, Iterable):
        raise ValueError(f"{name} must be a collection of {what}, not {described(value)}")
    return list(value)


def aware(value: Any, name: str) -> datetime:
    """`value`, if it is a datetime with a zone. Raises ValueError."""
    if isinstance(value, datetime):
        try:
            if value.utcoffset() is not None:
                return value
        except BaseException as fault:  # of the host's own tzinfo: one that fails is none
            obey_exit(fault)
        raise ValueError(f"{name} must be a time with a zone, not {described(value)}")
    raise ValueError(f"{name} must be a datetime with a zone, not {described(value)}")


def member(kind: type[E], value: Any, name: str) -> E:
    """The member of `kind` that `value` is, or whose text it is. Raises ValueError."""
    if isinstance(value, kind):
        return value
    if isinstance(value, str):
        try:
            return kind(value)
        except ValueError:
            pass
    words = shown(", ".join(kind), 400)
    raise ValueError(f"{name} must be one of {words}, not {described(value)}")


def exactly(kind: type[T], value: Any, name: str) -> T:
    """`value`, if it is a `kind`. Of a subclass, which may have forgotten the checks of its base, a copy that passed
    them. Raises ValueError that names it."""
    if type(value) is kind:
        return value
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be of type {kind.__name__}, not {described(value)}")
    try:
        return kind(**{member.name: getattr(value, member.name) for member in fields(kind)})  # type: ignore[arg-type]
    except Exception as error:
        raise ValueError(f"{name} must be of type {kind.__name__}, not {described(value)}: {error}") from error


def described(value: Any) -> str:
    """`value` in a few words for an error text; of foreign types only the name."""
    if isinstance(value, str):
        return shown(repr(value[:100]) if len(value) <= 100 else f"{value[:100]!r}…", 120)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"  # Python refuses to write out very long ones
    if type(value) is datetime:
        return str(value.replace(tzinfo=None))  # its zone may raise
    if value is None or type(value) in (int, float, bool):
        return repr(value)
    return shown(type(value).__name__, 60)
