"""Kinds of configuration values: how each is checked, normalised and written.

Each kind has four conversions, between the value in Python, its native JSON form in a file and its text on the wire.
`from_text` only changes the form and then calls `from_json`; there is one check, so ChangeConfiguration cannot accept
what the next start refuses. `from_json(to_json(v)) == v` holds for every value. All reasons are raised as ValueError
and name no value, because a value may be a secret.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ocpp16._core import parse_datetime_tolerant

INT32_MAXIMUM: Final = 2**31 - 1

_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


class ValueKind:
    """What kinds have in common: nothing is skipped, and too long a text is cut."""

    __slots__ = ()

    def skipped(self, native: Any) -> tuple[str, ...]:
        return ()

    def harmless(self, native: Any) -> Any:
        return native

    def shortened(self, value: Any, limit: int) -> str | None:
        return self.to_text(value)[:limit]

    def to_text(self, value: Any) -> str:
        return str(value)

    def to_json(self, value: Any) -> Any:
        return value


def checked_text(native: object) -> str:
    """The text, if it is one that can be written as UTF-8. A lone surrogate cannot, and would break every answer."""
    if not isinstance(native, str):
        raise ValueError("must be text")
    try:
        native.encode()
    except UnicodeEncodeError:
        raise ValueError("holds a character that is no Unicode character") from None
    return native


def _check_range(value: float, minimum: float | None, maximum: float | None) -> None:
    if minimum is not None and value < minimum:
        raise ValueError(f"must be at least {minimum}")
    if maximum is not None and value > maximum:
        raise ValueError(f"must be at most {maximum}")


def is_kept(number: float) -> bool:
    """Does a whole number fit into the file of changes?"""
    return -(2**63) <= number < 2**63


def check_length(text: str, minimum: int, maximum: int | None) -> None:
    if len(text) < minimum:
        raise ValueError("must not be empty" if minimum == 1 else f"must have at least {minimum} characters")
    if maximum is not None and len(text) > maximum:
        raise ValueError(f"has {len(text)} characters, at most {maximum} are allowed")


@dataclass(frozen=True, slots=True)
class Boolean(ValueKind):
    """bool. On the wire `true` or `false` in any case, and nothing else."""

    def from_json(self, native: object) -> bool:
        if not isinstance(native, bool):
            raise ValueError("must be true or false")
        return native

    def from_text(self, text: str) -> bool:
        lowered = text.lower()
        if lowered not in ("true", "false"):
            raise ValueError("must be true or false")
        return lowered == "true"

    def to_text(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Integer(ValueKind):
    """int. On the wire digits with or without a sign, at most 2**31 - 1; a file may hold 64 bits, or 30.0 for 30."""

    minimum: int | None = None
    maximum: int | None = None

    def from_json(self, native: object) -> int:
        if isinstance(native, bool) or not isinstance(native, int | float):
            raise ValueError("must be an integer")
        if isinstance(native, float) and not native.is_integer():
            raise ValueError("must be an integer")
        _check_range(native, self.minimum, self.maximum)
        if not is_kept(native):
            raise ValueError("must have 64 bits at most")
        return int(native)

    def from_text(self, text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError("must be an integer")
        value = int(text)
        _check_range(value, -INT32_MAXIMUM - 1, INT32_MAXIMUM)
        return self.from_json(value)


@dataclass(frozen=True, slots=True)
class Number(ValueKind):
    """float. On the wire a decimal number without exponent; whole numbers are written without a point."""

    minimum: float | None = None
    maximum: float | None = None

    def from_json(self, native: object) -> float:
        if isinstance(native, bool) or not isinstance(native, int | float):
            raise ValueError("must be a number")
        _check_range(native, self.minimum, self.maximum)
        if not abs(native) < 1e300:  # so written that NaN fails, too
            raise ValueError("must be a finite number")
        return float(native)

    def to_json(self, value: float) -> float:
        return int(value) if float(value).is_integer() else value

    def from_text(self, text: str) -> float:
        if not _NUMBER.fullmatch(text):
            raise ValueError("must be a number")
        value = float(text)
        _check_range(value, -INT32_MAXIMUM - 1, INT32_MAXIMUM)
        return self.from_json(value)

    def to_text(self, value: float) -> str:
        return format(Decimal(repr(self.to_json(value))), "f")


@dataclass(frozen=True, slots=True)
class Text(ValueKind):
    """str, with a length in characters or a set of choices (exact spelling)."""

    minimum_length: int = 0
    maximum_length: int | None = None
    choices: tuple[str, ...] = ()

    def from_json(self, native: object) -> str:
        text = checked_text(native)
        check_length(text, self.minimum_length, self.maximum_length)
        if self.choices and text not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}")
        return text

    def from_text(self, text: str) -> str:
        return self.from_json(text)


@dataclass(frozen=True, slots=True)
class CountryCode(Text):
    """str of two letters (ISO 3166), as certificates have it: other characters fit into none."""

    def from_json(self, native: object) -> str:
        text = checked_text(native)
        if not (len(text) == 2 and text.isascii() and text.isalpha()):
            raise ValueError("must be a country of two letters, as DE")
        return text


@dataclass(frozen=True, slots=True)
class TimeOffset(Text):
    """str `[+-]hh:mm`, hours up to 24."""

    def from_json(self, native: object) -> str:
        text = checked_text(native)
        check_length(text, self.minimum_length, self.maximum_length)
        match = re.fullmatch(r"[+-]?([0-9]{1,2}):([0-9]{1,2})", text, re.ASCII)
        if match is None or int(match[1]) > 24 or int(match[2]) > 59:
            raise ValueError("must be an offset as +01:00")
        return text


@dataclass(frozen=True, slots=True)
class DateTimeText(Text):
    """str with a date and time. Whether it lies in the future is for the caller to check: there is no clock here."""

    def from_json(self, native: object) -> str:
        text = checked_text(native)
        check_length(text, self.minimum_length, self.maximum_length)
        try:
            parse_datetime_tolerant(text)
        except ValueError:
            raise ValueError("must be a date and time as 2030-01-31T02:00:00Z") from None
        return text


@dataclass(frozen=True, slots=True)
class AuthorizationKey(ValueKind):
    """bytes: the password of HTTP Basic authentication, as it is put into the header.

    On the wire, by the mode `form` (key AuthorizationKeyForm):

    - `Hex`: 32 to 40 hexadecimal digits, two for each of 16 to 20 bytes (security white paper ed. 3, key
      AuthorizationKey). Nothing else is taken; whether the bytes are printable does not matter.
    - `Text`: the characters themselves, 16 to 40 bytes of UTF-8. For Central Systems that send a password as it is.

    In a file three forms, 8 to 100 bytes: `hex:<digits>`, `text:<characters>`, or plain. Plain text of 32 to 40 (an
    even number of) hexadecimal digits is hexadecimal in mode `Hex`; all other plain text stands for its characters.
    As text, 32 characters are more than the 20 bytes a key may have, so this is no guess. We write `hex:`.
    """

    form: str = "Hex"

    def from_json(self, native: object) -> bytes:
        text = checked_text(native)
        if text.startswith("hex:"):
            key = self._decoded(text[4:])
        elif text.startswith("text:"):
            key = text[5:].encode()
        elif self.form == "Hex" and re.fullmatch(r"(?:[0-9A-Fa-f]{2}){16,20}", text):
            key = bytes.fromhex(text)
        else:
            key = text.encode()
        if not 8 <= len(key) <= 100:
            raise ValueError("must have 8 to 100 bytes")
        return key

    def to_json(self, value: bytes) -> str:
        return f"hex:{value.hex()}"

    def from_text(self, text: str) -> bytes:
        if self.form == "Text":
            if not 16 <= len(checked_text(text).encode()) <= 40:
                raise ValueError("must have 16 to 40 bytes")
            return self.from_json(f"text:{text}")
        key = self._decoded(text)
        if not 16 <= len(key) <= 20:
            raise ValueError("must have 32 to 40 hexadecimal digits")
        return self.from_json(f"hex:{text}")

    def to_text(self, value: bytes) -> str:
        """Never the key: it is not reported, and a mistake here must not disclose it."""
        return ""

    def _decoded(self, digits: str) -> bytes:
        if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits):
            raise ValueError("must be an even number of hexadecimal digits")
        return bytes.fromhex(digits)
