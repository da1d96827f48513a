"""C types of transaction.py."""

from ocpp16._core.by_number cimport ByNumber


cdef class Transactions:
    cdef ByNumber _by_key
    cdef ByNumber _running
    cdef public object next_key
    cdef public object first_new

    cpdef running(self, connector_id)
