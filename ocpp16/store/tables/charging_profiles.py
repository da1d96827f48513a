"""Installed charging profiles (OCPP 1.6 ed. 2 §3.13), by their id; an id is unique over all connectors."""

from typing import Any, Final, NamedTuple

from ocpp16.store.rows import Rows


class ChargingProfileRow(NamedTuple):
    charging_profile_id: int
    connector_id: int
    profile: dict[str, Any]
    """`csChargingProfiles` as on the wire."""
    transaction_key: int | None = None
    """The transaction a TxProfile belongs to: after a restart it goes on only with that one."""


ROWS = Rows("charging_profiles", ChargingProfileRow)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read
