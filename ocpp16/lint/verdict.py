"""The verdict on what the meter signed of a transaction: a table of rules.

A new rule is a function in `signed_values`, a row here, and one in the table for users (`rules`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ocpp16.lint import signed_values
from ocpp16.lint.finding import Finding
from ocpp16.lint.public_keys import PublicKeys
from ocpp16.lint.signed_transactions import Transaction
from ocpp16.lint.signed_values import Signed, signed_of

MOST_FINDINGS: Final = 20
"""Of one rule on one transaction that are told."""


SIGNED_RULES: Final[Mapping[str, Callable[[Signed], Iterator[str]]]] = MappingProxyType(
    {
        "readable": signed_values.is_readable,
        "signature": signed_values.is_verified,
        "begin-and-end": signed_values.has_begin_and_end,
        "one-meter": signed_values.is_of_one_meter,
        "pages": signed_values.pages_rise,
        "id-tag": signed_values.is_for_the_id_tag,
        "status": signed_values.readings_are_good,
        "rising": signed_values.readings_rise,
        "energy": signed_values.energy_is_that_of_ocpp,
    }
)
"""Name → rule about the signed values of a transaction."""

GOOD, BAD, NOTHING_SIGNED = "good", "bad", "nothing signed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """keys: where the keys came from that verified its values; signed_count: texts that are signed, each once;
    unverified_count: those of them that could not be read or verified, which is bad by rules that may not be asked.
    """

    transaction: Transaction
    signed_count: int
    unverified_count: int
    keys: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def word(self) -> str:
        if self.findings:
            return BAD
        return GOOD if self.signed_count else NOTHING_SIGNED


def verdict(transaction: Transaction, keys: PublicKeys, rules: Collection[str] = SIGNED_RULES) -> Verdict:
    """What these rules say of it; of one without a signed value nothing."""
    if not transaction.values:
        return Verdict(transaction, 0, 0, (), ())
    signed = signed_of(transaction, keys)
    findings: list[Finding] = []
    for name, rule in SIGNED_RULES.items():
        found = list(rule(signed)) if name in rules else []
        if len(found) > MOST_FINDINGS:
            found[MOST_FINDINGS:] = [f"and {len(found) - MOST_FINDINGS} more like these"]
        findings += [Finding(name, text, transaction.line, transaction.charge_point) for text in found]
    sources = tuple(sorted({read.key for read in signed.texts if read.key}))
    unverified = sum(bool(read.fault) for read in signed.texts)
    return Verdict(transaction, len(signed.texts), unverified, sources, tuple(findings))
