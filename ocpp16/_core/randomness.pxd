"""Random bytes for the other units."""

cdef int draw(unsigned char *target, Py_ssize_t size) except -1
