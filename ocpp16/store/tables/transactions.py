"""Transactions whose StopTransaction is not answered yet; one row is one `state.transaction.Transaction`.

The row goes with the queued message that tells of it, in one append: there is no second place that says what is still
to be sent. It is deleted when StopTransaction is answered or given up.
"""

from typing import Final

from ocpp16.state.transaction import Transaction
from ocpp16.store.rows import Rows

ROWS = Rows("transactions", Transaction, is_counted=True)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read
