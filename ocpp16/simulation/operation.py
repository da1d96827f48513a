"""Running a station and its charge point together: start, stop, restart, and what an accepted Reset leads to.

This is the main program of a firmware, as far as there is one. Starting and stopping never overlap.
"""

from typing import TYPE_CHECKING

import trio

from ocpp16.enums import BootReason, ResetType
from ocpp16.simulation.options import AfterReset

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.simulation.station import SimulatedStation


class Operation:
    """The station, to which the charge point must be attached, and the charge point, as one machine.

    `await run()` in a task of its own is all that is needed; the other methods may be called beside it.
    """

    __slots__ = ("_charge_point", "_is_reset", "_one_at_a_time", "_reset", "_reset_kind", "_station")

    def __init__(self, station: "SimulatedStation", charge_point: "ChargePoint") -> None:
        self._station = station
        self._charge_point = charge_point
        self._one_at_a_time = trio.Lock()
        self._reset: trio.Event | None = None
        """Set by the next one; None: nobody waits, of a fleet nobody ever."""
        self._is_reset = False
        self._reset_kind = ResetType.SOFT
        station.on_reset = self._note_reset

    async def run(self, boot_reason: BootReason = BootReason.POWER_UP) -> str:
        """Start, and perform every Reset. Returns why the program is to end, which it is after a Reset with
        `after_reset` exit; otherwise runs until cancelled.
        """
        await self.start(boot_reason)
        while True:
            if not self._is_reset:
                self._reset = trio.Event()
                await self._reset.wait()
            self._reset, self._is_reset = None, False
            await self.stop()
            if self._station.options.after_reset is AfterReset.EXIT:
                return f"{self._reset_kind} reset"
            await self.restart(self._station.boot_reason)

    async def start(self, boot_reason: BootReason = BootReason.POWER_UP) -> None:
        """Start the charge point for the first time; stored transactions go on if the options say so."""
        async with self._one_at_a_time:
            resuming = self._station.resuming_session_ids()
            await self._charge_point.start(boot_reason=boot_reason, resuming_session_ids=resuming)
            self._station.power_up()

    async def stop(self) -> bool:
        """End transactions and connection in order. False: it is not running."""
        async with self._one_at_a_time:
            has_stopped = await self._charge_point.stop()
            if has_stopped:
                self._station.power_down()
            return has_stopped

    async def restart(self, boot_reason: BootReason = BootReason.APPLICATION_RESET) -> bool:
        """Start again after a stop. False: it is running."""
        async with self._one_at_a_time:
            has_started = await self._charge_point.restart(boot_reason=boot_reason)
            if has_started:
                self._station.power_up()
            return has_started

    def _note_reset(self, kind: ResetType) -> None:
        self._reset_kind = kind
        self._is_reset = True
        if self._reset is not None:
            self._reset.set()
