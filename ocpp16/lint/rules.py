"""The rules by which a transaction is judged: a table of small functions, each of which says what it finds.

A rule takes an `Examination` and gives sentences, none where all is well. A new one is a function and a row.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from ocpp16.lint.examination import Examination, Examined
from ocpp16.metering.ocmf import GOOD

Rule = Callable[[Examination], Iterator[str]]
_ROUNDED: Final = Decimal(1)
"""Wh: meterStart and meterStop are whole numbers, and a register need not be one."""


class Finding(NamedTuple):
    """rule: its name in the table; text: what is wrong, in a sentence."""

    rule: str
    text: str


def _readable(found: Examination) -> Iterator[str]:
    for examined in found.values:
        if examined.unreadable:
            yield f"{examined.where}: {examined.unreadable}"
    if found.transaction.left_out:
        yield f"{found.transaction.left_out} signed values were too many, and not looked at"


def _signature(found: Examination) -> Iterator[str]:
    for examined in found.values:
        if examined.ocmf is not None and examined.unproved:
            yield f"{examined.where}: {examined.unproved}"


def _begin_and_end(found: Examination) -> Iterator[str]:
    """Who bills needs both, of one transaction."""
    if not found.values or not found.transaction.is_stopped:
        return
    if found.transaction.has_start and found.begin is None:
        yield "no signed reading of the begin"
    if found.end is None:
        yield "no signed reading of the end"


def _one_meter(found: Examination) -> Iterator[str]:
    meters = dict.fromkeys(examined.ocmf.meter for examined in found.values if examined.ocmf is not None)
    if len(meters) > 1:
        yield f"signed by {len(meters)} meters: {', '.join(meters)}"


def _pages(found: Examination) -> Iterator[str]:
    """A page that comes twice was signed with a copy of the meter; one out of turn was put in."""
    pages: dict[tuple[str, int], Examined] = {}
    for examined in found.values:
        if examined.ocmf is None or not examined.ocmf.readings:
            continue
        page = examined.ocmf.page[:1], examined.ocmf.page_number
        if page in pages:
            yield f"{examined.where}: page {examined.ocmf.page} is that of {pages[page].where}, too"
        pages.setdefault(page, examined)
    for earlier, later in pairwise(sorted(pages)):
        first, second = (pages[page].ocmf for page in (earlier, later))
        if earlier[0] == later[0] and first and second and second.readings[-1].time < first.readings[-1].time:
            yield f"{pages[later].where}: page {second.page} is older than page {first.page}"


def _times(found: Examination) -> Iterator[str]:
    for examined in found.values:
        readings = () if examined.ocmf is None else examined.ocmf.readings
        if any(later.time < earlier.time for earlier, later in pairwise(readings)):
            yield f"{examined.where}: its readings go back in time"


def _energy(found: Examination) -> Iterator[str]:
    """The register of a meter never falls."""
    known = sorted(
        ((reading.time, reading.energy) for _, reading in found.readings() if reading.energy is not None),
        key=lambda one: one[0],
    )
    for (_, earlier), (time, later) in pairwise(known):
        if later < earlier:
            yield f"the register falls from {earlier.normalize():f} to {later.normalize():f} Wh at {time.isoformat()}"
            return


def _registers(found: Examination) -> Iterator[str]:
    """What is billed by OCPP is what was signed."""
    transaction = found.transaction
    for name, told, reading in (
        ("meterStart", transaction.meter_start, found.begin),
        ("meterStop", transaction.meter_stop, found.end),
    ):
        energy = None if reading is None else reading.energy
        if told is not None and energy is not None and abs(energy - told) >= _ROUNDED:
            yield f"{name} is {told} Wh, and {energy.normalize():f} Wh was signed"


def _who(found: Examination) -> Iterator[str]:
    id_tag = found.transaction.id_tag
    for examined in found.values:
        read = examined.ocmf
        if read is None or not id_tag or not read.identification or read.id_type == "NONE":
            continue
        if read.identification.lower() != id_tag.lower():
            yield f"{examined.where}: signed for {read.identification}, and started by {id_tag}"


def _state(found: Examination) -> Iterator[str]:
    for examined, reading in found.readings():
        if reading.status != GOOD:
            yield f"{examined.where}: the meter says that its reading is not good (ST {reading.status or 'missing'})"


RULES: Final[dict[str, Rule]] = {
    "readable": _readable,
    "signature": _signature,
    "begin and end": _begin_and_end,
    "one meter": _one_meter,
    "pages": _pages,
    "times": _times,
    "energy": _energy,
    "registers": _registers,
    "who": _who,
    "state of the meter": _state,
}
"""By name, in the order in which they are told."""


def findings(found: Examination) -> list[Finding]:
    """All that all rules say."""
    return [Finding(name, text) for name, rule in RULES.items() for text in rule(found)]
