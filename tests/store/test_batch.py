"""What a batch makes of appends that no store can hold."""

from typing import Any

import pytest

from ocpp16._core.by_number import ByNumber
from ocpp16.store.base import Delete, Put, Row, RowChange
from ocpp16.store.batch import Part
from ocpp16.store.changes import are_possible, carry_out
from ocpp16.store.proposal import Proposal
from ocpp16.store.statements import grouped
from ocpp16.store.table import Table
from ocpp16.store.tables import samples, settings

HUGE = 2**63


def stored(part: Part) -> list[str]:
    """Keys of the rows that a store has which leaves out each piece it cannot hold, and numbers of those pieces."""
    rows = ByNumber[Row]()
    refused = []
    for piece in part.pieces():
        if not are_possible(piece.changes):
            refused.append(f"{piece.number} is refused")
            continue
        for change in piece.changes:
            carry_out(change, rows)
    return [*sorted(str(key) for key in rows), *refused]


@pytest.mark.parametrize(
    ("later", "left"),
    [
        (settings.put(settings.SettingRow("x", 2)), ["after", "before", "x"]),
        (settings.delete("x"), ["after", "before"]),
        (Delete(settings.TABLE, ()), ["after"]),
        (settings.put(settings.SettingRow("with", 2)), ["after", "before", "with"]),
    ],
)
def test_nothing_is_left_of_an_append_whose_impossible_row_is_replaced(later: RowChange, left: list[str]) -> None:
    part = Part()
    part.take(1, [settings.put(settings.SettingRow("before", 1))])
    part.take(2, [settings.put(settings.SettingRow("with", 1)), Put(settings.TABLE, ("x", HUGE))])
    part.take(3, [later])
    part.take(4, [settings.put(settings.SettingRow("after", 1))])
    assert stored(part) == [*left, "2 is refused"]
    whole = Part()
    whole.extend(part)
    assert stored(whole) == [*left, "2 is refused"]


class Counted(int):
    """A key that counts how often it is compared, or looked for."""

    __slots__ = ()
    looks = 0

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return int(self) == other

    def __hash__(self) -> int:
        Counted.looks += 1
        return int.__hash__(self)


MANY = 500


def told_for_days(part: Part) -> Part:
    """On a disk that takes nothing: the ends of many transactions, whose samples go with them."""
    for number in range(1, MANY + 1):
        part.take(
            number, [settings.put(settings.SettingRow(str(number), 1)), Delete(samples.TABLE, (Counted(number),))]
        )
    return part


def test_a_change_that_is_withdrawn_on_a_full_disk_has_nobody_look_through_all_that_waits() -> None:
    nobody: Any = None
    part, without = told_for_days(Part()), told_for_days(Part())
    proposal = Proposal(nobody, MANY + 1, "a", [settings.put(settings.SettingRow("x", 1))], lambda: None, tuple)
    part.add(proposal)
    for each in (part, without):
        each.take(MANY + 2, [settings.put(settings.SettingRow("1", 2)), settings.delete("2")])
    Counted.looks = 0
    part.remove(proposal)
    assert Counted.looks < MANY
    assert (part.changes(), len(part), part.last) == (without.changes(), len(without), MANY + 2)


class Name(str):
    """Of a table; counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Name.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_statements_for_many_deletions_are_made_without_comparing_each_with_each() -> None:
    table = Table(Name(samples.TABLE.name), samples.TABLE.key_columns, samples.TABLE.columns)
    changes = [
        change for number in range(MANY) for change in (Put(table, (number, 1, 0, "{}")), Delete(table, (number,)))
    ]
    Name.comparisons = 0
    statements = grouped([("a", changes)])
    assert Name.comparisons < 20 * len(changes)
    assert len(statements) == len(changes), "each after the one before"
