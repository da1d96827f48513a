"""C types of replies.py."""


cdef class OutgoingFrame:
    cdef readonly bytes data
    cdef readonly object then
    cdef readonly object unique_id
    cdef readonly object action


cdef class ReplyLane:
    cdef dict _in_work
    cdef Py_ssize_t _length
    cdef public list _waiting
    cdef Py_ssize_t _next
    cdef Py_ssize_t _count
    cdef dict _remembered
    cdef public Py_ssize_t calls_in_work

    cpdef bint begin(self, call, Py_ssize_t length)
    cpdef bint is_ready(self, long long durable)
    cdef _remember(self, unique_id)
