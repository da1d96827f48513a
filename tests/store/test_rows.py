"""From records to rows: what a driver is given."""

from types import NoneType

from ocpp16.enums import Reason
from ocpp16.state.transaction import Transaction
from ocpp16.store.tables import transactions


def test_a_row_has_plain_values_only() -> None:
    """A driver looks for an adapter of every other."""
    transaction = Transaction(1, 1, "s1", "TAG", 0, 0, is_refused=True, stop_reason=Reason.LOCAL)
    row = transactions.put(transaction).row
    assert {type(value) for value in row} <= {int, str, NoneType}
    assert transactions.ROWS.record(row).stop_reason is Reason.LOCAL
