"""What `settle_memory` does to Python's collector, which is the whole process's."""

import gc
from collections.abc import Iterator

import pytest

from ocpp16 import settle_memory
from ocpp16.garbage import FIRST_LOOK, SECOND_LOOK, new_objects


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
        ((700, 10, 10), (FIRST_LOOK, SECOND_LOOK, 4)),
        ((2000, 2, 7), (FIRST_LOOK, 2, 2)),
        ((100, 2, 7), (FIRST_LOOK, 2, 1)),
        ((2000, 0, 7), (FIRST_LOOK, 0, 7)),
        ((2000, 5, 0), (FIRST_LOOK, SECOND_LOOK, 0)),
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


def test_what_is_new_is_counted_about() -> None:
    settle_memory()
    before = new_objects()
    kept: list[object] = [[] for _ in range(3 * FIRST_LOOK)]
    assert 2.5 * FIRST_LOOK < new_objects() - before < 3.5 * FIRST_LOOK
    settle_memory()
    assert new_objects() < FIRST_LOOK
    del kept
