"""C types of session.py."""

from ocpp16.rpc.replies cimport ReplyLane
from ocpp16.rpc.requests cimport Requests


cdef class Session:
    cdef public object registration
    cdef public bint is_connected
    cdef public object on_boot_wanted
    cdef object _on_internal_error
    cdef public Requests _requests
    cdef public object _reading
    cdef public ReplyLane _replies
    cdef object _counters
    cdef object _calls
    cdef Py_ssize_t _holds
    cdef double _held_until
    cdef double _resume_after
    cdef double _resume_at
    cdef object _boots
    cdef double _received_at
    cdef bint _was_connected
    cdef bint _is_strict

    cpdef bint enqueue(self, entry, double now) except *
    cpdef next_frame(self, double now, long long durable)
    cpdef on_time(self, double now)
    cpdef double deadline(self, long long durable)
    cpdef receive(self, text, double now)
    cdef _begin(self, call, Py_ssize_t length)
    cdef _owner_of_answer(self, unique_id, double now)
    cdef _on_result(self, result, text, double now)
