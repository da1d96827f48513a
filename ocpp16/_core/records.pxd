"""C types of records.pyx."""


cdef class Shape:
    cdef type cls
    cdef Py_ssize_t size
    cdef Py_ssize_t[32] offsets
    cdef bint is_whole

    cpdef fill(self, record, tuple values)
    cpdef make(self, tuple values)
    cpdef tuple row(self, record, tuple converts)
    cdef _check(self, tuple values)
    cdef _set_aside(self, record, tuple values)


cpdef tuple plain_row(record, tuple converts)
cpdef bint are_finite(tuple values) except -1
cpdef bint are_plain(tuple values, Py_ssize_t keys) except -1
