from random import Random, SystemRandom
from uuid import UUID

import pytest

from ocpp16.rpc.ids import uuid_ids


@pytest.mark.parametrize("source", [None, SystemRandom(), Random(1)], ids=["none", "system", "seeded"])
def test_ids_are_version_4_uuids_as_text(source: Random | None) -> None:
    new_id = uuid_ids(source)
    ids = [new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    for text in ids:
        assert str(UUID(text)) == text
        assert len(text) == 36
        assert UUID(text).version == 4


def test_a_seed_gives_the_same_ids() -> None:
    first, second, other = (uuid_ids(Random(seed)) for seed in (7, 7, 8))
    ids = [first() for _ in range(3)]
    assert [second() for _ in range(3)] == ids
    assert [other() for _ in range(3)] != ids


def test_the_ids_of_a_seed_are_those_of_recorded_runs() -> None:
    new_id = uuid_ids(Random(7))
    assert [new_id() for _ in range(2)] == [
        "6513270e-269e-4d37-b2a7-4de452e6b438",
        "d23f0824-128b-4f33-8c5c-7fd0a6a3a450",
    ]


def test_without_a_seed_two_charge_points_differ() -> None:
    assert uuid_ids()() != uuid_ids()()
