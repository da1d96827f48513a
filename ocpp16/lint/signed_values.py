"""What the signed values of a transaction say, read and verified once, and the rules about them.

A rule is a function from `Signed` to what is wrong, a sentence for each; `rules` is their table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ocpp16.lint.public_keys import PublicKeys
from ocpp16.lint.signed_transactions import SignedValue, Transaction
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.ocmf import BEGINS, ENDS, GOOD, Ocmf, OcmfReading
from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify
from ocpp16.metering.signed_data import recognised
from ocpp16.texts import shown

_BEGIN, _END = "Transaction.Begin", "Transaction.End"
GIVEN, PUBLISHED, ITS_OWN = "given", "published", "in the value itself"
"""Where the key came from that verified a value."""
_PLACES: Final = {_BEGIN: 0, _END: 2}


@dataclass(frozen=True, slots=True)
class Read:
    """One text. ocmf: None where it is none; fault: why it is not read or not verified, ""; key: whose key verified."""

    value: SignedValue
    ocmf: Ocmf | None
    fault: str
    key: str

    @property
    def place(self) -> str:
        return f"line {self.value.line}, {self.value.context or self.value.action}"


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction with its signed texts, each once, in the order in which the meter made them."""

    transaction: Transaction
    texts: Sequence[Read]

    @property
    def readable(self) -> list[tuple[Read, Ocmf]]:
        return [(read, read.ocmf) for read in self.texts if read.ocmf is not None]

    def begins(self) -> list[OcmfReading]:
        """Of each text that tells the begin."""
        found = [reading for _, ocmf in self.readable for reading in ocmf.readings if reading.transaction in BEGINS]
        if found:
            return found
        return [ocmf.readings[0] for read, ocmf in self.readable if read.value.context == _BEGIN]

    def ends(self) -> list[OcmfReading]:
        found = [reading for _, ocmf in self.readable for reading in ocmf.readings if reading.transaction in ENDS]
        if found:
            return found
        return [ocmf.readings[-1] for read, ocmf in self.readable if read.value.context == _END]


def signed_of(transaction: Transaction, keys: PublicKeys) -> Signed:
    """Read and verify all of it."""
    once = {value.text: value for value in transaction.values}
    texts = [_read(transaction, value, keys) for value in once.values()]
    readable = [read for read in texts if read.ocmf is not None]
    others = [read for read in texts if read.ocmf is None]
    readable.sort(key=_order)
    return Signed(transaction, [*readable, *others])


def _order(read: Read) -> tuple[int, float, int]:
    assert read.ocmf is not None
    place = _PLACES.get(read.value.context, 1)
    return place, read.ocmf.readings[-1].time.timestamp(), read.ocmf.page_number


def _read(transaction: Transaction, value: SignedValue, keys: PublicKeys) -> Read:
    try:
        data = recognised(value.text)
        ocmf = data.ocmf()
    except SignedDataError as error:
        return Read(value, None, str(error), "")
    known, source = keys.given, GIVEN
    if not known:
        known, source = tuple(keys.published(transaction.charge_point, transaction.connector_id)), PUBLISHED
    try:
        if not known:
            if not data.public_key:
                return Read(value, ocmf, "no public key is known", "")
            known, source = (key_bytes(data.public_key),), ITS_OWN
        elif data.public_key and key_bytes(data.public_key) not in known:
            return Read(value, ocmf, f"the public key that it brings is not the one that was {source}", "")
    except SignedDataError as error:
        return Read(value, ocmf, f"the public key that it brings: {error}", "")
    fault = ""
    for key in known:
        try:
            verify(ocmf, key)
        except SignedDataError as error:
            fault = fault or str(error)
        else:
            return Read(value, ocmf, "", source)
    return Read(value, ocmf, fault, "")


def is_readable(signed: Signed) -> Iterator[str]:
    for read in signed.texts:
        if read.ocmf is None:
            yield f"{read.place}: {read.fault}"
    if signed.transaction.left_out:
        yield f"{signed.transaction.left_out} signed values more than are looked at"


def is_verified(signed: Signed) -> Iterator[str]:
    for read in signed.texts:
        if read.ocmf is not None and read.fault:
            yield f"{read.place}: {read.fault}"


def has_begin_and_end(signed: Signed) -> Iterator[str]:
    """Missing is what the trace should have: a begin may come with StopTransaction, or have come before the trace."""
    begins, ends = signed.begins(), signed.ends()
    transaction = signed.transaction
    if not begins and transaction.has_start and transaction.is_stopped:
        yield "there is no signed begin"
    if not ends and transaction.is_stopped:
        why = transaction.reason
        yield "there is no signed end" + (f" (reason {shown(why, 40)})" if why else "")
    for name, readings in (("begins", begins), ("ends", ends)):
        if len({(reading.time, reading.energy) for reading in readings}) > 1:
            yield f"there are several signed {name}, which differ"


def is_of_one_meter(signed: Signed) -> Iterator[str]:
    meters = list(dict.fromkeys(ocmf.meter for _, ocmf in signed.readable))
    if len(meters) > 1:
        yield "signed by different meters: " + ", ".join(shown(meter, 40) for meter in meters[:5])


def pages_rise(signed: Signed) -> Iterator[str]:
    for (_, before), (read, after) in pairwise(signed.readable):
        if before.page[0] != after.page[0]:
            yield f"{read.place}: page {after.page} comes after page {before.page}, of another count"
        elif after.page_number <= before.page_number:
            yield f"{read.place}: page {after.page} comes after page {before.page}"


def is_for_the_id_tag(signed: Signed) -> Iterator[str]:
    id_tag = signed.transaction.id_tag
    for read, ocmf in signed.readable:
        if id_tag and ocmf.identification and ocmf.identification.lower() != id_tag.lower():
            other = shown(ocmf.identification, 40)
            yield f"{read.place}: it is for {other}, but {shown(id_tag, 40)} began the transaction"


def readings_are_good(signed: Signed) -> Iterator[str]:
    for read, ocmf in signed.readable:
        for reading in ocmf.readings:
            if reading.status != GOOD:
                yield f"{read.place}: a reading has status {reading.status}"
            elif reading.error_flags:
                yield f"{read.place}: a reading has error flags {shown(reading.error_flags, 20)}"
            elif reading.energy is None:
                yield f"{read.place}: a reading has no energy"


def readings_rise(signed: Signed) -> Iterator[str]:
    """Energy and time, from text to text and in each."""
    last: OcmfReading | None = None
    for read, ocmf in signed.readable:
        for before, after in pairwise(ocmf.readings):
            yield from _rises(read, before, after)
        if last is not None:
            yield from _rises(read, last, ocmf.readings[-1])
        last = ocmf.readings[-1]


def _rises(read: Read, before: OcmfReading, after: OcmfReading) -> Iterator[str]:
    if before.energy is not None and after.energy is not None and after.energy < before.energy:
        yield f"{read.place}: {after.energy:f} Wh come after {before.energy:f} Wh"
    if after.time < before.time and after.time_status != "R":
        yield f"{read.place}: its time lies before that of the reading before"


def energy_is_that_of_ocpp(signed: Signed) -> Iterator[str]:
    """Within the rounding to whole Wh."""
    transaction = signed.transaction
    for name, told, readings in (
        ("meterStart", transaction.meter_start, signed.begins()),
        ("meterStop", transaction.meter_stop, signed.ends()),
    ):
        energy = readings[-1].energy if readings else None
        if told is not None and energy is not None and abs(energy - told) >= 1:
            yield f"{name} is {told} Wh, but {energy:f} Wh are signed"
