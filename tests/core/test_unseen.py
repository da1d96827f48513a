"""Objects that the garbage collector does not look at: they go as all others do, and those that begin none stay out."""

import gc
import weakref

import pytest

from ocpp16._core.by_number import ByNumber
from ocpp16._core.unseen import unseen
from ocpp16.state.transaction import Transaction


def transaction() -> Transaction:
    return Transaction(key=1, connector_id=1, session_id="s", id_tag="TAG", started_at=0, meter_start=0)


class Held:
    """What tells when it goes."""


@pytest.mark.parametrize(
    "one",
    [[1], (1, [2]), {"a": [1]}, ByNumber({1: "row"}), transaction()],
    ids=["list", "tuple", "dict", "by number", "transaction"],
)
def test_it_is_the_same_object_and_not_looked_at(one: object) -> None:
    assert gc.is_tracked(one)
    assert unseen(one) is one
    assert not gc.is_tracked(one)
    assert unseen(one) is one, "said twice, nothing happens"


@pytest.mark.parametrize("one", [5, "text", None, 1.5, b""])
def test_what_is_never_looked_at(one: object) -> None:
    assert unseen(one) is one


def test_it_goes_with_its_last_reference() -> None:
    held = Held()
    gone = weakref.ref(held)
    rows = unseen(ByNumber({1: held}))
    del held
    gc.collect()
    assert gone() is rows[1]
    del rows
    assert gone() is None


def test_what_it_holds_is_kept_by_it_alone() -> None:
    """The collector finds a circle only among what it looks at: what is referred to from elsewhere lives."""
    held = Held()
    gone = weakref.ref(held)
    rows = unseen([held])
    held.itself = held  # type: ignore[attr-defined]
    del held
    gc.collect()
    assert gone() is rows[0]
    rows.clear()
    gc.collect()
    assert gone() is None
