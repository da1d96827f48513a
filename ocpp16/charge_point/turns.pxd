"""C types of turns.py."""

cimport cython

from ocpp16.charge_point.pump cimport Pump


cdef class _Waiting:
    cdef Turns turns
    cdef readonly object task
    cdef readonly object condition


cdef class Turns:
    cdef Pump _pump
    cdef _Waiting _one
    cdef list _more

    @cython.locals(waiting=_Waiting)
    cpdef release(self)
    cdef bint _holds(self, condition) except -1
    cdef _wake(self, _Waiting waiting)
    cdef _remove(self, _Waiting waiting)
