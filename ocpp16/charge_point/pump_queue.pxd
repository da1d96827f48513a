"""C types of pump_queue.py."""

cimport cython

from ocpp16.charge_point.pump cimport Pump


cdef class PumpQueue:
    cdef double _deadline
    cdef public list _heap
    cdef object _now
    cdef long long _pushed
    cdef long long _stale
    cdef public object asleep
    cdef public object kicked
    cdef public object scope

    cpdef kick(self, pump)
    cpdef wake(self)
    cdef _outdated(self)
    cpdef wake_by(self, scope)
    @cython.locals(now=double, until=double, due=double, pump=Pump)
    cpdef take_turns(self)
