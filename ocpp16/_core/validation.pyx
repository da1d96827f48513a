"""(action, kind) → validator; violation → CALLERROR code and a sentence for people.

The table of codes is the one place that says which code a broken rule is answered with.
"""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject

from ocpp16._core.violation cimport Check, Violation

from types import MappingProxyType

from ocpp16._core.validators import (
    california_pricing,
    core,
    firmware,
    local_auth_list,
    plug_and_charge,
    remote_trigger,
    reservation,
    security,
    smart_charging,
)

CODES = MappingProxyType({
    "action": "NotImplemented",
    "required": "OccurenceConstraintViolation",
    "minItems": "OccurenceConstraintViolation",
    "maxItems": "OccurenceConstraintViolation",
    "type": "TypeConstraintViolation",
    "format": "TypeConstraintViolation",
    "enum": "PropertyConstraintViolation",
    "maxLength": "PropertyConstraintViolation",
    "minLength": "PropertyConstraintViolation",
    "minimum": "PropertyConstraintViolation",
    "maximum": "PropertyConstraintViolation",
    "multipleOf": "PropertyConstraintViolation",
    "additionalProperties": "FormationViolation",
})

cdef dict _requests = {}
cdef dict _responses = {}
for _unit in (california_pricing, core, firmware, local_auth_list, plug_and_charge, remote_trigger, reservation,
              security, smart_charging):
    for (_action, _kind), _check in _unit.CHECKS.items():
        (_requests if _kind == "request" else _responses)[_action] = _check

_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
}


def code_of(Violation violation not None):
    """The CALLERROR code for a violation."""
    if violation.rule == "type" and not violation.path:
        return "FormationViolation"  # the payload itself is no object
    return CODES[violation.rule]


def describe(action, kind, Violation violation not None):
    """A sentence as "StatusNotification.req: errorCode is missing". It shows no values."""
    cdef str message = f"{str(action)[:50]}.{'req' if kind == 'request' else 'conf'}"
    rule, limit = violation.rule, violation.limit
    if rule == "action":
        return f"{message}: unknown action"
    field = _place(violation.path)
    if rule == "required":
        what = "is missing"
    elif rule == "type":
        what = f"must be {_TYPES[limit]}"
    elif rule == "format":
        what = "must be an RFC 3339 date-time"
    elif rule == "enum":
        what = f"must be one of {', '.join(limit)}" if len(limit) <= 9 else f"is none of the {len(limit)} known values"
    elif rule == "maxLength":
        what = f"is longer than {limit} characters"
    elif rule == "minLength":
        what = f"is shorter than {limit} characters"
    elif rule == "minimum":
        what = f"is less than {limit}"
    elif rule == "maximum":
        what = f"is greater than {limit}"
    elif rule == "multipleOf":
        what = "has more than one decimal place"
    elif rule == "minItems":
        what = f"has fewer elements than {limit}"
    elif rule == "maxItems":
        what = f"has more elements than {limit}"
    else:
        what = "is not known"
    return f"{message}: {field} {what}"


cdef str _place(tuple path):
    """meterValue[0].sampledValue[2].value; names of peers are cut."""
    text = "".join([f"[{part}]" if isinstance(part, int) else f".{str(part)[:50]}" for part in path])
    return text[1:] if text else "payload"


class ValidationError(ValueError):
    """A payload breaks a rule; `str()` says which, and names the member.

    code: the CALLERROR code to answer with; rule, path: those of `violation`; action, kind: what was validated.
    """

    def __init__(self, action, kind, violation):
        super().__init__(action, kind, violation)
        self.action = action
        self.kind = kind
        self.violation = violation
        self.rule = violation.rule
        self.path = violation.path
        self.code = code_of(violation)

    def __str__(self):
        return describe(self.action, self.kind, self.violation)


cdef inline Check _find(action, kind):
    """The validator, or None for an action that is not known."""
    cdef PyObject *found
    if kind == "request":
        found = PyDict_GetItemWithError(_requests, action)
    elif kind == "response":
        found = PyDict_GetItemWithError(_responses, action)
    else:
        raise ValueError(f'kind must be "request" or "response", not {kind!r}')
    return <Check>found if found is not NULL else None


cdef inline object _violation(action, kind, payload):
    cdef Check found = _find(action, kind)
    return Violation("action", (), None) if found is None else found.received(<PyObject *>payload)


cdef inline object _violation_in_sending(action, kind, payload):
    cdef Check found = _find(action, kind)
    return Violation("action", (), None) if found is None else found.sending(<PyObject *>payload)


def check(action, kind, payload):
    """The first rule that a payload breaks, in the order of the payload; None if it breaks none.

    action: also `PnC.…` and `CostMsg.…` for payloads that travel inside DataTransfer. ValueError for another kind than
    "request" and "response".
    """
    return _violation(action, kind, payload)


def check_sending(action, kind, payload):
    """As `check`, with the limits of the written specification that the official schemas lack."""
    return _violation_in_sending(action, kind, payload)


def validate(action, kind, payload):
    """Raise ValidationError if `check` finds a violation."""
    violation = _violation(action, kind, payload)
    if violation is not None:
        raise ValidationError(action, kind, violation)


def validate_sending(action, kind, payload):
    """Raise ValidationError if `check_sending` finds a violation."""
    violation = _violation_in_sending(action, kind, payload)
    if violation is not None:
        raise ValidationError(action, kind, violation)


def tolerant_validate(repair):
    """A `validate` that, asked to be tolerant, calls `repair(action, kind, payload)` when the strict check objects.

    `repair` mends the payload in place and raises ValidationError if that is not possible.
    """
    def validate(action, kind, payload, tolerant=False):
        """Raise ValidationError if the payload breaks a rule.

        kind: "request" or "response"; action: also `PnC.…` and `CostMsg.…` for payloads that travel inside
        DataTransfer; tolerant: mend the payload in place first, by the default set of `ocpp16.rpc.tolerance`.
        """
        cdef Check found = _find(action, kind)
        violation = Violation("action", (), None) if found is None else found.received(<PyObject *>payload)
        if violation is None:
            return
        if not tolerant or found is None:
            raise ValidationError(action, kind, violation)
        repair(action, kind, payload)

    return validate
