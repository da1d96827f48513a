"""The charging profiles that are installed, and which of them one makes room for another.

Rules of this file:
1. An id is unique on the charge point; so is (purpose, connector, stack level). A new profile takes the place of
   whatever has either (OCPP 1.6 ed. 2 §3.13.2 and §5.16).
2. A TxDefaultProfile for connector 0 also takes the place of those of its level on every connector; one for a
   connector only stands in for that of connector 0 there, and leaves it alone.
3. Everything that changes says what was removed, so that a store can follow.
4. What is derived for a connector is kept until a profile that concerns it changes.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from ocpp16._core.periods import CompiledProfile
from ocpp16._core.precedence import ProfileStack
from ocpp16.enums import ChargingProfilePurposeType

Instant = datetime | int
"""An aware datetime, or µs since 1970 UTC."""

_TX_DEFAULT = ChargingProfilePurposeType.TX_DEFAULT_PROFILE
_TX = ChargingProfilePurposeType.TX_PROFILE


class InstalledProfiles:
    """Charging profiles by id and by place; `profiles` are installed in their order."""

    __slots__ = ("_by_connector", "_by_id", "_by_place", "_stacks")

    def __init__(self, profiles: Iterable[CompiledProfile] = ()) -> None:
        self._by_id: dict[int, CompiledProfile] = {}
        self._by_place: dict[tuple[str, int, int], CompiledProfile] = {}
        self._by_connector: dict[int, dict[int, CompiledProfile]] = {}
        self._stacks: dict[int, ProfileStack] = {}
        for profile in profiles:
            self.install(profile)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[CompiledProfile]:
        return iter(self._by_id.values())

    def get(self, profile_id: int) -> CompiledProfile | None:
        """The profile of this id; None: there is none."""
        return self._by_id.get(profile_id)

    def has_own(self, connector_id: int) -> bool:
        """Is a profile installed for just this connector?"""
        return connector_id in self._by_connector

    def replaced_by(self, profile: CompiledProfile) -> list[CompiledProfile]:
        """What `install` would remove."""
        found: dict[int, CompiledProfile] = {}
        for other in (
            self._by_id.get(profile.profile_id),
            self._by_place.get((profile.purpose, profile.connector_id, profile.stack_level)),
        ):
            if other is not None:
                found[other.profile_id] = other
        if profile.purpose == _TX_DEFAULT and profile.connector_id == 0:
            for other in self._by_id.values():
                if other.purpose == _TX_DEFAULT and other.stack_level == profile.stack_level:
                    found[other.profile_id] = other
        return list(found.values())

    def has_room_for(self, profile: CompiledProfile, capacity: int) -> bool:
        """Would there be at most `capacity` (MaxChargingProfilesInstalled) profiles with this one?

        If not, ask again after `remove_over`.
        """
        return len(self) - len(self.replaced_by(profile)) < capacity

    def install(self, profile: CompiledProfile) -> list[CompiledProfile]:
        """Install it; what had to go is returned."""
        removed = self.replaced_by(profile)
        self.remove(removed)
        self._by_id[profile.profile_id] = profile
        self._by_place[profile.purpose, profile.connector_id, profile.stack_level] = profile
        self._by_connector.setdefault(profile.connector_id, {})[profile.profile_id] = profile
        self._forget(profile.connector_id)
        return removed

    def remove(self, profiles: Iterable[CompiledProfile]) -> None:
        """Remove installed profiles. Raises KeyError for one that is not."""
        for profile in list(profiles):
            if self._by_id.get(profile.profile_id) is not profile:
                raise KeyError(profile.profile_id)
            del self._by_id[profile.profile_id]
            del self._by_place[profile.purpose, profile.connector_id, profile.stack_level]
            of_connector = self._by_connector[profile.connector_id]
            del of_connector[profile.profile_id]
            if not of_connector:
                del self._by_connector[profile.connector_id]
            self._forget(profile.connector_id)

    def matching(
        self,
        *,
        profile_id: int | None = None,
        connector_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> list[CompiledProfile]:
        """What a ClearChargingProfile.req with these members means (OCPP 1.6 ed. 2 §5.4 and §6.13).

        With an id the others do not count (errata 3.26). connector_id: as it was installed with, so that 0 means what
        is for the charge point, and not everything. Without any: all.
        """
        if profile_id is not None:
            found = self._by_id.get(profile_id)
            return [] if found is None else [found]
        return [
            profile
            for profile in self._by_id.values()
            if connector_id in (None, profile.connector_id)
            and purpose in (None, profile.purpose)
            and stack_level in (None, profile.stack_level)
        ]

    def remove_transaction(self, connector_id: int) -> list[CompiledProfile]:
        """The transaction of a connector has stopped: remove and return its TxProfiles."""
        found = self._by_connector.get(connector_id)
        removed = [] if found is None else [profile for profile in found.values() if profile.purpose == _TX]
        self.remove(removed)
        return removed

    def remove_over(self, at: Instant) -> list[CompiledProfile]:
        """Remove and return what is over for good; that never changes a schedule from `at` on."""
        removed = [profile for profile in self._by_id.values() if profile.is_over(at)]
        self.remove(removed)
        return removed

    def stack(self, connector_id: int) -> ProfileStack:
        """What matters to a connector; 0: to one that has no profile of its own."""
        stack = self._stacks.get(connector_id)
        if stack is None:
            profiles = list(self._by_connector.get(0, {}).values())
            if connector_id != 0:
                profiles += self._by_connector.get(connector_id, {}).values()
            stack = self._stacks[connector_id] = ProfileStack(profiles, connector_id)
        return stack

    def _forget(self, connector_id: int) -> None:
        if connector_id == 0:
            self._stacks.clear()
        else:
            self._stacks.pop(connector_id, None)
