"""Names by the thousand: by a pattern, each once, and cards that one driver holds at a time."""

from typing import Any

import pytest

from ocpp16.fleet import TagPool, identities


def test_a_pattern_makes_ids() -> None:
    assert list(identities("CP{number:04}", 3, first=9)) == ["CP0009", "CP0010", "CP0011"]
    assert list(identities("a-{number:x}-b", 2, first=255)) == ["a-ff-b", "a-100-b"]
    assert list(identities("CP1", 1)) == ["CP1"], "one may have a name of its own"
    with pytest.raises(ValueError, match="and an id"):
        list(identities("CP\n", 1))


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("CP1", "needs the field number"),
        ("CP{}", "needs the field number, and no other; write for example CP{number:05}"),
        ("CP{number}{other}", "needs the field number"),
        ("CP{number", "is no format"),
        ("CP{number:nonsense}", "is no format"),
        ("CP{number.x}", "needs the field number"),
        ("CP{number:0999999999999}", "has a width of more than 99"),
        ("CP{number!r:>999999999999}", "has a width of more than 99"),
        ("CP{number:{number}}", "has a width of more than 99"),
        ("CP{number:\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669}", "has a width of more than 99"),
        ("CP\n{number}", "and an id"),
    ],
)
def test_a_pattern_that_makes_none(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(identities(pattern, 2))


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_a_number_that_is_none(count: Any) -> None:
    with pytest.raises(ValueError, match="count must be"):
        list(identities("CP{number}", count))


def test_no_card_is_held_twice() -> None:
    pool = TagPool("TAG{number:03}", 100, seed=4)
    taken = [pool.take() for _ in range(100)]
    assert sorted(taken) == [f"TAG{number:03}" for number in range(1, 101)]
    assert taken != sorted(taken)
    assert taken == [
        card for again in [TagPool("TAG{number:03}", 100, seed=4)] for card in (again.take() for _ in taken)
    ]
    with pytest.raises(LookupError, match="all 100 id tags are taken"):
        pool.take()
    pool.give_back(taken[5])
    assert len(pool) == 1
    with pytest.raises(ValueError, match="is not taken"):
        pool.give_back(taken[5])
    assert pool.take() == taken[5]


@pytest.mark.parametrize(
    ("tags", "said"), [(["A", "a"], "two id tags are"), ([""], "1 to 20"), (["x" * 21], "1 to 20"), ([7], "1 to 20")]
)
def test_cards_that_are_none(tags: list[Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TagPool(tags)
