# How deep a JSON value is nested, before and after it is read: part of framing.pyx, compiled into it.
#
# In C, since every frame is asked: the characters of a text are only counted, sixteen at a time, and what has too many of
# them is looked at as values.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_CheckExact

cdef extern from "Python.h":
    int PyUnicode_KIND(object)
    const void *PyUnicode_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    bint PyDict_Check(PyObject *)
    bint PyDict_Next(PyObject *, Py_ssize_t *, PyObject **, PyObject **)
    Py_ssize_t PyDict_GET_SIZE(PyObject *)
    bint PyList_Check(PyObject *)
    bint PyTuple_Check(PyObject *)
    Py_ssize_t PySequence_Fast_GET_SIZE(PyObject *)  # of a list or a tuple
    PyObject *PySequence_Fast_GET_ITEM(PyObject *, Py_ssize_t)
    PyObject *PyObject_CallOneArg(PyObject *, PyObject *) noexcept

cdef extern from *:
    """
    /* Fixed inner loops over bytes: compilers make one vector instruction of sixteen or more turns. */
    #if defined(__GNUC__) && !defined(__clang__)
    __attribute__((optimize("O3")))
    #endif
    static int openings_exceed(const unsigned char *text, Py_ssize_t size, Py_ssize_t limit) {
        Py_ssize_t count = 0, n = 0;
        if (size < 2 * limit) return 0;  /* each level has an opening and a closing character */
        for (; n + 64 <= size; n += 64) {
            unsigned char block = 0;
            for (int i = 0; i < 64; i++) block += (unsigned char)((text[n + i] | 0x20) == 0x7B);  /* [ 5B, { 7B */
            count += block;
        }
        for (; n < size; n++) count += (text[n] | 0x20) == 0x7B;
        return count > limit;
    }

    /* Is this JSON, which is valid, nested deeper than so many levels? Also where a later member of that name counts. */
    static int is_nested_deeper(const unsigned char *text, Py_ssize_t size, Py_ssize_t levels) {
        Py_ssize_t depth = 0;
        for (Py_ssize_t n = 0; n < size; n++) {
            if (text[n] == '"') {
                for (n++; n < size && text[n] != '"'; n++) {
                    if (text[n] == 0x5C) n++;
                }
            } else if ((text[n] | 0x20) == 0x7B) {
                if (++depth > levels) return 1;
            } else if ((text[n] | 0x20) == 0x7D) {  /* ] 5D, } 7D */
                depth--;
            }
        }
        return 0;
    }

    static int raise_what_is_set(void) { return -1; }
    static inline PyObject *take(PyObject *owned) { return owned; }

    static inline int is_plain(PyObject *value) {
        PyTypeObject *type = Py_TYPE(value);
        return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type;
    }

    static int is_scalar(PyObject *value) {
        return PyUnicode_Check(value) || PyLong_Check(value) || PyFloat_Check(value) || value == Py_None;
    }
    """
    bint openings_exceed(const unsigned char *text, Py_ssize_t size, Py_ssize_t limit) noexcept nogil
    bint is_nested_deeper(const unsigned char *text, Py_ssize_t size, Py_ssize_t levels) noexcept nogil
    int raise_what_is_set() except -1
    object take(PyObject *owned)
    bint is_plain(PyObject *value) noexcept
    bint is_scalar(PyObject *value) noexcept

cdef enum:
    DEPTH = 64

MAX_DEPTH = DEPTH
"""Levels of arrays and objects that a frame may have."""

cdef bint _may_be_deep(text):
    """Has this JSON, str or bytes, more arrays and objects than may be nested? Characters in texts are counted too."""
    if PyUnicode_CheckExact(text):
        if PyUnicode_KIND(text) == 1:
            return openings_exceed(<const unsigned char *>PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text), DEPTH)
    elif PyBytes_CheckExact(text):
        return openings_exceed(<const unsigned char *>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), DEPTH)
    return True


cdef bint _is_deep(text) except -1:
    """Is this JSON, which the reader took, nested deeper than it may be?"""
    cdef bytes written
    if not _may_be_deep(text):
        return False
    written = text.encode() if isinstance(text, str) else bytes(text)
    return is_nested_deeper(<const unsigned char *>PyBytes_AS_STRING(written), PyBytes_GET_SIZE(written), DEPTH)


cdef enum Depth:
    SHALLOW = 0
    DEEP = 1
    UNKNOWN = 2  # there are values of types that the reader does not make


cdef int _depth_of(PyObject *value, int levels) noexcept:
    """Is a JSON value nested deeper than so many levels? As many calls deep as it may have levels, and no more.

    References are borrowed: the caller holds the value, and no Python code runs meanwhile.
    """
    cdef PyObject *member
    cdef Py_ssize_t position = 0
    cdef int found, result = SHALLOW
    if PyDict_Check(value):
        if levels == 0:
            return DEEP
        while PyDict_Next(value, &position, NULL, &member):
            if is_plain(member):
                continue
            found = _depth_of(member, levels - 1)
            if found == DEEP:
                return DEEP
            result |= found
    elif PyList_Check(value) or PyTuple_Check(value):
        if levels == 0:
            return DEEP
        while position < PySequence_Fast_GET_SIZE(value):
            member = PySequence_Fast_GET_ITEM(value, position)
            position += 1
            if is_plain(member):
                continue
            found = _depth_of(member, levels - 1)
            if found == DEEP:
                return DEEP
            result |= found
    elif not is_scalar(value):
        return UNKNOWN
    return result
