"""The access rules, rule by rule: rows of connectors, a token, and what must come of it."""

import inspect
import re
from dataclasses import dataclass

import pytest

from ocpp16.enums import ReservationCheckStatus
from ocpp16.simulation import access
from ocpp16.simulation.access import Act, Ruling, Token, after_authorization, before_authorization, is_same
from ocpp16.simulation.options import Selection


@dataclass
class Spot:
    """A connector as a row of the table."""

    connector_id: int
    id_tag: str | None = None
    parent_id_tag: str | None = None
    has_transaction: bool = False
    plugged_at: float | None = None
    reserved_for: tuple[str, str | None] | None = None
    """Id tag and parent."""
    is_operative: bool = True
    is_spent: bool = False

    @property
    def is_free(self) -> bool:
        return self.id_tag is None and not self.is_spent

    def reserved(self, token: Token) -> ReservationCheckStatus:
        if self.reserved_for is None:
            return ReservationCheckStatus.NOT_RESERVED
        id_tag, parent = self.reserved_for
        if is_same(id_tag, token.id_tag) or is_same(parent, token.parent_id_tag):
            return ReservationCheckStatus.RESERVED_FOR_TOKEN
        if parent is not None and token.parent_id_tag is None:
            return ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN_AND_HAS_PARENT_TOKEN
        return ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN


def free(connector_id: int, plugged_at: float | None = None) -> Spot:
    return Spot(connector_id, plugged_at=plugged_at)


def running(connector_id: int, id_tag: str, parent: str | None = None) -> Spot:
    return Spot(connector_id, id_tag, parent, has_transaction=True, plugged_at=0.0)


def assigned(connector_id: int, id_tag: str, parent: str | None = None) -> Spot:
    return Spot(connector_id, id_tag, parent)


def out(connector_id: int) -> Spot:
    return Spot(connector_id, is_operative=False)


def stuck(connector_id: int, id_tag: str, parent: str | None = None) -> Spot:
    """A transaction on a connector that is faulted, or out of service."""
    return Spot(connector_id, id_tag, parent, has_transaction=True, plugged_at=0.0, is_operative=False)


def spent(connector_id: int) -> Spot:
    return Spot(connector_id, plugged_at=0.0, is_spent=True)


def reserved(connector_id: int, id_tag: str, parent: str | None = None) -> Spot:
    return Spot(connector_id, reserved_for=(id_tag, parent))


CARD = Token("Card")
REMOTE = Token("Card", is_remote=True)

BEFORE = [
    ("all out of service", CARD, [out(1), out(2)], (), Ruling(Act.IGNORE, 0)),
    ("out of service is left out, not its neighbour", CARD, [out(1), free(2)], (), Ruling(Act.AUTHORIZE, 5)),
    ("1: in process", CARD, [free(1)], ("card",), Ruling(Act.IGNORE, 1)),
    ("1: another is in process", CARD, [free(1)], ("other",), Ruling(Act.AUTHORIZE, 5)),
    ("1: has it already", CARD, [free(1), assigned(2, "CARD")], (), Ruling(Act.IGNORE, 1)),
    ("1: has it already, remote too", REMOTE, [assigned(1, "CARD")], (), Ruling(Act.IGNORE, 1)),
    ("2: own transaction", CARD, [free(1), running(2, "CARD")], (), Ruling(Act.STOP, 2, 2)),
    ("2: the card is the parent", CARD, [running(1, "other", "cARD")], (), Ruling(Act.STOP, 2, 1)),
    ("2: the card's parent is the tag", Token("x", "P"), [running(1, "p")], (), Ruling(Act.STOP, 2, 1)),
    ("2: the same parents", Token("x", "P"), [running(1, "y", "p")], (), Ruling(Act.STOP, 2, 1)),
    ("2: absent parents are not the same", CARD, [running(1, "other"), free(2)], (), Ruling(Act.AUTHORIZE, 5)),
    ("2: a remote start stops nothing", REMOTE, [running(1, "card"), free(2)], (), Ruling(Act.AUTHORIZE, 5)),
    ("2: on a faulted one too", CARD, [stuck(1, "card")], (), Ruling(Act.STOP, 2, 1)),
    ("2: on a faulted one, beside a free one", CARD, [free(1), stuck(2, "card")], (), Ruling(Act.STOP, 2, 2)),
    ("2: by the parent, on a faulted one", CARD, [stuck(1, "other", "card")], (), Ruling(Act.STOP, 2, 1)),
    ("2: a remote start does not even there", REMOTE, [stuck(1, "card")], (), Ruling(Act.IGNORE, 0)),
    ("2: another card does nothing there", CARD, [stuck(1, "other")], (), Ruling(Act.IGNORE, 0)),
    ("3: a faulted one's transaction has a parent", CARD, [stuck(1, "other", "P")], (), Ruling(Act.AUTHORIZE, 5)),
    ("3: so it has for none of a remote start's", REMOTE, [stuck(1, "other", "P")], (), Ruling(Act.IGNORE, 0)),
    ("1: in process, and faulted", CARD, [stuck(1, "other", "P")], ("card",), Ruling(Act.IGNORE, 1)),
    ("3: none free", CARD, [running(1, "other"), assigned(2, "third")], (), Ruling(Act.IGNORE, 3)),
    ("3: spent until the next plug-in", CARD, [spent(1)], (), Ruling(Act.IGNORE, 3)),
    ("3: none free, but a parent on record", CARD, [running(1, "other", "P")], (), Ruling(Act.AUTHORIZE, 5)),
    ("3: only listed ones count", CARD, [running(1, "other")], (), Ruling(Act.IGNORE, 3)),
    ("4: reserved for another", CARD, [reserved(1, "other"), reserved(2, "x")], (), Ruling(Act.IGNORE, 4)),
    ("4: one is for this card", CARD, [reserved(1, "other"), reserved(2, "CARD")], (), Ruling(Act.AUTHORIZE, 5)),
    ("4: one has a parent", CARD, [reserved(1, "other"), reserved(2, "x", "P")], (), Ruling(Act.AUTHORIZE, 5)),
    ("4: one is not reserved", CARD, [reserved(1, "other"), free(2)], (), Ruling(Act.AUTHORIZE, 5)),
    ("5: a free one", CARD, [free(1)], (), Ruling(Act.AUTHORIZE, 5)),
]  # fmt: skip

CHILD = Token("Card", "Parent")
FIRST, INPUT = Selection.FIND_FIRST, Selection.USER_INPUT

AFTER = [
    ("6: parent stops child", CHILD, [running(1, "other", "PARENT")], FIRST, True, Ruling(Act.STOP, 6, 1)),
    ("6: the parent's own transaction", CHILD, [running(1, "parent")], FIRST, True, Ruling(Act.STOP, 6, 1)),
    ("6: another parent", CHILD, [running(1, "other", "x")], FIRST, True, Ruling(Act.IGNORE, 6)),
    ("6: no parent", CARD, [running(1, "other", "x")], FIRST, True, Ruling(Act.IGNORE, 6)),
    ("6: a remote start stops nothing", Token("Card", "P", is_remote=True), [running(1, "o", "P")], FIRST, True,
     Ruling(Act.IGNORE, 6)),
    ("6: starting goes first", CHILD, [running(1, "o", "Parent"), free(2)], FIRST, True, Ruling(Act.START, 9, 2)),
    ("6: unless told otherwise", CHILD, [running(1, "o", "Parent"), free(2)], FIRST, False, Ruling(Act.STOP, 6, 1)),
    ("6: otherwise, but no match", CHILD, [running(1, "o"), free(2)], FIRST, False, Ruling(Act.START, 9, 2)),
    ("6: parent stops child on a faulted one", CHILD, [stuck(1, "o", "Parent")], FIRST, True, Ruling(Act.STOP, 6, 1)),
    ("6: a faulted one starts nothing", CARD, [stuck(1, "o", "Parent")], FIRST, True, Ruling(Act.IGNORE, 6)),
    ("6: became busy while asking", CARD, [assigned(1, "other")], FIRST, True, Ruling(Act.IGNORE, 6)),
    ("6: went out of service while asking", CARD, [out(1)], FIRST, True, Ruling(Act.IGNORE, 6)),
    ("7: the only candidate", CARD, [free(1)], FIRST, True, Ruling(Act.START, 9, 1)),
    ("7: the only candidate, user input", CARD, [running(1, "o"), free(2)], INPUT, True, Ruling(Act.START, 9, 2)),
    ("7: the earliest plugged in", CARD, [free(1), free(2, 9.0), free(3, 4.0)], FIRST, True,
     Ruling(Act.START, 9, 3)),
    ("7: the first in list order", CARD, [free(3), free(1), free(2)], FIRST, True, Ruling(Act.START, 9, 3)),
    ("7: user input waits", CARD, [free(1), free(2)], INPUT, True, Ruling(Act.AWAIT_PLUG, 7)),
    ("7: user input, one plugged in", CARD, [free(1), free(2, 1.0)], INPUT, True, Ruling(Act.START, 9, 2)),
    ("8: reserved for another", CARD, [reserved(1, "other")], FIRST, True, Ruling(Act.IGNORE, 8, 1)),
    ("8: reserved for the card", CARD, [reserved(1, "CARD")], FIRST, True, Ruling(Act.START, 9, 1)),
    ("8: reserved for its parent", CHILD, [reserved(1, "o", "PARENT")], FIRST, True, Ruling(Act.START, 9, 1)),
    ("8: reserved for another parent", CHILD, [reserved(1, "o", "x")], FIRST, True, Ruling(Act.IGNORE, 8, 1)),
    ("8: looks only at the chosen one", CARD, [reserved(1, "o", "P"), free(2)], FIRST, True,
     Ruling(Act.IGNORE, 8, 1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("token", "spots", "in_process", "ruling"), [row[1:] for row in BEFORE], ids=[r[0] for r in BEFORE]
)
def test_before_authorization(token: Token, spots: list[Spot], in_process: tuple[str, ...], ruling: Ruling) -> None:
    assert before_authorization(token, spots, in_process) == ruling


@pytest.mark.parametrize(
    ("token", "spots", "selection", "starting_goes_first", "ruling"),
    [row[1:] for row in AFTER],
    ids=[r[0] for r in AFTER],
)
def test_after_authorization(
    token: Token, spots: list[Spot], selection: Selection, starting_goes_first: bool, ruling: Ruling
) -> None:
    found = after_authorization(token, spots, selection=selection, starting_goes_first=starting_goes_first)
    assert found == ruling


def test_every_rule_that_ignores_a_card_has_words() -> None:
    source = inspect.getsource(access)
    rules = {int(number) for number in re.findall(r"Ruling\(Act\.IGNORE, (\d)", source)}
    assert rules == access.IGNORED.keys()
