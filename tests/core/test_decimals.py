"""Two decimals as text: what Python's own formatting gives, by a shorter way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16._core.decimals import two_decimals, two_decimals_ascii


def expected(number: float) -> str:
    text = f"{number:.2f}"
    return "0.00" if text == "-0.00" else text


NEAR_TIES = st.integers(-(10**12), 10**12).map(lambda thousandths: thousandths / 1000)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e9, 1e9) | NEAR_TIES)
def test_it_is_what_python_writes(number: float) -> None:
    assert two_decimals(number) == expected(number)
    assert two_decimals_ascii(number) == expected(number).encode()


@pytest.mark.parametrize(
    "number",
    [0.0, -0.0, 0.005, 0.015, 0.025, 2.675, -0.001, -0.005, 0.995, 9.995, 1e8, 99999999.995, 1e8 - 0.005, -1e22, 5],
)
def test_numbers_at_the_edges(number: float) -> None:
    assert two_decimals(number) == expected(number)
