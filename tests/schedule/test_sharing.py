"""The strategies for sharing: never more than the total, and nothing is left over that somebody wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.schedule.sharing import STRATEGIES, Claims, Demand

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


@given(
    st.lists(st.tuples(st.integers(1, 5), st.one_of(st.none(), st.floats(0, 1e4))), max_size=60),
    st.floats(0, 2e4),
)
def test_claims_are_the_sum_of_what_is_wanted_last(changes: list[tuple[int, float | None]], total: float) -> None:
    """In doubt they exceed: never is it too much though they do not."""
    claims = Claims()
    wanted: dict[int, float] = {}
    for connector_id, amperes in changes:
        if amperes is None:
            claims.remove(connector_id)
            wanted.pop(connector_id, None)
        else:
            assert claims.put(Demand(connector_id, amperes, 7)) == (wanted.get(connector_id) != amperes)
            wanted[connector_id] = amperes
    assert list(claims) == [Demand(number, wanted[number], 7) for number in sorted(wanted)]
    assert [claims.wanted(number) for number in range(1, 6)] == [wanted.get(number, 0.0) for number in range(1, 6)]
    if sum(wanted.values()) > total * (1 + 1e-12):
        assert claims.exceed(total)
    if sum(wanted.values()) < total - 1e-7:
        assert not claims.exceed(total)
