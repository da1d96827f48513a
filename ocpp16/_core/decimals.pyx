"""Numbers with two decimals as text, as sampled values carry them."""

from libc.math cimport fabs, floor

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(const char *text, Py_ssize_t size)
    str PyUnicode_FromStringAndSize(const char *text, Py_ssize_t size)

cdef double LARGEST = 1e8
cdef double NEAR_A_TIE = 1e-5  # of a hundredth; the product below is wrong by a tenth of this at most


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


def two_decimals_ascii(double number):
    """The same as bytes."""
    cdef char buffer[32]
    cdef Py_ssize_t size = write(number, buffer + 32)
    if size:
        return PyBytes_FromStringAndSize(buffer + 32 - size, size)
    return two_decimals(number).encode()
