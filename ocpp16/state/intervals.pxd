"""C types of intervals.py."""

from ocpp16._core.by_number cimport ByNumber


cdef class IntervalBases:
    cdef ByNumber _begun
    cdef dict _sampled

    cpdef base(self, connector_id, context)
