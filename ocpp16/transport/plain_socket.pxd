"""C types of plain_socket.py."""

from ocpp16.transport.frames cimport Frames
from ocpp16.transport.tls_records cimport TlsRecords


cdef class PlainSocket(Frames):
    cdef public bint _closing
    cdef public bint _flushing
    cdef public bint _reading
    cdef TlsRecords _tls
    cdef public object socket

    cpdef list read_now(self)
    cpdef bint flush_now(self) except -1
    cpdef bint _is_held_up(self) except -1
    cpdef bint _may_be_read(self) except -1
    cpdef bint _is_in_a_record(self) except -1
    cpdef list _taken(self)
    cpdef bytes _read_socket(self)
