"""C types of by_number.pyx."""


cdef class ByNumber:
    cdef int first
    cdef int second
    cdef object one
    cdef object two

    cpdef get(self, number, default=*)
    cpdef pop(self, number, default=*)
    cdef int places(self) noexcept
    cdef int place(self, number) except -2
    cdef int put(self, number, value) except -1
    cdef take(self, int place)
    cdef tuple numbers(self)
