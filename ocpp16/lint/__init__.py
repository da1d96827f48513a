"""What OCPP traffic says about those who wrote it: read in a stream, judged by a table of rules::

    from ocpp16.lint import FROM_CHARGE_POINT, Linter, frame_of

    linter = Linter()
    for finding in linter.take(frame_of('[2,"1","Heartbeat",{}]', FROM_CHARGE_POINT, charge_point="CP1")):
        print(finding.rule, finding.text)

`frame` is what a message is, `rules` the table, `linter` the judge; `case` is what is kept of a charge point, and every
subject has a file of its own. `trace` reads files, `signed_transactions` and `verdict` are about signed meter
values.
"""

from ocpp16.lint.finding import Finding
from ocpp16.lint.frame import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame, connected, disconnected, frame_of
from ocpp16.lint.linter import Linter, lint
from ocpp16.lint.rules import RULES, Rule

__all__ = [
    "FROM_CENTRAL_SYSTEM",
    "FROM_CHARGE_POINT",
    "RULES",
    "Finding",
    "Frame",
    "Linter",
    "Rule",
    "connected",
    "disconnected",
    "frame_of",
    "lint",
]
