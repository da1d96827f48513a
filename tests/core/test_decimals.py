"""Two decimals as text: what Python's own formatting gives, by a shorter way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16._core.decimals import text_of_numbers, two_decimals


def expected(number: float) -> str:
    text = f"{number:.2f}"
    return "0.00" if text == "-0.00" else text


NEAR_TIES = st.integers(-(10**12), 10**12).map(lambda thousandths: thousandths / 1000)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e9, 1e9) | NEAR_TIES)
def test_it_is_what_python_writes(number: float) -> None:
    assert two_decimals(number) == expected(number)
    assert text_of_numbers(b"<", [number, b";", number, b",>"], 2, b"]") == "<{0};{0}]".format(expected(number))


@pytest.mark.parametrize(
    "number",
    [0.0, -0.0, 0.005, 0.015, 0.025, 2.675, -0.001, -0.005, 0.995, 9.995, 1e8, 99999999.995, 1e8 - 0.005, -1e22, 5],
)
def test_numbers_at_the_edges(number: float) -> None:
    assert two_decimals(number) == expected(number)


def test_numbers_between_their_texts() -> None:
    pieces = [1.005, b" A, ", -0.001, b" V, ", 1e300, b" W, "]
    expected_text = "1.00 A, 0.00 V, " + f"{1e300:.2f} W"
    assert text_of_numbers(b"[", pieces, 2, b"]") == f"[{expected_text}]"


@pytest.mark.parametrize("count", [1, 511, 512, 513, 10_000])
def test_texts_of_any_length(count: int) -> None:
    """Longer than the place where they are put together, too."""
    assert (
        text_of_numbers("ä".encode(), [1.25, b" and so on; "] * count, 2, b"")
        == f"ä{'; '.join(['1.25 and so on'] * count)}"
    )


def test_a_number_that_is_made_by_python_code_does_not_mix_two_texts() -> None:
    """Which may put another one together meanwhile."""

    class Amperes(int):
        def __float__(self) -> float:
            text_of_numbers(b"#" * 60, [1.0, b"#"], 0, b"#")
            return 16.0

    assert text_of_numbers(b"[", [3.0, b" V, ", Amperes(16), b" A, "], 2, b"]") == "[3.00 V, 16.00 A]"


@pytest.mark.parametrize("pieces", [[], [1.0], [1.0, b"x", 2.0]])
def test_pieces_that_are_no_pairs_are_refused(pieces: list[Any]) -> None:
    with pytest.raises(ValueError, match="pairs"):
        text_of_numbers(b"", pieces, 0, b"")


@pytest.mark.parametrize(("pieces", "cut"), [([1.0, None], 0), ([1.0, "x"], 0), (["1", b"x"], 0), ([1.0, b"x"], 2)])
def test_what_is_no_number_or_no_bytes_is_refused(pieces: list[Any], cut: int) -> None:
    with pytest.raises((TypeError, ValueError)):
        text_of_numbers(b"", pieces, cut, b"")
