"""A charge point that is open, and what it takes to leave it in order; both doors of `open` use it.

Whatever fails while it is opened, and at which moment, what was opened before is closed. The tasks are of the nursery
of the block, each in a scope of its own: what ends one charge point ends no other.
"""

from collections.abc import Mapping
from functools import partial
from math import inf
from random import Random, SystemRandom
from typing import Any

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.feed import ObserverFeed
from ocpp16.charge_point.keeper import FiledConfiguration, StoredConfiguration
from ocpp16.charge_point.plan import Plan
from ocpp16.charge_point.runtime import Runtime
from ocpp16.charge_point.shared_tasks import KeptTasks, SharedTasks
from ocpp16.charge_point.store_reports import StoreReports
from ocpp16.charge_point.traffic import Traffic
from ocpp16.configuration.configuration import Configuration
from ocpp16.errors import StoreError
from ocpp16.log import FoldingLog, log
from ocpp16.models import Counters
from ocpp16.profiles.asked import ConfigurationKeeper
from ocpp16.rpc.ids import uuid_ids
from ocpp16.store.base import Row, Store
from ocpp16.store.files import FileKeeper
from ocpp16.store.journal import Journal
from ocpp16.store.leaving import Leaving
from ocpp16.store.loading import load_rows
from ocpp16.store.open import OPEN_TIMEOUT
from ocpp16.store.overlay import Overlay
from ocpp16.store.tables import settings
from ocpp16.texts import shown

_CHANCE = SystemRandom()
"""One for all: it keeps no state of its own, and an object of it weighs as much as a tenth of a charge point."""


async def opened(
    plan: Plan, journal: Journal, nursery: trio.Nursery, shared: SharedTasks, leaving: Leaving
) -> "Opened":
    """The charge point of a plan, ready to start; `leaving` is told how long leaving it may take.

    Raises ConfigurationError for what was changed in the store, StoreError. What `nursery` runs for it ends with
    `Opened.leave`.
    """
    stored = await _stored_changes(plan.identity, journal)
    theirs = stored if plan.overlay is None else _without(stored, plan.overlay.merged())
    configuration = plan.configuration.with_changes(theirs)
    made = Opened(plan, configuration, journal, nursery, shared, leaving)
    made.claim()
    if stored and plan.overlay is not None:
        made.take_over(plan.overlay)
    try:
        await made.begin(plan)
    except BaseException:
        await made.leave()
        raise
    return made


async def _stored_changes(identity: str, journal: Journal) -> dict[str, Any]:
    """What was changed in the start before and lies in the store, where there was no file for it."""

    def load(store: Store) -> list[Row]:
        names = (settings.CONFIGURATION, settings.SECRETS)
        return [row for name in names for row in load_rows(store, identity, settings.TABLE, (name,))]

    found = await journal.in_turn(load, timeout=OPEN_TIMEOUT)
    changed: dict[str, Any] = {}
    for row in settings.read(found, lambda row, error: None):
        if isinstance(row.value, dict):
            for section, keys in row.value.items():
                both = isinstance(keys, dict) and isinstance(changed.get(section), dict)
                changed[section] = {**changed[section], **keys} if both else keys
    return changed


def _without(stored: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Those of what is stored that the files say nothing of: they were changed later, or by hand."""
    result: dict[str, Any] = {}
    for section, keys in stored.items():
        known = overlay.get(section, {})
        if isinstance(keys, dict):
            result[section] = {name: value for name, value in keys.items() if name not in known}
        elif section not in overlay:
            result[section] = keys
    return result


class Opened:
    """Made by `opened`."""

    __slots__ = (
        "_feed",
        "_files",
        "_keeper",
        "_kept",
        "_reports",
        "_runtime",
        "_taken_over",
        "_told",
        "_traffic",
        "charge_point",
        "leaving",
        "left",
    )

    def __init__(
        self,
        plan: Plan,
        configuration: Configuration,
        journal: Journal,
        nursery: trio.Nursery,
        shared: SharedTasks,
        leaving: Leaving,
    ) -> None:
        counters = Counters()
        random = _CHANCE if plan.seed is None else Random(plan.seed)  # noqa: S311 - repeatable, not secret
        self._told = told = FoldingLog(plan.identity, plan.clock.monotonic)
        self._taken_over: Overlay | None = None
        self.leaving: Leaving = leaving
        self.left: trio.Event | None = None
        """Set when it is left; None before anybody began to."""
        self._feed = None
        if plan.observer is not None:
            self._feed = ObserverFeed(plan.observer, counters, lambda: journal.durable, told)
        self._reports = reports = StoreReports(told, journal, counters)
        self._traffic = Traffic(
            configuration, plan.clock, plan.message_log_path, shared.log_writer, counters, is_traced=plan.trace_messages
        )
        self._files: FileKeeper | None = None
        keeper: ConfigurationKeeper
        if plan.overlay is None:
            keeper = StoredConfiguration(configuration, journal)
        else:
            self._files = FileKeeper(
                inline=journal.is_inline,
                on_failing=reports.files_failing,
                on_recovered=reports.files_recovered,
                log=told,
            )
            keeper = FiledConfiguration(configuration, plan.overlay, self._files)
        self._keeper = keeper
        self._runtime = runtime = Runtime(
            configuration=configuration,
            station=plan.station,
            journal=journal,
            nursery=nursery,
            shared=shared,
            present=plan.present,
            connector=plan.connector,
            certificates=plan.certificates,
            keeper=keeper,
            feed=self._feed,
            counters=counters,
            new_id=uuid_ids(random),
            random=random,
            tolerance=plan.tolerance,
            traffic=self._traffic,
            log=told,
            listeners=plan.listeners,
        )
        if self._files is not None:
            self._files.on_internal_error = runtime.second_line.failed
        self.charge_point: ChargePoint = ChargePoint(runtime)
        self._kept = KeptTasks(nursery)

    def claim(self) -> None:
        """Be the one of this identity at the store. Raises StoreError if another one is."""
        self._reports.begin(self._runtime)

    def take_over(self, overlay: Overlay) -> None:
        """There are files now for what was changed, and some of it lies in the store: from there into the files."""
        self._taken_over = overlay

    async def begin(self, plan: Plan) -> None:
        """Read what is stored, and let time pass. Raises StoreError."""
        if self._files is not None:
            self._kept.start(partial(self._files.run, self.leaving))
        if self._taken_over is not None:
            self._kept.start(partial(self._move, self._taken_over))
        await self._runtime.prepare(timeout=OPEN_TIMEOUT)
        for warning in self._runtime.configuration.warnings:  # some are about what this station has built
            log.warning("%s: %s", plan.identity, shown(warning, 1000))
        if self._feed is not None:
            self._kept.start(self._feed.run)
        self._reports.look()
        attach = getattr(plan.station, "attach", None)
        if callable(attach):
            attach(self.charge_point)

    async def _move(self, overlay: Overlay) -> None:
        """Where it cannot be written, it is found in the store again by the next start."""
        configuration, journal = self._runtime.configuration, self._runtime.writer

        def apply() -> None:
            journal.append(settings.delete(settings.CONFIGURATION), settings.delete(settings.SECRETS))

        proposal = self._keeper.propose(configuration.overrides, configuration.secrets, apply=apply)
        try:
            await proposal.wait(inf)
        except StoreError as error:
            self._told.warning("what was changed before lies in the store, and not in %s yet: %s", overlay.path, error)
        else:
            self._told.info("what was changed before lay in the store, and lies in %s now", overlay.path)

    async def leave(self) -> None:
        """Stop in order, and set the time until which all that follows is to be done. A second Ctrl-C means at once."""
        self.leaving.by = trio.current_time()
        try:
            with trio.CancelScope(shield=True):  # bounded inside
                self.leaving.by = await self._runtime.close()
                if self._feed is not None:
                    with trio.CancelScope(deadline=self.leaving.by):
                        await self._feed.finish()
        finally:
            self.cut_short()

    def cut_short(self) -> None:
        """Leave at once what is not left yet."""
        self._runtime.abandon()
        self._traffic.end()
        self._kept.end()
        self._reports.end()
