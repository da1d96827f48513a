"""The checks that every validator shares, as inline C.

Everything takes `PyObject *`: values are borrowed from the payload, which the caller holds, so nothing is counted up
and down. That is safe because the GIL is held and no Python code runs meanwhile. Types are tested by isinstance (a
flag of the type), so that members of a StrEnum pass as text.
"""

from cpython.object cimport PyObject
from libc.math cimport rint

from ocpp16._core.datetimes cimport DateTime, scan_date_time

cdef extern from "Python.h":
    bint PyDict_Check(PyObject *)
    bint PyList_Check(PyObject *)
    bint PyUnicode_Check(PyObject *)
    bint PyLong_Check(PyObject *)
    bint PyBool_Check(PyObject *)
    bint PyFloat_Check(PyObject *)
    bint PyUnicode_IS_ASCII(PyObject *)
    Py_ssize_t PyList_GET_SIZE(PyObject *)
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject *)  # code points, not bytes
    double PyFloat_AS_DOUBLE(PyObject *)
    long long PyLong_AsLongLongAndOverflow(PyObject *, int *)  # of an int it never fails
    bint PyDict_Next(PyObject *, Py_ssize_t *, PyObject **, PyObject **)
    PyObject *PyList_GET_ITEM(PyObject *, Py_ssize_t)
    void *PyUnicode_DATA(PyObject *)


cdef inline Py_ssize_t name_of(PyObject *key, const void **name) noexcept:
    """Length and text of a member's name; -1 for what is no ASCII text, and so no name that any schema knows."""
    if not PyUnicode_Check(key) or not PyUnicode_IS_ASCII(key):
        return -1
    name[0] = PyUnicode_DATA(key)
    return PyUnicode_GET_LENGTH(key)


cdef inline bint is_integer(PyObject *v) noexcept:
    """Draft 4: 30.0 is no integer. And true is none, though bool is an int to Python."""
    return PyLong_Check(v) and not PyBool_Check(v)


cdef inline bint is_at_least(PyObject *v, long long limit) noexcept:
    """Of an integer."""
    cdef int beyond
    cdef long long x = PyLong_AsLongLongAndOverflow(v, &beyond)
    return beyond > 0 or (beyond == 0 and x >= limit)


cdef inline bint is_at_most(PyObject *v, long long limit) noexcept:
    """Of an integer."""
    cdef int beyond
    cdef long long x = PyLong_AsLongLongAndOverflow(v, &beyond)
    return beyond < 0 or (beyond == 0 and x <= limit)


cdef inline bint is_number(PyObject *v) noexcept:
    """A number that JSON can write: not NaN, not infinite."""
    cdef double x
    if PyFloat_Check(v):
        x = PyFloat_AS_DOUBLE(v)
        return x - x == 0
    return is_integer(v)


cdef inline bint has_one_decimal(PyObject *v) noexcept:
    """Is it the double nearest to some k/10? Exact for all doubles: 8.1 and 3.3 pass, 8.15 and 8.1000001 do not."""
    cdef double x
    if not PyFloat_Check(v):
        return True
    x = PyFloat_AS_DOUBLE(v)
    if x >= 562949953421312.0 or x <= -562949953421312.0:
        return True  # from 2**49 on doubles lie further apart than 0.1, so each is the nearest to some k/10
    return rint(x * 10) / 10 == x


cdef inline bint is_date_time(PyObject *v) noexcept:
    """The texts that `datetimes.parse_datetime` takes."""
    cdef DateTime fields
    if not PyUnicode_IS_ASCII(v):
        return False
    return scan_date_time(<const unsigned char *>PyUnicode_DATA(v), PyUnicode_GET_LENGTH(v), False, &fields)
