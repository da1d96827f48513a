"""Who may ask a charge point, and about which connector: the first thing that every call of the host passes."""

from threading import get_ident

from ocpp16.errors import ChargePointStopped
from ocpp16.values import described, is_a

_FOREIGN = (
    "a ChargePoint belongs to the thread of its trio loop: from another thread, or from asyncio in one, call it by "
    "trio.from_thread.run_sync(charge_point.on_…, …, trio_token=token), an async method by trio.from_thread.run"
)
_OVER = "the charge point is closed: its block has ended"


class Guard:
    """Of the thread it is made in. `highest`: the number of the last connector; `is_closed` after the end of the charge
    point, which is before the run of trio in that thread is over."""

    __slots__ = ("_thread", "highest", "is_closed")

    def __init__(self) -> None:
        self._thread = get_ident()
        self.highest: int = 0
        self.is_closed: bool = False

    def check(self) -> None:
        """Raises ChargePointStopped after the end of the charge point, RuntimeError in another thread than its own."""
        if self.is_closed:
            raise ChargePointStopped(_OVER)
        if get_ident() != self._thread:
            raise RuntimeError(_FOREIGN)

    def connector(self, connector_id: int, lowest: int = 1) -> int:
        """The number of a connector that is there. Raises ValueError, and as `check`."""
        self.check()
        if type(connector_id) is int and lowest <= connector_id <= self.highest:
            return connector_id
        if not is_a(connector_id, int) or is_a(connector_id, bool):
            raise ValueError(f"connector_id must be a whole number, not {described(connector_id)}")
        number = int.__int__(connector_id)
        if not lowest <= number <= self.highest:
            raise ValueError(f"no connector {described(number)}: this charge point has {lowest}..{self.highest}")
        return number
