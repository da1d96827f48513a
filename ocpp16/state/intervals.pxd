"""C types of intervals.py."""


cdef class IntervalBases:
    cdef dict _begun
    cdef dict _sampled

    cpdef base(self, connector_id, context)
