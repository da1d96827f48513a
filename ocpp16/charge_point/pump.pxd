"""C types of pump.py."""

from ocpp16.charge_point.link cimport Link
from ocpp16.rpc.session cimport Session
from ocpp16.state.timers cimport Timers


cdef class Pump:
    cdef public object clock
    cdef public Link link
    cdef public object on_turn
    cdef public double deadline
    cdef public bint is_wanted
    cdef object _waker
    cdef Timers _host_timers
    cdef Timers _timers
    cdef Session _session
    cdef object _journal
    cdef object _reports
    cdef object _failed
    cdef bint _is_in_turn
    cdef bint _is_kicked
    cdef bint _has_ended

    cpdef kick(self)
    cpdef take_turn(self)
    cdef _run_due(self)
    cpdef bint is_all_answered(self) except? -1
    cpdef begin(self)
    cpdef turn(self)
    cdef double _due(self) except? -1.0
    cpdef _earlier(self, double due)
