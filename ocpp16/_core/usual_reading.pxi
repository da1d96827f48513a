# The usual frame, read in one pass: part of framing.pyx, compiled into it.
#
# Usual is what peers nearly always send: a CALL or CALLRESULT in printable ASCII without escapes. It is read straight
# into its objects, without the tree that a general JSON reader builds first. Nothing is refused here: of whatever is
# not usual or not right, the general reader makes a frame or an error, and a usual frame is read as it would read it.
#
# References are counted by hand, and no Python code runs meanwhile. A function that gives NULL has raised nothing that
# anybody should see: a lack of memory comes again in the general reader.

from cpython.object cimport PyObject
from libc.string cimport memchr, memcmp, memcpy

cdef extern from "Python.h":
    void Py_INCREF(PyObject *)
    void Py_DECREF(PyObject *)
    void Py_XDECREF(PyObject *)
    PyObject *Py_True
    PyObject *Py_False
    PyObject *Py_None
    PyObject *PyUnicode_New(Py_ssize_t, Py_UCS4) noexcept
    PyObject *PyLong_FromLongLong(long long) noexcept
    PyObject *PyFloat_FromDouble(double) noexcept
    PyObject *PyDict_New() noexcept
    int PyDict_SetItem(PyObject *, PyObject *, PyObject *) noexcept
    PyObject *PyList_New(Py_ssize_t) noexcept
    int PyList_Append(PyObject *, PyObject *) noexcept
    Py_hash_t PyObject_Hash(PyObject *) noexcept
    bint PyUnicode_IS_ASCII(object)
    void PyErr_Clear()

cdef extern from *:
    """
    #include <float.h>

    #define EACH(byte) (0x0101010101010101u * (byte))  /* of the eight bytes of a word */

    static inline uint64_t eight_at(const void *text) {
        uint64_t eight;
        memcpy(&eight, text, 8);
        return eight;
    }

    /* The high bit of a byte is set where it is no ASCII, a control character or a backslash; the other bits mean nothing.
       A difference borrows from the byte above it only where it has found something itself. */
    static inline uint64_t not_plain(uint64_t eight) {
        return eight | (eight - EACH(0x20)) | ((eight ^ EACH(0x5C)) - EACH(1));
    }

    static int is_plain_ascii(const unsigned char *text, Py_ssize_t size) {
        const unsigned char *end = text + size;
        if (size < 8) return 0;  /* no frame is that short */
        for (; end - text >= 32; text += 32)
            if ((not_plain(eight_at(text)) | not_plain(eight_at(text + 8)) | not_plain(eight_at(text + 16))
                 | not_plain(eight_at(text + 24))) & EACH(0x80)) return 0;
        for (; end - text >= 8; text += 8)
            if (not_plain(eight_at(text)) & EACH(0x80)) return 0;
        return !(not_plain(eight_at(end - 8)) & EACH(0x80));
    }

    /* Of at least four bytes. */
    static inline int is_same(const unsigned char *a, const unsigned char *b, Py_ssize_t size) {
        uint32_t four, other;
        if (size >= 8) {
            for (Py_ssize_t n = 0; n < size - 8; n += 8)
                if (eight_at(a + n) != eight_at(b + n)) return 0;
            return eight_at(a + size - 8) == eight_at(b + size - 8);
        }
        memcpy(&four, a, 4);
        memcpy(&other, b, 4);
        if (four != other) return 0;
        memcpy(&four, a + size - 4, 4);
        memcpy(&other, b + size - 4, 4);
        return four == other;
    }

    /* Where the compiler computes in more than double precision, quotients would be rounded twice. */
    #if FLT_EVAL_METHOD == 0
    #define DIVIDES_EXACTLY 1
    #else
    #define DIVIDES_EXACTLY 0
    #endif
    """
    bint is_plain_ascii(const unsigned char *text, Py_ssize_t size) noexcept
    bint is_same(const unsigned char *a, const unsigned char *b, Py_ssize_t size) noexcept
    bint DIVIDES_EXACTLY

# Names of members and actions come again and again. Those seen last are kept, each in the place that its text gives it:
# a peer can put others there, and not more.
cdef enum:
    SHORTEST_NAME = 4
    LONGEST_NAME = 48
    PLACES = 512

cdef PyObject *_names[PLACES]

cdef enum:
    DIGITS = 18  # of a number, so that they fit into 64 bits
    DECIMALS = 15

cdef double[16] _POWERS_OF_TEN = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]


cdef struct Cursor:
    const unsigned char *at
    const unsigned char *end  # where the NUL is that str and bytes end with


cdef object _usual_frame(text):
    """The Call or CallResult that a text is; None where the general reader has to look."""
    cdef Cursor cursor
    cdef Py_ssize_t size
    cdef bint is_call
    cdef PyObject *unique_id
    cdef PyObject *action = NULL
    cdef PyObject *payload = NULL
    cdef object frame = None
    if PyUnicode_CheckExact(text) and PyUnicode_IS_ASCII(text):
        cursor.at, size = <const unsigned char *>PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text)
    elif PyBytes_CheckExact(text):
        cursor.at, size = <const unsigned char *>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
    else:
        return None
    cursor.end = cursor.at + size
    if not is_plain_ascii(cursor.at, size) or not _take(&cursor, c"["):
        return None
    is_call = _take(&cursor, c"2")
    if not (is_call or _take(&cursor, c"3")) or not _take(&cursor, c",") or not _take(&cursor, c'"'):
        return None
    unique_id = _scan_text(&cursor, 36)
    if unique_id is not NULL:
        if is_call and _take(&cursor, c",") and _take(&cursor, c'"'):
            action = _scan_name(&cursor)
        if (not is_call or action is not NULL) and _take(&cursor, c",") and _take(&cursor, c"{"):
            payload = _scan_object(&cursor, DEPTH - 2)
            if payload is not NULL and _take(&cursor, c"]") and _next(&cursor) == 0:
                frame = _call_of(unique_id, action, payload) if is_call else _result_of(unique_id, payload)
    Py_XDECREF(unique_id)
    Py_XDECREF(action)
    Py_XDECREF(payload)
    if frame is None:
        PyErr_Clear()
    return frame


cdef inline object _call_of(PyObject *unique_id, PyObject *action, PyObject *payload):
    cdef Call call = Call.__new__(Call)
    call.unique_id, call.action, call.payload = <object>unique_id, <object>action, <object>payload
    return call


cdef inline object _result_of(PyObject *unique_id, PyObject *payload):
    cdef CallResult result = CallResult.__new__(CallResult)
    result.unique_id, result.payload = <object>unique_id, <object>payload
    return result


cdef inline unsigned char _next(Cursor *cursor) noexcept:
    """The next character that is no blank; NUL at the end."""
    while cursor.at[0] == c" ":
        cursor.at += 1
    return cursor.at[0]


cdef inline bint _take(Cursor *cursor, unsigned char expected) noexcept:
    """Go behind the next character that is no blank, if it is this one."""
    if _next(cursor) != expected:
        return False
    cursor.at += 1
    return True


cdef inline PyObject *_new_text(const unsigned char *start, Py_ssize_t size) noexcept:
    cdef PyObject *text = PyUnicode_New(size, 127)
    if text is not NULL:
        memcpy(PyUnicode_DATA(<object>text), start, size)
    return text


cdef PyObject *_scan_text(Cursor *cursor, Py_ssize_t longest) noexcept:
    """The text behind an opening quote, of at least one character if it has a limit."""
    cdef const unsigned char *start = cursor.at
    cdef const unsigned char *close = <const unsigned char *>memchr(start, c'"', cursor.end - start)
    if close is NULL or (longest and not 0 < close - start <= longest):
        return NULL
    cursor.at = close + 1
    return _new_text(start, close - start)


cdef PyObject *_scan_name(Cursor *cursor) noexcept:
    """As `_scan_text`, of a text that is likely to come again."""
    cdef const unsigned char *start = cursor.at
    cdef const unsigned char *close = <const unsigned char *>memchr(start, c'"', cursor.end - start)
    cdef Py_ssize_t size
    cdef unsigned int first, last
    cdef PyObject **place
    cdef PyObject *name
    if close is NULL:
        return NULL
    cursor.at = close + 1
    size = close - start
    if size < SHORTEST_NAME or size > LONGEST_NAME:
        return _new_text(start, size)
    memcpy(&first, start, 4)
    memcpy(&last, close - 4, 4)
    place = &_names[<unsigned int>(first * 0x9E3779B1u + last * 0x85EBCA6Bu + size) >> 23]
    name = place[0]
    if (name is NULL or PyUnicode_GET_LENGTH(<object>name) != size
            or not is_same(<const unsigned char *>PyUnicode_DATA(<object>name), start, size)):
        name = _new_text(start, size)
        if name is NULL or PyObject_Hash(name) == -1:  # once for all times that it is looked up
            return NULL
        Py_XDECREF(place[0])
        place[0] = name
    Py_INCREF(name)
    return name


cdef PyObject *_scan_object(Cursor *cursor, int levels) noexcept:
    """The object behind its opening brace, with at most so many levels below it."""
    cdef PyObject *members = PyDict_New()
    cdef PyObject *name
    cdef PyObject *value
    cdef int failed
    if members is NULL or _take(cursor, c"}"):
        return members
    while _take(cursor, c'"'):
        name = _scan_name(cursor)
        if name is NULL:
            break
        value = NULL
        if _take(cursor, c":"):
            if _take(cursor, c'"'):  # as most are
                value = _scan_text(cursor, 0)
            else:
                value = _scan_value(cursor, levels)
        failed = value is NULL or PyDict_SetItem(members, name, value) != 0
        Py_DECREF(name)
        Py_XDECREF(value)
        if failed:
            break
        if _take(cursor, c"}"):
            return members
        if not _take(cursor, c","):
            break
    Py_DECREF(members)
    return NULL


cdef PyObject *_scan_array(Cursor *cursor, int levels) noexcept:
    """The array behind its opening bracket, with at most so many levels below it."""
    cdef PyObject *elements = PyList_New(0)
    cdef PyObject *value
    cdef int failed
    if elements is NULL or _take(cursor, c"]"):
        return elements
    while True:
        value = _scan_value(cursor, levels)
        failed = value is NULL or PyList_Append(elements, value) != 0
        Py_XDECREF(value)
        if failed:
            break
        if _take(cursor, c"]"):
            return elements
        if not _take(cursor, c","):
            break
    Py_DECREF(elements)
    return NULL


cdef PyObject *_scan_value(Cursor *cursor, int levels) noexcept:
    cdef unsigned char first = _next(cursor)
    if first == c'"':
        cursor.at += 1
        return _scan_text(cursor, 0)
    if first == c"{" or first == c"[":
        if levels == 0:
            return NULL
        cursor.at += 1
        return _scan_object(cursor, levels - 1) if first == c"{" else _scan_array(cursor, levels - 1)
    if first == c"t":
        return _scan_word(cursor, b"true", 4, Py_True)
    if first == c"f":
        return _scan_word(cursor, b"false", 5, Py_False)
    if first == c"n":
        return _scan_word(cursor, b"null", 4, Py_None)
    return _scan_number(cursor)


cdef PyObject *_scan_word(Cursor *cursor, const char *word, Py_ssize_t size, PyObject *value) noexcept:
    if cursor.end - cursor.at < size or memcmp(cursor.at, word, size) != 0:
        return NULL
    cursor.at += size
    Py_INCREF(value)
    return value


@cython.cdivision(True)
cdef PyObject *_scan_number(Cursor *cursor) noexcept:
    """An integer, or a decimal fraction that is the quotient of two numbers that a double holds: the nearest double."""
    cdef bint is_negative = cursor.at[0] == c"-"
    cdef const unsigned char *start = cursor.at + is_negative
    cdef const unsigned char *point = NULL
    cdef const unsigned char *at = start
    cdef unsigned long long digits = 0  # of one more than fits, too, which is found too long afterwards
    cdef Py_ssize_t decimals
    cdef double value
    while at - start <= DIGITS:
        if c"0" <= at[0] <= c"9":
            digits = digits * 10 + (at[0] - c"0")
        elif at[0] == c"." and point is NULL:
            point = at
        else:
            break
        at += 1
    else:
        return NULL
    cursor.at = at
    if at == start or (start[0] == c"0" and at - start > 1 and point != start + 1) or at[0] == c"e" or at[0] == c"E":
        return NULL
    if point is NULL:
        return PyLong_FromLongLong(-<long long>digits if is_negative else <long long>digits)
    decimals = at - point - 1
    if point == start or not 0 < decimals <= DECIMALS or digits > 9007199254740992 or not DIVIDES_EXACTLY:
        return NULL
    value = <double><long long>digits
    return PyFloat_FromDouble((-value if is_negative else value) / _POWERS_OF_TEN[decimals])
