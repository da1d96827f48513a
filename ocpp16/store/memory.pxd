"""C types of memory.py."""


cdef class MemoryStore:
    cdef public bint is_volatile
    cdef public dict _rows
    cdef public dict _tables
    cdef bint _is_closed

    cpdef bint take(self, charge_point_id, changes) except -1
    cdef _check(self, changes)
    cdef _carry_out(self, charge_point_id, changes)
