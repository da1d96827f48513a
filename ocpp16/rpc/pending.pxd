"""C types of pending.py, for itself and the other compiled modules of rpc."""


cdef class Entry:
    cdef public object action
    cdef object _payload
    cdef object _text
    cdef public object lane
    cdef public long long sequence
    cdef public long long number
    cdef public object transaction
    cdef public long long clock_boot
    cdef public tuple data_boots
    cdef public long long attempts
    cdef public double due
    cdef public bint is_triggered
    cdef public bint is_persistent
    cdef public object timeout
    cdef public object on_confirmation
    cdef public object on_failure
    cdef public Py_ssize_t size
    cdef public object topic
    cdef public long long latest
    cdef public int timeouts
    cdef public int silences
    cdef public int interruptions
    cdef public long long excused_on
    cdef public tuple ids
    cdef public bytes bound
    cdef public bint is_checked
    cdef public bint lacks_transaction
    cdef public bint is_replaced

    cpdef bytes written(self)
    cpdef check(self)
    cpdef write_down(self)


cdef class OpenCall:
    cdef public Entry entry
    cdef public object unique_id
    cdef public double opened_at
    cdef public double deadline
    cdef public bint is_settled
    cdef public bint is_heard
    cdef public double asked_at
    cdef dict _owners

    cpdef open(self, Entry entry, unique_id, double now, double timeout)
    cpdef Entry close(self)
    cpdef Entry answered(self, unique_id)
    cpdef forget(self, Entry entry)
