"""One line for each message, short enough to be read as it passes.

An answer does not name its action, so open calls are remembered; those that are never answered are forgotten in time.
Frames are foreign texts: whatever is in them, a line is harmless, bounded, and without secrets (`ocpp16.redaction`).
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import orjson

from ocpp16.codec import Call, CallError, CallResult, FramingError, parse
from ocpp16.redaction import UNREADABLE, redacted
from ocpp16.texts import shown

OUT, IN = "→", "←"
"""Which way a frame goes, seen from whoever prints the lines."""

REMEMBERED = 1_000
"""Open calls."""
LONGEST_VALUE = 48
"""Characters of one member."""
LONGEST_TEXT = 200
"""Characters of a frame that cannot be read."""
MOST_MEMBERS = 50
LONGEST_LINE = 1000
"""Characters."""
LONGEST_ID = 64
"""Characters of a message id that is remembered."""

Frame = Call | CallResult | CallError


class MessageLines:
    """Turns frames into lines. `arrow`, OUT or IN, begins the line; `identity` keeps charge points apart."""

    __slots__ = ("_actions",)

    def __init__(self) -> None:
        self._actions: dict[tuple[str, str, str], str] = {}

    def of_text(self, arrow: str, text: str, identity: str = "", frame: Frame | None = None) -> str:
        """The line of a frame as it was on the wire; `frame` is what it says, where that is known already."""
        harmless = redacted(text)
        if harmless == UNREADABLE:
            return f"{arrow} {harmless}"
        try:
            known = parse(harmless) if frame is None or harmless is not text else frame
            return shown(self._of_frame(arrow, known, identity), LONGEST_LINE)
        except FramingError as error:
            return f"{arrow} unreadable ({shown(error, LONGEST_TEXT)}): {shown(harmless, LONGEST_TEXT)}"

    def _of_frame(self, arrow: str, frame: Frame, identity: str) -> str:
        if isinstance(frame, Call):
            while len(self._actions) >= REMEMBERED:
                del self._actions[next(iter(self._actions))]
            action = shown(frame.action, LONGEST_VALUE)
            self._actions[identity, arrow, frame.unique_id[:LONGEST_ID]] = action
            return f"{arrow} {action} {in_words(frame.payload)}".rstrip()
        asked = (identity, IN if arrow == OUT else OUT, frame.unique_id[:LONGEST_ID])
        action = self._actions.pop(asked, "answer to nothing")
        if isinstance(frame, CallError):
            why = f"{shown(frame.code, LONGEST_VALUE)} {shown(frame.description, LONGEST_TEXT)}"
            return f"{arrow} {action}: {why}".rstrip()
        return f"{arrow} {action}: {in_words(frame.payload) or 'confirmed'}"


def in_words(payload: Mapping[str, Any]) -> str:
    """The members of a payload, as `connectorId=1 status=Charging`; of very many only the first."""
    few = islice(payload.items(), MOST_MEMBERS)
    return " ".join(f"{shown(name, LONGEST_VALUE)}={_value(name, value)}" for name, value in few)


def _value(name: str, value: Any) -> str:
    if isinstance(value, str):
        return shown(value, LONGEST_VALUE)
    if name == "idTagInfo" and isinstance(value, Mapping) and set(value) == {"status"}:
        return _value("", value["status"])
    if name in {"meterValue", "transactionData"}:
        readings = _readings(value)
        if readings:
            return shown(readings, LONGEST_VALUE)
    try:
        return shown(orjson.dumps(value, default=str).decode(), LONGEST_VALUE)
    except TypeError:  # nested too deep, a lone surrogate, a number beyond 64 bits
        return shown(f"({type(value).__name__} that JSON cannot say)")


def _readings(value: Any) -> str:
    """The totals of a MeterValues or transactionData list: what a person looks for in it."""
    try:
        samples = [sample for reading in value for sample in reading["sampledValue"] if "phase" not in sample]
        texts = [f"{sample['value']} {sample.get('unit', 'Wh')}" for sample in samples[:5]]
    except (TypeError, KeyError, AttributeError, RecursionError):
        return ""
    return ", ".join(texts[:4]) + (" …" if len(texts) > 4 else "")
