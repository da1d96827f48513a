"""What a host has in hand: the one face of a charge point.

Here is what is told (`on_…`, in `events`), asked and waited for; what there is more of one subject lies behind an
attribute: `connection`, `configuration`, `smart_charging`, `plug_and_charge`, `dead_letters`, and `for_station`. All of
it delegates to the `Runtime`, which no host sees. Properties are views: they answer after the end of the block as well,
with what was last. Methods check thread and end first. Names and parameters are libocpp's where it has them.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ocpp16.charge_point.charging_door import ChargingDoor
from ocpp16.charge_point.configuration_door import ConfigurationDoor
from ocpp16.charge_point.connection_door import ConnectionDoor
from ocpp16.charge_point.dead_letters_door import DeadLettersDoor
from ocpp16.charge_point.events import StationEvents
from ocpp16.charge_point.key_callbacks import KeyCallback
from ocpp16.charge_point.plug_and_charge_door import PlugAndChargeDoor
from ocpp16.charge_point.station_check import is_async_function
from ocpp16.charge_point.station_door import StationDoor
from ocpp16.configuration.key import Key
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import BootReason, ChargePointStatus
from ocpp16.models import Counters, DataTransferResponse, IdTagInfo
from ocpp16.profiles.data_transfer import DataTransferHandler
from ocpp16.spelling import did_you_mean
from ocpp16.state.connector import Notification
from ocpp16.state.transaction import Transaction
from ocpp16.values import described, is_a, text

_KEY_LENGTH = 255
"""Characters of what may be the name of a configuration key."""


@only_at_waits
class ChargePoint(StationEvents):
    """One OCPP 1.6J charge point; made by `open_charge_point`."""

    __slots__ = ()

    # Life

    async def start(
        self,
        connector_status: Mapping[int, ChargePointStatus] | None = None,
        boot_reason: BootReason = BootReason.POWER_UP,
        resuming_session_ids: Collection[str] = (),
    ) -> None:
        """Begin: close or resume stored transactions, announce the charge point, connect. Does not wait for any of it;
        `wait_registered` does.

        boot_reason: why it starts; it is not sent, and chooses the security event of the start. connector_status: what
        the connectors are, where the station knows it; the others are Available or Unavailable
        as ChangeAvailability left them, and SuspendedEVSE where a transaction is resumed. resuming_session_ids:
        sessions of stored transactions that go on; the others are stopped with reason PowerLoss, but for those that
        were told since the charge point was opened or stopped.
        Raises ValueError for a wrong map, reason or text, RuntimeError if it runs, StoreError if the store cannot be
        read; then nothing has changed.
        """
        await self._runtime.start(connector_status, boot_reason, resuming_session_ids)

    async def stop(self) -> bool:
        """End in order: transactions stopped, what can be sent sent (StopTimeout seconds), socket closed, all on disk.

        False if it does not run; asked for twice, both wait for the one end. It takes StopTimeout and 10 s at most,
        whatever disk and network do. What could not be sent is on disk and goes out after the next start; what could
        not be stored is said in the log. A caller that is cancelled leaves it going on.
        """
        return await self._runtime.stop()

    async def restart(
        self,
        connector_status: Mapping[int, ChargePointStatus] | None = None,
        boot_reason: BootReason = BootReason.APPLICATION_RESET,
        resuming_session_ids: Collection[str] = (),
    ) -> bool:
        """Start anew after `stop`, boot included, from what is stored. False if it was not stopped, or runs again.

        Parameters as of `start`. Raises ValueError and StoreError as it does; then it is stopped as before.
        """
        return await self._runtime.restart(connector_status, boot_reason, resuming_session_ids)

    def abandon(self) -> None:
        """Cut short: no task goes on, and leaving the block, all that is left to do, waits a second for the disk.

        Transactions are not ended: they lie on disk as they are, and go on where the next start resumes them. Nothing
        once the charge point is closed.
        """
        if not self._runtime.guard.is_closed:
            self._runtime.guard.check()
            self._runtime.abandon()

    @property
    def is_running(self) -> bool:
        """Was it started, and is it neither stopped nor stopping?"""
        return self._runtime.is_running

    # Views

    @property
    def counters(self) -> Counters:
        """How often what happened since the charge point was opened."""
        return self._runtime.counters

    def transaction(self, connector_id: int) -> Transaction | None:
        """The running transaction of a connector. Raises ValueError for an unknown one."""
        number = self._runtime.guard.connector(connector_id, 0)
        return self._runtime.ctx.transactions.running(number)

    def connector_status(self, connector_id: int) -> Notification:
        """What a StatusNotification of this connector would say now. Raises ValueError for an unknown one."""
        number = self._runtime.guard.connector(connector_id, 0)
        return self._runtime.ctx.connectors[number].look(self._runtime.clock.now())

    # Waits

    async def wait_registered(self) -> None:
        """Wait until the Central System has accepted the charge point (OCPP 1.6 ed. 2 §4.2): as long as it takes.

        Raises ChargePointStopped if the charge point does not run, or is stopped meanwhile.
        """
        life = self._runtime.life
        await self._runtime.until(lambda: self._runtime.ctx.sender.is_accepted)
        self._runtime.check_life(life)

    async def wait_all_answered(self) -> None:
        """Wait until nothing is left to send: every message is answered or given up, BootNotification included, and
        none is due that is not made yet.

        It takes as long as it takes, offline above all: bound it by a deadline of your own. Answers to the Central
        System and changes for the disk are not waited for. Raises ChargePointStopped if the charge point does not run,
        or is stopped meanwhile.
        """
        life = self._runtime.life
        await self._runtime.until()
        self._runtime.check_life(life)

    async def stored(self) -> None:
        """Wait until all that was told so far is on disk.

        Raises StoreError if that takes longer than StoreTimeout: what was told is kept, and stored when it can be.
        """
        await self._runtime.stored()

    # Questions to the Central System

    async def authorize_id_token(self, id_tag: str) -> IdTagInfo:
        """May this id tag charge? Waits for the Central System where it has to be asked (at most 60 s).

        `source`, `rule` and `key` of the answer say who decided, and why. Raises ValueError if it is not 1 to 20
        characters. Whatever the Central System does, there is an answer.
        """
        self._runtime.guard.check()
        return await self._runtime.features.authorization.authorize_id_token(id_tag)

    async def data_transfer(
        self, vendor_id: str, message_id: str | None = None, data: str | None = None
    ) -> DataTransferResponse | None:
        """Send DataTransfer and wait for the answer; None when offline. See `profiles.data_transfer`."""
        self._runtime.guard.check()
        return await self._runtime.features.data_transfer.transfer(vendor_id, message_id, data)

    # Out of turn

    def heartbeat_now(self) -> bool:
        """Send a Heartbeat at once, besides those of HeartbeatInterval (OCPP 1.6 ed. 2 §4.6).

        False if there is nobody to answer it: not connected, or not accepted.
        """
        self._runtime.guard.check()
        if not (self.is_running and self._runtime.ctx.sender.is_online):
            return False
        self._runtime.features.boot.send_heartbeat(is_triggered=False)
        return True

    def sample_now(self, connector_id: int) -> bool:
        """Take a sample of this connector now, as the periodic ones are (Sample.Periodic, MeterValuesSampledData): of
        its transaction, kept until it is answered; without a transaction it is sent if the charge point is online.

        connector_id: 0 is the main meter. Returns whether a MeterValues is queued. Raises ValueError for no connector.
        """
        number = self._runtime.guard.connector(connector_id, 0)
        return self._runtime.life.features.meter_values.sample_now(number)

    # What the host is asked and told

    def on_data_transfer(self, vendor_id: str, message_id: str | None, handler: DataTransferHandler) -> None:
        """Answer DataTransfer.req of this vendor and message id with `await handler(data)`."""
        self._runtime.guard.check()
        vendor_id = text(vendor_id, "vendor_id", 255, least=1)
        if message_id is not None:
            message_id = text(message_id, "message_id", 50)
        if not callable(handler):
            raise ValueError(f"handler must be an async function, not {described(handler)}")
        self._runtime.data_transfer_handlers[vendor_id, message_id] = handler
        self._runtime.features.data_transfer.register(vendor_id, message_id, handler)

    def on_change(self, key: Key[Any] | str, callback: KeyCallback) -> Callable[[], None]:
        """Have `callback(old, new)` called after every change of a configuration key, whoever made it.

        key: its name in any case, or the key. Old and new are texts as on the wire. A key that takes effect with the
        next start changes then. Returns a function that ends it. Raises ValueError for an unknown name, and for what is
        no function, or an async one.
        """
        self._runtime.guard.check()
        if not callable(callback) or is_async_function(callback):
            raise ValueError(f"callback must be a function that is not async, not {described(callback)}")
        name = text(key, "key", _KEY_LENGTH) if is_a(key, str) else ""
        configuration = self._runtime.configuration
        found: Any = configuration.lookup(name) if name else key
        if not is_a(found, Key):
            hint = did_you_mean(name, (row["key"] for row in configuration.report()[0]))
            raise ValueError(f"key: there is no configuration key {described(key)}{hint}")
        return self._runtime.key_callbacks.add(found.name, callback)

    # By subject

    @property
    def connection(self) -> ConnectionDoor:
        """The connection to the Central System, what it thinks of us, and what waits for it."""
        return ConnectionDoor(self._runtime)

    @property
    def configuration(self) -> ConfigurationDoor:
        """The configuration keys: read, and changed as by ChangeConfiguration."""
        return ConfigurationDoor(self._runtime)

    @property
    def smart_charging(self) -> ChargingDoor:
        """Charging profiles, limits and composite schedules."""
        return ChargingDoor(self._runtime)

    @property
    def plug_and_charge(self) -> PlugAndChargeDoor:
        """Cars that charge with a contract (ISO 15118)."""
        return PlugAndChargeDoor(self._runtime)

    @property
    def dead_letters(self) -> DeadLettersDoor:
        """The messages that were given up."""
        return DeadLettersDoor(self._runtime)

    @property
    def for_station(self) -> StationDoor:
        """What the code of a station may use of the charge point: its clock, timers and tasks, the stored registers."""
        return StationDoor(self._runtime)
