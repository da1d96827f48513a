"""Frames of one charge point, given to a linter one after another."""

import json
from typing import Any

from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Finding, Linter, connected, disconnected, frame_of


def time_text(second: int) -> str:
    """Seconds from the beginning of 2026 on."""
    days, second = divmod(second, 86_400)
    return f"2026-01-{1 + days:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


class Told:
    """What a linter says of frames that come one after another, a second apart unless said otherwise."""

    def __init__(self, *rules: str, has_time: bool = True) -> None:
        self._linter = Linter(rules or None)
        self.has_time = has_time
        self._line = self._last_id = 0
        self.second = 3600
        self.found: list[Finding] = []

    def _timestamp(self, after: int) -> str:
        self._line += 1
        self.second += after
        return time_text(self.second) if self.has_time else ""

    def charge_point(self, text: str, after: int = 1) -> list[str]:
        return self._take(text, FROM_CHARGE_POINT, after)

    def central_system(self, text: str, after: int = 1) -> list[str]:
        return self._take(text, FROM_CENTRAL_SYSTEM, after)

    def connected(self, after: int = 1) -> None:
        self.found += self._linter.take(connected("cp", line=self._line + 1, timestamp=self._timestamp(after)))

    def disconnected(self, after: int = 1) -> None:
        self.found += self._linter.take(disconnected("cp", line=self._line + 1, timestamp=self._timestamp(after)))

    def now(self, ahead: int = 0) -> str:
        """The time of the last frame, or so many seconds later."""
        return time_text(self.second + ahead)

    def asks(self, action: str, answer: Any = None, *, after: int = 1, **payload: Any) -> list[str]:
        """The charge point asks; `answer`: of the Central System, none if None, a CALLERROR if it is a text."""
        return self._exchange(self.charge_point, self.central_system, action, answer, after, payload)

    def is_asked(self, action: str, answer: Any = None, *, after: int = 1, **payload: Any) -> list[str]:
        return self._exchange(self.central_system, self.charge_point, action, answer, after, payload)

    def _exchange(self, ask: Any, reply: Any, action: str, answer: Any, after: int, payload: Any) -> list[str]:
        self._last_id += 1
        message_id = f"{ask.__name__}-{self._last_id}"
        found: list[str] = ask(json.dumps([2, message_id, action, payload]), after)
        if isinstance(answer, str):
            found += reply(json.dumps([4, message_id, answer, "", {}]))
        elif answer is not None:
            found += reply(json.dumps([3, message_id, answer]))
        return found

    def boots(self, status: str = "Accepted", interval: int = 300) -> list[str]:
        answer = {"status": status, "interval": interval, "currentTime": time_text(self.second + 2)}
        return self.asks("BootNotification", answer, chargePointVendor="V", chargePointModel="M")

    def status(self, status: str, connector: int = 1, after: int = 1, **members: Any) -> list[str]:
        return self.asks(
            "StatusNotification", {}, after=after, connectorId=connector, errorCode="NoError", status=status, **members
        )

    def starts(self, transaction_id: int | str | None = 7, *, after: int = 1, **members: Any) -> list[str]:
        payload = {"connectorId": 1, "idTag": "TAG", "meterStart": 100, "timestamp": self.now(1)} | members
        answer = None
        if transaction_id is not None:
            answer = {"transactionId": transaction_id, "idTagInfo": {"status": "Accepted"}}
        return self.asks("StartTransaction", answer, after=after, **payload)

    def meters(self, *energies: float, at: tuple[int, ...] = (), after: int = 1, **members: Any) -> list[str]:
        """Values of the register, in Wh, each a second after the one before, or `at` seconds from now."""
        values = [
            {"timestamp": self.now(shift), "sampledValue": [{"value": str(energy)}]}
            for energy, shift in zip(energies, at or range(-len(energies) + 1, 1), strict=True)
        ]
        payload = {"connectorId": 1, "transactionId": 7, "meterValue": values} | members
        return self.asks("MeterValues", {}, after=after, **payload)

    def stops(self, answer: Any = None, *, after: int = 1, **members: Any) -> list[str]:
        payload = {"transactionId": 7, "meterStop": 900, "timestamp": self.now(1), "idTag": "TAG"} | members
        return self.asks("StopTransaction", {} if answer is None else answer, after=after, **payload)

    def _take(self, text: str, direction: str, after: int) -> list[str]:
        timestamp = self._timestamp(after)
        frame = frame_of(text, direction, charge_point="cp", line=self._line, timestamp=timestamp)
        found = self._linter.take(frame)
        self.found += found
        return [finding.rule for finding in found]

    def end(self) -> list[str]:
        found = self._linter.end()
        self.found += found
        return [finding.rule for finding in found]
