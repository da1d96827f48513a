"""The feature profiles that a charge point may have besides Core: the list of them.

A feature carries all of itself: the actions it answers, what can be triggered of it, what it reads of the store, the
Protocol its station must have. It is built where it is wanted and the station can do it, and what is built is routed; a
later one takes an action over from who answers it in its absence. SupportedFeatureProfiles is what is reported of it.

Adding one: its file in `profiles/`, and a line here.
"""

from collections.abc import Mapping
from functools import cache
from inspect import isfunction

from ocpp16.profiles.base import FeatureProfile
from ocpp16.profiles.diagnostics import Diagnostics
from ocpp16.profiles.extended_trigger import ExtendedTrigger
from ocpp16.profiles.firmware import Firmware
from ocpp16.profiles.firmware_updates import FirmwareUpdates
from ocpp16.profiles.local_auth_list import LocalAuthList
from ocpp16.profiles.log_upload import LogUpload
from ocpp16.profiles.plug_and_charge import PlugAndCharge
from ocpp16.profiles.pricing import Pricing
from ocpp16.profiles.remote_trigger import RemoteTrigger
from ocpp16.profiles.reservation import KeptReservations
from ocpp16.profiles.signed_firmware import SignedFirmware
from ocpp16.profiles.smart_charging import SmartCharging
from ocpp16.profiles.station_reservation import StationReservations
from ocpp16.station import CoreStation

FEATURES: tuple[type[FeatureProfile], ...] = (
    RemoteTrigger,
    SmartCharging,
    LocalAuthList,
    KeptReservations,
    StationReservations,
    FirmwareUpdates,
    Firmware,
    SignedFirmware,
    Diagnostics,
    LogUpload,
    ExtendedTrigger,
    PlugAndCharge,
    Pricing,
)
"""In the order in which they start and hear of signals, after those of Core."""
INSTEAD_OF: Mapping[type[FeatureProfile], type[FeatureProfile]] = {StationReservations: KeptReservations}
"""What a station may do itself → what does it for all others: never both."""


def possible(station: CoreStation) -> tuple[type[FeatureProfile], ...]:
    """Those that this station can do; found out once, when it is opened. One tuple for all stations of a kind."""
    return _able(FEATURES, tuple([_has_all(station, protocol) for protocol in protocols()]))


@cache
def _able(features: tuple[type[FeatureProfile], ...], there: tuple[bool, ...]) -> tuple[type[FeatureProfile], ...]:
    """Which of these, where these of their Protocols are there."""
    found = dict(zip(_protocols(features), there, strict=True))
    able = [kind for kind in features if kind.protocol is None or found[kind.protocol]]
    left_out = {INSTEAD_OF[kind] for kind in able if kind in INSTEAD_OF}
    return tuple(kind for kind in able if kind not in left_out)


def _has_all(station: CoreStation, protocol: type) -> bool:
    """As `isinstance`, which looks for the methods of the Protocol anew each time: a tenth of a boot."""
    for name in _names(protocol):  # noqa: SIM110 - a generator takes as long again as what it looks at
        if getattr(station, name, None) is None:
            return False
    return True


@cache
def _names(protocol: type) -> tuple[str, ...]:
    """The methods of a Protocol, with those of the one that it extends."""
    return tuple(
        name
        for base in protocol.__mro__
        for name, member in vars(base).items()
        if not name.startswith("_") and isfunction(member)
    )


def protocols() -> tuple[type, ...]:
    """What a station may have besides CoreStation, each as a whole or not at all."""
    return _protocols(FEATURES)


@cache
def _protocols(features: tuple[type[FeatureProfile], ...]) -> tuple[type, ...]:
    needed = (kind.protocol for kind in features if kind.protocol is not None)
    return tuple(dict.fromkeys((*needed, *(extra for kind in features for extra in kind.extras))))


@cache
def profile_names(kinds: tuple[type[FeatureProfile], ...]) -> frozenset[str]:
    """What SupportedFeatureProfiles may report of a charge point that can have these, and Core."""
    return frozenset({FeatureProfile.name, *(kind.name for kind in kinds)} - {""})
