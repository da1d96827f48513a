"""Who may charge: the rules for an id tag that is presented, as two pure functions.

`before_authorization` decides what can be decided without asking (rules 1 to 4), `after_authorization` what an accepted
answer leads to (rules 6 to 9); rule 5, the asking, is the reader's (card_reader.py). Both see the connectors that the
reader serves as `Candidate`s, in the order in which they were listed, and change nothing. Tokens compare without regard
to case. A token of a remote start goes through the same rules but never stops a transaction: only a card does. What is
out of service or faulted starts nothing, but a card stops a transaction there as anywhere: its driver wants to leave.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from ocpp16.enums import ReservationCheckStatus
from ocpp16.simulation.options import Selection
from ocpp16.state.authorization import id_tag_key
from ocpp16.values import text

LONGEST_ID_TAG = 20
"""Characters (OCPP 1.6 ed. 2 §7.28)."""


def is_same(one: str | None, other: str | None) -> bool:
    """Are these the same id tag? An absent one is like no other."""
    return one is not None and other is not None and id_tag_key(one) == id_tag_key(other)


@dataclass(frozen=True, slots=True)
class Token:
    """An id tag at the reader (or of a remote start), with its parent once it is known. Raises ValueError if the tag
    is not 1 to 20 characters.
    """

    id_tag: str
    parent_id_tag: str | None = None
    is_remote: bool = False
    """From RemoteStartTransaction, not from a reader."""
    is_prevalidated: bool = False
    """The Central System need not be asked: AuthorizeRemoteTxRequests is false."""

    def __post_init__(self) -> None:
        text(self.id_tag, "id_tag", LONGEST_ID_TAG, 1)

    @property
    def key(self) -> str:
        """The id tag as it is compared: without case."""
        return id_tag_key(self.id_tag)

    def with_parent(self, parent_id_tag: str | None) -> "Token":
        """The same token with this parent."""
        return replace(self, parent_id_tag=parent_id_tag)


class Candidate(Protocol):
    """A connector as the rules see it."""

    @property
    def connector_id(self) -> int: ...

    @property
    def is_operative(self) -> bool:
        """In service and not faulted."""
        ...

    @property
    def is_free(self) -> bool:
        """No token assigned, no transaction, and not used up until the next plug-in."""
        ...

    @property
    def has_transaction(self) -> bool: ...

    @property
    def id_tag(self) -> str | None:
        """Of the token assigned to it."""
        ...

    @property
    def parent_id_tag(self) -> str | None:
        """Of the token assigned to it; during a transaction as the Central System last told it."""
        ...

    @property
    def plugged_at(self) -> float | None:
        """When the car there was plugged in."""
        ...

    def reserved(self, token: Token) -> ReservationCheckStatus:
        """Whom it is reserved for, as far as this token is concerned."""
        ...


class Act(StrEnum):
    """What is to be done."""

    IGNORE = "ignore"
    STOP = "stop"
    AUTHORIZE = "authorize"
    AWAIT_PLUG = "await plug"
    START = "start"


IGNORED: Mapping[int, str] = MappingProxyType(
    {
        0: "no connector of the reader is in service",
        1: "it is being looked at, or has a connector already",
        3: "no connector of the reader is free",
        4: "every connector of the reader is reserved for others",
        6: "no connector of the reader is free",
        8: "the connector is reserved for somebody else",
    }
)
"""Rule → why a card is ignored by it, in words."""


class Ruling(NamedTuple):
    """What is to be done, where, and the number of the rule that says so (0: no connector is operative)."""

    act: Act
    rule: int
    connector_id: int = 0


def before_authorization(token: Token, candidates: Sequence[Candidate], in_process: Collection[str]) -> Ruling:
    """Rules 1 to 4. `in_process` holds the keys of the tokens being authorized, or waiting for a plug."""
    operative = [candidate for candidate in candidates if candidate.is_operative]
    if token.key in in_process:
        return Ruling(Act.IGNORE, 1)
    if any(is_same(candidate.id_tag, token.id_tag) and not candidate.has_transaction for candidate in operative):
        return Ruling(Act.IGNORE, 1)
    running = _running_for(token, candidates, token.id_tag, token.parent_id_tag)
    if running is not None:
        return Ruling(Act.STOP, 2, running.connector_id)
    if not operative and not _may_stop(token, candidates):
        return Ruling(Act.IGNORE, 0)
    if not any(one.is_free or one.parent_id_tag is not None for one in operative) and not _may_stop(token, candidates):
        return Ruling(Act.IGNORE, 3)
    if operative and all(candidate.reserved(token) == _FOR_OTHERS for candidate in operative):
        return Ruling(Act.IGNORE, 4)
    return Ruling(Act.AUTHORIZE, 5)


def after_authorization(
    token: Token, candidates: Sequence[Candidate], *, selection: Selection, starting_goes_first: bool
) -> Ruling:
    """Rules 6 to 9, for an accepted token whose parent is now known."""
    free = [candidate for candidate in candidates if candidate.is_operative and candidate.is_free]
    if not (free and starting_goes_first):
        running = _running_for(token, candidates, token.parent_id_tag)
        if running is not None:
            return Ruling(Act.STOP, 6, running.connector_id)
    if not free:
        return Ruling(Act.IGNORE, 6)
    chosen = _choose(free, selection)
    if chosen is None:
        return Ruling(Act.AWAIT_PLUG, 7)
    return admission(token, chosen)


def admission(token: Token, candidate: Candidate) -> Ruling:
    """Rules 8 and 9: may the token have this connector?"""
    if candidate.reserved(token) not in _OPEN:
        return Ruling(Act.IGNORE, 8, candidate.connector_id)
    return Ruling(Act.START, 9, candidate.connector_id)


def _choose(free: Sequence[Candidate], selection: Selection) -> Candidate | None:
    """Rule 7; None: wait for a plug."""
    if len(free) == 1:
        return free[0]
    plugged = [(one.plugged_at, order) for order, one in enumerate(free) if one.plugged_at is not None]
    if plugged:
        return free[min(plugged)[1]]
    return None if selection is Selection.USER_INPUT else free[0]


def _running_for(token: Token, candidates: Sequence[Candidate], *tags: str | None) -> Candidate | None:
    """The transaction that one of the card's `tags` (its own, its parent's) stops."""
    if token.is_remote:
        return None
    for candidate in candidates:
        if candidate.has_transaction and any(
            is_same(tag, theirs) for tag in tags for theirs in (candidate.id_tag, candidate.parent_id_tag)
        ):
            return candidate
    return None


def _may_stop(token: Token, candidates: Sequence[Candidate]) -> bool:
    """Is there a transaction that the card's parent, which is not known yet, might stop?"""
    return not token.is_remote and any(one.has_transaction and one.parent_id_tag is not None for one in candidates)


_FOR_OTHERS = ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN
"""And no parent id could change that."""
_OPEN = frozenset({ReservationCheckStatus.NOT_RESERVED, ReservationCheckStatus.RESERVED_FOR_TOKEN})
