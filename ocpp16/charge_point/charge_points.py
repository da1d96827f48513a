"""Many charge points in one block: one journal and one nursery for all; each is opened, and may be closed, by itself.

Rules of this file:
1. What one charge point does or fails at, while it is opened or closed, is nothing to the others.
2. Closing goes to its end in the nursery of the block, whoever asked for it and whatever becomes of the asker.
3. Leaving the block ends what is just being opened, and closes what is open: all at the same time, begun a few in each
   step of the loop, for the last ones have calls under way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import trio

from ocpp16.charge_point.argument_check import check_arguments
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.charge_point.opened import Opened, opened
from ocpp16.charge_point.orderly_stop import flush_time
from ocpp16.charge_point.plan import Plan, planned
from ocpp16.charge_point.shared_tasks import SharedTasks
from ocpp16.configuration.configuration import Configuration
from ocpp16.ctrl_c import only_at_waits
from ocpp16.errors import ChargePointStopped
from ocpp16.faults import obey
from ocpp16.log import FoldingLog
from ocpp16.observer import Observer
from ocpp16.rpc.calls import CallListener, FrameListener, LinkListener, Listeners
from ocpp16.rpc.violations import ViolationListener
from ocpp16.security.evse_security import EvseSecurity
from ocpp16.state.clock import Clock
from ocpp16.station import CoreStation
from ocpp16.store.journal import Journal
from ocpp16.store.leaving import Leaving

CLOSED_AT_ONCE = 10
"""Charge points that begin to close in one step of the loop: each is most of a millisecond of work."""
_LEFT = "the block of open_charge_points is left: nothing is opened in it any more"


@only_at_waits
class ChargePoints:
    """Made by `open_charge_points`. Iterating gives the charge points that are open, in the order of opening.

    Parameters: `clock_of` makes the clock of an anchor. `has_store`: may changes of a configuration lie in the store?
    """

    __slots__ = (
        "_changed",
        "_clock_of",
        "_has_store",
        "_is_left",
        "_journal",
        "_nursery",
        "_open",
        "_opening",
        "_shared",
    )

    def __init__(
        self,
        journal: Journal,
        nursery: trio.Nursery,
        shared: SharedTasks,
        clock_of: Callable[[float | None], Clock],
        *,
        has_store: bool,
    ) -> None:
        self._journal = journal
        self._nursery = nursery
        self._shared = shared
        self._clock_of = clock_of
        self._has_store = has_store
        self._open: dict[ChargePoint, Opened] = {}
        self._opening: list[trio.CancelScope] = []
        self._is_left = False
        self._changed = trio.Event()
        """Of whoever leaves the block: another one is opened, or closed."""

    def __iter__(self) -> Iterator[ChargePoint]:
        return iter(tuple(self._open))

    def __len__(self) -> int:
        return len(self._open)

    async def open(
        self,
        config: str | Path | Mapping[str, Any] | Configuration,
        station: CoreStation,
        *,
        user_config_path: str | Path | None = None,
        share_path: str | Path | None = None,
        custom_schema_path: str | Path | None = None,
        certificates_path: str | Path | None = None,
        security_configuration: Mapping[str, Any] | None = None,
        evse_security: EvseSecurity | None = None,
        observer: Observer | None = None,
        connector: StreamOpener | None = None,
        tolerances: Iterable[str] | None = None,
        anchor: float | None = None,
        seed: int | None = None,
        trace_messages: bool = False,
        message_log_path: str | Path | None = None,
        calls: CallListener | None = None,
        frames: FrameListener | None = None,
        links: LinkListener | None = None,
        violations: ViolationListener | None = None,
    ) -> ChargePoint:
        """Open one more; it begins with `await charge_point.start()`. Many may be opened at the same time.

        Parameters and exceptions as of `open_charge_point`; besides, for whoever measures, `calls` is told how each
        CALL to the Central System ended, when it was due and when it was sent (`ocpp16.fleet.CallEnded`), `frames` each
        frame (`FrameListener`), `links` each change of the connection (`LinkListener`), `violations` what the Central
        System does against the protocol (`ocpp16.fleet.ProtocolViolation`). ChargePointStopped when the block is left.
        Cancelled, or failing, it leaves nothing open, and the others as they are.
        """
        if self._is_left:
            raise ChargePointStopped(_LEFT)
        clock = self._clock_of(anchor)
        check_arguments(locals())
        return await self._opened(
            planned(
                config,
                station,
                clock,
                has_store=self._has_store,
                user_config_path=user_config_path,
                share_path=share_path,
                custom_schema_path=custom_schema_path,
                certificates_path=certificates_path,
                security_configuration=security_configuration,
                evse_security=evse_security,
                observer=observer,
                connector=connector,
                tolerances=tolerances,
                seed=seed,
                trace_messages=trace_messages,
                message_log_path=message_log_path,
                listeners=Listeners(calls, frames, links, violations),
            )
        )

    async def _opened(self, plan: Plan) -> ChargePoint:
        scope = trio.CancelScope()
        self._opening.append(scope)
        try:
            with scope:
                one = await opened(plan, self._journal, self._nursery, self._shared, Leaving())
                self._open[one.charge_point] = one
                if self._is_left:
                    self._leaving(one)
                return one.charge_point
        finally:
            self._opening.remove(scope)
            self._changed.set()
        raise ChargePointStopped(_LEFT)

    async def close(self, charge_point: ChargePoint) -> bool:
        """Stop one in order and let go of it, as leaving the block of `open_charge_point` does; the rest goes on.

        It takes StopTimeout and 11 s at most. False if it is not open here. Asked for twice, both wait for the one
        end; a caller that is cancelled leaves it going on.
        """
        one = self._open.get(charge_point)
        if one is None:
            await trio.lowlevel.checkpoint()
            return False
        await self._leaving(one).wait()
        return True

    def _leaving(self, one: Opened) -> trio.Event:
        if one.left is None:
            one.left = trio.Event()
            self._nursery.start_soon(self._leave, one, one.left)
        return one.left

    async def _leave(self, one: Opened, left: trio.Event) -> None:
        try:
            await one.leave()
        except BaseException as error:  # a fault of ours; the others go on
            obey(error)
            FoldingLog("", trio.current_time).error("a charge point was not closed in order", error=error)
        finally:
            del self._open[one.charge_point]
            left.set()
            self._changed.set()

    async def leave(self) -> float:
        """The block ends: close all. Returns trio's time until which the rest of leaving it may take."""
        self._is_left = True
        leaving = list(self._open.values())
        try:
            with trio.CancelScope(shield=True):  # bounded inside
                for scope in self._opening:
                    scope.cancel()
                for number, one in enumerate(leaving, 1):
                    if one.charge_point in self._open:
                        self._leaving(one)
                    if number % CLOSED_AT_ONCE == 0:  # the others go on talking meanwhile
                        await trio.lowlevel.checkpoint()
                while self._open or self._opening:
                    self._changed = trio.Event()
                    await self._changed.wait()
        finally:
            for one in self._open.values():
                one.cut_short()
        return max((one.leaving.by for one in leaving), default=trio.current_time() + flush_time())
