"""The time that a driver is shown: UTC and the offset of the keys TimeOffset and its like (California pricing note)."""

import re
from datetime import datetime, timedelta, timezone

from ocpp16.state.clock import to_datetime

_OFFSET = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{1,2})", re.ASCII)
_LONGEST = timedelta(hours=23, minutes=59)
"""What a time zone of Python can have; places on earth have 14 hours."""


def offset(text: str | None) -> timedelta:
    """Of a value of the key; nothing for one that is not set. The sign is that of hours and minutes: -03:30 is three
    hours and a half behind. Raises ValueError for what the key does not accept."""
    if text is None:
        return timedelta()
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ValueError("an offset is as +01:00")
    found = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -found if match[1] == "-" else found


def local_time(micros: int, time_offset: str | None) -> datetime:
    """The time `micros` (µs since 1970, UTC) with this offset."""
    zone = timezone(max(-_LONGEST, min(offset(time_offset), _LONGEST)))
    try:
        return to_datetime(micros).astimezone(zone)
    except OverflowError:  # in the first or the last hours of all times
        return to_datetime(micros)
