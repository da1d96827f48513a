"""When clock-aligned meter values are due (ClockAlignedDataInterval, OCPP 1.6 ed. 2 §9.1).

Rules of this file:
1. The instants are midnight UTC and each interval after it. Every midnight begins anew, so an interval that does not
   divide a day has a shorter last step and never drifts away from midnight.
2. The instants are whole seconds, so a sample can be stamped with its instant instead of the moment the timer ran.
3. No switch for "off": with an interval of 0 nobody asks.
"""

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND


def next_aligned(now: int, interval: int) -> int:
    """The first aligned instant after `now` (both µs UTC) for `interval` seconds. Raises ValueError unless > 0."""
    if interval <= 0:
        raise ValueError(f"interval must be positive, not {interval}")
    midnight = now - now % _DAY
    step = interval * _SECOND
    return min(midnight + ((now - midnight) // step + 1) * step, midnight + _DAY)
