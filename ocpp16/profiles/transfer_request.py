"""What the requests for a transfer have in common (GetDiagnostics, GetLog, UpdateFirmware, SignedUpdateFirmware)."""

from datetime import datetime

from ocpp16._core import parse_datetime
from ocpp16.state.clock import to_datetime, within
from ocpp16.values import INT32_HIGH


def attempts(retries: int | None, retry_interval: int | None) -> tuple[int | None, int | None]:
    """As a station is told them: numbers that the wire can say otherwise are the nearest that mean something."""
    return _bounded(retries), _bounded(retry_interval)


def _bounded(number: int | None) -> int | None:
    return None if number is None else min(max(number, 0), INT32_HIGH)


def time_of(text: str) -> datetime:
    """A time of a request, as near to it as a datetime gets."""
    return to_datetime(within(parse_datetime(text)))


def time_of_any(text: str | None) -> datetime | None:
    """The same of one that need not be there."""
    return None if text is None else time_of(text)
