"""Which feature answers, sends, hears and restores what: found once for all charge points of the same features."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from ocpp16.profiles.base import FeatureProfile
from ocpp16.state.signals import Hearers, Signal


class Tables(NamedTuple):
    """What is found by looking at features: the same for all charge points of a kind."""

    routes: Mapping[str, tuple[int, str]]
    """Action → position of the feature that answers it, and its method. A later feature takes it over."""
    triggers: Mapping[str, tuple[int, str]]
    """Message → position of the feature that sends it, and its `Trigger`."""
    hearers: Hearers
    lists: tuple[int, ...]
    """Positions of features that list id tags."""
    restoring: tuple[int, ...]
    """… that read what is stored; as below, to ask all others costs a share of each boot."""
    attaching: tuple[int, ...]
    """… that attach something."""
    starting: tuple[tuple[int, str], ...]
    """… that do something at a start, each with what that is called where it fails."""


@cache
def tables_of(kinds: tuple[type[FeatureProfile], ...]) -> Tables:
    routes, triggers = {}, {}
    hearers: dict[type[Signal], tuple[tuple[int, str], ...]] = {}
    for position, kind in enumerate(kinds):
        routes.update({action: (position, method) for action, method in kind.handlers.items()})
        triggers.update({message: (position, method) for message, method in kind.triggers.items()})
        for signal, method in kind.heard.items():
            hearers[signal] = (*hearers.get(signal, ()), (position, method))
    return Tables(
        MappingProxyType(routes),
        MappingProxyType(triggers),
        MappingProxyType(hearers),
        _having(kinds, "listed"),
        _having(kinds, "restore"),
        _having(kinds, "attach"),
        tuple((position, f"start of {kinds[position].__name__}") for position in _having(kinds, "start")),
    )


def _having(kinds: tuple[type[FeatureProfile], ...], method: str) -> tuple[int, ...]:
    """Positions of those that have a method of their own."""
    common = getattr(FeatureProfile, method)
    return tuple(position for position, kind in enumerate(kinds) if getattr(kind, method) is not common)
