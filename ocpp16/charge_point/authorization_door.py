"""`charge_point.for_station.authorization`: local list and cache, and why what was decided."""

from collections.abc import Mapping, Sequence

from ocpp16.charge_point.runtime import Runtime
from ocpp16.ctrl_c import only_at_waits
from ocpp16.models import AuthorizationDecision, IdTagInfo


@only_at_waits
class AuthorizationDoor:
    """Made anew each time it is asked for. Id tags are compared without regard to case, and are those of this door in
    the case in which they are compared."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def decisions(self) -> Sequence[AuthorizationDecision]:
        """The latest decisions of this start, the oldest first: 8, or as many as there are connectors."""
        return self._runtime.features.authorization.decisions

    @property
    def local_list_version(self) -> int:
        """As GetLocalListVersion has it: -1 without a list or while it is off, 0 for an empty one."""
        feature = self._runtime.features.local_list
        return -1 if feature is None else feature.told_version

    @property
    def local_list(self) -> Mapping[str, IdTagInfo]:
        """Id tag → what the local authorization list says of it, also while it is off; as it was sent."""
        feature = self._runtime.features.local_list
        return {} if feature is None else dict(feature.entries)

    @property
    def cache(self) -> Mapping[str, IdTagInfo]:
        """Id tag → what the Central System last said of it; what was not used for longest comes first."""
        return self._runtime.features.authorization.cached

    async def clear_cache(self) -> bool:
        """What ClearCache does, asked for by the host; returns once it is on disk. False: there is no cache.

        Raises StoreError if it could not be stored within StoreTimeout, ChargePointStopped if the charge point is
        stopped before; then nothing has changed.
        """
        self._runtime.guard.check()
        return await self._runtime.features.authorization.clear_cache_now()
