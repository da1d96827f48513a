"""The table of rules: each with its name, how grave it is, the clause that it follows, and why, in a sentence.

A new rule is a row here, and a `tell` with its name in the file of its subject; those on signed values are functions in
`signed_values`. A test compares the table with what is told.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from ocpp16.lint.finding import ERROR, WARNING, Severity


class Rule(NamedTuple):
    """clause: of OCPP 1.6 edition 2 unless it names another text; why: what goes wrong where the rule is broken."""

    name: str
    severity: Severity
    clause: str
    why: str


_ROWS: Final = (
    # Frames, and who answers whom
    Rule("frame", ERROR, "OCPP-J 4.2", "A message is a JSON array: type, an id of at most 36 characters, the rest."),
    Rule("id-reused", ERROR, "OCPP-J 4.1.4", "The answers to two CALLs with one id cannot be told apart."),
    Rule("one-call", ERROR, "OCPP-J 4.1.1", "A side waits for the answer before it asks again."),
    Rule("answers-nothing", ERROR, "OCPP-J 4.1.4", "An answer has the id of the CALL that it answers."),
    Rule("answered-twice", ERROR, "OCPP-J 4.1.1", "A CALL has one answer."),
    Rule("error-to-answer", ERROR, "OCPP-J 4.2.3", "A CALLERROR answers a CALL, never an answer."),
    Rule("late-answer", WARNING, "OCPP-J 4.1.1", "Whoever asked may have given up long before: 30 s."),
    Rule("unanswered", WARNING, "OCPP-J 4.1.1", "A CALL without an answer blocks its sender until it gives up."),
    Rule("error-code", ERROR, "OCPP-J 4.2.3", "The codes of a CALLERROR are a closed list."),
    # What they say
    Rule("action", ERROR, "OCPP 1.6 4, 5", "What is of a vendor goes into DataTransfer."),
    Rule("direction", ERROR, "OCPP 1.6 4, 5", "Most actions are for one side to ask."),
    Rule("schema", ERROR, "OCPP 1.6 6, 7", "A strict reader refuses a payload that does not fit its schema."),
    Rule("refused", WARNING, "OCPP-J 4.2.3", "A payload that fits the schema is refused as if it did not."),
    # The meter's signatures
    Rule("readable", ERROR, "Signed meter values", "Nobody can verify a signed value that cannot be read."),
    Rule("signature", ERROR, "Signed meter values", "What was changed, or signed by another key, is no proof."),
    Rule("begin-and-end", ERROR, "Signed meter values", "A bill needs a signed begin and a signed end."),
    Rule("one-meter", ERROR, "Signed meter values", "Values of two meters cannot be subtracted."),
    Rule("pages", ERROR, "OCMF", "Pages that do not rise hide what was taken out."),
    Rule("id-tag", ERROR, "OCMF", "It was measured for somebody else."),
    Rule("status", ERROR, "OCMF", "The meter itself says that a reading is not good."),
    Rule("rising", ERROR, "OCMF", "Energy and time of a meter do not fall."),
    Rule("energy", ERROR, "Signed meter values", "What is billed is not what was signed."),
)
RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in _ROWS})
"""Name → rule, in the order in which they are shown."""
