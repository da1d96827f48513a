"""How a changed configuration key comes into force: checked, on the disk, then in memory and told; or not at all.

Rules of this file:
1. One change at a time: what is kept is the configuration as a whole, so two that overlap would each lose the other.
2. A change that was asked for is in force when it is on disk. One that could not be kept in StoreTimeout has not been
   made, neither now nor later.
3. What the Central System told as a fact (the interval of BootNotification.conf) is in force at once, and kept when the
   disk allows: by one task, however often it is told.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from ocpp16.configuration.changes import Prepared
from ocpp16.configuration.configuration import Change, Key
from ocpp16.configuration.keys import internal
from ocpp16.enums import ConfigurationStatus
from ocpp16.errors import StoreError
from ocpp16.observer import ConfigurationKeyChanged
from ocpp16.profiles.context import Context
from ocpp16.profiles.turn import Turn
from ocpp16.state.signals import ConfigurationChanged

_STORED = frozenset({ConfigurationStatus.ACCEPTED, ConfigurationStatus.REBOOT_REQUIRED})


class ConfigurationChanges:
    """Of one start of a charge point."""

    __slots__ = ("_adopted", "_ctx", "_is_told", "_turn", "_will_be_kept")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._turn = Turn()
        self._adopted: tuple[Prepared, ...] = ()
        """The last of each key that is in force, and not told yet since it is not on disk."""
        self._is_told = False
        """That changes are not kept."""
        self._will_be_kept = False
        """A task waits for its turn to bring what is in force then to the disk."""

    async def carry_out(
        self, prepare: Callable[[], Prepared], beside: Callable[[], Mapping[Key[Any], Any]] | None = None
    ) -> Change:
        """Prepare a change, keep it, put it in force. Returns what became of it.

        `beside`: of a change that is accepted, values of other keys that are kept in the same commit, asked for before
        it is in force. Raises ValueError if one of these cannot be, StoreError if it could not be kept in StoreTimeout,
        ChargePointStopped if the charge point is stopped before; then nothing has changed.
        """
        ctx = self._ctx
        await self._turn.acquire(ctx.configuration[internal.STORE_TIMEOUT])
        try:
            prepared = prepare()
            change = prepared.change
            if _is_to_be_kept(change):
                await self._keep_all([prepared] if beside is None else [prepared, *self._prepared(beside())])
                if not (ctx.asked.keeper.is_lasting or self._is_told):
                    self._is_told = True
                    ctx.log.warning("changes of keys end with the block: give user_config_path, database_path or store")
            elif change.reason:
                ctx.log.info("%s is not changed: %s", change.wire_name or "the configuration", change.reason)
            return prepared.change
        finally:
            self._turn.release()

    async def set_all(self, values: Callable[[], Mapping[Key[Any], Any]]) -> None:
        """Give several keys the values they are to have by then, whatever their access: all in one commit, or none.

        Raises ValueError that names what is wrong with which key; otherwise as `carry_out`.
        """
        ctx = self._ctx
        await self._turn.acquire(ctx.configuration[internal.STORE_TIMEOUT])
        try:
            await self._keep_all(self._prepared(values()))
        finally:
            self._turn.release()

    def _prepared(self, values: Mapping[Key[Any], Any]) -> list[Prepared]:
        """Those that change something. Raises ValueError that names what is wrong with which key."""
        prepared = [self._ctx.configuration.prepare_set(key, value) for key, value in values.items()]
        wrong = [f"{one.key.name} {one.change.reason}" for one in prepared if not one.change.is_accepted]
        if wrong:
            raise ValueError("; ".join(wrong))
        return [one for one in prepared if _is_to_be_kept(one.change)]

    async def _keep_all(self, changes: Sequence[Prepared]) -> None:
        """In one commit, or none; then in force."""
        if not changes:
            return
        ctx = self._ctx
        with ExitStack() as under_way:  # only to write them together: one that is given up must not be found there
            for one in changes:
                under_way.enter_context(one)
            documents = ctx.configuration.overrides, ctx.configuration.secrets
        apply = partial(self._apply_all, changes)
        await ctx.asked.settled(partial(ctx.asked.keeper.propose, *documents, apply=apply))

    def _apply_all(self, changes: Sequence[Prepared]) -> None:
        for prepared in changes:
            self._apply(prepared)

    def adopt(self, key: Key[Any], value: Any) -> None:
        """The Central System told a value: it holds from now on."""
        prepared = self._ctx.configuration.prepare_set(key, value)
        if _is_to_be_kept(prepared.change):
            self._put_in_force(prepared)
            self._adopted = (*(other for other in self._adopted if other.key is not key), prepared)
            self._keep_soon()
        elif prepared.change.reason:
            self._ctx.log.warning("%s = %s is not followed: %s", key.name, value, prepared.change.reason)

    def _keep_soon(self) -> None:
        if not self._will_be_kept:
            self._will_be_kept = True
            self._ctx.spawn(self._keep)

    async def _keep(self) -> None:
        """Bring what is in force to the disk. What cannot be kept now goes with the next change that can."""
        ctx = self._ctx
        configuration = ctx.configuration
        async with self._turn:
            self._will_be_kept = False
            adopted, self._adopted = self._adopted, ()
            proposal = ctx.asked.keeper.propose(
                configuration.overrides, configuration.secrets, apply=partial(self._tell, *adopted)
            )
            try:
                await proposal.wait(configuration[internal.STORE_TIMEOUT])
            except StoreError as error:
                ctx.log.warning("the configuration is in force but not kept: %s", error)

    def _apply(self, prepared: Prepared) -> None:
        """It is on disk. What does not fit any more, for something else was told meanwhile, is taken off it again."""
        try:
            if prepared.change.status is ConfigurationStatus.ACCEPTED:
                self._put_in_force(prepared)
            else:  # from the next start on
                prepared.apply()
        except ValueError:
            self._keep_soon()
        else:
            self._tell(prepared)

    def _put_in_force(self, prepared: Prepared) -> None:
        prepared.apply()
        self._ctx.signals.emit(ConfigurationChanged(prepared.key.name, prepared.old_text, prepared.new_text))

    def _tell(self, *changes: Prepared) -> None:
        for prepared in changes:
            self._ctx.tell(ConfigurationKeyChanged(prepared.key.name, prepared.new_text), 0)


def _is_to_be_kept(change: Change) -> bool:
    return change.status in _STORED and not change.is_unchanged
