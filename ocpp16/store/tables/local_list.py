"""The local authorization list (OCPP 1.6 ed. 2 §3.5.2). Goes with `local_list_version` in one append, or not at all."""

from typing import Final, NamedTuple

from ocpp16.enums import AuthorizationStatus
from ocpp16.store.rows import Rows


class ListedTagRow(NamedTuple):
    id_tag: str
    """As `state.authorization.id_tag_key` has it."""
    status: AuthorizationStatus
    expires_at: int | None = None
    """µs UTC."""
    parent_id_tag: str | None = None


ROWS = Rows("local_list", ListedTagRow, is_whole=True)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read
