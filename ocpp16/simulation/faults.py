"""The board errors of one connector, or of the charge point (connector 0): raised, cleared, told again.

An error is told once, under its own code: a fault makes the connector Faulted, another one leaves the status as it is.
One that becomes a fault later is told again, as that.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from ocpp16.enums import ChargePointErrorCode
from ocpp16.models import ErrorInfo

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint


_NONE: Mapping[ChargePointErrorCode, tuple[bool, ...]] = MappingProxyType({})


class Faults:
    """What is wrong with one connector now. `active`: code → how it was told, as a fault or not, in turn; never changed
    in place, so that all where nothing is wrong share one.
    """

    __slots__ = ("_charge_point", "_connector_id", "active")

    def __init__(
        self,
        charge_point: "ChargePoint",
        connector_id: int,
        active: Mapping[ChargePointErrorCode, tuple[bool, ...]] = _NONE,
    ) -> None:
        self._charge_point = charge_point
        self._connector_id = connector_id
        self.active: Mapping[ChargePointErrorCode, tuple[bool, ...]] = active

    @property
    def is_faulted(self) -> bool:
        """Does one of the errors forbid charging?"""
        return any(True in told for told in self.active.values())

    def raise_error(self, code: ChargePointErrorCode, is_fault: bool) -> None:
        """Report an error; one that is active already is only raised to a fault, if it was none."""
        told = self.active.get(code, ())
        if is_fault in told or True in told:
            return
        self.active = {**self.active, code: (*told, is_fault)}
        self._tell(code, is_fault)

    def forget(self, code: ChargePointErrorCode) -> tuple[bool, ...]:
        """The error is gone, which `tell_cleared` is yet to tell, of what this returns: nothing if it was not there."""
        told = self.active.get(code, ())
        self.active = {other: how for other, how in self.active.items() if other != code} or _NONE
        return told

    def tell_cleared(self, code: ChargePointErrorCode, told: tuple[bool, ...]) -> None:
        """Report that an error is gone."""
        # In this order the first is hidden by the fault, and one notification tells the former status without an error.
        for is_fault in told:
            self._charge_point.on_error_cleared(self._connector_id, self._uuid(code, is_fault))

    def tell_again(self) -> None:
        """The charge point was restarted and knows of no errors."""
        for code, told in self.active.items():
            for is_fault in told:
                self._tell(code, is_fault)

    def _tell(self, code: ChargePointErrorCode, is_fault: bool) -> None:
        error = ErrorInfo(
            code,
            is_fault=is_fault,
            timestamp=self._charge_point.for_station.clock.now_datetime(),
            uuid=self._uuid(code, is_fault),
        )
        self._charge_point.on_error(self._connector_id, error)

    def _uuid(self, code: ChargePointErrorCode, is_fault: bool) -> str:
        return f"{self._connector_id}/{code}" + ("/fault" if is_fault else "")
