"""A charge point whose meters sign, from outside: the key that it publishes, and what is held against it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from outside import Outside
from signed_texts import Told, check

Payload = dict[str, Any]
BEGIN, END, PERIODIC, ALIGNED = "Transaction.Begin", "Transaction.End", "Sample.Periodic", "Sample.Clock"


def public_key(one: Outside, connector: int = 1) -> str:
    """As the Central System reads it; waited for, as it is published once it is on disk."""
    name = f"MeterPublicKey{connector}"

    def find() -> str:
        rows = one.call("GetConfiguration", key=[name]).get("configurationKey")
        found: str = rows[0].get("value", "") if rows else ""
        return found

    key = one.central_system.wait_until(find, name)
    assert find() == key
    return str(key)


def checked(one: Outside, texts: Iterable[Told], connector: int = 1) -> list[Told]:
    """Those of this connector, each verified; of different texts each has a page of its own."""
    key, pages = public_key(one, connector), dict[int, str]()
    found = [*texts]
    for told in found:
        check(told.text, key, one.folder / "openssl")
        assert pages.setdefault(told.read.page_number, told.text) == told.text, "a page that came twice"
    return found


def is_whole(stop: Payload, start: Payload, begin: Told, end: Told) -> None:
    """Begin and end are of one transaction: that of these two calls."""
    assert (begin.kinds, end.kinds[0]) == ("B", "B")
    assert begin.read.serial == end.read.serial
    assert begin.read.page_number < end.read.page_number
    assert begin.read.identification == end.read.identification == start["idTag"]
    assert end.read.readings[0] == begin.read.readings[0]
    times = [reading.time for reading in end.read.readings]
    assert times == [datetime.fromisoformat(call["timestamp"]) for call in (start, stop)]
    energies = [reading.energy for reading in end.read.readings]
    assert energies == [start["meterStart"], stop["meterStop"]]
    assert (begin.timestamp, end.timestamp) == (start["timestamp"], stop["timestamp"])
