"""What the signing meter of one connector says: at the begin and the end of a transaction, and in between where that is
wanted.

The end has two readings, begin and end: who has the last text alone can verify the whole of a transaction. The begin is
that which StartTransaction told, also after a power cut.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ocpp16.configuration.keys import signed_meter_values as keys
from ocpp16.enums import Reason
from ocpp16.models import Measurement, SignedMeterValue
from ocpp16.simulation.access import Token
from ocpp16.state.clock import to_datetime
from ocpp16.state.transaction import Transaction

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.simulation.signing_meter import Shown, SigningMeters


class Signing(Protocol):
    """The station as its signing meters see it."""

    @property
    def charge_point(self) -> "ChargePoint": ...

    @property
    def signing(self) -> "SigningMeters | None":
        """None: its meters do not sign."""
        ...


class SignedEnergy:
    """Of one connector. Where the meters do not sign, each answer is None, or the measurement as it is."""

    __slots__ = ("_connector_id", "_station")

    def __init__(self, station: Signing, connector_id: int) -> None:
        self._station = station
        self._connector_id = connector_id

    def begin(self, energy: float, at: int, token: Token) -> SignedMeterValue | None:
        """`energy`: the register, Wh; `at`: µs."""
        meters = self._station.signing
        if meters is None:
            return None
        shown = self._shown("B", energy, at, self._clock_boot)
        return meters.signed(self._connector_id, [shown], token.id_tag, is_remote=token.is_remote)

    def end(
        self, energy: float, at: int, reason: Reason, transaction: Transaction, token: Token | None
    ) -> SignedMeterValue | None:
        """The readings of begin and end. `energy`, `at`: as of `begin`."""
        meters = self._station.signing
        if meters is None:
            return None
        from ocpp16.simulation.signing_meter import END, END_OF

        readings = [
            self._shown("B", transaction.meter_start, transaction.started_at, transaction.clock_boot),
            self._shown(END_OF.get(reason, END), energy, at, self._clock_boot),
        ]
        return meters.signed(self._connector_id, readings, transaction.id_tag, is_remote=_is_remote(token))

    def measurement(
        self, measurement: Measurement, transaction: Transaction | None, token: Token | None
    ) -> Measurement:
        meters = self._station.signing
        energy = measurement.energy_import.total
        if meters is None or energy is None or not self._is_wanted(transaction):
            return measurement
        shown = self._shown("" if transaction is None else "C", energy, self._now, self._clock_boot)
        id_tag = "" if transaction is None else transaction.id_tag
        signed = meters.signed(self._connector_id, [shown], id_tag, is_remote=_is_remote(token))
        return replace(measurement, signed_meter_value=signed)

    def _is_wanted(self, transaction: Transaction | None) -> bool:
        """Does a key ask for signed readings in between?"""
        configuration = self._station.charge_point.configuration
        if configuration[keys.ALIGNED_DATA_SIGN_READINGS]:
            return True
        return transaction is not None and configuration[keys.SAMPLED_DATA_SIGN_UPDATED_READINGS]

    @property
    def _now(self) -> int:
        return self._station.charge_point.for_station.clock.now()

    @property
    def _clock_boot(self) -> int:
        return self._station.charge_point.for_station.clock.clock_boot

    def _shown(self, transaction: str, energy: float, at: int, clock_boot: int) -> "Shown":
        from ocpp16.simulation.signing_meter import Shown

        return Shown(to_datetime(at), clock_boot == 0, transaction, round(energy))


async def publish_keys(charge_point: "ChargePoint", meters: "SigningMeters") -> None:
    """What the meters sign with is MeterPublicKey<connectorId>, once it is on disk."""
    for number in range(1, charge_point.for_station.number_of_connectors + 1):
        public_key = meters.public_key(number)
        if charge_point.configuration.text(f"MeterPublicKey{number}") != public_key:
            await charge_point.for_station.set_powermeter_public_key(number, public_key)


def _is_remote(token: Token | None) -> bool:
    return token is not None and token.is_remote
