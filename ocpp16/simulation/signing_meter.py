"""The meters of a station that sign: what they say in OCMF, with a key and a pagination of each.

The secret of the station and how far its pages got lie in one file, so that a meter keeps its key, and no page comes
twice, over restarts and power cuts: pages are reserved ahead, and those not used by then are left out. Without a folder
the secret is made of the seed, and is none; with one it is drawn once, or made of a seed other than 0.

Where the disk takes nothing any more, pages go on in memory, which is said once.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ocpp16.durable_file import sync_folder, write_synced
from ocpp16.enums import Reason
from ocpp16.errors import ConfigurationError
from ocpp16.metering.ocmf import DEFAULT_ALGORITHM
from ocpp16.metering.ocmf_text import MeterIdentity, UserAssignment, WrittenReading, payload
from ocpp16.metering.signature import SigningKey
from ocpp16.models import SignedMeterValue
from ocpp16.regular_file import read_regular

FILE: Final = "signing_meter.json"
RESERVED: Final = 1_000
"""Pages that are reserved at once."""
_LARGEST: Final = 524_288
"""Bytes of the file: room for the pages of the most connectors, whatever their numbers are."""
_MOST_CONNECTORS: Final = 10_000
_SECRET_DIGITS: Final = 64

END: Final = "E"
END_OF: Final = {
    Reason.LOCAL: "L",
    Reason.REMOTE: "R",
    Reason.DE_AUTHORIZED: "A",
    Reason.POWER_LOSS: "P",
}
"""Reason of the end → TX; of all others it is END."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a meter shows. at: aware time; is_synchronised: has anybody set the clock?; transaction: TX; energy: Wh."""

    at: datetime
    is_synchronised: bool
    transaction: str
    energy: int


class SigningMeters:
    """Of one station. `warn` is told what the disk refuses. Raises ConfigurationError for a file that is not ours."""

    __slots__ = ("_folder", "_is_warned", "_keys", "_next", "_reserved", "_secret", "_warn")

    def __init__(self, folder: Path | None, seed: int, warn: Callable[[str], object]) -> None:
        self._folder = folder
        self._warn = warn
        self._is_warned = False
        self._keys: dict[int, SigningKey] = {}
        self._next: dict[int, int] = {}
        """The next page of each meter."""
        self._reserved: dict[int, int] = {}
        """Pages up to these are not to be used after a restart."""
        found = None if folder is None else self._read(folder / FILE)
        if found is not None:
            self._secret, self._reserved = found
        elif folder is None or seed:
            self._secret = hashlib.sha256(f"signing meter {seed}".encode()).hexdigest()
        else:
            self._secret = secrets.token_hex(_SECRET_DIGITS // 2)
        if found is None:
            self._write()

    def public_key(self, connector_id: int) -> str:
        """Of the meter of this connector: DER, as hexadecimal text."""
        return self._key(connector_id).public_der.hex()

    def serial_number(self, connector_id: int) -> str:
        return f"SIM{self._digest(f'serial {connector_id}').hexdigest()[:10].upper()}"

    def signed(self, connector_id: int, readings: Sequence[Shown], id_tag: str, *, is_remote: bool) -> SignedMeterValue:
        """These readings, signed as one OCMF text. `id_tag`: "" for nobody's, a fiscal reading."""
        key = self._key(connector_id)
        page = f"{'T' if id_tag else 'F'}{self._page(connector_id)}"
        meter = MeterIdentity(self.serial_number(connector_id), "ocpp16", "Simulated", "1.0")
        written = [
            WrittenReading(
                shown.at,
                "S" if shown.is_synchronised else "U",
                shown.transaction,
                Decimal(shown.energy).scaleb(-3),
            )
            for shown in readings
        ]
        text = key.ocmf(payload(page, meter, _user(id_tag, is_remote=is_remote), written))
        return SignedMeterValue(text, key.algorithm, "OCMF", self.public_key(connector_id))

    def _key(self, connector_id: int) -> SigningKey:
        key = self._keys.get(connector_id)
        if key is None:
            number = int.from_bytes(self._digest(f"key {connector_id}").digest())
            key = self._keys[connector_id] = SigningKey(number, DEFAULT_ALGORITHM)
        return key

    def _digest(self, what: str) -> "hashlib._Hash":
        return hashlib.sha512(f"{self._secret} {what}".encode())

    def _page(self, connector_id: int) -> int:
        page = self._next.get(connector_id, self._reserved.get(connector_id, 0) + 1)
        self._next[connector_id] = page + 1
        if page > self._reserved.get(connector_id, 0):
            self._reserved[connector_id] = page + RESERVED - 1
            self._write()
        return page

    def _read(self, path: Path) -> tuple[str, dict[int, int]] | None:
        """Secret and reserved pages; None: there is no such file."""
        try:
            text = read_regular(path, _LARGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError([f"{path}: cannot be read: {error.strerror or error}"]) from None
        try:
            document = json.loads(text)
            secret, pages = document["secret"], document["pages"]
            if len(secret) != _SECRET_DIGITS or len(pages) > _MOST_CONNECTORS:
                raise ValueError
            bytes.fromhex(secret)
            return secret, {int(connector): _count(number) for connector, number in pages.items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ConfigurationError([f"{path}: is no file of a signing meter"]) from None

    def _write(self) -> None:
        if self._folder is None:
            return
        pages = {str(connector): number for connector, number in self._reserved.items()}
        content = json.dumps({"secret": self._secret, "pages": pages}).encode()
        path, beside = self._folder / FILE, self._folder / f"{FILE}.new"
        try:
            write_synced(beside, content, 0o600)
            os.replace(beside, path)
            sync_folder(self._folder)
        except OSError as error:
            if not self._is_warned:
                self._is_warned = True
                self._warn(f"{path}: cannot be written, pages of the meter go on in memory: {error.strerror or error}")


def _count(number: Any) -> int:
    if type(number) is not int or not 0 <= number < 2**63:
        raise ValueError
    return number


def _user(id_tag: str, *, is_remote: bool) -> UserAssignment:
    if not id_tag:
        return UserAssignment()
    flags = ("RFID_NONE", "OCPP_RS") if is_remote else ("RFID_PLAIN", "OCPP_AUTH")
    return UserAssignment(id_tag, "CENTRAL" if is_remote else "ISO14443", "VERIFIED", flags)
