from random import Random
from uuid import UUID

import pytest

from ocpp16.rpc.ids import uuid_ids


@pytest.mark.parametrize("source", [None, Random(1)], ids=["system", "seeded"])
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


def test_without_a_seed_two_charge_points_differ() -> None:
    assert uuid_ids()() != uuid_ids()()
