"""C types of memory.py."""

cimport cython

from ocpp16._core.by_number cimport ByNumber
from ocpp16.store.changes cimport carry_out, check_change
from ocpp16.store.table cimport Change, Table


cdef class MemoryStore:
    cdef public bint is_volatile
    cdef public dict _rows
    cdef public dict _tables
    cdef bint _is_closed

    cpdef dict shelf(self, charge_point_id)
    cpdef bint take(self, dict shelf, changes) except -1
    @cython.locals(change=Change, table=Table)
    cdef _check(self, changes)
    @cython.locals(change=Change, rows=ByNumber)
    cdef _carry_out(self, dict shelf, changes)
