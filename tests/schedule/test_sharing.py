"""The strategies for sharing: never more than the total, and nothing is left over that somebody wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.schedule.sharing import STRATEGIES, Demand

rates = st.floats(0, 1e6) | st.integers(0, 100).map(float)
demands = st.lists(st.tuples(rates, st.integers(0, 5)), min_size=1, max_size=12).map(
    lambda found: [Demand(number, wanted, since) for number, (wanted, since) in enumerate(found, 1)]
)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
@given(total=rates, asked=demands)
def test_shares_add_up(name: str, total: float, asked: list[Demand]) -> None:
    shares = STRATEGIES[name](total, asked)
    assert set(shares) == {demand.connector_id for demand in asked}
    for demand in asked:
        assert 0 <= shares[demand.connector_id] <= demand.wanted * (1 + 1e-12)
    wanted = sum(demand.wanted for demand in asked)
    assert sum(shares.values()) <= total * (1 + 1e-9)
    assert sum(shares.values()) == pytest.approx(min(total, wanted), rel=1e-9), "nothing is left over"
