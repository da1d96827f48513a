"""C types of transaction.py."""


cdef class Transactions:
    cdef dict _by_key
    cdef dict _running
    cdef public object next_key
    cdef public object first_new

    cpdef running(self, connector_id)
