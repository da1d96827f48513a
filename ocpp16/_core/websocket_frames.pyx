"""Text frames of WebSocket that are whole messages: read out of bytes, written behind others (RFC 6455 §5).

Nearly every frame of an OCPP connection is one. All others are a frame machine's: the reader finds where such a frame
begins and ends and gives its bytes away untouched. It must not know what is done with them, nor any stream.

Rules:
1. A frame is taken here only if it is beyond doubt: text, final, outside of a fragmented message, no reserved bit, masked
   or not as its sender has to, its length in the shortest form, no larger than the limit, its payload UTF-8. What is
   wrong with another, and what is answered to it, is for the frame machine to say.
2. A frame given away is given from its first byte to its last, also when these come in many reads; the next one is then
   looked at again. From a header that breaks the protocol on, all bytes are given away: no frame follows.
3. What a header announces is believed only up to the limit, and never allocated before it has come.
4. No byte of what was fed is changed: it may be somebody else's.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from ocpp16._core.randomness cimport draw

cdef extern from "Python.h":
    str PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
    unsigned char *PyUnicode_1BYTE_DATA(object text)
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef enum:
    FIN = 0x80
    RESERVED = 0x70
    OPCODE = 0x0F
    TEXT = 1
    BINARY = 2
    CONTROL = 8  # and what is above
    PONG = 10
    MASKED = 0x80
    SHORT = 125  # the longest payload of a control frame, and of a header without a length of its own
    HEADER = 14  # bytes of the longest one

cdef Py_ssize_t ENDLESS = (<Py_ssize_t>1) << (8 * sizeof(Py_ssize_t) - 2)
cdef Py_ssize_t PIECE = 1 << 16  # bytes of one frame that are given away at once
cdef uint64_t HIGH = 0x8080808080808080
cdef Py_ssize_t KEPT = 1 << 16  # bytes of the largest buffer that is kept for the next frame

cdef bytearray spare = None  # the last one that was given back


class FrameTooLarge(ValueError):
    """A text frame whose header announces more than the limit."""


@cython.final
cdef class FrameReader:
    """What one end of a connection receives, cut into frames.

    Parameters: `is_client` is the role of this end, whose peer masks if it is False; `limit` the largest payload of a
    text frame in bytes; `is_plain` False gives all away (an extension transforms frames).
    Attributes: `waits`, whether `take` has something to do before more is fed.
    """

    def __init__(self, bint is_client, Py_ssize_t limit, bint is_plain=True):
        self._limit = limit
        self._is_masked = not is_client
        self._leaving = 0 if is_plain else ENDLESS

    cpdef feed(self, bytes data):
        """Take in what was read."""
        cdef Py_ssize_t size
        if data is None:
            raise TypeError("what was read is bytes")
        if PyBytes_GET_SIZE(data) == 0:
            return
        if self._data is None and self._rest is None:
            self._data = data
        else:
            self._keep_rest()
            size = PyByteArray_GET_SIZE(self._rest)
            PyByteArray_Resize(self._rest, size + PyBytes_GET_SIZE(data))
            memcpy(PyByteArray_AS_STRING(self._rest) + size, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        self.waits = True

    cpdef tuple take(self, list texts, Py_ssize_t frames, Py_ssize_t size):
        """Append the texts that come next to `texts`, up to a frame that is not for here.

        Parameters: no more than `frames` are taken, and none after `size` bytes of text.
        Returns what is for the frame machine, at most one frame or one part of it, or None; and what is left of `size`.
        After bytes that were given away there may be more to take. Raises FrameTooLarge for a text frame above the
        limit, as soon as its header is there.
        """
        cdef const unsigned char *data
        cdef Py_ssize_t here = self._position, end, header, payload
        cdef Sort sort
        if texts is None:
            raise TypeError("texts are appended to a list")
        if self._rest is not None:
            data = <const unsigned char *>PyByteArray_AS_STRING(self._rest)
            end = PyByteArray_GET_SIZE(self._rest)
        elif self._data is not None:
            data = <const unsigned char *>PyBytes_AS_STRING(self._data)
            end = PyBytes_GET_SIZE(self._data)
        else:
            return None, size
        given = None
        self.waits = True
        try:
            while here < end and frames > 0 and size > 0:
                if self._leaving == 0:
                    header = payload = 0
                    sort = self._look(data + here, end - here, &header, &payload)
                    if sort == SIMPLE:
                        text = text_of(<const char *>data + here + header, payload, self._is_masked)
                        if text is not None:
                            texts.append(text)
                            here += header + payload
                            frames -= 1
                            size -= payload
                            continue
                        sort = OTHER
                    if sort == CUT:
                        self.waits = False
                        break
                    self._leaving = ENDLESS if sort == BROKEN else header + payload
                payload = min(self._leaving, end - here, PIECE)
                given = PyBytes_FromStringAndSize(<const char *>data + here, payload)
                here += payload
                if self._leaving != ENDLESS:
                    self._leaving -= payload
                break
        finally:
            self._position = here
            if here == end:
                self._data = self._rest = None
                self._position = 0
                self.waits = False
            elif not self.waits:
                self._keep_rest()
        return given, size

    cdef int _keep_rest(self) except -1:
        """What is not taken yet goes into a buffer that can grow; what it was read with is let go."""
        cdef Py_ssize_t size
        if self._rest is None:
            size = PyBytes_GET_SIZE(self._data) - self._position
            self._rest = bytearray()
            PyByteArray_Resize(self._rest, size)
            memcpy(PyByteArray_AS_STRING(self._rest), PyBytes_AS_STRING(self._data) + self._position, size)
            self._data = None
        elif self._position > 0:
            del self._rest[:self._position]
        self._position = 0
        return 0

    cdef Sort _look(
        self, const unsigned char *data, Py_ssize_t size, Py_ssize_t *header, Py_ssize_t *payload
    ) except? CUT:
        """Of what sort the frame is that begins here, and how long; sizes are told of frames that are not cut."""
        cdef int opcode, bits, i
        cdef uint64_t length
        cdef Py_ssize_t head = 2
        if size < 2:
            return CUT
        bits, opcode = data[0] & ~OPCODE, data[0] & OPCODE
        length = data[1] & ~MASKED
        if opcode >= CONTROL:
            if opcode > PONG or not bits & FIN or length > SHORT:
                return BROKEN
        elif opcode > BINARY:
            return BROKEN
        if length > SHORT:
            head = 4 if length == 126 else 10
            if size < head:
                return CUT
            length = 0
            for i in range(2, head):
                length = length << 8 | data[i]
            if length <= <uint64_t>(SHORT if head == 4 else 0xFFFF) or length >> 63:
                return BROKEN
        if bits & RESERVED or ((data[1] & MASKED) != 0) != self._is_masked:
            return BROKEN
        if self._is_masked:
            head += 4
            if size < head:
                return CUT
        header[0] = head
        payload[0] = <Py_ssize_t>min(length, <uint64_t>(ENDLESS - HEADER - 1))
        if opcode == TEXT and bits & FIN and not self._in_message:
            if payload[0] > self._limit:
                raise FrameTooLarge(f"a text frame of {length} bytes, where {self._limit} are the limit")
            return SIMPLE if size - head >= payload[0] else CUT
        if opcode < CONTROL:
            self._in_message = not bits & FIN
        return OTHER


cdef object text_of(const char *payload, Py_ssize_t size, bint is_masked):
    """The text, or None for what is no UTF-8. The mask, if there is one, stands before the payload."""
    cdef uint32_t mask
    cdef str text
    cdef char *letters
    try:
        if not is_masked:
            return PyUnicode_DecodeUTF8(payload, size, NULL)
        if size == 0:
            return ""
        # Unmasked right into an ASCII text, which nearly all are; else its bytes are decoded, and it is let go.
        memcpy(&mask, payload - 4, 4)
        text = PyUnicode_New(size, 127)
        letters = <char *>PyUnicode_1BYTE_DATA(text)
        apply_mask(letters, payload, size, mask)
        return text if is_ascii(letters, size) else PyUnicode_DecodeUTF8(letters, size, NULL)
    except UnicodeDecodeError:
        return None


cdef void apply_mask(char *target, const char *source, Py_ssize_t size, uint32_t mask) noexcept:
    """Eight bytes at a time; `mask` lies in memory as on the wire (RFC 6455 §5.3)."""
    cdef uint64_t twice = <uint64_t>mask << 32 | mask, word
    cdef const char *one = <const char *>&mask
    cdef Py_ssize_t i = 0
    while i + 8 <= size:
        memcpy(&word, source + i, 8)
        word ^= twice
        memcpy(target + i, &word, 8)
        i += 8
    while i < size:
        target[i] = source[i] ^ one[i & 3]
        i += 1


cdef bint is_ascii(const char *text, Py_ssize_t size) noexcept:
    cdef uint64_t word, all_bits = 0
    cdef Py_ssize_t i = 0
    while i + 8 <= size:
        memcpy(&word, text + i, 8)
        all_bits |= word
        i += 8
    while i < size:
        all_bits |= <unsigned char>text[i]
        i += 1
    return all_bits & HIGH == 0


cpdef append_text_frame(bytearray frames, text, bint is_client):
    """Write one text message as one frame behind `frames`; a client's is masked (RFC 6455 §5.3).

    Parameters: `text` is a str, or bytes of UTF-8. Raises UnicodeError for what is none, TypeError for what is no text;
    `frames` is as before then.
    """
    if frames is None:
        raise TypeError("a frame is written behind those in a bytearray")
    write_text_frame(frames, PyByteArray_GET_SIZE(frames), text, is_client)


cpdef bytearray text_frame(text, bint is_client):
    """One text message as one frame, as of `append_text_frame`, in what was given back last: thousands of connections
    that each have a buffer of their own would each write into memory that lies far from the processor."""
    global spare
    frames, spare = spare, None
    if frames is None:
        frames = bytearray()
    write_text_frame(frames, 0, text, is_client)
    return frames


cpdef give_back(bytearray frames):
    """All of them are written, and nobody else has this buffer: it is for the next `text_frame`."""
    global spare
    if frames is not None and PyByteArray_GET_SIZE(frames) <= KEPT:
        spare = frames


cdef int write_text_frame(bytearray frames, Py_ssize_t before, text, bint is_client) except -1:
    """Behind the first `before` bytes, of which there are as many; what is behind them is written over."""
    cdef const char *payload
    cdef Py_ssize_t size, head
    cdef unsigned char *target
    cdef uint32_t mask = 0
    cdef int i
    if is_client:
        draw(<unsigned char *>&mask, 4)
    if isinstance(text, str):
        if PyUnicode_IS_COMPACT_ASCII(text):
            payload, size = <const char *>PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text)
        else:
            text = (<str>text).encode()
            payload, size = PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
    else:
        if not isinstance(text, bytes):
            if not isinstance(text, (bytearray, memoryview)):
                raise TypeError(f"a text is str or bytes, not {type(text).__name__}")
            text = bytes(text)
        payload, size = PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
        if not is_ascii(payload, size):
            PyUnicode_DecodeUTF8(payload, size, NULL)
    head = 2 if size <= SHORT else 4 if size <= 0xFFFF else 10
    PyByteArray_Resize(frames, before + head + (4 if is_client else 0) + size)
    target = <unsigned char *>PyByteArray_AS_STRING(frames) + before
    target[0] = FIN | TEXT
    target[1] = (MASKED if is_client else 0) | (size if head == 2 else 126 if head == 4 else 127)
    for i in range(2, head):
        target[i] = (size >> 8 * (head - 1 - i)) & 0xFF
    target += head
    if is_client:
        memcpy(target, &mask, 4)
        apply_mask(<char *>target + 4, payload, size, mask)
    else:
        memcpy(target, payload, size)
    return 0
