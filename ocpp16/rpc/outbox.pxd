"""C types of outbox.py."""

from ocpp16.rpc.pending cimport Entry


cpdef Py_ssize_t taken_of_disk(Py_ssize_t size)


cdef class Outbox:
    cdef public object limits
    cdef public Entry boot
    cdef public object apart
    cdef public Py_ssize_t depth
    cdef public Py_ssize_t bytes
    cdef public list _transactions
    cdef list _interactive
    cdef list _triggered
    cdef public list _ordinary
    cdef list _unsaved
    cdef list _later
    cdef list _later_triggered
    cdef public dict _newest
    cdef Py_ssize_t _normal_depth
    cdef public Py_ssize_t meter_values
    cdef Py_ssize_t _replaced
    cdef public Py_ssize_t spared
    cdef long long _last_sequence
    cdef long long _backlog_end
    cdef double _replay_at
    cdef double _replay_gap

    cpdef add(self, Entry entry)
    cpdef requeue(self, Entry entry)
    cpdef Entry next(self, double now, long long durable, registration)
    cpdef double next_due(self, long long durable, registration)
    cdef tuple _choose(self, double now, long long durable, registration)
    cdef _count(self, Entry entry, int step)
    cdef _place(self, Entry entry)
    cdef list _shelf_of(self, Entry entry)
    cdef double _paced(self, long long sequence)
    cdef bint _is_paced(self, list shelf)
    cpdef list take_overtaken(self, Entry entry)
    cpdef remove(self, Entry entry)
