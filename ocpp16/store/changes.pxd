"""C types of changes.py."""

from ocpp16._core.records cimport are_plain


cpdef check_change(change)
cpdef carry_out(change, dict rows)
