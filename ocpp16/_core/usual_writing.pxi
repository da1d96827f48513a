# The usual payload and frame, written in one pass: part of framing.pyx, compiled into it.
#
# Usual is what we nearly always send: ASCII that needs no escapes, integers, numbers of one decimal place, true, false
# and null in dicts and lists of few levels. Nothing is refused here: whatever is not usual or not right the general
# writer writes or refuses, and a usual payload is written as it would write it. Types are exact, so that no Python code
# runs and one buffer does for all.
#
# Each `put` writes from `at` on and gives where it has ended, with room for one character more before `end`; NULL for
# what it does not take.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.math cimport rint, signbit
from libc.string cimport memcpy

cdef extern from "Python.h":
    bint PyList_CheckExact(object)
    bint PyFloat_CheckExact(object)
    double PyFloat_AS_DOUBLE(object)
    long long PyLong_AsLongLongAndOverflow(PyObject *, int *) noexcept  # of an int it never fails

cdef extern from *:
    """
    #define LONGEST 65536  /* of a text that is written here */

    /* As not_plain, and a quote as well: its lowest bit but one turned over, it is 0x20, and 0x21 is the least of others. */
    static inline uint64_t not_verbatim(uint64_t eight) {
        return eight | ((eight ^ EACH(0x02)) - EACH(0x21)) | ((eight ^ EACH(0x5C)) - EACH(1));
    }

    static inline uint64_t copy_eight(char *to, const unsigned char *text) {
        const uint64_t eight = eight_at(text);
        memcpy(to, &eight, 8);
        return not_verbatim(eight);
    }

    /* The text in quotes; NULL if it is no str, needs escapes or is too long. */
    static char *put_text(char *at, const char *end, PyObject *text) {
        if (!PyUnicode_CheckExact(text) || !PyUnicode_IS_COMPACT_ASCII(text)) return NULL;
        const unsigned char *next = (const unsigned char *)PyUnicode_DATA(text);
        Py_ssize_t size = PyUnicode_GET_LENGTH(text);
        uint64_t found = 0;
        if (end - at <= size + 2) return NULL;
        *at++ = '"';
        if (size >= 8) {
            const unsigned char *last = next + size - 8;
            for (char *to = at; next < last; next += 8, to += 8) found |= copy_eight(to, next);
            found |= copy_eight(at + size - 8, last);  /* some of them for the second time */
        } else if (size >= 4) {
            uint32_t first, last;
            memcpy(&first, next, 4);
            memcpy(&last, next + size - 4, 4);
            memcpy(at, &first, 4);
            memcpy(at + size - 4, &last, 4);
            found = not_verbatim(first | (uint64_t)last << 32);
        } else {
            for (Py_ssize_t n = 0; n < size; n++) {
                found |= not_verbatim(EACH(next[n]));
                at[n] = next[n];
            }
        }
        at += size;
        *at++ = '"';
        return found & EACH(0x80) ? NULL : at;
    }

    static char *put_digits(char *at, const char *end, unsigned long long value) {
        char digits[20];
        int count = 0;
        if (end - at <= 20) return NULL;
        do digits[count++] = '0' + value % 10; while (value /= 10);
        while (count) *at++ = digits[--count];
        return at;
    }
    """
    enum:
        LONGEST
    char *put_text(char *at, const char *end, PyObject *text) noexcept
    char *put_digits(char *at, const char *end, unsigned long long value) noexcept

cdef enum:
    USUAL_LEVELS = 8
    LONGEST_HEAD = 128

cdef char[LONGEST] _buffer


cdef bytes _usual_text(char kind, PyObject *unique_id, PyObject *action, PyObject *payload):
    """The frame, of a CALLRESULT if `action` is NULL; None where the general writer has to look."""
    cdef const char *end = _buffer + LONGEST
    cdef char *at = _put_head(_buffer, end, kind, unique_id, action)
    if at is not NULL:
        at = _put_object(at, end, payload, USUAL_LEVELS) if PyDict_CheckExact(<object>payload) else NULL
    if at is NULL:
        return None
    at[0] = c"]"
    return PyBytes_FromStringAndSize(_buffer, at + 1 - _buffer)


cdef bytes _usual_body(PyObject *payload):
    """The payload's text; None where the general writer has to look."""
    cdef char *at = NULL
    if PyDict_CheckExact(<object>payload):
        at = _put_object(_buffer, _buffer + LONGEST, payload, USUAL_LEVELS)
    return PyBytes_FromStringAndSize(_buffer, at - _buffer) if at is not NULL else None


cdef bytes _text_around(
    char kind, PyObject *unique_id, PyObject *action, const char *body, Py_ssize_t body_size, bytes member
):
    """The frame with a payload that is text already, and `member` last in it; None where the general writer has to look."""
    cdef char[LONGEST_HEAD] head
    cdef char *at = _put_head(head, head + LONGEST_HEAD, kind, unique_id, action)
    cdef Py_ssize_t head_size = at - head, member_size = PyBytes_GET_SIZE(member)
    cdef bint has_comma = member_size > 0 and body_size > 2
    cdef bytes text
    if at is NULL:
        return None
    text = PyBytes_FromStringAndSize(NULL, head_size + body_size + has_comma + member_size + 1)
    at = PyBytes_AS_STRING(text)
    memcpy(at, head, head_size)
    memcpy(at + head_size, body, body_size)
    at += head_size + body_size
    if member_size:
        at -= 1  # the brace
        if has_comma:
            at[0] = c","
            at += 1
        memcpy(at, PyBytes_AS_STRING(member), member_size)
        at[member_size] = c"}"
        at += member_size + 1
    at[0] = c"]"
    return text


cdef char *_put_head(char *at, const char *end, char kind, PyObject *unique_id, PyObject *action) noexcept:
    """What stands before the payload, as `[2,"id","Action",`."""
    if not PyUnicode_CheckExact(<object>unique_id) or not 0 < PyUnicode_GET_LENGTH(<object>unique_id) <= 36:
        return NULL
    at[0], at[1], at[2] = c"[", kind, c","
    at = put_text(at + 3, end, unique_id)
    if at is not NULL and action is not NULL:
        at[0] = c","
        at = put_text(at + 1, end, action)
    if at is NULL or end - at < 2:
        return NULL
    at[0] = c","
    return at + 1


cdef char *_put_object(char *at, const char *end, PyObject *members, int levels) noexcept:
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t position = 0
    if levels == 0 or end - at < 3:
        return NULL
    at[0] = c"{"
    if PyDict_GET_SIZE(members) == 0:
        at += 1
    while PyDict_Next(members, &position, &name, &value):
        at = put_text(at + 1, end, name)  # behind the brace or a comma
        if at is NULL:
            return NULL
        at[0] = c":"
        if PyUnicode_CheckExact(<object>value):  # as most are
            at = put_text(at + 1, end, value)
        else:
            at = _put_value(at + 1, end, value, levels)
        if at is NULL:
            return NULL
        at[0] = c","
    at[0] = c"}"
    return at + 1 if end - at > 1 else NULL


cdef char *_put_array(char *at, const char *end, PyObject *elements, int levels) noexcept:
    cdef Py_ssize_t n
    if levels == 0 or end - at < 3:
        return NULL
    at[0] = c"["
    if PySequence_Fast_GET_SIZE(elements) == 0:
        at += 1
    for n in range(PySequence_Fast_GET_SIZE(elements)):
        at = _put_value(at + 1, end, PySequence_Fast_GET_ITEM(elements, n), levels)
        if at is NULL:
            return NULL
        at[0] = c","
    at[0] = c"]"
    return at + 1 if end - at > 1 else NULL


cdef char *_put_value(char *at, const char *end, PyObject *value, int levels) noexcept:
    if PyUnicode_CheckExact(<object>value):
        return put_text(at, end, value)
    if PyLong_CheckExact(<object>value):
        return _put_integer(at, end, value)
    if PyDict_CheckExact(<object>value):
        return _put_object(at, end, value, levels - 1)
    if PyList_CheckExact(<object>value):
        return _put_array(at, end, value, levels - 1)
    if PyFloat_CheckExact(<object>value):
        return _put_decimal(at, end, PyFloat_AS_DOUBLE(<object>value))
    if value is Py_True:
        return _put_word(at, end, b"true", 4)
    if value is Py_False:
        return _put_word(at, end, b"false", 5)
    if value is Py_None:
        return _put_word(at, end, b"null", 4)
    return NULL


cdef char *_put_integer(char *at, const char *end, PyObject *value) noexcept:
    cdef int is_beyond
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &is_beyond)
    if is_beyond:
        return NULL
    if number >= 0:
        return put_digits(at, end, number)
    if at == end:
        return NULL
    at[0] = c"-"
    return put_digits(at + 1, end, -<unsigned long long>number)


@cython.cdivision(True)
cdef char *_put_decimal(char *at, const char *end, double value) noexcept:
    """A double that is the nearest one to a number of one decimal place, which then is the shortest that reads as it."""
    cdef double tenths = rint(value * 10)
    cdef unsigned long long magnitude
    if tenths / 10 != value or not -1e15 < tenths < 1e15 or (value == 0 and signbit(value)):
        return NULL
    if value < 0:
        if at == end:
            return NULL
        at[0] = c"-"
        at, tenths = at + 1, -tenths
    magnitude = <unsigned long long>tenths
    at = put_digits(at, end, magnitude // 10)
    if at is NULL or end - at < 3:
        return NULL
    at[0], at[1] = c".", <char>(c"0" + magnitude % 10)
    return at + 2


cdef inline char *_put_word(char *at, const char *end, const char *word, Py_ssize_t size) noexcept:
    if end - at <= size:
        return NULL
    memcpy(at, word, size)
    return at + size
