"""C types of frames.py."""

from ocpp16._core.websocket_frames cimport FrameReader, append_text_frame, text_frame


cdef class Frames:
    cdef public bint _absorbs
    cdef public object _assembly
    cdef public object _cause
    cdef public tuple _ended
    cdef bint _is_client
    cdef bint _is_plain
    cdef Py_ssize_t _limit
    cdef public object _machine
    cdef public bint _must_drain
    cdef public bytearray _outgoing
    cdef public FrameReader _reader
    cdef public list _ready
    cdef public Py_ssize_t _writing
    cdef public bint answers_pings
    cdef public bint keeps_bytes
    cdef public object on_binary
    cdef public object on_end
    cdef public object on_ping
    cdef public object on_pong
    cdef public object on_unsent

    cpdef bint takes(self, Py_ssize_t limit) except -1
    cdef bint _takes_messages(self) except -1
    cdef _add(self, data)
    cpdef send_text(self, data)
    cpdef bint _waits(self) except -1
    cpdef _turn(self)
