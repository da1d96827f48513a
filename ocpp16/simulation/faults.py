"""The board errors of one connector, or of the charge point (connector 0): raised, cleared, told again.

A fault is told twice: first under its own error code, which leaves the status as it is, then as the OtherError that
says "cannot charge" and makes the connector Faulted.
"""

from typing import TYPE_CHECKING

from ocpp16.enums import ChargePointErrorCode
from ocpp16.models import ErrorInfo

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint


class Faults:
    """What is wrong with one connector now."""

    __slots__ = ("_active", "_charge_point", "_connector_id")

    def __init__(self, charge_point: "ChargePoint", connector_id: int) -> None:
        self._charge_point = charge_point
        self._connector_id = connector_id
        self._active: dict[ChargePointErrorCode, bool] = {}

    @property
    def is_faulted(self) -> bool:
        """Does one of the errors forbid charging?"""
        return any(self._active.values())

    def raise_error(self, code: ChargePointErrorCode, is_fault: bool) -> None:
        """Report an error; one that is active already is only raised to a fault, if it was none."""
        known = self._active.get(code)
        self._active[code] = is_fault or bool(known)
        if known is None:
            self._tell(code)
        if is_fault and not known:
            self._tell_fault(code)

    def clear(self, code: ChargePointErrorCode) -> None:
        """The error is gone; nothing happens if it was not there."""
        was_fault = self._active.pop(code, None)
        if was_fault is None:
            return
        # In this order the first is hidden by the fault, and one notification tells the former status without an error.
        self._charge_point.on_error_cleared(self._connector_id, self._uuid(code, is_fault=False))
        if was_fault:
            self._charge_point.on_error_cleared(self._connector_id, self._uuid(code, is_fault=True))

    def tell_again(self) -> None:
        """The charge point was restarted and knows of no errors."""
        for code, is_fault in self._active.items():
            self._tell(code)
            if is_fault:
                self._tell_fault(code)

    def _tell(self, code: ChargePointErrorCode) -> None:
        error = ErrorInfo(
            code, timestamp=self._charge_point.clock.now_datetime(), uuid=self._uuid(code, is_fault=False)
        )
        self._charge_point.on_error(self._connector_id, error)

    def _tell_fault(self, code: ChargePointErrorCode) -> None:
        error = ErrorInfo(
            ChargePointErrorCode.OTHER_ERROR,
            is_fault=True,
            info=f"caused_by:{code}",
            timestamp=self._charge_point.clock.now_datetime(),
            uuid=self._uuid(code, is_fault=True),
        )
        self._charge_point.on_error(self._connector_id, error)

    def _uuid(self, code: ChargePointErrorCode, *, is_fault: bool) -> str:
        return f"{self._connector_id}/{code}" + ("/fault" if is_fault else "")
