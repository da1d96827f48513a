cpdef str text_of_numbers(bytes before, list pieces, Py_ssize_t cut, bytes after)
