"""C types of timers.py."""


cdef class Timer:
    cdef public object _timers
    cdef public object _callback
    cdef public double _interval
    cdef public double when


cdef class Timers:
    cdef public list _heap
    cdef double _next
    cdef bint _is_known
    cdef long long _sequence
    cdef public Py_ssize_t _cancelled
    cdef public object on_earlier
    cdef public object on_error
    cdef public double running_due

    cpdef double deadline(self) except? -1.0
    cdef Timer _add(self, Timer timer)
    cdef _push(self, Timer timer)
    cpdef _count_cancelled(self, double when)
