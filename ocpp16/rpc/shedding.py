"""Too much waits: what is dropped, in which order.

Rules of this file:
1. Shed are the oldest normal messages first; then every other MeterValues, pass after pass. Start and end of a
   transaction and security events are never shed, BootNotification neither.
2. Normal messages go a tenth of what is allowed at a time, so that the work is shared by many. A pass over the
   transaction lane that ended above the limits is not repeated before that lane has grown by a fraction.
"""

from ocpp16.rpc.outbox import METER_VALUES, Outbox, taken_of_disk
from ocpp16.rpc.pending import Entry

__all__ = ["shed"]

_SECURITY_EVENT = "SecurityEventNotification"


def shed(outbox: Outbox) -> list[Entry]:
    """Drop messages until the limits hold, or nothing more may go. Returns what was dropped."""
    dropped: list[Entry] = []
    if outbox.normal_depth:
        dropped += _oldest_normal(outbox)
        outbox.discard(dropped)
    while _is_crowded(outbox) and (thinned := _every_other_reading(outbox)):
        outbox.discard(thinned)
        dropped += thinned
    return dropped


def _oldest_normal(outbox: Outbox) -> list[Entry]:
    limits = outbox.limits
    depth, allowed = outbox.depth, limits.threshold
    if allowed is None:
        depth, allowed = outbox.normal_depth, limits.normal
    step = max(1, allowed // 10)
    count = max(0, -(-(depth - allowed) // step) * step)
    normal = [entry for entry in outbox.normal() if entry.action != _SECURITY_EVENT]
    if 0 < limits.byte_limit < outbox.bytes:
        count = max(count, _prefix(normal, outbox.bytes - limits.byte_limit))
    return normal[:count]


def _prefix(entries: list[Entry], surplus: int) -> int:
    """How many of the oldest have so many bytes together; a tenth of them at least, so that this is rare."""
    for index, entry in enumerate(entries):
        if surplus <= 0:
            return max(index, len(entries) // 10)
        surplus -= taken_of_disk(entry.size)
    return len(entries)


def _is_crowded(outbox: Outbox) -> bool:
    """Is more there than allowed, and the transaction lane another than when nothing could be done about it?"""
    if not outbox.is_over_limit or not outbox.meter_values:
        return False
    return abs(outbox.depth - outbox.normal_depth - outbox.spared) > outbox.spared // 64


def _every_other_reading(outbox: Outbox) -> list[Entry]:
    """One pass of thinning: a MeterValues goes if the message before it stays; the last two stay anyway."""
    lane = sorted(outbox.waiting_of())
    victims: list[Entry] = []
    may_go = True
    for entry in lane[:-2]:
        if may_go and entry.action == METER_VALUES:
            victims.append(entry)
            may_go = False
        else:
            may_go = True
    if not victims:
        outbox.spared = len(lane)
    return victims
