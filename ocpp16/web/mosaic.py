"""The states of thousands of charge points, a letter each, as parts that a page draws a square of for each.

A part `states/N` is a text with a letter for each of `CHUNK` charge points, in the order of their ids; only those that
changed are told again. A letter is that of its most telling connector, by the order of `LETTERS`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import trio

from ocpp16.enums import ChargePointStatus, RegistrationStatus
from ocpp16.fleet import Member

MOST: Final = 10_000
"""Charge points that are shown."""
CHUNK: Final = 500
"""Letters in a part."""
AT_ONCE: Final = 50
"""Charge points that are looked at before others may work."""
MOST_CONNECTORS: Final = 16
"""Of one charge point, that are looked at."""

ABSENT: Final = "."
"""It was not added yet."""
OFFLINE: Final = "o"
UNACCEPTED: Final = "u"
"""It is connected, and not accepted by the Central System."""
LETTERS: Final[Mapping[ChargePointStatus, str]] = {
    ChargePointStatus.FAULTED: "F",
    ChargePointStatus.CHARGING: "C",
    ChargePointStatus.SUSPENDED_EV: "V",
    ChargePointStatus.SUSPENDED_EVSE: "S",
    ChargePointStatus.PREPARING: "P",
    ChargePointStatus.FINISHING: "E",
    ChargePointStatus.RESERVED: "R",
    ChargePointStatus.UNAVAILABLE: "U",
    ChargePointStatus.AVAILABLE: "A",
}
"""The most telling first."""
_ORDER: Final = "".join(LETTERS.values())


FindMember = Callable[[str], Member | None]
"""Gives the member of an id, if there is one yet."""


class Mosaic:
    """Of the charge points with these `ids`, each of which `member` gives when it has come."""

    def __init__(self, ids: Sequence[str], member: FindMember) -> None:
        self._ids = ids[:MOST]
        self._member = member

    async def look(self, put: Callable[[str, Any], object]) -> None:
        """At all of them, a few at a time; `put` takes each part."""
        for number, begin in enumerate(range(0, len(self._ids), CHUNK)):
            letters = []
            for index, identity in enumerate(self._ids[begin : begin + CHUNK], 1):
                letters.append(self._letter(identity))
                if index % AT_ONCE == 0:
                    await trio.lowlevel.checkpoint()
            put(f"states/{number}", "".join(letters))

    def _letter(self, identity: str) -> str:
        member = self._member(identity)
        return ABSENT if member is None else letter(member)


def letter(member: Member) -> str:
    """How it stands."""
    charge_point = member.charge_point
    connection = charge_point.connection
    if not connection.is_connected:
        return OFFLINE
    if connection.registration is not RegistrationStatus.ACCEPTED:
        return UNACCEPTED
    count = min(len(member.station.evses), MOST_CONNECTORS)
    found = [LETTERS[charge_point.connector_status(number).status] for number in range(1, count + 1)]
    return min(found, key=_ORDER.index, default=ABSENT)
