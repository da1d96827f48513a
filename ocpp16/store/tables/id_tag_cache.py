"""The authorization cache (OCPP 1.6 ed. 2 §3.5.1). Id tags are personal data: `delete()` wipes them all."""

from typing import Final, NamedTuple

from ocpp16.enums import AuthorizationStatus
from ocpp16.store.rows import Rows


class CachedTagRow(NamedTuple):
    id_tag: str
    """As `state.authorization.id_tag_key` has it."""
    status: AuthorizationStatus
    expires_at: int | None = None
    """µs UTC."""
    parent_id_tag: str | None = None
    used_at: int = 0
    """µs UTC of the last use; the entry unused for longest is evicted first."""


ROWS = Rows("id_tag_cache", CachedTagRow, is_whole=True)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read
