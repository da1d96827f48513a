"""Configuration keys as the traffic tells them: rules about times and counts follow what a charge point was told."""

from collections.abc import Mapping
from typing import ClassVar, Final

from ocpp16.lint.docket import Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.frame import Frame
from ocpp16.lint.members import rows, text
from ocpp16.lint.subject import OnAnswer, Subject

_NAMES: Final = {
    name.lower(): name
    for name in (
        "ConnectionTimeOut",
        "HeartbeatInterval",
        "MinimumStatusDuration",
        "NumberOfConnectors",
        "TransactionMessageAttempts",
        "TransactionMessageRetryInterval",
    )
}


class KnownKeys(Subject):
    __slots__ = ()

    def published(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        for row in rows(frame.payload, "configurationKey"):
            _learn(docket, text(row, "key"), text(row, "value"))

    def changed(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        if text(frame.payload, "status") == "Accepted":
            _learn(docket, text(asked.payload, "key"), text(asked.payload, "value"))

    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {"GetConfiguration": published, "ChangeConfiguration": changed}


def _learn(docket: Docket, key: str | None, value: str | None) -> None:
    name = _NAMES.get((key or "").lower())
    digits = (value or "").strip()
    if name is not None and digits.isascii() and digits.isdigit() and len(digits) < 10:
        docket.keys[name] = int(digits)
