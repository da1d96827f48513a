"""C types of requests.py."""

from ocpp16.rpc.hooks cimport Hooks
from ocpp16.rpc.outbox cimport Outbox
from ocpp16.rpc.pending cimport Entry, OpenCall
from ocpp16.rpc.silence cimport Silence


cdef class Requests:
    cdef object _counters
    cdef object _delivery
    cdef public object _new_id
    cdef public Hooks hooks
    cdef public bint awaits_boot
    cdef public OpenCall open_call
    cdef public Outbox outbox
    cdef public object retry
    cdef public Silence silence

    cpdef bint enqueue(self, Entry entry, double now, where) except *
    cdef Entry _superseded(self, Entry entry, double now)
    cpdef tuple next_frame(self, double now, long long durable, registration)
    cdef tuple _to_send(self, Entry entry)
    cpdef Entry owner_of_answer(self, unique_id)
    cpdef confirmed(self, Entry entry, unique_id, payload)
