"""The verdict on a trace: transaction by transaction, as they end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ocpp16.lint.examination import Examination, examine
from ocpp16.lint.public_keys import PublicKeys
from ocpp16.lint.rules import Finding, findings
from ocpp16.lint.trace import Trace
from ocpp16.lint.transactions import Transactions


class Judgement(StrEnum):
    """Of a transaction."""

    GOOD = "good"
    BAD = "bad"
    UNSIGNED = "nothing signed"


@dataclass(slots=True)
class Verdict:
    """On one transaction. proved_by: whose keys proved its values."""

    examination: Examination
    findings: list[Finding]

    @property
    def judgement(self) -> Judgement:
        if self.findings:
            return Judgement.BAD
        return Judgement.GOOD if self.examination.values else Judgement.UNSIGNED

    @property
    def proved_by(self) -> str:
        return ", ".join(dict.fromkeys(one.by for one in self.examination.values if one.by and not one.unproved))

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        transaction = self.examination.transaction
        begin, end = self.examination.begin, self.examination.end
        return {
            "charge_point": transaction.charge_point,
            "connector": transaction.connector_id,
            "transaction_id": transaction.transaction_id,
            "line": transaction.line,
            "id_tag": transaction.id_tag,
            "is_stopped": transaction.is_stopped,
            "judgement": str(self.judgement),
            "signed_values": len(self.examination.values),
            "proved_by": self.proved_by,
            "begin_wh": None if begin is None or begin.energy is None else str(begin.energy),
            "end_wh": None if end is None or end.energy is None else str(end.energy),
            "findings": [{"rule": one.rule, "text": one.text} for one in self.findings],
        }


def judged(trace: Trace, given: Sequence[bytes] = ()) -> Iterator[Verdict]:
    """Read a trace twice: for the public keys in it, unless some are given, then for its transactions.

    given: keys that hold for every meter (`metering.public_key.key_bytes`). Raises TraceError.
    """
    keys = PublicKeys(given)
    if not given:
        keys.find_in(trace)
    transactions = Transactions()
    for frame in trace:
        for transaction in transactions.read(frame):
            yield _judged(transaction, keys)
    for transaction in transactions.unfinished():
        yield _judged(transaction, keys)


def _judged(transaction: Any, keys: PublicKeys) -> Verdict:
    examination = examine(transaction, keys)
    return Verdict(examination, findings(examination))
