"""When clock-aligned meter values are due (ClockAlignedDataInterval, OCPP 1.6 ed. 2 §9.1).

Rules of this file:
1. The instants are midnight UTC and each interval after it. Every midnight begins anew, so an interval that does not
   divide a day has a shorter last step and never drifts away from midnight.
2. The instants are whole seconds, so a sample can be stamped with its instant instead of the moment the timer ran.
3. An instant that was reached does not come again when the clock is set back behind it, unless that was by an interval
   or more: then it really is that much later, and waiting for the next new one could mean to wait for days.
4. No switch for "off": with an interval of 0 nobody asks.
"""

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND


def next_aligned(now: int, interval: int, after: int | None = None) -> int:
    """The first aligned instant after `now` for `interval` seconds. Raises ValueError unless that is > 0.

    `after`: the last instant that was reached, None: none was. Times are µs UTC.
    """
    if interval <= 0:
        raise ValueError(f"interval must be positive, not {interval}")
    step = interval * _SECOND
    if after is not None and now < after < now + step:
        now = after
    midnight = now - now % _DAY
    return min(midnight + ((now - midnight) // step + 1) * step, midnight + _DAY)
