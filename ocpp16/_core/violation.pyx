"""What a validator answers, and how it is made.

A path is written as a template: None in it stands for the index of the next loop, i, j, k from outside in.
"""

cimport cython
from cpython.object cimport PyObject


@cython.final
cdef class Violation:
    """The first rule that a payload breaks, in the order of the payload.

    rule: the schema keyword ("required", "type", "maxLength" …; "action" for an action that is not known);
    path: member names and indices from the payload down, as ("meterValue", 0, "sampledValue", 2, "value");
    limit: what the rule asks for: the type's name, the greatest length, the values of an enumeration, the members that
    are known; None where there is nothing to say.
    """

    def __init__(self, str rule not None, tuple path not None, limit=None):
        self.rule, self.path, self.limit = rule, path, limit

    def __eq__(self, other):
        if not isinstance(other, Violation):
            return NotImplemented
        return (self.rule, self.path, self.limit) == (other.rule, other.path, other.limit)

    def __hash__(self):
        return hash((self.rule, self.path))

    def __reduce__(self):
        return Violation, (self.rule, self.path, self.limit)

    def __repr__(self):
        return f"Violation({self.rule!r}, {self.path!r}, {self.limit!r})"


@cython.final
cdef class Check:
    """The validator of one payload: `check(payload)` is None or a Violation. Only validators make it."""

    def __cinit__(self):
        self.received = self.sending = _unset

    def __call__(self, payload):
        return self.received(<PyObject *>payload)

    def for_sending(self, payload):
        """As a call, with the limits of the written specification that the official schemas lack."""
        return self.sending(<PyObject *>payload)


cdef object _unset(PyObject *payload):
    raise TypeError("a Check that no validator made")


cdef object new_check(check_t received, check_t sending):
    cdef Check check = Check.__new__(Check)
    check.received, check.sending = received, sending
    return check


cdef tuple _fill(tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k):
    indices = iter((i, j, k))
    return tuple([next(indices) if part is None else part for part in path])


cdef object fail(str rule, object limit, tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k):
    return Violation(rule, _fill(path, i, j, k), limit)


cdef object unknown(PyObject *key, tuple known, tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k):
    return Violation("additionalProperties", _fill(path, i, j, k) + (<object>key,), known)


cdef object missing(unsigned int seen, tuple required, tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k):
    """The first required member whose bit is not set in `seen`."""
    cdef Py_ssize_t n = 0
    while seen >> n & 1:
        n += 1
    return Violation("required", _fill(path, i, j, k) + (required[n],), None)


cdef object under(object violation, tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k):
    """The violation of a member, told from further up."""
    cdef Violation inner = violation
    return Violation(inner.rule, _fill(path, i, j, k) + inner.path, inner.limit)
