"""Frames of one charge point, given to a linter one after another."""

from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Finding, Linter, connected, disconnected, frame_of


class Told:
    """What a linter says of frames that come one after another, a second apart unless said otherwise."""

    def __init__(self, *rules: str, has_time: bool = True) -> None:
        self._linter = Linter(rules or None)
        self._has_time = has_time
        self._line = 0
        self.second = 0
        self.found: list[Finding] = []

    def _timestamp(self, after: int) -> str:
        self._line += 1
        self.second += after
        hours, seconds = divmod(self.second, 3600)
        return f"2026-01-01T{hours:02}:{seconds // 60:02}:{seconds % 60:02}Z" if self._has_time else ""

    def charge_point(self, text: str, after: int = 1) -> list[str]:
        return self._take(text, FROM_CHARGE_POINT, after)

    def central_system(self, text: str, after: int = 1) -> list[str]:
        return self._take(text, FROM_CENTRAL_SYSTEM, after)

    def connected(self, after: int = 1) -> None:
        self.found += self._linter.take(connected("cp", line=self._line + 1, timestamp=self._timestamp(after)))

    def disconnected(self, after: int = 1) -> None:
        self.found += self._linter.take(disconnected("cp", line=self._line + 1, timestamp=self._timestamp(after)))

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
