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
    """As `--only` and `--ignore` take it."""
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
    # Times
    Rule("time-form", WARNING, "OCPP-J 3.2, RFC 3339", "Others take it for another moment."),
    Rule("future", WARNING, "OCPP 1.6 4.2, 4.6", "What is told has happened, by the Central System's time."),
    Rule("central-time", WARNING, "OCPP 1.6 4.2, 4.6", "All charge points set their clocks by currentTime."),
    # Start, and registration
    Rule("before-boot", ERROR, "OCPP 1.6 4.2", "Until it is Accepted a charge point asks only what was triggered."),
    Rule("asked-rejected", ERROR, "OCPP 1.6 4.2", "A Central System that rejects a charge point asks nothing of it."),
    Rule("boot-interval", WARNING, "OCPP 1.6 4.2", "One that is not Accepted waits for the interval."),
    Rule("interval", ERROR, "OCPP 1.6 6.6", "A time to wait is not negative."),
    Rule("heartbeat-often", WARNING, "OCPP 1.6 4.6", "Heartbeats come by the interval."),
    Rule("silence", WARNING, "OCPP 1.6 4.6", "One that says nothing for so long is taken to be gone."),
    # Connectors
    Rule("connector", ERROR, "OCPP 1.6 3.7, 6", "There is no such connector, or it is not one to charge at."),
    Rule(
        "status-after-boot", WARNING, "OCPP 1.6 4.2", "After a start the status of every connector is told, 0 included."
    ),
    Rule("status-of-zero", ERROR, "OCPP 1.6 7.7", "Connector 0 is Available, Unavailable or Faulted."),
    Rule("status-order", WARNING, "OCPP 1.6 4.9", "The clause has no such step; one may not have been told."),
    # Transactions
    Rule("start-while-running", ERROR, "OCPP 1.6 4.8, 4.10", "A connector has one transaction at a time."),
    Rule("retry-changed", WARNING, "OCPP 1.6 3.7.1", "What is sent again is the same, or counts twice."),
    Rule("attempts", WARNING, "OCPP 1.6 9.1.29", "A message that is refused is sent so often and no more."),
    Rule("retry-interval", WARNING, "OCPP 1.6 9.1.30", "Before a message is sent again it waits, longer each time."),
    Rule("transaction-id", WARNING, "OCPP 1.6 6.46", "Many take an id of 0 or less for none."),
    Rule("transaction-id-reused", ERROR, "OCPP 1.6 4.8", "Two transactions with one id cannot be told apart."),
    Rule("retry-other-id", WARNING, "OCPP 1.6 3.7.1", "The Central System took a repeat for another transaction."),
    Rule("unknown-transaction", WARNING, "OCPP 1.6 4.7, 4.10", "Nobody began it here; it may have begun before."),
    Rule("transaction-connector", ERROR, "OCPP 1.6 4.7", "A transaction stays on its connector."),
    Rule("values-after-stop", WARNING, "OCPP 1.6 4.7", "What belongs to a transaction comes before its end."),
    Rule("stopped-twice", ERROR, "OCPP 1.6 4.10", "A transaction ends once."),
    Rule("stop-before-start", ERROR, "OCPP 1.6 4.10", "It ends after it began."),
    Rule("energy-falls", ERROR, "OCPP 1.6 7.31", "A register of imported energy does not fall within a transaction."),
    Rule("time-falls", WARNING, "OCPP 1.6 4.7", "The values of a message come in the order in which they were taken."),
    Rule("sample-outside", WARNING, "OCPP 1.6 4.7", "A value of a transaction was taken while it ran."),
    # Id tags
    Rule("id-tag-case", WARNING, "OCPP 1.6 7.28", "Id tags are compared without case, but not by everybody."),
    Rule("expired", WARNING, "OCPP 1.6 7.27", "Whoever is Accepted has an expiryDate that is to come."),
    Rule("reservation", WARNING, "OCPP 1.6 5.1", "A reservation that was cancelled is not used."),
    # Charging profiles
    Rule("profile-connector", ERROR, "OCPP 1.6 3.13.1", "The purpose of a profile says where it may be."),
    Rule("periods", ERROR, "OCPP 1.6 7.13, 7.14", "A schedule starts at 0, and its periods rise."),
    Rule("schedule-missing", WARNING, "OCPP 1.6 6.22", "Accepted means that there is a schedule to see."),
    # What was accepted
    Rule("remote-start", WARNING, "OCPP 1.6 5.11", "An accepted start begins, or the connector says that it will not."),
    Rule("remote-stop", WARNING, "OCPP 1.6 5.12", "An accepted stop ends the transaction."),
    Rule("reset", WARNING, "OCPP 1.6 5.14", "After a Reset there is a BootNotification."),
    Rule("availability", WARNING, "OCPP 1.6 5.2", "A change of availability shows in the status."),
    Rule("trigger", WARNING, "OCPP 1.6 5.17", "What was triggered is sent."),
    # Firmware and diagnostics
    Rule("upload-order", WARNING, "OCPP 1.6 4.4", "An upload goes forward."),
    Rule("update-order", WARNING, "OCPP 1.6 4.5", "An update goes forward."),
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
