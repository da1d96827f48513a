"""What is known by number is what a dict would know, in the same order, whatever comes and goes."""

import gc
import re
import weakref
from copy import copy, deepcopy
from random import Random
from struct import calcsize
from sys import getsizeof
from typing import Any

import pytest

from ocpp16._core.by_number import ByNumber

NUMBERS: tuple[Any, ...] = (0, 1, 2, 500, 2**31 - 1, 2**31, -1, 2**80, "1", (1, "x"))
"""What are none are the keys of rows."""


@pytest.mark.parametrize("seed", range(20))
def test_it_is_a_dict(seed: int) -> None:
    chance = Random(seed)
    ours, known = ByNumber[str](), dict[Any, str]()
    numbers = NUMBERS[: chance.randint(1, len(NUMBERS))]
    for step in range(400):
        number, value = chance.choice(numbers), f"{step}"
        match chance.choice(("set", "set", "set", "del", "pop", "pop else", "clear", "update")):
            case "set":
                ours[number] = known[number] = value
            case "del" if number in known:
                del ours[number], known[number]
            case "del":
                with pytest.raises(KeyError, match=re.escape(str(number))):
                    del ours[number]
            case "pop":
                assert ours.pop(number) == known.pop(number, None)
            case "pop else":
                assert ours.pop(number, "else") == known.pop(number, "else")
            case "clear" if chance.random() < 0.1:
                ours.clear()
                known.clear()
            case "update":
                more = dict.fromkeys(chance.sample(numbers, min(2, len(numbers))), value)
                ours.update(more)
                known |= more
        assert (len(ours), bool(ours)) == (len(known), bool(known))
        assert list(ours) == list(known)
        assert (ours.values(), ours.items()) == (tuple(known.values()), tuple(known.items()))
        for one in NUMBERS:
            assert (one in ours) is (one in known)
            assert (ours.get(one), ours.get(one, "else")) == (known.get(one), known.get(one, "else"))
            if one in known:
                assert ours[one] == known[one]
            else:
                with pytest.raises(KeyError, match=re.escape(str(one))):
                    ours[one]


def test_none_is_a_value() -> None:
    ours = ByNumber[int | None]({1: None})
    assert (1 in ours, ours.get(1, 5), ours.get(2, 5), ours[1], len(ours)) == (True, None, 5, None, 1)


def test_what_cannot_be_a_key_is_refused() -> None:
    ours = ByNumber({1: "one"})
    with pytest.raises(TypeError, match="unhashable"):
        ours[[1]] = "two"  # type: ignore[index]
    assert ours.items() == ((1, "one"),)


@pytest.mark.parametrize("known", [{}, {1: "one"}, {1: "one", 2: "two"}, {1: "one", 2: "two", 3: "three"}])
def test_a_copy_knows_the_same(known: dict[int, str]) -> None:
    ours = ByNumber(known)
    for copied in (deepcopy(ours), copy(ours)):
        assert copied.items() == tuple(known.items())
        copied[7] = "seven"
        assert 7 not in ours


@pytest.mark.parametrize("numbers", [(1,), (1, 2), (1, 2, 3)])
def test_a_circle_through_it_is_collected(numbers: tuple[int, ...]) -> None:
    class Held:
        of: ByNumber["Held"]

    held = Held()
    held.of = ByNumber(dict.fromkeys(numbers, held))
    gone = weakref.ref(held)
    del held
    gc.collect()
    assert gone() is None


def test_one_of_two_takes_less_than_a_third_of_a_dict() -> None:
    assert ByNumber({1: 1, 2: 2}).__sizeof__() * 3 < {1: 1, 2: 2}.__sizeof__()


def test_one_of_two_takes_no_more_than_its_values_and_their_numbers() -> None:
    """Beside what each object has that has methods in C and is looked at by the garbage collector."""
    pointer = calcsize("P")
    assert getsizeof(ByNumber()) == (5 + 2) * pointer + 2 * calcsize("i")
