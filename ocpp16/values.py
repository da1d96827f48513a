"""Checks of single values where the host's world meets ours: a number, a time, a text, a word of an enumeration.

Rules of this file:
1. A value that cannot mean what its argument says is refused with a ValueError that names the argument and shows the
   value on one line, whatever it is: its `repr` may raise, or have no end.
2. What is taken comes back, an enumeration as its member. Nothing else is converted: a text of digits is no number, and
   a bool is none either, though Python counts with it. Of a subclass of Python's types the plain value comes back: what
   it says of its length, its equality or its hash is code of the host, which would run in the middle of ours.
3. A text must have a form in UTF-8: a lone surrogate (an undecodable byte read with `surrogateescape`) has none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timezone
from enum import StrEnum
from itertools import islice
from math import isfinite
from typing import Any, NoReturn, TypeVar

from ocpp16.faults import obey_exit, sentence
from ocpp16.texts import kind_of, plain, shown

INT32_LOW, INT32_HIGH = -(2**31), 2**31 - 1
"""What a Central System can be expected to keep of a whole number (OCPP 1.6 names no size)."""

MOST_ITEMS = 100_000
"""Members of a collection of the host: what gives more, perhaps without end, is none."""
DEPTH = 64
"""Levels of a document, as of a frame."""

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


def is_a(value: Any, kind: type | tuple[type, ...]) -> bool:
    """Is it one? Unlike `isinstance`, this does not ask the value, which may say that it is of any class."""
    return issubclass(type(value), kind)


def finite(value: Any, name: str) -> float:
    """`value`, if it is an int or a float within the range of float, neither NaN nor infinite. Raises ValueError."""
    if type(value) is float and isfinite(value):
        return value
    if is_a(value, (int, float)) and not is_a(value, bool):
        number = float.__float__(value) if is_a(value, float) else int.__int__(value)
        try:
            if isfinite(number):
                return number
        except OverflowError:  # an int that no float can hold
            pass
    raise ValueError(f"{name} must be a finite number, not {described(value)}")


def finite_or_none(value: Any, name: str) -> float | None:
    """The same, where there may be none."""
    return None if value is None else finite(value, name)


def whole(value: Any, name: str, low: int = INT32_LOW, high: int = INT32_HIGH) -> int:
    """`value`, if it is an int from `low` to `high`, both included. Raises ValueError."""
    if is_a(value, int) and not is_a(value, bool):
        number = int.__int__(value)
        if low <= number <= high:
            return number
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
    whole_text = plain(value) if is_a(value, str) else None
    if whole_text is None or len(whole_text) < least or (limit is not None and len(whole_text) > limit):
        if limit is not None:
            size = f" of {least} to {limit} characters"
        else:
            size = f" of at least {least} characters" if least else ""
        raise ValueError(f"{name} must be text{size}, not {described(value)}")
    if not whole_text.isascii():
        try:
            whole_text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} must be text that UTF-8 can carry, not {described(value)}") from None
    return whole_text


def items(value: Any, name: str, what: str) -> list[Any]:
    """What a collection holds; a text is none, though it has letters. `what` they should be. Raises ValueError."""
    if is_a(value, (str, bytes, bytearray)) or not is_a(value, (Iterable,)):
        raise ValueError(f"{name} must be a collection of {what}, not {described(value)}")
    try:
        found = list(islice(value, MOST_ITEMS + 1))
    except BaseException as fault:  # of the host's own collection
        obey_exit(fault)
        raise ValueError(f"{name} must be a collection of {what}; {described(value)}: {sentence(fault)}") from None
    if len(found) > MOST_ITEMS:
        raise ValueError(f"{name} must have {MOST_ITEMS:,} members at most")
    return found


def pairs(value: Any, name: str) -> list[tuple[Any, Any]]:
    """What a mapping holds, name and value. Raises ValueError."""
    if not is_a(value, (Mapping,)):
        raise ValueError(f"{name} must be a mapping, not {described(value)}")
    try:
        return [(key, value[key]) for key in items(value, name, "names")]
    except BaseException as fault:  # of the host's own mapping
        obey_exit(fault)
        if type(fault) is ValueError:
            raise
        raise ValueError(f"{name} cannot be read: {sentence(fault)}") from None


def aware(value: Any, name: str) -> datetime:
    """`value`, if it is a datetime with a zone; of zones and subclasses of others with the offset that they say now.
    Raises ValueError."""
    if type(value) is datetime and type(value.tzinfo) is timezone:
        return value
    if is_a(value, datetime):
        try:
            offset = value.utcoffset()
            if offset is not None:
                return datetime.combine(datetime.date(value), datetime.time(value), timezone(offset))
        except BaseException as fault:  # of the host's own tzinfo: one that fails is none
            obey_exit(fault)
        raise ValueError(f"{name} must be a time with a zone, not {described(value)}")
    raise ValueError(f"{name} must be a datetime with a zone, not {described(value)}")


def document(value: Any, name: str) -> dict[str, Any]:
    """A copy of `value`, if it is a mapping as JSON has them, `DEPTH` levels deep at most. Raises ValueError."""
    if not is_a(value, (Mapping,)):
        raise ValueError(f"{name} must be a mapping, not {described(value)}")
    try:
        copied: dict[str, Any] = _copied(value, DEPTH, [MOST_ITEMS])
    except BaseException as fault:  # of the host's own mapping
        obey_exit(fault)
        why = shown(fault) if type(fault) is ValueError else sentence(fault)
        raise ValueError(f"{name} must be a mapping as JSON has them: {why}") from None
    return copied


def _copied(value: Any, depth: int, left: list[int]) -> Any:
    if not depth:
        raise ValueError(f"it is more than {DEPTH} levels deep")
    if is_a(value, (Mapping,)):
        return {text(key, "a name"): _copied(value[key], depth - 1, left) for key in _counted(value, left)}
    if is_a(value, (list, tuple)):
        return [_copied(member, depth - 1, left) for member in _counted(value, left)]
    if is_a(value, str):
        return text(value, "a value")
    if value is None or is_a(value, bool):
        return value
    if is_a(value, int):
        return int.__int__(value)
    return finite(value, "a value")


def _counted(members: Iterable[Any], left: list[int]) -> Iterator[Any]:
    for member in members:
        left[0] -= 1
        if left[0] < 0:
            raise ValueError(f"it has more than {MOST_ITEMS:,} members")
        yield member


def member(kind: type[E], value: Any, name: str) -> E:
    """The member of `kind` that `value` is, or whose text it is. Raises ValueError."""
    if type(value) is kind:
        return value
    if is_a(value, str):
        try:
            return kind(plain(value))
        except ValueError:
            pass
    words = shown(", ".join(kind), 400)
    raise ValueError(f"{name} must be one of {words}, not {described(value)}")


def exactly(kind: type[T], value: Any, name: str) -> T:
    """`value`, if it is a `kind`. Of a subclass, which may have forgotten the checks of its base, a copy that passed
    them. Raises ValueError that names it."""
    if type(value) is kind:
        return value
    if not is_a(value, kind):
        raise ValueError(f"{name} must be of type {kind.__name__}, not {described(value)}")
    try:
        return kind(**{member.name: getattr(value, member.name) for member in fields(kind)})  # type: ignore[arg-type]
    except BaseException as fault:
        obey_exit(fault)
        why = shown(fault) if type(fault) is ValueError else sentence(fault)
        raise ValueError(f"{name} must be of type {kind.__name__}, not {described(value)}: {why}") from fault


def no_json_number(word: str) -> NoReturn:
    """For `parse_constant` of `json.loads`: NaN and Infinity are no JSON (RFC 8259 §6). Raises ValueError."""
    raise ValueError(f"{word} is no JSON")


def described(value: Any) -> str:
    """`value` in a few words for an error text; of foreign types only the name."""
    if is_a(value, str):
        whole_text = plain(value)
        return shown(repr(whole_text[:100]) if len(whole_text) <= 100 else f"{whole_text[:100]!r}…", 120)
    if type(value) is int and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"  # Python refuses to write out very long ones
    if type(value) is datetime:
        return str(value.replace(tzinfo=None))  # its zone may raise
    if value is None or type(value) in (int, float, bool):
        return repr(value)
    return shown(kind_of(value), 60)
