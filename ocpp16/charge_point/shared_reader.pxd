"""C types of shared_reader.py."""

from ocpp16.charge_point.link cimport Link


cdef class SharedReader:
    cdef Link _link
    cdef object _sockets
    cdef public object end
    cdef public object task

    cpdef bint readable(self) except -1
