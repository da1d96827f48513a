"""One line for each message, short enough to be read as it passes.

An answer does not name its action, so open calls are remembered; those that are never answered are forgotten in time.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from ocpp16.codec import Call, CallError, CallResult, FramingError, parse
from ocpp16.redaction import HIDDEN
from ocpp16.state.keys.security import AUTHORIZATION_KEY

OUT, IN = "→", "←"
"""Which way a frame goes, seen from whoever prints the lines."""

REMEMBERED = 1_000
"""Open calls."""
LONGEST_VALUE = 48
"""Characters of one member."""
LONGEST_TEXT = 200
"""Characters of a frame that cannot be read."""

Frame = Call | CallResult | CallError


class MessageLines:
    """Turns frames into lines. `arrow`, OUT or IN, begins the line; `identity` keeps charge points apart."""

    __slots__ = ("_actions",)

    def __init__(self) -> None:
        self._actions: dict[tuple[str, str, str], str] = {}

    def of_text(self, arrow: str, text: str, identity: str = "") -> str:
        """The line of a frame as it was on the wire."""
        try:
            return self.of_frame(arrow, parse(text), identity)
        except FramingError as error:
            return f"{arrow} unreadable ({error}): {cut(text, LONGEST_TEXT)}"

    def of_frame(self, arrow: str, frame: Frame, identity: str = "") -> str:
        """The line of a frame."""
        if isinstance(frame, Call):
            while len(self._actions) >= REMEMBERED:
                del self._actions[next(iter(self._actions))]
            self._actions[identity, arrow, frame.unique_id] = frame.action
            return f"{arrow} {frame.action} {in_words(_without_secret(frame.payload))}".rstrip()
        asked = (identity, IN if arrow == OUT else OUT, frame.unique_id)
        action = self._actions.pop(asked, "answer to nothing")
        if isinstance(frame, CallError):
            return f"{arrow} {action}: {frame.code} {cut(frame.description, LONGEST_TEXT)}".rstrip()
        return f"{arrow} {action}: {in_words(frame.payload) or 'confirmed'}"


def in_words(payload: Mapping[str, Any]) -> str:
    """The members of a payload, as `connectorId=1 status=Charging`."""
    return " ".join(f"{name}={_value(name, value)}" for name, value in payload.items())


def _without_secret(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """A ChangeConfiguration of the password is shown without it."""
    is_secret = str(payload.get("key", "")).lower() == AUTHORIZATION_KEY.name.lower()
    return {**payload, "value": HIDDEN} if is_secret and "value" in payload else payload


def cut(text: str, longest: int) -> str:
    """At most so many characters, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _value(name: str, value: Any) -> str:
    if isinstance(value, str):
        return cut(value, LONGEST_VALUE)
    if name == "idTagInfo" and isinstance(value, Mapping) and set(value) == {"status"}:
        return _value("", value["status"])
    if name in {"meterValue", "transactionData"}:
        readings = _readings(value)
        if readings:
            return readings
    return cut(orjson.dumps(value, default=str).decode(), LONGEST_VALUE)


def _readings(value: Any) -> str:
    """The totals of a MeterValues or transactionData list: what a person looks for in it."""
    try:
        samples = [sample for reading in value for sample in reading["sampledValue"] if "phase" not in sample]
        texts = [f"{sample['value']} {sample.get('unit', 'Wh')}" for sample in samples]
    except (TypeError, KeyError, AttributeError):
        return ""
    return ", ".join(texts[:4]) + (" …" if len(texts) > 4 else "")
