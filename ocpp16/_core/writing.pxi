# Frames as text: part of framing.pyx, compiled into it.
#
# What usual_writing.pxi does not take the JSON writer writes.

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
        text = _usual_text(c"2", <PyObject *>call.unique_id, <PyObject *>call.action, <PyObject *>call.payload)
        if text is not None:
            return text
        return _written(
            [2, _sent_id(call.unique_id), _text(call.action, "action"), _object(call.payload, "payload")],
            _depth_below(call.payload),
            DEPTH,
        )
    if type(frame) is CallResult:
        result = <CallResult>frame
        text = _usual_text(c"3", <PyObject *>result.unique_id, NULL, <PyObject *>result.payload)
        if text is not None:
            return text
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


def call_text(unique_id, action, body not None, bytes member not None=b""):
    """The CALL with a payload that is text already; what `serialize` gives for the payload itself.

    body: an object as `json_bytes` gives it, or the same as str; member: what comes last in it, as
    `b'"transactionId":4711'`, of a name that the object does not have. Neither is read, but that a body is no object
    raises ValueError. Raises for ids and actions as `serialize`.
    """
    cdef const char *letters
    cdef Py_ssize_t size
    if isinstance(body, str):
        if PyUnicode_IS_ASCII(body):
            letters, size = <const char *>PyUnicode_DATA(body), PyUnicode_GET_LENGTH(body)
        else:
            body = (<str>body).encode()
            letters, size = PyBytes_AS_STRING(body), PyBytes_GET_SIZE(body)
    elif isinstance(body, bytes):
        letters, size = PyBytes_AS_STRING(body), PyBytes_GET_SIZE(body)
    else:
        raise TypeError(f"a body is bytes or str, not {type(body).__name__}")
    _check_body(letters, size)
    text = _text_around(c"2", <PyObject *>unique_id, <PyObject *>action, letters, size, member)
    if text is not None:
        return text
    unique_id, action = _sent_id(unique_id), _text(action, "action")
    _need_orjson()
    if isinstance(body, str):
        body = (<str>body).encode()
    if member:
        body = body[:-1] + (b"," if len(body) > 2 else b"") + member + b"}"
    return _written([2, unique_id, action, _Fragment(body)], SHALLOW, DEPTH)


def result_text(unique_id, bytes body not None):
    """The CALLRESULT with a payload that is text already, as `call_text`."""
    _check_body(PyBytes_AS_STRING(body), PyBytes_GET_SIZE(body))
    text = _text_around(c"3", <PyObject *>unique_id, NULL, PyBytes_AS_STRING(body), PyBytes_GET_SIZE(body), b"")
    if text is not None:
        return text
    _need_orjson()
    return _written([3, _sent_id(unique_id), _Fragment(body)], SHALLOW, DEPTH)


cdef int _check_body(const char *text, Py_ssize_t size) except -1:
    if size < 2 or text[0] != c"{" or text[size - 1] != c"}":
        raise ValueError("a body is the text of a JSON object")


cdef inline bytes _body(payload):
    text = _usual_body(<PyObject *>payload)
    if text is not None:
        return text
    return _written(payload, _depth_of(<PyObject *>payload, DEPTH - 1), DEPTH - 1)


cdef inline int _depth_below(payload) noexcept:
    """As `_depth_of`, of the part of a frame that is nested."""
    return _depth_of(<PyObject *>payload, DEPTH - 1) if PyDict_GET_SIZE(<PyObject *>payload) else SHALLOW


cdef object _written(value, int depth, int levels):
    # Looked at before it is written: of tuples the writer does not count the levels, and writes beyond its memory.
    _need_orjson()
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
            # Not a dataclass: of what is deep in one the writer counts no levels, and writes beyond its memory.
            written = _loads(_dumps(value, None, _NO_DATACLASS))
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
