"""Numbers with two decimals as text, as sampled values carry them."""

from libc.math cimport fabs, floor

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcpy

cdef extern from "Python.h":
    str PyUnicode_FromStringAndSize(const char *text, Py_ssize_t size)

cdef double LARGEST = 1e8
cdef double NEAR_A_TIE = 1e-5  # of a hundredth; the product below is wrong by a tenth of this at most

cdef enum:
    LONGEST = 1 << 14
cdef char[LONGEST] _written
"""Where texts are put together: always the same memory, which the processor has at hand. No Python code runs meanwhile,
which might put another text together there: numbers are exact."""


cdef Py_ssize_t write(double number, char *end) noexcept:
    """Write before `end`; returns the number of characters, 0 where only a long way leads to the right digits."""
    cdef double hundredths = fabs(number) * 100.0, whole = floor(hundredths), rest = hundredths - whole
    cdef long long digits
    cdef char *next = end
    if not fabs(number) < LARGEST or fabs(rest - 0.5) <= NEAR_A_TIE:
        return 0
    digits = <long long>whole + (rest > 0.5)
    cdef bint is_negative = number < 0 and digits > 0
    cdef int place
    for place in range(2):
        next -= 1
        next[0] = <char>(c"0" + digits % 10)
        digits //= 10
    next -= 1
    next[0] = c"."
    while True:
        next -= 1
        next[0] = <char>(c"0" + digits % 10)
        digits //= 10
        if not digits:
            break
    if is_negative:
        next -= 1
        next[0] = c"-"
    return end - next


def two_decimals(double number):
    """The nearest number of two decimals, as `f"{number:.2f}"`; without a sign where that is nothing."""
    cdef char buffer[32]
    cdef Py_ssize_t size = write(number, buffer + 32)
    if size:
        return PyUnicode_FromStringAndSize(buffer + 32 - size, size)
    text = f"{<object>number:.2f}"
    return "0.00" if text == "-0.00" else text


cpdef str text_of_numbers(bytes before, list pieces, Py_ssize_t cut, bytes after):
    """`before`, then the `pieces`, which are a number and what follows it in turn, without the last `cut` bytes of the
    last one, then `after`; the numbers as `two_decimals` writes them. The bytes are of UTF-8."""
    if before is None or pieces is None or after is None:
        raise TypeError("there are bytes before, pieces, and bytes after")
    cdef Py_ssize_t size = PyBytes_GET_SIZE(before) + PyBytes_GET_SIZE(after), place, length
    cdef Py_ssize_t count = len(pieces)
    cdef char buffer[32]
    cdef bytes rest
    cdef char *next
    cdef object number
    if count % 2 or not count:
        raise ValueError("pieces come in pairs, and there is one at least")
    for place in range(0, count, 2):
        rest = pieces[place + 1]
        if rest is None:
            raise TypeError("what follows a number is bytes")
        size += 32 + PyBytes_GET_SIZE(rest)
    if not 0 <= cut <= PyBytes_GET_SIZE(rest):
        raise ValueError(f"there are no {cut} bytes to be cut off")
    cdef bytearray longer
    cdef char *begin = _written
    if size > LONGEST:
        longer = bytearray(size)
        begin = longer
    next = begin
    memcpy(next, PyBytes_AS_STRING(before), PyBytes_GET_SIZE(before))
    next += PyBytes_GET_SIZE(before)
    for place in range(0, count, 2):
        number = pieces[place]
        length = write(number, buffer + 32) if type(number) is float or type(number) is int else 0
        if length:
            memcpy(next, buffer + 32 - length, length)
        else:
            return _long_way(before, pieces, cut, after)
        next += length
        rest = pieces[place + 1]
        memcpy(next, PyBytes_AS_STRING(rest), PyBytes_GET_SIZE(rest))
        next += PyBytes_GET_SIZE(rest)
    next -= cut
    memcpy(next, PyBytes_AS_STRING(after), PyBytes_GET_SIZE(after))
    next += PyBytes_GET_SIZE(after)
    return PyUnicode_FromStringAndSize(begin, next - begin)


cdef str _long_way(bytes before, list pieces, Py_ssize_t cut, bytes after):
    """Where a number is too large for the short one, a tie, or of a class whose `__float__` is Python code."""
    texts = [piece if place % 2 else two_decimals(piece).encode() for place, piece in enumerate(pieces)]
    texts[-1] = texts[-1][: len(texts[-1]) - cut]
    return (before + b"".join(texts) + after).decode()
