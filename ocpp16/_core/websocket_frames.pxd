"""C types of websocket_frames.pyx."""


cdef enum Sort:
    CUT  # its header, or the payload of a simple one, is not all there
    SIMPLE
    OTHER
    BROKEN


cdef class FrameReader:
    cdef bytes _data  # what was fed, from `_position` on
    cdef bytearray _rest  # or, where a frame has come in parts, what was fed from its beginning on
    cdef Py_ssize_t _position
    cdef Py_ssize_t _leaving  # bytes of the present frame that are still to be given away
    cdef Py_ssize_t _limit
    cdef bint _is_masked
    cdef bint _in_message
    cdef readonly bint waits

    cpdef feed(self, bytes data)
    cpdef tuple take(self, list texts, Py_ssize_t frames, Py_ssize_t size)
    cdef int _keep_rest(self) except -1
    cdef Sort _look(
        self, const unsigned char *data, Py_ssize_t size, Py_ssize_t *header, Py_ssize_t *payload
    ) except? CUT


cpdef append_text_frame(bytearray frames, text, bint is_client)
cpdef bytearray text_frame(text, bint is_client)
cpdef give_back(bytearray frames)
cdef int write_text_frame(bytearray frames, Py_ssize_t before, text, bint is_client) except -1
