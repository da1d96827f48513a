"""C types of changes.py."""

from ocpp16._core.records cimport are_plain
from ocpp16.store.table cimport Delete, Put


cpdef check_change(change)
cpdef carry_out(change, dict rows)
