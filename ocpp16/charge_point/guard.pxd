"""C types of guard.py."""


cdef class Guard:
    cdef object _thread
    cdef public object highest
    cdef public bint is_closed

    cpdef check(self)
    cpdef connector(self, connector_id, lowest=*)
