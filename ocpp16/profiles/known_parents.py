"""The parents of id tags, from their authorization to their start, which tells none (OCPP 1.6 ed. 2 §5.13)."""

from ocpp16.state.authorization import id_tag_key
from ocpp16.state.signals import IdTagDecided

MOST_PARENTS = 64
"""Id tags whose parent is remembered."""


class KnownParents:
    """Of one charge point, while there are reservations."""

    __slots__ = ("_parents",)

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        """Id tag as it is compared → its parent; the oldest first."""

    def of(self, id_tag: str) -> str | None:
        return self._parents.get(id_tag_key(id_tag))

    def decided(self, signal: IdTagDecided) -> None:
        """What the Central System answers takes the place of what it answered before, a parent or none; who was not
        asked may not know it."""
        parent = signal.parent_id_tag if signal.is_accepted else None
        if not parent and not signal.was_asked:
            return
        key = id_tag_key(signal.id_tag)
        self._parents.pop(key, None)
        if parent:
            if len(self._parents) >= MOST_PARENTS:
                del self._parents[next(iter(self._parents))]
            self._parents[key] = parent
