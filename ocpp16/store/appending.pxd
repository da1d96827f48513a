"""C types of appending.py."""

from ocpp16.store.memory cimport MemoryStore


cdef class Appending:
    cdef public object _committer
    cdef public MemoryStore _memory
    cdef public object _pending
    cdef public object _subscribers
    cdef public long long durable
    cdef public bint is_failing
    cdef public long long number

    cpdef dict shelf(self, charge_point_id)
    cpdef long long take(self, charge_point_id, tuple changes, dict shelf=*) except? -1
