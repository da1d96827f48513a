"""C types of tls_records.py."""


cdef class TlsRecords:
    cdef object _incoming
    cdef bint _is_up
    cdef object _outgoing
    cdef bytes _plain
    cdef bytes _raw
    cdef bytearray _unsent
    cdef public object failure
    cdef public bint is_over
    cdef public object on_read
    cdef readonly object socket
    cdef readonly object ssl_object

    cpdef bytes read_now(self)
    cdef bytes _opened(self, bytes raw)
    cdef _tell_of_read(self)
    cpdef Py_ssize_t write_now(self, data) except -1
    cpdef bint push(self) except -1
