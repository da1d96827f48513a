"""What was signed in one transaction: read, and verified with the keys that there are.

Each text is looked at once: the begin that is sent in a MeterValues is the same as in transactionData. A key that a
value brings along says only that the value is whole, and counts where no other key is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ocpp16.lint.public_keys import PublicKeys
from ocpp16.lint.transactions import SignedValue, Transaction
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.ocmf import BEGINS, ENDS, Ocmf, OcmfReading
from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify
from ocpp16.metering.signed_data import SignedData, recognised


@dataclass(slots=True)
class Examined:
    """A signed value. ocmf: None if it cannot be read, and `unreadable` says why; `unproved`: why its signature is not
    the meter's, "" if it is; `by`: whose key proved it."""

    value: SignedValue
    ocmf: Ocmf | None = None
    unreadable: str = ""
    unproved: str = ""
    by: str = ""

    @property
    def where(self) -> str:
        """For people."""
        return f"line {self.value.line} ({self.value.context or self.value.action})"


@dataclass(slots=True)
class Examination:
    """Of a transaction."""

    transaction: Transaction
    values: list[Examined] = field(default_factory=list)

    def readings(self) -> Iterator[tuple[Examined, OcmfReading]]:
        """All that were read, in the order of the trace."""
        for examined in self.values:
            if examined.ocmf is not None:
                for reading in examined.ocmf.readings:
                    yield examined, reading

    def first(self, kinds: frozenset[str]) -> OcmfReading | None:
        """The first reading of one of these kinds."""
        return next((reading for _, reading in self.readings() if reading.transaction in kinds), None)

    @property
    def begin(self) -> OcmfReading | None:
        return self.first(BEGINS)

    @property
    def end(self) -> OcmfReading | None:
        return self.first(ENDS)


def examine(transaction: Transaction, keys: PublicKeys) -> Examination:
    """Read and verify all that was signed."""
    found = Examination(transaction)
    seen: set[str] = set()
    for value in transaction.values:
        if value.text not in seen:
            seen.add(value.text)
            found.values.append(_examined(value, transaction, keys))
    return found


def _examined(value: SignedValue, transaction: Transaction, keys: PublicKeys) -> Examined:
    examined = Examined(value)
    try:
        signed = recognised(value.text)
        examined.ocmf = signed.ocmf()
    except SignedDataError as error:
        examined.unreadable = str(error)
        return examined
    examined.by, candidates = _candidates(signed, transaction, keys)
    examined.unproved = _unproved(examined.ocmf, candidates)
    return examined


def _candidates(signed: SignedData, transaction: Transaction, keys: PublicKeys) -> tuple[str, Sequence[bytes]]:
    """Whose keys, and these."""
    if keys.given:
        return "the key given", keys.given
    published = keys.published(transaction.charge_point, transaction.connector_id)
    if published:
        return "MeterPublicKey", published
    if signed.public_key:
        try:
            return "the key it brings along", [key_bytes(signed.public_key)]
        except SignedDataError:
            return "", ()
    return "", ()


def _unproved(read: Ocmf, candidates: Sequence[bytes]) -> str:
    why = "no public key is known: the trace has no MeterPublicKey of its connector, and none was given"
    for key in candidates:
        try:
            verify(read, key)
        except SignedDataError as error:
            why = str(error)
        else:
            return ""
    return why
