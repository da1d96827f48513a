"""What is no change at all is refused, by compiled code too, which might read past it."""

from typing import Any

import pytest

from ocpp16._core.by_number import ByNumber
from ocpp16.store.changes import carry_out, check_change
from ocpp16.store.memory import MemoryStore
from ocpp16.store.table import Delete, Put
from ocpp16.store.tables import settings

TABLE = settings.TABLE
WIDTH = len(TABLE.columns)
NONE: Any = None


def bad() -> list[Any]:
    made: list[Any] = [None, 3, "row", object(), Put(TABLE, NONE), Delete(TABLE, NONE), Put(NONE, ("a",) * WIDTH)]
    return [*made, Delete(NONE, ("a",))]


@pytest.mark.parametrize("change", bad(), ids=lambda it: type(it).__name__)
def test_no_change(change: Any) -> None:
    for refuse in (check_change, lambda it: carry_out(it, ByNumber())):
        with pytest.raises((TypeError, AttributeError)):
            refuse(change)
    store = MemoryStore()
    good = settings.put(settings.SettingRow("name", 1))
    try:
        is_taken = store.take(store.shelf("cp"), (good, change))
    except AttributeError:
        is_taken = False
    assert not is_taken
    assert store.load("cp", TABLE) == []
