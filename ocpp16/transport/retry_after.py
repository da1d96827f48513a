"""What a server means by Retry-After (RFC 9110 §10.2.3): seconds, or a date.

A date is taken against the server's own Date, since a charge point that was just switched on may not know the time;
the caller's clock is asked only where there is none. Nothing a server writes raises.
"""

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["seconds_to_wait"]

LONGEST: Final = 86_400.0
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)


def seconds_to_wait(retry_after: str, date: str, now: Callable[[], float] | None) -> float | None:
    """Seconds from 0 to 86,400; None if it cannot be told.

    Parameters: `retry_after` and `date` values of the headers, "" where absent; `now` the caller's clock, seconds
    since 1970, or None if it has none.
    """
    text = retry_after.strip()
    if _DIGITS.fullmatch(text):
        # A number of many digits is compared by its length: converting it would take long, or be refused.
        return LONGEST if len(text.lstrip("0")) > 5 else min(float(text), LONGEST)
    end = _instant(text)
    if end is None:
        return None
    begin = _instant(date)
    if begin is None:
        if now is None:
            return None
        begin = now()
    return min(max(end - begin, 0.0), LONGEST)


def _instant(text: str) -> float | None:
    """An HTTP-date in seconds since 1970; None if it is none."""
    try:
        moment = parsedate_to_datetime(text.strip())
        # RFC 9110 §5.6.7: the three forms are all in UTC, and one of them does not say so.
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
