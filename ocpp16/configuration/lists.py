"""Kinds of configuration values that are lists of texts. As in `values`, reasons name no value.

A list whose items are choices holds each once: repeats are folded, as sampling and all other readers would do.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ocpp16.configuration.values import ValueKind, check_length, checked_text
from ocpp16.enums import Measurand, Phase
from ocpp16.state.measurands import is_producible


@dataclass(frozen=True, slots=True)
class TextList(ValueKind):
    """tuple[str, ...]. In a file a text with separators, or an array if `is_array`; on the wire always a text.

    White space around items is removed and empty items are dropped, but for `keeps_empty`, where the position of an
    item means something. Items must be among `choices` if there are any; with `skips_unknown` others are left out
    instead.
    """

    choices: tuple[str, ...] = ()
    separator: str = ","
    is_array: bool = False
    keeps_empty: bool = False
    skips_unknown: bool = False
    item_minimum_length: int = 0
    item_maximum_length: int | None = None
    minimum_length: int = 0
    maximum_length: int | None = None
    folds: bool = True
    """A choice is made or not, however often it is named."""

    def from_json(self, native: object) -> tuple[str, ...]:
        # Interned, because ten thousand charge points name the same measurands.
        items = tuple(sys.intern(item) for item in self._items(native) if not self._is_skipped(item))
        for number, item in enumerate(items, 1):
            try:
                self.check_item(item)
            except ValueError as reason:
                raise ValueError(f"item {number} {reason}") from None
        if self.choices and self.folds:
            items = tuple(dict.fromkeys(items))
        check_length(self.to_text(items), self.minimum_length, self.maximum_length)
        return items

    def to_json(self, value: Sequence[str]) -> list[str] | str:
        if isinstance(value, str):
            raise TypeError("must be a tuple of texts")
        return list(value) if self.is_array else self.separator.join(value)

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.from_json(text.split(self.separator) if self.is_array else text)

    def to_text(self, value: Sequence[str]) -> str:
        return self.separator.join(value)

    def skipped(self, native: object) -> tuple[str, ...]:
        return tuple(item for item in self._items(native) if self._is_skipped(item)) if self.skips_unknown else ()

    def shortened(self, value: Sequence[str], limit: int) -> str:
        """As many whole items as fit."""
        text = self.to_text(value)
        return text[: max(0, text.rfind(self.separator, 0, limit + 1))]

    def check_item(self, item: str) -> None:
        check_length(item, self.item_minimum_length, self.item_maximum_length)
        if self.choices and item not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}")

    def split(self, text: str) -> list[str]:
        return [item.strip() for item in text.split(self.separator)]

    def _is_skipped(self, item: str) -> bool:
        return self.skips_unknown and item not in self.choices

    def _items(self, native: object) -> list[str]:
        if not self.is_array:
            return [item for item in self.split(checked_text(native)) if item]
        if not isinstance(native, list | tuple):
            raise ValueError("must be an array of texts")
        if self.keeps_empty:
            return [checked_text(item) for item in native]
        return [item for text in native for item in self.split(checked_text(text)) if item]


_MEASURANDS: Final = frozenset(measurand.value for measurand in Measurand)
_PHASES: Final = tuple(f".{phase}" for phase in Phase)


@dataclass(frozen=True, slots=True)
class Measurands(TextList):
    """Measurands of OCPP 1.6 ed. 2 §7.31 that can be produced, exact spelling.

    Every phase is sampled, so `Voltage.L1` is refused.
    """

    choices: tuple[str, ...] = tuple(measurand.value for measurand in Measurand if is_producible(measurand.value))

    def check_item(self, item: str) -> None:
        if item in self.choices:
            return
        if item in _MEASURANDS:
            raise ValueError("is a measurand that cannot be produced here")
        stem = next((item.removesuffix(phase) for phase in _PHASES if item.endswith(phase)), item)
        if stem in self.choices:
            raise ValueError("names a phase; name the measurand alone, all its phases are sampled")
        raise ValueError("is not a measurand")


PHASE_ROTATIONS: Final = ("NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR")


@dataclass(frozen=True, slots=True)
class PhaseRotations(TextList):
    """Items `<connector>.<rotation>` (OCPP 1.6 ed. 2 §9.1.7), one for a connector; all white space is removed."""

    def from_json(self, native: object) -> tuple[str, ...]:
        # Not super(): a dataclass with slots is another class than the one this was written in.
        items = TextList.from_json(self, native)
        connectors = [int(item.partition(".")[0]) for item in items]
        repeated = next((one for one in connectors if connectors.count(one) > 1), None)
        if repeated is not None:
            raise ValueError(f"names connector {repeated} twice")
        return items

    def split(self, text: str) -> list[str]:
        return "".join(text.split()).split(self.separator)

    def check_item(self, item: str) -> None:
        connector, point, rotation = item.partition(".")
        if not (point and connector.isascii() and connector.isdigit() and len(connector) <= 9):
            raise ValueError("must be <connector>.<rotation>")
        if rotation not in PHASE_ROTATIONS:
            raise ValueError(f"must end in one of {', '.join(PHASE_ROTATIONS)}")


@dataclass(frozen=True, slots=True)
class Tolerances(TextList):
    """What is mended in received messages: `default` or `strict` first, if any, then `+name` and `-name`.

    `choices` are the names of the repairs. A name alone is as good as with a plus; the last word on a repair holds.
    """

    folds: bool = False

    def check_item(self, item: str) -> None:
        if item.removeprefix("+") in self.choices or item.removeprefix("-") in self.choices:
            return
        if item not in ("default", "strict"):
            raise ValueError(f"must be default, strict, or + or - with one of {', '.join(self.choices)}")

    def from_json(self, native: object) -> tuple[str, ...]:
        items = TextList.from_json(self, native)
        if any(item in ("default", "strict") for item in items[1:]):
            raise ValueError("default and strict can only stand first")
        return items
