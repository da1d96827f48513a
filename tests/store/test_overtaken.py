"""Were rows of a proposal changed since it was made? For all there may be, without comparing each with each."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ocpp16.store.base import Delete, Put, RowChange
from ocpp16.store.batch import Batch, is_overtaken
from ocpp16.store.proposal import Proposal
from ocpp16.store.tables import samples, settings


def proposed(number: int, *changes: RowChange) -> Proposal:
    nobody: Any = None
    return Proposal(nobody, number, "a", changes, lambda: None, tuple)


def overtaken(asked: Sequence[RowChange], told: Sequence[RowChange], *, first: bool = False) -> bool:
    """Told after it was asked; `first`: before."""
    batch, proposal = Batch(), proposed(5, *asked)
    if first:
        batch.part("a").take(4, tuple(told))
    batch.add(proposal)
    if told and not first:
        batch.part("a").take(6, tuple(told))
    batch.part("b").take(7, tuple(asked))
    return is_overtaken(proposal, [batch])


def setting(key: str) -> Put:
    return settings.put(settings.SettingRow(key, 1))


PARTS = st.integers(0, 2)
CHANGES = st.lists(
    st.one_of(
        st.builds(lambda key, n: Put(samples.TABLE, (key, n, 0, "{}")), PARTS, PARTS),
        st.builds(lambda key: Delete(samples.TABLE, key), st.lists(PARTS, max_size=2).map(tuple)),
        st.builds(setting, st.sampled_from("xy")),
        st.builds(settings.delete, st.sampled_from("xy")),
    ),
    max_size=4,
)


def means(change: RowChange, table: str, key: tuple[Any, ...]) -> bool:
    its = change.table.key_of(change.row) if isinstance(change, Put) else change.key
    return change.table.name == table and key[: len(its)] == its


@given(CHANGES, CHANGES)
def test_overtaken_where_a_row_is_meant_by_both(asked: list[RowChange], told: list[RowChange]) -> None:
    every = [("samples", (key, n)) for key in range(3) for n in range(3)] + [("settings", (key,)) for key in "xy"]
    tables = {"samples": samples.TABLE.name, "settings": settings.TABLE.name}
    expected = any(
        any(means(change, tables[name], key) for change in asked)
        and any(means(change, tables[name], key) for change in told)
        for name, key in every
    )
    assert overtaken(asked, told) is expected
    assert not overtaken(asked, told, first=True)


class Counted(str):
    """A key that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_thousands_are_not_compared_with_thousands() -> None:
    """A list of many entries is stored while as many entries leave the cache."""
    asked = [settings.delete(Counted(f"a{number}")) for number in range(3000)]
    Counted.comparisons = 0
    assert not overtaken(asked, [settings.delete(Counted(f"b{number}")) for number in range(3000)])
    assert Counted.comparisons < 30_000


def test_a_key_that_nothing_can_be_looked_up_by_counts_as_touched() -> None:
    unhashable: Any = ["x"]
    assert overtaken([setting("x")], [Delete(settings.TABLE, (unhashable,))])
