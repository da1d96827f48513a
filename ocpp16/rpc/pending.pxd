"""C types of pending.py, for itself and the other compiled modules of rpc."""


cdef extern from "<stdbool.h>":
    ctypedef bint flag "bool"  # one byte, where a bint has four


cdef class Asker:
    cdef public bint is_patient
    cdef public object on_confirmation
    cdef public object on_failure
    cdef public object on_end
    cdef public object timeout


cdef class Entry:
    # The large ones first, then the small: thousands of these wait, and between them there is no room for nothing.
    cdef public object action
    cdef object _payload
    cdef object _text
    cdef object _bound
    cdef bytes _member
    cdef public object lane
    cdef public object transaction
    cdef public tuple data_boots
    cdef public Asker asker
    cdef public object topic
    cdef public tuple ids
    cdef public long long sequence
    cdef public long long number
    cdef public long long clock_boot
    cdef public long long latest
    cdef public double due
    cdef public long long attempts
    cdef public int size
    cdef public int timeouts
    cdef public int silences
    cdef public int interruptions
    cdef public int excused_on
    cdef public flag is_triggered
    cdef public flag is_persistent
    cdef public flag is_checked
    cdef public flag lacks_transaction
    cdef public flag is_replaced
    cdef public flag was_sent

    cpdef bind(self, text, bytes member=*)
    cpdef bytes call(self, unique_id)
    cpdef text(self)
    cpdef bytes written(self)
    cpdef check(self)
    cpdef write_down(self)
    cpdef share(self, text)


cdef class OpenCall:
    cdef public Entry entry
    cdef public object unique_id
    cdef public double opened_at
    cdef public double deadline
    cdef public bint is_settled
    cdef public bint is_heard
    cdef public double asked_at
    cdef public object calls
    cdef bint _is_owned
    cdef dict _owners

    cpdef open(self, Entry entry, unique_id, double now, double timeout)
    cpdef Entry close(self, outcome=*, code=*)
    cpdef Entry answered(self, unique_id)
    cpdef forget(self, Entry entry)
