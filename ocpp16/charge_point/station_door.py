"""`charge_point.for_station`: what the code of a station may use of the charge point it is attached to.

A station that keeps its times by this clock and these timers follows the charge point's on a virtual clock as well, and
needs no task of its own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ocpp16.charge_point.argument_check import connector_states
from ocpp16.charge_point.authorization_door import AuthorizationDoor
from ocpp16.charge_point.reservation_door import ReservationDoor
from ocpp16.charge_point.runtime import Runtime
from ocpp16.charge_point.station_check import is_async_function
from ocpp16.charge_point.watching import watch
from ocpp16.configuration.key import WIRE_TEXT_LIMIT, Key
from ocpp16.configuration.keys import core, internal
from ocpp16.configuration.keys.cost_and_price import TIME_OFFSET
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import ChargePointStatus
from ocpp16.log import FoldingLog
from ocpp16.observer import ObserverEvent
from ocpp16.state.clock import Clock, to_micros
from ocpp16.state.local_time import local_time
from ocpp16.state.timers import Timers
from ocpp16.values import aware, described, document, text


@only_at_waits
class StationDoor:
    """Made anew each time it is asked for."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def clock(self) -> Clock:
        """Time as the charge point knows it: `now()` in µs since 1970, `monotonic()` in seconds."""
        return self._runtime.clock

    @property
    def log(self) -> FoldingLog:
        """That of the charge point: it shows texts of others with care, and each cause once a minute."""
        return self._runtime.second_line.log

    @property
    def authorization(self) -> AuthorizationDoor:
        """Who may charge by what is known here, and why the latest decisions were what they were."""
        return AuthorizationDoor(self._runtime)

    @property
    def reservations(self) -> ReservationDoor:
        """The reservations that the library keeps, and who uses them."""
        return ReservationDoor(self._runtime)

    @property
    def timers(self) -> Timers:
        """They go on over starts and stops, and end with the block."""
        return self._runtime.timers

    @property
    def number_of_connectors(self) -> int:
        """Connectors 1 to this number; connector 0 is the charge point itself."""
        return self._runtime.configuration[core.NUMBER_OF_CONNECTORS]

    def local_time(self, at: datetime | None = None) -> datetime:
        """The time (aware; None: now) as a driver is shown it: with the offset of the key TimeOffset.

        Raises ValueError for a time without a zone.
        """
        micros = self._runtime.clock.now() if at is None else to_micros(aware(at, "at"))
        return local_time(micros, self._runtime.configuration[TIME_OFFSET])

    def meter_checkpoint(self, connector_id: int) -> int | None:
        """The register in Wh that was stored last for this connector before this start. Raises ValueError for an
        unknown one."""
        return self._runtime.meters.get(self._runtime.guard.connector(connector_id, 0))

    def running_sessions(self) -> list[str]:
        """The session ids of all transactions that run; before a start, of those that were found in the store."""
        self._runtime.guard.check()
        return [transaction.session_id for transaction in self._runtime.ctx.transactions.all_running()]

    def maintenance(self) -> dict[str, dict[str, Any] | None]:
        """What is under way by `"firmware"`, `"diagnostics"` and `"log"`: request id and status; None: nothing."""
        self._runtime.guard.check()
        features = self._runtime.features
        parts = {
            "firmware": features.firmware_updates,
            "diagnostics": None if features.diagnostics is None else features.diagnostics.upload,
            "log": None if features.log_upload is None else features.log_upload.upload,
        }
        return {
            name: None
            if part is None or part.request_id is None
            else {"request_id": part.request_id, "status": str(part.status)}
            for name, part in parts.items()
        }

    def overrule_answer(self, action: str, answer: Mapping[str, Any], times: int = 1) -> None:
        """Answer the next `times` (1 to 1,000) valid CALLs of this action of the Central System so, and do nothing: for
        tests of who asks, as of how it takes a refusal. It ends when the charge point stops.

        answer: the payload of a CALLRESULT. Raises ValueError for an action that the Central System does not ask, and
        an answer that it cannot have; then nothing has changed.
        """
        self._runtime.guard.check()
        self._runtime.features.dispatcher.overrule(text(action, "action"), document(answer, "answer"), times)

    def reset_state_machine(self, connector_status: Mapping[int, ChargePointStatus]) -> None:
        """The connectors named are what is said here, whatever was told of them before, errors included: for a station
        that has lost track. What is new is reported; transactions and what ChangeAvailability asked for stay.

        Raises ValueError for an unknown connector, and for a status that one cannot have; then nothing has changed.
        """
        self._runtime.guard.check()
        status = connector_states(connector_status, self._runtime.guard.highest)
        self._runtime.features.availability.reset(status)

    # What the station is: for the next BootNotification (OCPP 1.6 ed. 2 §6.1)

    async def update_chargepoint_information(
        self,
        vendor: str,
        model: str,
        *,
        serial_number: str | None = None,
        charge_box_serial_number: str | None = None,
        firmware_version: str | None = None,
    ) -> None:
        """Who made the charge point, and what it is: 1 to 20 characters each, serial numbers to 25, the version to 50.

        None leaves what is known. Returns once it is on disk, where it counts before the configuration file; nothing is
        sent, and the next BootNotification says it. Raises ValueError that names the key, StoreError if it could not be
        stored within StoreTimeout, ChargePointStopped if the charge point is stopped before; then nothing has changed.
        """
        await self._inform(
            {
                internal.CHARGE_POINT_VENDOR: text(vendor, "vendor"),
                internal.CHARGE_POINT_MODEL: text(model, "model"),
                internal.CHARGE_POINT_SERIAL_NUMBER: serial_number,
                internal.CHARGE_BOX_SERIAL_NUMBER: charge_box_serial_number,
                internal.FIRMWARE_VERSION: firmware_version,
            }
        )

    async def update_modem_information(self, iccid: str | None = None, imsi: str | None = None) -> None:
        """The SIM card, 1 to 20 characters each; otherwise as `update_chargepoint_information`."""
        await self._inform({internal.ICCID: iccid, internal.IMSI: imsi})

    async def update_meter_information(
        self, meter_serial_number: str | None = None, meter_type: str | None = None
    ) -> None:
        """The main meter, 1 to 25 characters each; otherwise as `update_chargepoint_information`."""
        await self._inform({internal.METER_SERIAL_NUMBER: meter_serial_number, internal.METER_TYPE: meter_type})

    async def set_powermeter_public_key(self, connector_id: int, public_key: str) -> None:
        """The key with which the readings of this connector's meter are signed, as text (PEM, or hexadecimal): the
        Central System reads it as `MeterPublicKey<connector_id>`, which holds 500 characters.

        Returns, and raises, as `update_chargepoint_information`; ValueError for connector 0 and an unknown one, too.
        """
        number = self._runtime.guard.connector(connector_id)
        told = text(public_key, "public_key", WIRE_TEXT_LIMIT)

        def keys() -> dict[Key[Any], Any]:
            known = self._runtime.configuration[internal.METER_PUBLIC_KEYS] or ()
            all_keys = [*known, *[""] * (self.number_of_connectors - len(known))]
            all_keys[number - 1] = told
            return {internal.METER_PUBLIC_KEYS: tuple(all_keys)}

        await self._runtime.features.settings.set_all(keys)

    async def _inform(self, values: Mapping[Key[Any], Any]) -> None:
        self._runtime.guard.check()
        given = {key: text(value, key.name) for key, value in values.items() if value is not None}
        await self._runtime.features.settings.set_all(lambda: given)

    def watch(self, watcher: Callable[[ObserverEvent], object]) -> Callable[[], None]:
        """Tell `watcher` each event that an observer is told, in its moment, on disk or not, over stops and starts; the
        function that is returned ends it. For who looks for a while: it costs nothing before and after.

        It is a plain function that returns at once; what it raises is logged and ends nothing. Raises ValueError for
        what is no function, or an async one, ChargePointStopped once the block is left.
        """
        self._runtime.guard.check()
        if not callable(watcher) or is_async_function(watcher):
            raise ValueError(f"watcher must be a function that is not async, not {described(watcher)}")
        return watch(self._runtime, watcher, self.log)

    def spawn(self, async_fn: Callable[..., Any], *args: Any) -> None:
        """Run a task that ends when the charge point is stopped. What it raises is logged and ends nothing else."""
        self._runtime.spawn(async_fn, *args)
