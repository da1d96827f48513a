"""Work that outlives a restart: firmware update, diagnostics and log upload, a security profile under trial."""

from typing import Any, Final, NamedTuple

from ocpp16.store.rows import Rows


class JobRow(NamedTuple):
    kind: str
    """One job of a kind at a time, as "firmware"."""
    state: dict[str, Any]
    """What the feature needs to go on: request id, status, the old security profile."""


ROWS = Rows("jobs", JobRow)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read
