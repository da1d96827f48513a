"""What can be asked of a charge point: its state, what the Central System thinks of an id tag, keys, charging limits.

What waits for the Central System or the disk is async; all else answers at once. Properties are views: they answer
after the end of the block as well, with what was last. Methods check thread and end first. Names and parameters are
libocpp's where it has them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import trio

from ocpp16.charge_point.events import StationEvents
from ocpp16.charge_point.life import Life
from ocpp16.charge_point.station_check import is_async_function
from ocpp16.charge_point.turns import Turns
from ocpp16.codec import validate
from ocpp16.configuration.configuration import Configuration, Key
from ocpp16.configuration.keys import core
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import (
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ChargingRateUnitType,
    ConfigurationStatus,
    RegistrationStatus,
)
from ocpp16.errors import ChargePointStopped, FeatureNotBuilt, Refusal
from ocpp16.models import ChargingLimit, DataTransferResponse, DeadLetter, IdTagInfo
from ocpp16.profiles.data_transfer import DataTransferHandler
from ocpp16.profiles.smart_charging import SmartCharging
from ocpp16.schedule import CompositeSchedule, InstalledProfiles, Limit
from ocpp16.schedule.sharing import Strategy
from ocpp16.state.connector import Notification
from ocpp16.state.transaction import Transaction, Transactions
from ocpp16.values import described, document, finite, is_a, items, member, text, whole

_KEY_LENGTH = 255
"""Characters of what may be the name of a configuration key."""

KeyCallback = Callable[[str | None, str | None], None]
"""Told the old and the new value of a key, as text on the wire; None where there is none, or it cannot be read."""


@only_at_waits
class Questions(StationEvents):
    """The asking half of ChargePoint."""

    __slots__ = ()

    if TYPE_CHECKING:
        _data_transfer_handlers: dict[tuple[str, str | None], DataTransferHandler]
        _key_callbacks: dict[str, list[KeyCallback]]
        _life: Life
        _meters: dict[int, int]
        _turns: Turns
        configuration: Configuration

        @property
        def is_running(self) -> bool: ...

        def _keep_sharing(self, sharing: tuple[Strategy | None, float | None]) -> None: ...

        async def stored(self) -> None: ...

    # Views

    @property
    def is_connected(self) -> bool:
        """Is there an open WebSocket?"""
        return self.ctx.session.is_connected

    @property
    def registration(self) -> RegistrationStatus | None:
        """What the last BootNotification was answered with; None before the first answer."""
        return self.ctx.session.registration

    @property
    def number_of_connectors(self) -> int:
        """Connectors 1 to this number; connector 0 is the charge point itself."""
        return self.configuration[core.NUMBER_OF_CONNECTORS]

    @property
    def queue_depth(self) -> int:
        """Messages that wait to be sent or for their answer."""
        return self.ctx.session.outbox.depth + (self.ctx.session.in_flight is not None)

    @property
    def transactions(self) -> Transactions:
        """All transactions whose StopTransaction is not answered yet."""
        return self.ctx.transactions

    def transaction(self, connector_id: int) -> Transaction | None:
        """The running transaction of a connector. Raises ValueError for an unknown one."""
        return self.ctx.transactions.running(self._connector(connector_id, 0))

    def connector_status(self, connector_id: int) -> Notification:
        """What a StatusNotification of this connector would say now. Raises ValueError for an unknown one."""
        return self.ctx.connectors[self._connector(connector_id, 0)].look(self.ctx.clock.now())

    def meter_checkpoint(self, connector_id: int) -> int | None:
        """The register in Wh that was stored last for this connector before this start. Raises ValueError for an
        unknown one."""
        return self._meters.get(self._connector(connector_id, 0))

    # Questions

    async def wait_registered(self) -> None:
        """Wait until the Central System has accepted the charge point (OCPP 1.6 ed. 2 §4.2): as long as it takes.

        Raises ChargePointStopped if the charge point does not run, or is stopped meanwhile.
        """
        await self._running_until(lambda: self.registration is RegistrationStatus.ACCEPTED)

    async def wait_all_answered(self) -> None:
        """Wait until nothing is left to send: every message is answered or given up, BootNotification included.

        It takes as long as it takes, offline above all: bound it by a deadline of your own. Answers to the Central
        System and changes for the disk are not waited for. Raises ChargePointStopped if the charge point does not run,
        or is stopped meanwhile.
        """
        await self._running_until(self._is_all_answered)

    def _is_all_answered(self) -> bool:
        return self.registration is not None and self.queue_depth == 0

    async def _running_until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds, in this life. Raises ChargePointStopped when that is over."""
        self._check_usable()
        life = self._life
        await self._turns.until(lambda: self._is_over(life) or condition())
        if self._is_over(life):
            raise ChargePointStopped("the charge point is not running")

    def _is_over(self, life: Life) -> bool:
        return self._is_closed or life is not self._life or not life.is_running

    async def authorize_id_token(self, id_tag: str) -> IdTagInfo:
        """May this id tag charge? Waits for the Central System where it has to be asked (at most 60 s).

        `source` of the answer says who decided. Raises ValueError if it is not 1 to 20 characters. Whatever the Central
        System does, there is an answer.
        """
        self._check_usable()
        return await self._features.authorization.authorize_id_token(id_tag)

    async def data_transfer(
        self, vendor_id: str, message_id: str | None = None, data: str | None = None
    ) -> DataTransferResponse | None:
        """Send DataTransfer and wait for the answer; None when offline. See `profiles.data_transfer`."""
        self._check_usable()
        return await self._features.data_transfer.transfer(vendor_id, message_id, data)

    def register_data_transfer(self, vendor_id: str, message_id: str | None, handler: DataTransferHandler) -> None:
        """Answer DataTransfer.req of this vendor and message id with `await handler(data)`."""
        self._check_usable()
        vendor_id = text(vendor_id, "vendor_id", 255, least=1)
        if message_id is not None:
            message_id = text(message_id, "message_id", 50)
        if not callable(handler):
            raise ValueError(f"handler must be an async function, not {described(handler)}")
        self._data_transfer_handlers[vendor_id, message_id] = handler
        self._features.data_transfer.register(vendor_id, message_id, handler)

    def get_configuration_key(self, keys: Sequence[str] = ()) -> dict[str, Any]:
        """What GetConfiguration answers for these keys; for all keys if there are none.

        `configurationKey` and `unknownKey` are both there, also where one is empty and would not go on the wire. Raises
        ValueError for a text in place of a list of names.
        """
        self._check_usable()
        found = self._features.settings.get([text(key, "keys") for key in items(keys, "keys", "names")])
        return {"configurationKey": [], "unknownKey": [], **found}

    async def set_configuration_key(self, key: str, value: str) -> ConfigurationStatus:
        """What ChangeConfiguration does, asked for by the host; returns once it is on disk and in force.

        Raises ValueError for what is no text, StoreError if it could not be kept within StoreTimeout,
        ChargePointStopped if the charge point is stopped before: then the key has its old value.
        """
        self._check_usable()
        return await self._features.settings.change(text(key, "key"), text(value, "value"))

    def on_change(self, key: Key[Any] | str, callback: KeyCallback) -> Callable[[], None]:
        """Have `callback(old, new)` called after every change of a configuration key, whoever made it.

        key: its name in any case, or the key. Old and new are texts as on the wire. A key that takes effect with the
        next start changes then. Returns a function that ends it. Raises ValueError for an unknown name, and for what is
        no function, or an async one.
        """
        self._check_usable()
        if not callable(callback) or is_async_function(callback):
            raise ValueError(f"callback must be a function that is not async, not {described(callback)}")
        name = text(key, "key", _KEY_LENGTH) if is_a(key, str) else ""
        found: Any = self.configuration.lookup(name) if name else key
        if not is_a(found, Key):
            close = get_close_matches(name, [row["key"] for row in self.configuration.report()[0]], n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"key: there is no configuration key {described(key)}{hint}")
        callbacks = self._key_callbacks.setdefault(found.name, [])
        told = partial(callback)  # so that the same function given twice is undone once
        callbacks.append(told)

        def undo() -> None:
            if told in callbacks:
                callbacks.remove(told)

        return undo

    # Out of turn

    def heartbeat_now(self) -> bool:
        """Send a Heartbeat at once, besides those of HeartbeatInterval (OCPP 1.6 ed. 2 §4.6).

        False if there is nobody to answer it: not connected, or not accepted.
        """
        self._check_usable()
        ctx = self.ctx
        if not (self.is_running and ctx.is_online):
            return False
        self._features.boot.send_heartbeat(is_triggered=False)
        return True

    def sample_now(self, connector_id: int) -> bool:
        """Take a sample of the running transaction of a connector at once, as one of MeterValueSampleInterval is taken.

        False if no transaction runs there. Raises ValueError for an unknown connector.
        """
        return self._features.meter_values.sample_now(self._connector(connector_id))

    # What was given up

    async def dead_letters(self) -> tuple[DeadLetter, ...]:
        """The messages that were given up after TransactionMessageAttempts, the oldest first; of a thousand at most."""
        self._check_usable()
        await trio.lowlevel.checkpoint()
        return self._features.dead_letters.all()

    async def resend_dead_letters(self, sequences: Collection[int] | None = None) -> int:
        """Queue dead letters again, behind everything that waits: those of these numbers, or all. Returns how many.

        One resend or discard follows the other, so that each counts what it did itself. Raises ValueError for what are
        no whole numbers; StoreError and ChargePointStopped as `set_configuration_key`, then nothing has changed.
        """
        self._check_usable()
        return await self._features.dead_letters.resend(_sequences(sequences))

    async def discard_dead_letters(self, sequences: Collection[int] | None = None) -> int:
        """Delete dead letters for good: those of these numbers, or all. Returns how many there were.

        Raises as `resend_dead_letters`.
        """
        self._check_usable()
        return await self._features.dead_letters.discard(_sequences(sequences))

    # Smart charging

    @property
    def _smart_charging(self) -> SmartCharging:
        """For every method: thread and end come first."""
        self._check_usable()
        return _built(self._features.smart_charging)

    @property
    def has_smart_charging(self) -> bool:
        """Is the feature profile built? Without, the methods below raise FeatureNotBuilt."""
        return self._features.smart_charging is not None

    @property
    def charging_profiles(self) -> InstalledProfiles:
        """The installed charging profiles; to be looked at, not changed."""
        return _built(self._features.smart_charging).profiles.installed

    def charging_limit(self, connector_id: int) -> ChargingLimit:
        """What a connector may draw now, and until when; `limit` is None where nothing limits it.

        Connector 0: what all of them together may. The station is told every change by `charging_limit_changed`.
        """
        return self._smart_charging.limits.limit(self._connector(connector_id, 0))

    def explain_limit(self, connector_id: int) -> Limit:
        """Which charging profile, stack level, purpose and conversion make the limit of a connector, before sharing."""
        return self._smart_charging.limits.explained(self._connector(connector_id, 0))

    def composite_schedule(self, connector_id: int, duration: int, unit: Literal["A", "W"] = "A") -> CompositeSchedule:
        """The composite schedule from now on: `periods` as GetCompositeSchedule has them, `steps` with what made them.

        duration: seconds. Limits are not rounded. Raises ValueError for an unknown connector or unit, and for what is
        no duration.
        """
        limits = self._smart_charging.limits
        return limits.composite(self._connector(connector_id, 0), whole(duration, "duration", 0), _unit(unit))

    def get_all_composite_charging_schedules(
        self, duration_s: int, unit: Literal["A", "W"] = "A"
    ) -> dict[int, CompositeSchedule]:
        """The composite schedule of every connector, 0 included, from now on. Raises as `composite_schedule`."""
        limits = self._smart_charging.limits
        seconds, rate_unit = whole(duration_s, "duration_s", 0), _unit(unit)
        return {number: limits.composite(number, seconds, rate_unit) for number in sorted(self.ctx.connectors)}

    def get_all_enhanced_composite_charging_schedules(
        self, duration_s: int, unit: Literal["A", "W"] = "A"
    ) -> dict[int, CompositeSchedule]:
        """The same schedules: their `steps` name profile, stack level and conversion (libocpp has two forms)."""
        return self.get_all_composite_charging_schedules(duration_s, unit)

    def share_limits(self, strategy: Strategy | None, fuse: float | None = None) -> None:
        """Split a ChargePointMaxProfile, and a fuse (A per phase), over the connectors that charge.

        strategy: one of `ocpp16.schedule.sharing`, or your own; None: every connector sees a ChargePointMaxProfile in
        full. A fuse is held in any case: in equal parts where there is no strategy, or where it fails or makes no
        sense.
        Raises ValueError for a strategy that cannot be called, or a fuse that is no number from 0 on.
        """
        self._check_usable()
        if strategy is not None and (not callable(strategy) or is_async_function(strategy)):
            raise ValueError(f"strategy must be a function that is not async, or None, not {described(strategy)}")
        if fuse is not None and finite(fuse, "fuse") < 0:
            raise ValueError(f"fuse must not be negative, and is {fuse} A")
        self._keep_sharing((strategy, fuse))
        feature = self._features.smart_charging
        if feature is not None:
            feature.limits.share(strategy, fuse)

    async def set_charging_profile(self, connector_id: int, profile: Mapping[str, Any]) -> ChargingProfileStatus:
        """What SetChargingProfile does, asked for by the host; returns once the profile is on disk and in force.

        profile: csChargingProfiles as on the wire. Raises ValueError for a payload that breaks the schema and for an
        unknown connector; StoreError if it could not be stored within StoreTimeout, ChargePointStopped if the charge
        point is stopped before. Then, and when it is cancelled, nothing has changed.
        """
        feature = self._smart_charging
        request = self._profile_request(connector_id, profile)
        try:
            reply = await feature.set_charging_profile(request)
        except Refusal as refusal:
            raise ValueError(str(refusal)) from refusal
        return ChargingProfileStatus(reply.payload["status"])

    def charging_profile_problem(self, connector_id: int, profile: Mapping[str, Any]) -> str:
        """Why `set_charging_profile` would be Rejected now, in words; empty if nothing speaks against it.

        Raises ValueError as that does.
        """
        feature = self._smart_charging
        request = self._profile_request(connector_id, profile)
        problem = feature.problem(request["connectorId"], request["csChargingProfiles"])
        return "" if problem is None else str(problem)

    def _profile_request(self, connector_id: int, profile: Mapping[str, Any]) -> dict[str, Any]:
        """The SetChargingProfile.req that the host means, with a profile of its own: the host may change theirs."""
        number = self._connector(connector_id, 0)
        request = {"connectorId": number, "csChargingProfiles": document(profile, "profile")}
        validate("SetChargingProfile", "request", request)
        return request

    async def clear_charging_profiles(
        self,
        *,
        profile_id: int | None = None,
        connector_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> int:
        """What ClearChargingProfile does, asked for by the host; returns how many were removed, once it is on disk.

        Raises ValueError for what no profile can have, StoreError if it could not be stored within StoreTimeout,
        ChargePointStopped if the charge point is stopped before; then nothing has changed.
        """
        feature = self._smart_charging
        found = feature.profiles.installed.matching(
            profile_id=None if profile_id is None else whole(profile_id, "profile_id"),
            connector_id=None if connector_id is None else self._connector(connector_id, 0),
            purpose=None if purpose is None else member(ChargingProfilePurposeType, purpose, "purpose"),
            stack_level=None if stack_level is None else whole(stack_level, "stack_level"),
        )
        return await feature.profiles.clear(found, feature.changed)


def _built(feature: SmartCharging | None) -> SmartCharging:
    if feature is None:
        raise FeatureNotBuilt("smart charging is not built in: SupportedFeatureProfiles or the station lacks it")
    return feature


def _sequences(sequences: Any) -> list[int] | None:
    if sequences is None:
        return None
    numbers = items(sequences, "sequences", "whole numbers")
    return [whole(number, "sequences", 0, 2**63 - 1) for number in numbers]


def _unit(unit: Any) -> Literal["A", "W"]:
    return "W" if member(ChargingRateUnitType, unit, "unit") is ChargingRateUnitType.W else "A"
