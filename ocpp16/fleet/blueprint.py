"""What a station of a fleet is made of, by the names of the hardware there is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from ocpp16.address import profile_for
from ocpp16.simulation.options import StationOptions
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown
from ocpp16.values import described, whole

_NO_KEYS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
LIGHT: Final = "Core,RemoteTrigger,SmartCharging"
"""Feature profiles of a charge point whose blueprint names no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """One kind of station.

    name: as it is asked for. connectors: how many. options: of the simulated station, as of `StationOptions`. keys:
    configuration keys by section, over those of every charge point here. vendor, model: of BootNotification.
    """

    name: str
    connectors: int = 1
    options: Mapping[str, Any] = field(default_factory=lambda: _NO_KEYS)
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NO_KEYS)
    vendor: str = "ocpp16"
    model: str = "Simulated"
    station_options: StationOptions = field(init=False, repr=False, compare=False)
    """Of all stations made of it. A fleet asks the meter when it needs a reading: nothing ticks meanwhile."""

    def __post_init__(self) -> None:
        """Raises ValueError, or ConfigurationError for options that no station has."""
        whole(self.connectors, "connectors", 1, 1_000)
        object.__setattr__(self, "station_options", StationOptions.load({"meter_interval": 0, **self.options}))

    def over(self, *, keys: Mapping[str, Mapping[str, Any]] = _NO_KEYS, **changes: Any) -> "Blueprint":
        """The same with other fields; `keys` and `options` are laid over those that there are."""
        options = {**self.options, **changes.pop("options", {})}
        return replace(self, keys=merged(self.keys, keys), options=options, **changes)

    def configuration(self, identity: str, csms: str) -> dict[str, dict[str, Any]]:
        """Of the charge point of this id at the Central System `csms`, a URL."""
        own: dict[str, dict[str, Any]] = {
            "Internal": {
                "ChargePointId": identity,
                "CentralSystemURI": csms,
                "ChargePointVendor": self.vendor,
                "ChargePointModel": self.model,
            },
            "Core": {
                "NumberOfConnectors": self.connectors,
                "SupportedFeatureProfiles": LIGHT,
                "ClockAlignedDataInterval": 0,
            },
            "Security": {"SecurityProfile": profile_for(csms, has_password=False)},
        }
        return merged(own, self.keys)


def merged(under: Mapping[str, Mapping[str, Any]], over: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Keys by section; those of `over` hold. Raises ValueError for what are no sections of keys."""
    if not isinstance(over, Mapping):
        raise ValueError(f"keys must be keys by section, not {described(over)}")
    for section, keys in over.items():
        if not isinstance(keys, Mapping):
            raise ValueError(f"keys: {shown(section)} must be a section of keys, not {shown(keys, 64)}")
    return {section: {**under.get(section, {}), **over.get(section, {})} for section in {**under, **over}}


def _ac(name: str, model: str, *, phases: int, fuse: float, connectors: int = 1) -> Blueprint:
    return Blueprint(name=name, model=model, connectors=connectors, options={"phases": phases, "fuse_limit": fuse})


_DC_KEYS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "Core": {
            "MeterValuesSampledData": "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
        },
        "SmartCharging": {"ChargingScheduleAllowedChargingRateUnit": "Power"},
    }
)
"""What chargers of DC report while they charge; and their limits are watts."""


def _dc(name: str, model: str, *, power: float, current: float, connectors: int = 1, **options: Any) -> Blueprint:
    return Blueprint(
        name=name,
        model=model,
        connectors=connectors,
        options={"dc": True, "dc_power": power, "dc_current": current, **options},
        keys=_DC_KEYS,
    )


BLUEPRINTS: Final[Mapping[str, Blueprint]] = MappingProxyType(
    {
        made.name: made
        for made in (
            _ac("ac-22kw", "AC 22 kW", phases=3, fuse=32.0),
            _ac("ac-11kw", "AC 11 kW", phases=3, fuse=16.0),
            _ac("ac-7kw", "AC 7.4 kW", phases=1, fuse=32.0),
            _ac("ac-22kw-twin", "AC 2 x 22 kW", phases=3, fuse=63.0, connectors=2),
            _ac("ac-hub", "AC hub of 12 sockets", phases=3, fuse=250.0, connectors=12),
            _dc("dc-50kw", "DC 50 kW", power=50_000.0, current=125.0),
            _dc("dc-50kw-twin", "DC 50 kW, 2 plugs", power=50_000.0, current=125.0, connectors=2),
            _dc(
                "dc-50kw-ac",
                "DC 50 kW, AC 22 kW",
                power=50_000.0,
                current=125.0,
                connectors=2,
                dc=[True, False],
                fuse_limit=32.0,
            ),
            _dc("dc-150kw-twin", "DC 150 kW, 2 plugs", power=150_000.0, current=400.0, connectors=2),
            _dc("dc-300kw-twin", "DC 300 kW, 2 plugs", power=300_000.0, current=500.0, connectors=2),
        )
    }
)
"""By name."""
USUAL: Final = "ac-22kw"
"""Where none is named."""


def blueprint(named: str | Blueprint) -> Blueprint:
    """The one of a name, or the one that is given. Raises ValueError for an unknown name."""
    if isinstance(named, Blueprint):
        return named
    found = BLUEPRINTS.get(named) if isinstance(named, str) else None
    if found is None:
        raise ValueError(
            f"no blueprint {shown(named)}{did_you_mean(str(named), BLUEPRINTS)}; there are {', '.join(BLUEPRINTS)}"
        )
    return found
