"""What a batch makes of appends that no store can hold."""

import pytest

from ocpp16.store.base import Delete, Put, Row, RowChange
from ocpp16.store.batch import Part
from ocpp16.store.changes import are_possible, carry_out
from ocpp16.store.tables import settings

HUGE = 2**63


def stored(part: Part) -> list[str]:
    """Keys of the rows that a store has which leaves out each piece it cannot hold, and numbers of those pieces."""
    rows: dict[Row, Row] = {}
    refused = []
    for piece in part.pieces():
        if not are_possible(piece.changes):
            refused.append(f"{piece.number} is refused")
            continue
        for change in piece.changes:
            carry_out(change, rows)
    return [*sorted(str(key) for (key,) in rows), *refused]


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
