"""How EVerest counts EVSEs and connectors, and how OCPP 1.6 does.

EVSE 1 is the first connection of evse_manager, and so on; each has connectors of its own, mostly one. OCPP 1.6 knows
connectors only, 1 to n over all EVSEs; its 0, the charge point, is EVSE 0.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from ocpp16.faults import obey_exit

__all__ = ["Topology", "sinks"]

_UNTOLD = object()


class Topology:
    """`evses`: for each EVSE the ids of its connectors. Raises ValueError for an EVSE without, or with one twice."""

    def __init__(self, evses: Iterable[Sequence[int]]) -> None:
        self._numbers: dict[tuple[int, int], int] = {}
        self._evse_of: dict[int, tuple[int, int]] = {}
        self._by_evse: dict[int, list[int]] = {}
        number = 0
        for evse, connectors in enumerate(evses, 1):
            if not connectors or len(set(connectors)) != len(connectors):
                raise ValueError(f"EVSE {evse} has the connectors {list(connectors)}: each needs an id of its own")
            self._by_evse[evse] = []
            for connector in connectors:
                number += 1
                self._numbers[evse, connector] = number
                self._evse_of[number] = (evse, connector)
                self._by_evse[evse].append(number)

    @property
    def number_of_evses(self) -> int:
        return len(self._by_evse)

    @property
    def number_of_connectors(self) -> int:
        return len(self._evse_of)

    def number(self, evse: int, connector: int | None = None) -> int:
        """Of OCPP; without a connector of the first one, of EVSE 0 it is 0. Raises ValueError for what is not there."""
        if evse == 0:
            return 0
        if connector is None and evse in self._by_evse:
            return self._by_evse[evse][0]
        found = self._numbers.get((evse, connector or 0))
        if found is None:
            raise ValueError(f"there is no connector {connector} of EVSE {evse}")
        return found

    def numbers(self, evse: int) -> list[int]:
        """Of all connectors of an EVSE. Raises ValueError for one that is not there."""
        if evse not in self._by_evse:
            raise ValueError(f"there is no EVSE {evse}")
        return self._by_evse[evse]

    def place(self, number: int) -> tuple[int, int]:
        """EVSE and its connector; of OCPP's connector 0 they are both 0. Raises KeyError for what is not there."""
        return (0, 0) if number == 0 else self._evse_of[number]

    def evse(self, number: int) -> int:
        return self.place(number)[0]


def sinks(fulfillments: Sequence[Any], number_of_evses: int) -> dict[int, int]:
    """EVSE (0: the whole station) → index of the connection that limits it. Raises ValueError that names what is wrong.

    Where the framework tells Python the mappings, they count, and each must have one. Where it does not, the
    connections are taken in order: as many as EVSEs are EVSE 1, 2 and so on; one more is the station first, and then
    these; a single one of a station with several EVSEs is the station.
    """
    if not fulfillments:
        return {}
    if any(_mapping(one) is not _UNTOLD for one in fulfillments):
        return _mapped(fulfillments, number_of_evses)
    number = len(fulfillments)
    if number == number_of_evses:
        return {evse: evse - 1 for evse in range(1, number + 1)}
    if number == number_of_evses + 1:
        return {evse: evse for evse in range(number)}
    if number == 1:
        return {0: 0}
    raise ValueError(
        f"evse_energy_sink has {number} connections for {number_of_evses} EVSEs: which EVSE each limits can be told of "
        "one connection (the station), of one for each EVSE in their order, or of one for the station and then these"
    )


def _mapping(fulfillment: Any) -> Any:
    try:
        return getattr(fulfillment, "mapping", _UNTOLD)
    except BaseException as failure:  # of a type that the framework cannot give to Python
        obey_exit(failure)
        return _UNTOLD


def _mapped(fulfillments: Sequence[Any], number_of_evses: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for index, fulfillment in enumerate(fulfillments):
        name = f"evse_energy_sink of {fulfillment.module_id}"
        evse = getattr(_mapping(fulfillment), "evse", None)
        if not isinstance(evse, int):
            raise ValueError(f"{name} has no mapping to an EVSE")
        if not 0 <= evse <= number_of_evses:
            raise ValueError(f"{name} is mapped to EVSE {evse}, and there are {number_of_evses}")
        if evse in found:
            raise ValueError(f"{name} is mapped to EVSE {evse}, as another one is")
        found[evse] = index
    return found
