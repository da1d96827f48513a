"""C types of by_number.pyx."""


cdef class ByNumber:
    cdef unsigned int first
    cdef unsigned int second
    cdef unsigned char count
    cdef object one
    cdef object two

    cpdef get(self, number, default=*)
    cpdef pop(self, number, default=*)
    cdef int place(self, number) except -2
    cdef int put(self, number, value) except -1
    cdef take(self, int place)
    cdef tuple numbers(self)
