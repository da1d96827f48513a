"""C types of changes.py."""

cpdef check_change(change)
cpdef carry_out(change, dict rows)
