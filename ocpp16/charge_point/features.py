"""The feature profiles that a charge point may have besides Core: the list of them.

A feature carries all of itself: the actions it answers, what can be triggered of it, what it reads of the store, the
Protocol its station must have. It is built where it is wanted and the station can do it, and what is built is routed; a
later one takes an action over from who answers it in its absence. SupportedFeatureProfiles is what is reported of it.

Adding one: its file in `profiles/`, and a line here.
"""

from functools import cache

from ocpp16.profiles.base import FeatureProfile
from ocpp16.profiles.local_auth_list import LocalAuthList
from ocpp16.profiles.remote_trigger import RemoteTrigger
from ocpp16.profiles.smart_charging import SmartCharging
from ocpp16.station import CoreStation

FEATURES: tuple[type[FeatureProfile], ...] = (RemoteTrigger, SmartCharging, LocalAuthList)
"""In the order in which they start and hear of signals, after those of Core."""


def possible(station: CoreStation) -> tuple[type[FeatureProfile], ...]:
    """Those that this station can do; found out once, when it is opened."""
    found = tuple(kind for kind in FEATURES if kind.protocol is None or isinstance(station, kind.protocol))
    return FEATURES if len(found) == len(FEATURES) else found


def protocols() -> tuple[type, ...]:
    """What a station may have besides CoreStation, each as a whole or not at all."""
    return tuple(kind.protocol for kind in FEATURES if kind.protocol is not None)


@cache
def profile_names(kinds: tuple[type[FeatureProfile], ...]) -> frozenset[str]:
    """What SupportedFeatureProfiles may report of a charge point that can have these, and Core."""
    return frozenset({FeatureProfile.name, *(kind.name for kind in kinds)} - {""})
