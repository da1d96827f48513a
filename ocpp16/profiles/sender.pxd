"""C types of sender.py."""

from ocpp16.rpc.pending cimport Entry
from ocpp16.rpc.session cimport Session
from ocpp16.state.clock cimport Clock


cdef class Sender:
    cdef Session _session
    cdef Clock _clock
    cdef object _journal
    cdef object _kick
    cdef public long long _next_sequence
    cdef public dict confirmations

    cpdef long long new_sequence(self) except? -1
    cpdef enqueue(self, Entry entry)
    cpdef row(self, Entry entry)
