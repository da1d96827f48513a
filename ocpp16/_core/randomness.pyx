"""Unpredictable bytes, drawn from the kernel by the page; version 4 UUIDs as text (RFC 9562 §5.4).

For masks of frames and ids of messages, of which a busy process needs thousands a second: asking the kernel for each
costs more than all that is done with them. It must not know what the bytes are for.

Rules:
1. A byte is given out once, and wiped when it is.
2. A forked child gives out nothing that its parent might: it begins with an empty page.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcpy, memset

import os

cdef extern from "Python.h":
    str PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
    unsigned char *PyUnicode_1BYTE_DATA(object text)

cdef enum:
    PAGE = 4096

cdef unsigned char page[PAGE]
cdef Py_ssize_t left = 0  # bytes at the end of the page that were not given out yet


cdef int draw(unsigned char *target, Py_ssize_t size) except -1:
    """Fill `target` with `size` bytes, at most a page. Raises what the operating system does when it has none."""
    global left
    cdef unsigned char *source
    cdef bytes fresh
    if left < size:
        fresh = os.urandom(PAGE)
        if PyBytes_GET_SIZE(fresh) != PAGE:  # it is Python, which anybody may have replaced
            raise OSError(f"{PyBytes_GET_SIZE(fresh)} random bytes, where {PAGE} were asked for")
        memcpy(page, PyBytes_AS_STRING(fresh), PAGE)
        left = PAGE
    source = page + PAGE - left
    memcpy(target, source, size)
    memset(source, 0, size)
    left -= size
    return 0


def _forget():
    global left
    left = 0
    memset(page, 0, PAGE)


os.register_at_fork(after_in_child=_forget)


def new_uuid():
    """A new version 4 UUID as its 36 characters; nobody can predict it."""
    cdef unsigned char bits[16]
    draw(bits, 16)
    return written(bits)


def uuid_text(bytes bits not None):
    """The version 4 UUID of these 128 bits, the most significant first, of which 6 give way to version and variant.

    Raises ValueError unless there are 16 bytes.
    """
    cdef unsigned char copy[16]
    if PyBytes_GET_SIZE(bits) != 16:
        raise ValueError(f"bits: 16 bytes make a UUID, not {PyBytes_GET_SIZE(bits)}")
    memcpy(copy, PyBytes_AS_STRING(bits), 16)
    return written(copy)


cdef const unsigned char *DIGITS = b"0123456789abcdef"


cdef str written(unsigned char *bits):
    cdef str text = PyUnicode_New(36, 127)
    cdef unsigned char *letter = PyUnicode_1BYTE_DATA(text)
    cdef int i
    bits[6] = (bits[6] & 0x0F) | 0x40
    bits[8] = (bits[8] & 0x3F) | 0x80
    for i in range(16):
        if i == 4 or i == 6 or i == 8 or i == 10:
            letter[0] = c'-'
            letter += 1
        letter[0] = DIGITS[bits[i] >> 4]
        letter[1] = DIGITS[bits[i] & 15]
        letter += 2
    return text
