cpdef bint are_plain(tuple values, Py_ssize_t keys) except -1
