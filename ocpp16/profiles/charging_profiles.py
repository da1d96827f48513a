"""The installed charging profiles of a charge point, in memory and on disk (OCPP 1.6 ed. 2 §3.13; errata 3.37).

Flash is spared: a profile that is installed already as it is writes nothing, many changes of one turn are one commit,
and a purpose named in VolatileChargingProfilePurposes is kept in memory only and answered at once.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import core, internal, smart_charging
from ocpp16.enums import ChargingProfilePurposeType
from ocpp16.profiles.base import Context, Stored
from ocpp16.profiles.schedule_keys import schedule_settings
from ocpp16.schedule import (
    CompiledProfile,
    InstalledProfiles,
    ProfileRules,
    RunningTransaction,
    ScheduleSettings,
    check_profile,
)
from ocpp16.state.transaction import Transaction
from ocpp16.store.base import Delete, Put, RowChange
from ocpp16.store.tables.charging_profiles import ROWS, ChargingProfileRow, delete, put

UNIT_OF = {"Current": "A", "Power": "W"}
"""Words of ChargingScheduleAllowedChargingRateUnit → chargingRateUnit."""


def stored_profile_rules(configuration: Configuration) -> ProfileRules:
    """What a stored profile must keep to; when accepted it got its startSchedule if it needed one."""
    units = configuration[smart_charging.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT]
    return ProfileRules(
        number_of_connectors=configuration[core.NUMBER_OF_CONNECTORS],
        purposes=configuration[internal.SUPPORTED_CHARGING_PROFILE_PURPOSE_TYPES],
        max_stack_level=configuration[smart_charging.CHARGE_PROFILE_MAX_STACK_LEVEL],
        max_periods=configuration[smart_charging.CHARGING_SCHEDULE_MAX_PERIODS],
        units=[UNIT_OF[word] for word in units],
    )


def stored_profiles(stored: Stored) -> list[ChargingProfileRow]:
    """The rows, in the order in which they are taken in.

    Those of connector 0 first: a default for all connectors would push out what was set for one of them later.
    """
    return sorted(stored.taken(_checked, ROWS), key=lambda row: row.connector_id != 0)


def _checked(row: ChargingProfileRow) -> ChargingProfileRow:
    if row.profile.get("chargingProfileId") != row.charging_profile_id:
        raise ValueError(f"it has another number than its row, {row.charging_profile_id}")
    return row


def goes_on(row: ChargingProfileRow, running: Transaction | None) -> bool:
    """Is `running`, the transaction of its connector, the one that the row is for? A row may be for any."""
    return running is not None and row.transaction_key in (None, running.key)


class ChargingProfiles:
    """`installed` is what counts now; every change goes through here, so that the store follows."""

    __slots__ = ("_ctx", "_stored", "installed")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._stored: dict[int, int | None] = {}
        """Profiles that have a row → the key of the transaction they are for."""
        self.installed: InstalledProfiles = InstalledProfiles()

    # What the configuration says

    @property
    def rules(self) -> ProfileRules:
        """What this charge point can do with charging profiles."""
        needs_start_schedule = not self._ctx.configuration[internal.ALLOW_CHARGING_PROFILE_WITHOUT_START_SCHEDULE]
        return replace(stored_profile_rules(self._ctx.configuration), needs_start_schedule=needs_start_schedule)

    @property
    def settings(self) -> ScheduleSettings:
        """What a composite schedule depends on beside profiles."""
        return schedule_settings(self._ctx.configuration.__getitem__)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Purposes that do not count now: IgnoredProfilePurposesOffline, without an accepted connection."""
        if self._ctx.sender.is_online:
            return ()
        return self._ctx.configuration[internal.IGNORED_PROFILE_PURPOSES_OFFLINE]

    def running(self, connector_ids: Iterable[int] | None = None) -> dict[int, RunningTransaction]:
        """What runs (None: on all connectors), by connector, with the start that Relative profiles count from."""
        transactions = self._ctx.transactions
        if connector_ids is None:
            found = transactions.all_running()
        else:
            found = tuple(filter(None, map(transactions.running, connector_ids)))
        return {transaction.connector_id: self._running_of(transaction) for transaction in found}

    def _running_of(self, transaction: Transaction) -> RunningTransaction:
        start = self._ctx.clock.corrected(transaction.started_at, transaction.clock_boot)
        return RunningTransaction(start, transaction.transaction_id)

    # Changes

    def has_room_for(self, profile: CompiledProfile) -> bool:
        """Is there room, if need be after dropping what is over for good?"""
        capacity = self._ctx.configuration[smart_charging.MAX_CHARGING_PROFILES_INSTALLED]
        if self.installed.has_room_for(profile, capacity):
            return True
        self.remove_over()
        return self.installed.has_room_for(profile, capacity)

    async def install(
        self,
        profile: CompiledProfile,
        transaction: Transaction | None,
        applied: Callable[[Collection[int]], None],
    ) -> bool:
        """Install a profile that was asked for and passed all checks, once it is on disk; or change nothing.

        `transaction`: the one a TxProfile is for. `applied` is told the connectors concerned (those of what it
        replaces, too) in the moment it is in force. Returns False if what it depends on is gone meanwhile: its
        transaction, or the room for it. Raises StoreError if it could not be stored. One that is there already just so
        writes nothing.
        """
        if self._is_installed(profile):
            applied((profile.connector_id,))
            return True
        replaced = self.installed.replaced_by(profile)
        ids = [profile.profile_id, *(other.profile_id for other in replaced)]
        outcome: list[bool] = []

        def apply() -> None:
            is_possible = (transaction is None or transaction.is_running) and self.has_room_for(profile)
            outcome.append(is_possible)
            if is_possible:
                gone, deletions = self._put_in_place(profile, transaction)
                self._write([deletion for deletion in deletions if deletion.key[0] not in ids])
                applied(_connectors_of(profile, gone))
            else:
                self._write(self._rows_of(ids))

        is_volatile = self._is_volatile(profile)
        changes: list[RowChange] = [
            delete(other.profile_id)
            for other in replaced
            if other.profile_id in self._stored and (is_volatile or other.profile_id != profile.profile_id)
        ]
        if not is_volatile:
            changes.append(_row(profile, None if transaction is None else transaction.key))
        if changes:
            await self._ctx.asked.commit(changes, apply=apply, restore=lambda: self._rows_of(ids))
        else:
            apply()
        return outcome[0]

    def install_now(self, profile: CompiledProfile, transaction: Transaction) -> Collection[int]:
        """Install a profile that begins to count by a fact: it came with the remote start of this transaction.

        Returns the connectors concerned.
        """
        if self._is_installed(profile):
            return (profile.connector_id,)
        gone, deletions = self._put_in_place(profile, transaction)
        rows = [] if self._is_volatile(profile) else [_row(profile, transaction.key)]
        self._write([*deletions, *rows])
        return _connectors_of(profile, gone)

    def _is_installed(self, profile: CompiledProfile) -> bool:
        known = self.installed.get(profile.profile_id)
        return (
            known is not None
            and known.connector_id == profile.connector_id
            and known.payload == profile.payload
            and self.installed.replaced_by(profile) == [known]
            and self._is_volatile(profile) == (known.profile_id not in self._stored)
        )

    def _is_volatile(self, profile: CompiledProfile) -> bool:
        return profile.purpose in self._ctx.configuration[internal.VOLATILE_CHARGING_PROFILE_PURPOSES]

    def _put_in_place(
        self, profile: CompiledProfile, transaction: Transaction | None
    ) -> tuple[list[CompiledProfile], list[Delete]]:
        """Into memory. Returns what had to go for it, and what is to be deleted on disk for that."""
        gone = self.installed.install(profile)
        deletions = self._deletions(gone)
        if not self._is_volatile(profile):
            deletions = [deletion for deletion in deletions if deletion.key != (profile.profile_id,)]
            self._stored[profile.profile_id] = None if transaction is None else transaction.key
        return gone, deletions

    def _rows_of(self, profile_ids: Iterable[int]) -> list[RowChange]:
        """The rows of these ids as memory has them."""
        rows: list[RowChange] = []
        for profile_id in profile_ids:
            profile = self.installed.get(profile_id)
            if profile is None or profile_id not in self._stored:
                rows.append(delete(profile_id))
            else:
                rows.append(_row(profile, self._stored[profile_id]))
        return rows

    async def clear(self, profiles: Collection[CompiledProfile], applied: Callable[[Collection[int]], None]) -> int:
        """Remove what was asked to be removed, once that is on disk; `applied` as for `install`.

        Returns how many were there. Raises StoreError if it could not be stored; then nothing has changed.
        """
        ids = [profile.profile_id for profile in profiles]
        removed: list[CompiledProfile] = []

        def apply() -> None:
            # One of them may have been replaced, or have gone with its transaction, while the disk took its time.
            removed.extend(one for one in profiles if self.installed.get(one.profile_id) is one)
            self.installed.remove(removed)
            self._deletions(removed)
            self._write([row for row in self._rows_of(ids) if isinstance(row, Put)])
            if removed:
                applied({profile.connector_id for profile in removed})

        changes = [delete(profile_id) for profile_id in ids if profile_id in self._stored]
        if changes:
            await self._ctx.asked.commit(changes, apply=apply, restore=lambda: self._rows_of(ids))
        else:
            apply()
        return len(removed)

    def remove(self, profiles: Iterable[CompiledProfile]) -> None:
        """Remove what has come to its end."""
        gone = list(profiles)
        self.installed.remove(gone)
        self._write(self._deletions(gone))

    def remove_transaction(self, connector_id: int) -> bool:
        """The transaction of a connector ended: its TxProfiles go. True if there were any."""
        gone = self.installed.remove_transaction(connector_id)
        self._write(self._deletions(gone))
        return bool(gone)

    def remove_over(self) -> None:
        """Drop what is over for good, which changes no schedule. Only once the Central System has told the time."""
        if not self._ctx.clock.is_trusted:
            return
        self._write(self._deletions(self.installed.remove_over(self._ctx.clock.now())))

    def restore(self, rows: Iterable[ChargingProfileRow]) -> None:
        """Take in what was stored, checked against the configuration of today; what fails is deleted.

        Not checked is the room for it: stored profiles are never dropped for lack of that. Nor is what is over for
        good dropped here: the clock may be wrong until the Central System has told the time.
        """
        rules = stored_profile_rules(self._ctx.configuration)
        unusable: list[RowChange] = []
        for row in rows:
            problem = check_profile(row.connector_id, row.profile, rules)
            running = self._ctx.transactions.running(row.connector_id)
            why = "" if problem is None else str(problem)
            if not why and row.profile["chargingProfilePurpose"] == ChargingProfilePurposeType.TX_PROFILE:
                why = "" if goes_on(row, running) else "its transaction does not go on"
            if why:
                self._ctx.log.info("charging profile %d is dropped: %s", row.charging_profile_id, why)
                unusable.append(delete(row.charging_profile_id))
                continue
            unusable += self._deletions(self.installed.install(CompiledProfile(row.connector_id, row.profile)))
            self._stored[row.charging_profile_id] = row.transaction_key
        self._write(unusable)

    def drop_orphans(self) -> None:
        """After it is known which transactions go on: TxProfiles of the others go."""
        self.remove(
            profile
            for profile in list(self.installed)
            if profile.purpose == "TxProfile" and self._ctx.transactions.running(profile.connector_id) is None
        )

    def _deletions(self, profiles: Iterable[CompiledProfile]) -> list[Delete]:
        """What is to be deleted on disk for these, which are not counted as stored any more."""
        deletions = []
        for profile in profiles:
            if profile.profile_id in self._stored:
                del self._stored[profile.profile_id]
                deletions.append(delete(profile.profile_id))
        return deletions

    def _write(self, changes: Sequence[RowChange]) -> None:
        if changes:
            self._ctx.journal.append(*changes)


def _row(profile: CompiledProfile, transaction_key: int | None) -> RowChange:
    return put(ChargingProfileRow(profile.profile_id, profile.connector_id, dict(profile.payload), transaction_key))


def _connectors_of(profile: CompiledProfile, gone: Iterable[CompiledProfile]) -> Collection[int]:
    return {profile.connector_id, *(other.connector_id for other in gone)}
