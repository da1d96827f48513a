"""C types of table.py."""


cdef class Put:
    cdef readonly object table
    cdef readonly object row


cdef class Delete:
    cdef readonly object table
    cdef readonly object key
