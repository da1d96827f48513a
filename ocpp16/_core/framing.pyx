"""OCPP-J frames: JSON text ↔ Call, CallResult, CallError (OCPP-J 1.6 §4).

Knows the shape of a frame and nothing of what is in a payload. Strict both ways; what peers get wrong is mended by
`ocpp16.rpc.tolerance` from what a FramingError kept. No text may end in anything but a frame or a FramingError.

JSON is taken and written down to 64 levels, the frame's own array being the first. The parser below reads 1,024 and its
writer 254: without a limit of ours there would be requests that can be read and not be logged, stored or refused.
"""

cimport cython
from cpython.dict cimport PyDict_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.unicode cimport PyUnicode_CheckExact

include "nesting.pxi"
include "usual_reading.pxi"
include "usual_writing.pxi"

# The general reader and writer: they bring half of the standard library, which a process that sees usual frames only
# can do without.
cdef object _loads = None
cdef object _dumps = None
cdef object _Fragment = None
cdef object _NO_DATACLASS = None
cdef object _JSONDecodeError = None
cdef object _JSONEncodeError = None


cdef int _need_orjson() except -1:
    global _loads, _dumps, _Fragment, _NO_DATACLASS, _JSONDecodeError, _JSONEncodeError
    if _loads is None:
        import orjson

        _dumps, _Fragment, _NO_DATACLASS = orjson.dumps, orjson.Fragment, orjson.OPT_PASSTHROUGH_DATACLASS
        _JSONDecodeError, _JSONEncodeError = orjson.JSONDecodeError, orjson.JSONEncodeError
        _loads = orjson.loads


cdef str _TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

cdef dict _NAMES = {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR"}


class EchoedId(str):
    """A message id that OCPP-J does not allow (a number, too long, empty), kept so that the answer carries it back.

    As text it is what a dict of ids needs; `raw`, as received, is what `serialize` writes.
    """

    __slots__ = ("raw",)

    def __new__(cls, raw):
        self = str.__new__(cls, raw)
        self.raw = raw
        return self


class FramingError(ValueError):
    """The text is no OCPP-J frame.

    code: the CALLERROR code to answer with, if there is an answer at all: `kind` is 2 and `unique_id` is not None;
    kind: 2, 3 or 4 where the text shows it; unique_id: the id where it is readable text (an EchoedId if OCPP-J does
    not allow it); frame: the JSON array, for `ocpp16.rpc.tolerance`; None where there is none.
    """

    def __init__(self, text, kind=None, unique_id=None, frame=None):
        super().__init__(text)
        self.code = "FormationViolation"
        self.kind = kind
        self.unique_id = unique_id
        self.frame = frame

    @property
    def raw_id(self):
        """The second element as received, whatever it is; None if there is none."""
        return self.frame[1] if self.frame is not None and len(self.frame) > 1 else self.unique_id


@cython.final
@cython.freelist(32)
cdef class Call:
    """[2, unique_id, action, payload]: a request."""

    __match_args__ = ("unique_id", "action", "payload")

    def __init__(self, unique_id, action, payload):
        self.unique_id, self.action, self.payload = unique_id, action, payload

    def __eq__(self, other):
        if not isinstance(other, Call):
            return NotImplemented
        return (self.unique_id, self.action, self.payload) == (other.unique_id, other.action, other.payload)

    def __reduce__(self):
        return Call, (self.unique_id, self.action, self.payload)

    def __repr__(self):
        return f"Call({self.unique_id!r}, {self.action!r}, {self.payload!r})"


@cython.final
@cython.freelist(32)
cdef class CallResult:
    """[3, unique_id, payload]: the confirmation of a request."""

    __match_args__ = ("unique_id", "payload")

    def __init__(self, unique_id, payload):
        self.unique_id, self.payload = unique_id, payload

    def __eq__(self, other):
        if not isinstance(other, CallResult):
            return NotImplemented
        return (self.unique_id, self.payload) == (other.unique_id, other.payload)

    def __reduce__(self):
        return CallResult, (self.unique_id, self.payload)

    def __repr__(self):
        return f"CallResult({self.unique_id!r}, {self.payload!r})"


@cython.final
cdef class CallError:
    """[4, unique_id, code, description, details]: a request could not be handled. No details are {}."""

    __match_args__ = ("unique_id", "code", "description", "details")

    def __init__(self, unique_id, code, description="", details=None):
        self.unique_id, self.code, self.description = unique_id, code, description
        self.details = {} if details is None else details

    def __eq__(self, other):
        if not isinstance(other, CallError):
            return NotImplemented
        return (self.unique_id, self.code, self.description, self.details) == (
            other.unique_id, other.code, other.description, other.details)

    def __reduce__(self):
        return CallError, (self.unique_id, self.code, self.description, self.details)

    def __repr__(self):
        return f"CallError({self.unique_id!r}, {self.code!r}, {self.description!r}, {self.details!r})"


def parse(text):
    """Read one text frame, str or bytes: strictly, but that further elements of the array are ignored.

    Of a member that an object has twice the last one counts; `duplicate_members` names such ones.
    Raises FramingError for any text that is no frame or is nested deeper than 64 levels, TypeError for what is no text.
    """
    cdef list frame
    cdef Py_ssize_t size
    cdef Call call
    cdef CallResult result
    cdef CallError error
    usual = _usual_frame(text)
    if usual is not None:
        return usual
    _need_orjson()
    try:
        data = _loads(text)
    except _JSONDecodeError as problem:
        raise _unreadable(text, problem) from None
    if _is_deep(text):
        raise _too_deep(data)
    if type(data) is not list:
        raise FramingError("not a JSON array")
    frame = <list>data
    size = len(frame)
    # Elements beyond those of the kind are ignored.
    if size >= 3 and PyLong_CheckExact(frame[0]) and _is_id(frame[1]):
        kind = frame[0]
        if kind == 2:
            if size >= 4 and PyUnicode_CheckExact(frame[2]) and PyDict_CheckExact(frame[3]):
                call = Call.__new__(Call)
                call.unique_id, call.action, call.payload = frame[1], frame[2], frame[3]
                return call
        elif kind == 3:
            if PyDict_CheckExact(frame[2]):
                result = CallResult.__new__(CallResult)
                result.unique_id, result.payload = frame[1], frame[2]
                return result
        elif kind == 4 and size >= 5:
            if PyUnicode_CheckExact(frame[2]) and PyUnicode_CheckExact(frame[3]) and PyDict_CheckExact(frame[4]):
                error = CallError.__new__(CallError)
                error.unique_id, error.code, error.description, error.details = frame[1], frame[2], frame[3], frame[4]
                return error
    raise _misshapen(frame)


cdef inline bint _is_id(unique_id):
    return PyUnicode_CheckExact(unique_id) and 0 < len(<str>unique_id) <= 36


cdef object _unreadable(text, problem):
    """The error for what is no JSON; the id is told when the beginning shows it."""
    if not isinstance(text, (str, bytes, bytearray, memoryview)):
        return TypeError(f"a frame is str or bytes, not {type(text).__name__}")
    rest = without_byte_order_mark(text)
    if rest is not None:
        text, why = rest, "not JSON: it begins with a byte order mark"
    else:
        why = f"not JSON: {problem}"
        if "depth" in why or "ecursion" in why:  # the reader's own limit; its versions have three sentences for it
            why = _TOO_DEEP
    import re

    # A memoryview may have elements of any size.
    start = text[:200] if isinstance(text, str) else bytes(text)[:200].decode("latin-1")
    # The beginning of a frame whose JSON is broken further on: enough to tell which message it was.
    beginning = re.match(r'\s*\[\s*([234])\s*,\s*"([^"\\\x00-\x1f]{1,36})"\s*,', start, re.ASCII)
    if beginning is None or not beginning[2].isascii():
        return FramingError(why)
    return FramingError(why, int(beginning[1]), beginning[2])


cdef object _too_deep(data):
    """The error for what is nested too deep; the frame is not kept, so that nobody can be made to write it."""
    if type(data) is list and len(<list>data) > 1:
        kind, unique_id = data[0], data[1]
        if PyLong_CheckExact(kind) and kind in _NAMES:
            if type(unique_id) is not str:
                unique_id = None
            elif not _is_id(unique_id):
                unique_id = EchoedId(unique_id)
            return FramingError(f"{_NAMES[kind]}: {_TOO_DEEP}", kind, unique_id)
    return FramingError(_TOO_DEEP)


def without_byte_order_mark(text):
    """The text after the byte order mark that it begins with; None if it begins with none (RFC 8259 §8.1)."""
    if isinstance(text, str):
        return text[1:] if text.startswith("\ufeff") else None
    if isinstance(text, (bytearray, memoryview)):
        text = bytes(text)
    elif not isinstance(text, bytes):
        return None
    return text[3:] if text.startswith(b"\xef\xbb\xbf") else None


cdef object _misshapen(list frame):
    """The error for a JSON array that is no frame: the first thing that is wrong, in the order of the elements."""
    kind = frame[0] if frame else None
    if not PyLong_CheckExact(kind) or kind not in _NAMES:
        return FramingError("the first element is not 2, 3 or 4", frame=frame)
    name = _NAMES[kind]
    raw_id = frame[1] if len(frame) > 1 else None
    unique_id = raw_id if type(raw_id) is str else None
    if len(frame) < 2:
        text = "id is missing"
    elif unique_id is None:
        text = "id is not text"
    elif not unique_id:
        text = "id is empty"
    elif len(unique_id) > 36:
        text = "id is longer than 36 characters"
    elif len(frame) < (4, 3, 5)[kind - 2]:
        text = "too few elements"
    elif kind == 2 and type(frame[2]) is not str:
        text = "action is not text"
    elif kind == 4 and type(frame[2]) is not str:
        text = "error code is not text"
    elif kind == 4 and type(frame[3]) is not str:
        text = "error description is not text"
    else:
        text = ("payload", "payload", "error details")[kind - 2] + " is not an object"
    if unique_id is not None and not _is_id(unique_id):
        unique_id = EchoedId(unique_id)
    return FramingError(f"{name}: {text}", kind, unique_id, frame)


include "writing.pxi"


def json_value(text):
    """What a JSON text of our own says, as `json_bytes` wrote it or a row holds it. Raises ValueError for other text."""
    _need_orjson()
    return _loads(text)


def duplicate_members(text):
    """The members that an object of this JSON text has more than once, each as its path from the top; usually none.

    A path is of names and indices, as (3, "connectorId"); a member that is there three times is named twice. JSON leaves
    open what such an object means (RFC 8259 §4); `parse` takes the last one. Raises FramingError for what is no JSON or
    is nested too deep, TypeError for what is no text.
    """
    # The reader of the standard library tells of pairs, but calls itself for each level and limits the digits of an
    # integer: only text that was looked at is given to it, and numbers are left as text.
    from json import loads

    _need_orjson()
    try:
        data = _loads(text)
    except _JSONDecodeError as problem:
        raise _unreadable(text, problem) from None
    if _is_deep(text):
        raise _too_deep(data)
    whole = loads(
        text if isinstance(text, str) else bytes(text).decode(), object_pairs_hook=_Pairs, parse_int=str)
    cdef list found = []
    _find_duplicates(whole, [], found)
    return found


class _Pairs(list):
    """An object as its members, in order."""


cdef void _find_duplicates(value, list path, list found) except *:
    """`path`, of this value, is the same again afterwards."""
    if type(value) is _Pairs:
        seen = set()
        for name, member in value:
            if name in seen:
                found.append((*path, name))
            seen.add(name)
            if isinstance(member, list):
                path.append(name)
                _find_duplicates(member, path, found)
                path.pop()
    elif type(value) is list:
        for index, element in enumerate(value):
            if isinstance(element, list):
                path.append(index)
                _find_duplicates(element, path, found)
                path.pop()
