"""What a simulated station is made of: the options, their defaults and limits, read from a mapping.

Rules of this file: an option that is unknown, of the wrong type or out of range is a `ConfigurationError`, and all of
them are told at once. Nothing here knows a charge point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from ocpp16.errors import ConfigurationError
from ocpp16.models import ChargingLimit
from ocpp16.security.certificate_paths import PASSWORD, PATHS
from ocpp16.simulation.battery import DC_CABLE_RATING, MOST_POWER, voltage_range
from ocpp16.simulation.car import CABLE_RATING
from ocpp16.simulation.checks import Check, flag, number, one_of, whole
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown
from ocpp16.values import described


class Selection(StrEnum):
    """Which connector an id tag gets when several fit."""

    FIND_FIRST = "FindFirst"
    USER_INPUT = "UserInput"
    """The tag waits until one of them is plugged in."""


class AfterReset(StrEnum):
    """What an accepted Reset does after orderly closing."""

    RESTART = "restart"
    EXIT = "exit"


class PowerLossPolicy(StrEnum):
    """What happens to transactions found open at the start."""

    STOP = "stop"
    RESUME = "resume"


class Sharing(StrEnum):
    """How a limit or fuse that is too small for all cars is split among those that draw."""

    EQUAL = "equal"
    FIRST_COME = "first_come"
    PROPORTIONAL = "proportional"
    OFF = "off"
    """A limit for the whole station is given to every connector in full; the fuse holds, in equal parts."""


EXTERNAL = "external"
"""The `meter_interval` of a station whose host supplies the readings."""

SECURITY_NAMES = frozenset({*PATHS, PASSWORD})


_NO_PATHS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class StationOptions:
    """The options of a station. `load` checks them; the constructor trusts its caller.

    connectors: number of EVSEs with one connector each, None: as many as the charge point has. lock: can the cable
    lock be released, for all connectors or one by one. phases, voltage (V), fuse_limit (A per phase): the supply, the
    fuse shared by all of AC. dc: is it DC that the connectors give, for all or one by one; dc_power: W that those have
    together; dc_outlet_power: W of each at most, None: all of it; dc_current: A that each cable carries; dc_voltage: V
    that they give, from and to. sharing: how fuse, power and limits are split when they do not suffice.
    meter_interval: seconds between reports of the meter, 0: only when asked, "external": the host tells the readings.
    meter_noise: relative, 0.01 is one percent. signed_meter: do the meters sign what they say, for real? One whose
    readings the host tells does not. transfer_step: seconds.
    """

    connectors: int | None = None
    lock: bool | tuple[bool, ...] = True
    phases: int = 3
    voltage: float = 230.0
    fuse_limit: float = 63.0
    dc: bool | tuple[bool, ...] = False
    dc_power: float = 50_000.0
    dc_outlet_power: float | None = None
    dc_current: float = 200.0
    dc_voltage: tuple[float, float] = (150.0, 920.0)
    sharing: Sharing = Sharing.EQUAL
    meter_interval: float | str = 0.5
    meter_noise: float = 0.01
    meter_reset_at_plug_in: bool = True
    """The register starts at 0 Wh for every car."""
    signed_meter: bool = False
    selection: Selection = Selection.FIND_FIRST
    authorization_before_stopping: bool = True
    """Where a connector is free, a card whose parent id runs a transaction starts another one; False: it stops that."""
    after_reset: AfterReset = AfterReset.RESTART
    power_loss_policy: PowerLossPolicy = PowerLossPolicy.STOP
    transfer_step: float = 2.0
    seed: int = 0
    """Of what is left to chance: the same one gives the same story."""
    security: Mapping[str, str] = field(default_factory=lambda: _NO_PATHS)
    """Paths of the certificate store and `private_key_password`, for whoever opens the charge point."""

    @property
    def meter_is_external(self) -> bool:
        """Does the host supply the readings?"""
        return self.meter_interval == EXTERNAL

    @property
    def meters_sign(self) -> bool:
        """Do simulated meters sign what they show?"""
        return self.signed_meter and not self.meter_is_external

    @property
    def capacity(self) -> float:
        """The most that fuse and cable carry, A."""
        return min(self.fuse_limit, CABLE_RATING)

    @property
    def dc_capacity(self) -> float:
        """The most that one connector of DC gives, W."""
        return self.dc_power if self.dc_outlet_power is None else min(self.dc_power, self.dc_outlet_power)

    def is_dc(self, connector_id: int) -> bool:
        """Does this connector give DC?"""
        return self.dc if isinstance(self.dc, bool) else self.dc[connector_id - 1]

    def amperes(self, limit: ChargingLimit) -> float | None:
        """A limit of either unit as amperes; None: no limit."""
        if limit.limit is None or limit.unit == "A":
            return limit.limit
        return limit.limit / self.watts_per_ampere(limit.phases)

    def watts_per_ampere(self, phases: int | None) -> float:
        """What an ampere on each phase comes to: on as many as a limit names; None: on all of the station."""
        return self.voltage * (phases or self.phases)

    def has_lock(self, connector_id: int) -> bool:
        """Can the lock of this connector be released?"""
        return self.lock if isinstance(self.lock, bool) else self.lock[connector_id - 1]

    def for_connectors(self, count: int) -> int:
        """The number of connectors, given the charge point's `count`. Raises ConfigurationError when they differ."""
        problems = []
        if self.connectors not in (None, count):
            problems.append(f"station option connectors: {self.connectors}, but NumberOfConnectors is {count}")
        for name, values in (("lock", self.lock), ("dc", self.dc)):
            if not isinstance(values, bool) and len(values) != count:
                problems.append(f"station option {name}: {len(values)} values for {count} connectors")
        if problems:
            raise ConfigurationError(problems)
        return count

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> "StationOptions":
        """Read options as JSON has them. Raises ConfigurationError that lists every problem."""
        problems = []
        values = {}
        for name, value in document.items():
            check = _CHECKS.get(name)
            if check is None:
                problems.append(f"unknown station option {shown(name, 64)}" + did_you_mean(name, _CHECKS))
                continue
            try:
                values[name] = check(value)
            except ValueError as error:
                problems.append(f"station option {name}: {error}, not {described(value)}")
        if problems:
            raise ConfigurationError(problems)
        return cls(**values)


def options_of(given: StationOptions | Mapping[str, Any] | None, named: Mapping[str, Any]) -> StationOptions:
    """Options that are handed in whole, or as a mapping, and those by name, which come before them. Raises as
    `StationOptions.load` does."""
    if not isinstance(given, StationOptions):
        return StationOptions.load({**(given or {}), **named})
    if not named:
        return given  # one object for all stations that are given it
    changes = StationOptions.load(named)
    return replace(given, **{name: getattr(changes, name) for name in named})


def _flags(value: Any) -> bool | tuple[bool, ...]:
    if isinstance(value, list | tuple) and value and all(isinstance(one, bool) for one in value):
        return tuple(value)
    if not isinstance(value, bool):
        raise ValueError("must be true, false or a list of these, one per connector")
    return value


def _meter_interval(value: Any) -> float | str:
    if value == EXTERNAL:
        return EXTERNAL
    try:
        seconds: float = number(0, 86_400)(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {EXTERNAL}") from None
    if 0 < seconds < _SHORTEST_METER_INTERVAL:
        raise ValueError(f"must be 0 or at least {_SHORTEST_METER_INTERVAL} s")
    return seconds


_SHORTEST_METER_INTERVAL = 0.01


def _dc_outlet_power(value: Any) -> float | None:
    return None if value is None else number(1, MOST_POWER)(value)


def _dc_voltage(value: Any) -> tuple[float, float]:
    try:
        return voltage_range(value, "it")
    except ValueError as error:
        raise ValueError(f"must be two voltages, from and to: {error}") from None


def _security(value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError("must be an object of texts")
    unknown = sorted(set(value) - SECURITY_NAMES)
    if unknown:
        raise ValueError(f"has no member {unknown[0]}; known are {', '.join(sorted(SECURITY_NAMES))}")
    return dict(value)


def _connectors(value: Any) -> int | None:
    return None if value is None else whole(1, 10_000)(value)


_CHECKS: Mapping[str, Check] = {
    "connectors": _connectors,
    "lock": _flags,
    "phases": whole(1, 3),
    "voltage": number(1, 1_000),
    "fuse_limit": number(0, 10_000),
    "dc": _flags,
    "dc_power": number(1, 10_000_000),
    "dc_outlet_power": _dc_outlet_power,
    "dc_current": number(1, DC_CABLE_RATING),
    "dc_voltage": _dc_voltage,
    "sharing": one_of(Sharing),
    "meter_interval": _meter_interval,
    "meter_noise": number(0, 0.5),
    "meter_reset_at_plug_in": flag,
    "signed_meter": flag,
    "selection": one_of(Selection),
    "authorization_before_stopping": flag,
    "after_reset": one_of(AfterReset),
    "power_loss_policy": one_of(PowerLossPolicy),
    "transfer_step": number(0, 86_400),
    "seed": whole(-(2**63), 2**63 - 1),
    "security": _security,
}

assert set(_CHECKS) == {option.name for option in fields(StationOptions)}, "every option has its check"
