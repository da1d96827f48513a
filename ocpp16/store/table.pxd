"""C types of table.py."""


cdef class Table:
    cdef readonly object name
    cdef readonly tuple key_columns
    cdef readonly tuple columns
    cdef readonly Py_ssize_t keys
    cdef readonly Py_ssize_t width


cdef class Change:
    cdef readonly Table table


cdef class Put(Change):
    cdef readonly object row


cdef class Delete(Change):
    cdef readonly object key
