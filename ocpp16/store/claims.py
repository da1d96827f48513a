"""Who may use a store: one journal, and at that each charge point once. Two of either would overtake each other."""

from weakref import WeakValueDictionary

from ocpp16.errors import StoreError
from ocpp16.store.base import Store
from ocpp16.texts import shown

# By the identity of the store. It keeps nothing alive.
_JOURNALS: WeakValueDictionary[int, object] = WeakValueDictionary()
_KEPT: dict[int, object] = {}
"""Those that nobody serves and that have something the store has not got: it is not lost while the process lives."""


def claimant(store: Store) -> object | None:
    """The journal that lives for a store, if there is one."""
    return _JOURNALS.get(id(store))


def claim_store(store: Store, journal: object) -> None:
    """Raises ValueError if the store has another journal."""
    if _JOURNALS.setdefault(id(store), journal) is not journal:
        raise ValueError("the store has a journal already: use shared_journal(store)")
    _KEPT.pop(id(store), None)


def keep_journal(store: Store, journal: object) -> None:
    """Nobody serves it any more, and it has something left for whoever uses the store next."""
    if _JOURNALS.get(id(store)) is journal:
        _KEPT[id(store)] = journal


def release_store(store: Store, journal: object) -> None:
    """It has ended, and is of no use to whoever uses the store next."""
    if _JOURNALS.get(id(store)) is journal:
        del _JOURNALS[id(store)]
        _KEPT.pop(id(store), None)


class Claims:
    """The charge points that are at work on one journal, by identity."""

    __slots__ = ("_claimed",)

    def __init__(self) -> None:
        self._claimed: set[str] = set()

    def claim(self, charge_point_id: str) -> None:
        """It begins to work. Raises StoreError if another one of this identity does."""
        if charge_point_id in self._claimed:
            raise StoreError(f"a charge point {shown(charge_point_id)!r} is open already on this store")
        self._claimed.add(charge_point_id)

    def release(self, charge_point_id: str) -> None:
        self._claimed.discard(charge_point_id)
