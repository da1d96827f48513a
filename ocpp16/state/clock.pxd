"""C types of clock.py."""

from ocpp16._core.by_number cimport ByNumber


cdef class Steady:
    cdef double _offset

    cpdef double seconds(self) except? -1.0


cdef class Clock:
    cdef object _monotonic
    cdef Steady _steady
    cdef public double _zero
    cdef public double _micros
    cdef public long long _anchor
    cdef public long long _started
    cdef ByNumber _spans
    cdef public long long boot
    cdef public bint is_set
    cdef public bint is_settled
    cdef public bint is_trusted
    cdef public ByNumber corrections

    cpdef double monotonic(self) except? -1.0
    cpdef now(self)
