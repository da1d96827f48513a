"""C types of silence.py."""

from ocpp16.rpc.hooks cimport Hooks
from ocpp16.rpc.outbox cimport Outbox
from ocpp16.rpc.pending cimport Entry, OpenCall


cdef class Silence:
    cdef public bint wants_probe
    cdef Outbox _outbox
    cdef OpenCall _open_call
    cdef public object retry
    cdef Hooks _hooks
    cdef bint _is_proved
    cdef public tuple _unproved
    cdef dict _held_back

    cpdef heard(self, double now)
    cpdef answered(self, Entry entry)
    cpdef forget(self, Entry entry)
    cpdef double held_until(self, Entry entry, double now) except? -1.0
    cpdef hold_back(self, Entry entry, Entry older, double now)
