"""The tables, one module each: its record, `TABLE`, and `put`, `delete` and `read` to go between the two."""

from typing import Any

from ocpp16.store.base import Table
from ocpp16.store.rows import Rows
from ocpp16.store.tables import (
    availability,
    charging_profiles,
    clock_corrections,
    dead_letters,
    id_tag_cache,
    jobs,
    local_list,
    local_list_version,
    message_queue,
    meters,
    reservations,
    samples,
    settings,
    transactions,
)

ALL_ROWS: tuple[Rows[Any], ...] = (
    settings.ROWS,
    availability.ROWS,
    transactions.ROWS,
    message_queue.ROWS,
    dead_letters.ROWS,
    samples.ROWS,
    meters.ROWS,
    clock_corrections.ROWS,
    id_tag_cache.ROWS,
    local_list.ROWS,
    local_list_version.ROWS,
    reservations.ROWS,
    charging_profiles.ROWS,
    jobs.ROWS,
)
TABLES: tuple[Table, ...] = tuple(rows.table for rows in ALL_ROWS)
"""Every table a store has."""
