# Frames as text: part of framing.pyx, compiled into it.
#
# The payload is written by the JSON writer, what stands around it here: `[2,"id","Action",` and `]` are the same for all
# frames, and ids and actions are as good as always ASCII that needs no escapes. Whatever is unusual is written whole by
# the JSON writer, as a list.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy

cdef extern from *:
    """
    /* Exactly a str, and of characters that stand for themselves in a JSON text: eight are looked at in one step. */
    static int is_verbatim(PyObject *text) {
        const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
        if (!PyUnicode_CheckExact(text) || !PyUnicode_IS_COMPACT_ASCII(text)) return 0;
        const char *next = (const char *)PyUnicode_DATA(text);
        Py_ssize_t left = PyUnicode_GET_LENGTH(text);
        while (left > 0) {
            uint64_t eight = ones * ' ';
            memcpy(&eight, next, left < 8 ? left : 8);
            const uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\\\');
            /* The high bit of a byte of x - ones is set where x was 0, of eight - 32 where it is a control character:
               of ASCII, so that no other byte has it. A borrow reaches only bytes above one that is found. */
            if (((quote - ones) | (backslash - ones) | (eight - ones * 32)) & high) return 0;
            next += 8, left -= 8;
        }
        return 1;
    }
    """
    bint is_verbatim(PyObject *text) noexcept


cdef inline bint _is_usual_id(unique_id):
    return is_verbatim(<PyObject *>unique_id) and 0 < PyUnicode_GET_LENGTH(unique_id) <= 36


cdef inline char *_put(char *end, const void *text, Py_ssize_t size) noexcept:
    memcpy(end, text, size)
    return end + size


cdef bytes _frame_text(char kind, str unique_id, str action, bytes body, bytes member):
    """The frame of an id and an action that are verbatim; no action for a CALLRESULT.

    member: what comes last in the object that `body` is, as `"name":value`.
    """
    cdef Py_ssize_t id_size = PyUnicode_GET_LENGTH(unique_id), body_size = PyBytes_GET_SIZE(body)
    cdef Py_ssize_t action_size = 0 if action is None else PyUnicode_GET_LENGTH(action) + 3
    cdef Py_ssize_t member_size = 0 if member is None else PyBytes_GET_SIZE(member)
    cdef bint has_comma = member_size > 0 and body_size > 2
    cdef bytes text = PyBytes_FromStringAndSize(NULL, 7 + id_size + action_size + body_size + has_comma + member_size)
    cdef char *end = PyBytes_AS_STRING(text)
    end[0], end[1], end[2], end[3] = c"[", kind, c",", c'"'
    end = _put(end + 4, PyUnicode_DATA(unique_id), id_size)
    end[0], end[1] = c'"', c","
    end += 2
    if action is not None:
        end[0] = c'"'
        end = _put(end + 1, PyUnicode_DATA(action), action_size - 3)
        end[0], end[1] = c'"', c","
        end += 2
    if member_size:
        end = _put(end, PyBytes_AS_STRING(body), body_size - 1)
        if has_comma:
            end[0] = c","
            end += 1
        end = _put(end, PyBytes_AS_STRING(member), member_size)
        end[0] = c"}"
        end += 1
    else:
        end = _put(end, PyBytes_AS_STRING(body), body_size)
    end[0] = c"]"
    return text


def serialize(frame):
    """The frame as JSON in UTF-8; `parse` takes it, unless an EchoedId is given back to its sender.

    Raises ValueError for what JSON or OCPP-J cannot carry: a lone surrogate, an integer beyond 64 bits, more than 64
    levels. TypeError for values of types that are none of JSON's. NaN and infinity are written as null: what is sent
    is validated before.
    """
    cdef Call call
    cdef CallResult result
    cdef CallError error
    if type(frame) is Call:
        call = <Call>frame
        if _is_usual_id(call.unique_id) and is_verbatim(<PyObject *>call.action) and type(call.payload) is dict:
            return _frame_text(c"2", <str>call.unique_id, <str>call.action, _body(call.payload), None)
        return _written(
            [2, _sent_id(call.unique_id), _text(call.action, "action"), _object(call.payload, "payload")],
            _depth_below(call.payload),
            DEPTH,
        )
    if type(frame) is CallResult:
        result = <CallResult>frame
        if _is_usual_id(result.unique_id) and type(result.payload) is dict:
            return _frame_text(c"3", <str>result.unique_id, None, _body(result.payload), None)
        return _written(
            [3, _sent_id(result.unique_id), _object(result.payload, "payload")], _depth_below(result.payload), DEPTH)
    if type(frame) is CallError:
        error = <CallError>frame
        return _written([
            4,
            _sent_id(error.unique_id),
            _text(error.code, "code"),
            _text(error.description, "description"),
            _object(error.details, "details"),
        ], _depth_below(error.details), DEPTH)
    raise TypeError(f"a frame is Call, CallResult or CallError, not {type(frame).__name__}")


def json_bytes(payload):
    """A payload as JSON in UTF-8, for `call_text` and `result_text`: of at most 63 levels, its frame being the 64th.

    Raises as `serialize`.
    """
    return _body(_object(payload, "payload"))


def call_text(unique_id, action, body, member=b""):
    """The CALL with a payload that is text already; what `serialize` gives for the payload itself.

    body: an object as `json_bytes` gives it; member: what comes last in it, as `b'"transactionId":4711'`, of a name
    that the object does not have. Neither is read, but that a body is no object raises ValueError. Raises for ids and
    actions as `serialize`.
    """
    _check_body(body)
    if _is_usual_id(unique_id) and is_verbatim(<PyObject *>action):
        return _frame_text(c"2", <str>unique_id, <str>action, body, member)
    unique_id, action = _sent_id(unique_id), _text(action, "action")
    if member:
        body = body[:-1] + (b"," if len(body) > 2 else b"") + member + b"}"
    return _written([2, unique_id, action, _Fragment(body)], SHALLOW, DEPTH)


def result_text(unique_id, body):
    """The CALLRESULT with a payload that is text already, as `call_text`."""
    _check_body(body)
    if _is_usual_id(unique_id):
        return _frame_text(c"3", <str>unique_id, None, body, None)
    return _written([3, _sent_id(unique_id), _Fragment(body)], SHALLOW, DEPTH)


cdef int _check_body(bytes body) except -1:
    if body is None or not (body.startswith(b"{") and body.endswith(b"}")):
        raise ValueError("a body is the text of a JSON object")


cdef inline bytes _body(payload):
    if PyDict_GET_SIZE(<PyObject *>payload) == 0:
        return b"{}"
    return _written(payload, _depth_of(<PyObject *>payload, DEPTH - 1), DEPTH - 1)


cdef inline int _depth_below(payload) noexcept:
    """As `_depth_of`, of the part of a frame that is nested."""
    return _depth_of(<PyObject *>payload, DEPTH - 1) if PyDict_GET_SIZE(<PyObject *>payload) else SHALLOW


cdef object _written(value, int depth, int levels):
    # Looked at before it is written: of tuples the writer does not count the levels, and writes beyond its memory.
    if depth != SHALLOW:
        _refuse_deep(value, depth, levels)
    cdef PyObject *data = PyObject_CallOneArg(<PyObject *>_dumps, <PyObject *>value)
    if data is NULL:
        _refuse_unwritable()
    return take(data)


cdef int _refuse_unwritable() except -1:
    try:
        raise_what_is_set()
    except _JSONEncodeError as problem:
        raise _unwritable(problem) from None


cdef int _refuse_deep(value, int depth, int levels) except -1:
    if depth == UNKNOWN:  # a dataclass or the like: looked at as it is written
        try:
            written = _loads(_dumps(value))
        except _JSONEncodeError as problem:
            raise _unwritable(problem) from None
        depth = _depth_of(<PyObject *>written, levels)
    if depth != SHALLOW:
        raise ValueError(_TOO_DEEP)


# What the writer below says of values that have a JSON type and cannot be written all the same.
cdef tuple _VALUE_PROBLEMS = (
    ("Recursion limit", _TOO_DEEP),
    ("default serializer exceeds recursion limit", _TOO_DEEP),
    ("str is not valid UTF-8", "a text has a lone surrogate, which is no Unicode character"),
    ("Integer exceeds 64-bit range", "an integer is beyond 64 bits"),
)


cdef object _unwritable(problem):
    said = str(problem)
    for beginning, text in _VALUE_PROBLEMS:
        if said.startswith(beginning):
            return ValueError(text)
    return TypeError(f"a value that JSON does not have: {said}")


cdef inline object _sent_id(unique_id):
    if _is_id(unique_id):
        return unique_id
    return _unusual_id(unique_id)


cdef object _unusual_id(unique_id):
    if isinstance(unique_id, EchoedId):
        return unique_id.raw
    if not isinstance(unique_id, str):
        raise TypeError(f"unique_id must be str, not {type(unique_id).__name__}")
    if not 0 < len(unique_id) <= 36:
        raise ValueError(f"unique_id must have 1 to 36 characters, not {len(unique_id)}")
    return unique_id


cdef inline object _text(value, str name):
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, not {type(value).__name__}")
    return value


cdef inline object _object(value, str name):
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be dict, not {type(value).__name__}")
    return value


def json_text(value):
    """A JSON value as text, for payloads that travel inside a payload. Raises as `serialize`."""
    return _written(value, _depth_of(<PyObject *>value, DEPTH), DEPTH).decode()
