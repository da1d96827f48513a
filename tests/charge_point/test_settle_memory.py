"""What `settle_memory` does to Python's collector, which is the whole process's."""

import gc
from collections.abc import Iterator

import pytest

from ocpp16 import settle_memory
from ocpp16.garbage import FIRST_LOOK


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_lives_is_out_of_sight_and_what_is_new_is_not() -> None:
    old: list[object] = [[]]
    settle_memory()
    new: list[object] = [[]]
    seen = {id(it) for it in gc.get_objects()}
    assert id(old) not in seen
    assert id(new) in seen
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((700, 10, 10), (FIRST_LOOK, 10, 1)),
        ((2000, 5, 7), (FIRST_LOOK, 5, 2)),
        ((2000, 5, 0), (FIRST_LOOK, 5, 0)),
        ((FIRST_LOOK + 1, 10, 10), (FIRST_LOOK + 1, 10, 10)),
        ((0, 10, 10), (0, 10, 10)),
    ],
)
def test_the_collector_looks_less_often_unless_the_program_has_said_otherwise(
    before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    gc.set_threshold(*before)
    settle_memory()
    settle_memory()
    assert gc.get_threshold() == after
