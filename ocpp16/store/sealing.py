"""Secrets in a database are sealed: AES-256-GCM, by a key in a file of mode 0600 beside it.

Sealed are the secrets among the changed keys, and jobs with a URL, which may have a password in it. A database that is
copied or sent to support without its key tells nothing of them.

Rules of this file:
1. The key file is made with the first secret, and is on the disk before anything that it sealed.
2. What is sealed belongs to its charge point, table and key: in another place it does not open.
3. What does not open, since the key file is gone, is left out of what is loaded, and told once. It stays where it is.
"""

import base64
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from ocpp16.durable_file import sync_folder, write_synced
from ocpp16.errors import StoreError
from ocpp16.log import log
from ocpp16.regular_file import read_regular
from ocpp16.store.base import Row, Table
from ocpp16.store.statements import PUT
from ocpp16.store.tables import jobs, settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_MEMBER: Final = "sealed"
_MODE: Final = 0o600
_URL: Final = "://"
# Where the value is in a row, and which keys' values are secrets (None: those of any key that have a URL in them).
_SEALED: Final[dict[str, tuple[int, frozenset[str] | None]]] = {
    settings.TABLE.name: (settings.TABLE.columns.index("value"), frozenset({settings.SECRETS})),
    jobs.TABLE.name: (jobs.TABLE.columns.index("state"), None),
}
_BY_SQL: Final = {PUT[name]: name for name in _SEALED}


class Seal:
    """Of the database at `path`. Methods block; they are called by whoever has the database at the time."""

    def __init__(self, path: Path) -> None:
        self._database = path
        self._path = path.with_name(path.name + ".key")
        self._key: bytes | None = None
        self._cipher: AESGCM | None = None
        self._is_told = False

    def sealed(self, sql: str, parameters: Sequence[Row]) -> Sequence[Row]:
        """The parameters of a statement, with its secrets sealed. Raises StoreError where the key cannot be written."""
        name = _BY_SQL.get(sql)
        return parameters if name is None else [self._sealed(name, row) for row in parameters]

    def opened(self, charge_point_id: str, table: Table, rows: list[Row]) -> list[Row]:
        """The rows of a table as they were before. Raises StoreError where the key file is there and cannot be read."""
        place, keys = _SEALED.get(table.name, (0, None))
        if not place or len(table.columns) <= place:
            return rows
        found = []
        for row in rows:
            text = _sealed_text(row[place]) if keys is None or row[0] in keys else None
            if text is None:
                found.append(row)
                continue
            opened = self._opened(text, _owner(charge_point_id, table.name, row[0]))
            if opened is None:
                self._tell()
            else:
                found.append((*row[:place], opened, *row[place + 1 :]))
        return found

    def put_back(self) -> None:
        """The database was begun anew: its key has to be beside it. Raises OSError."""
        if self._key is not None and not self._path.exists():
            self._write(self._key)

    def _sealed(self, name: str, row: Row) -> Row:
        charge_point_id, *values = row
        place, keys = _SEALED[name]
        if len(values) <= place or not _is_secret(values[0], values[place], keys):
            return row
        try:
            cipher = self._ready() or self._made()
            self.put_back()
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror or error}") from error
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = cipher.encrypt(nonce, str(values[place]).encode(), _owner(charge_point_id, name, values[0]))
        values[place] = orjson.dumps({_MEMBER: base64.b64encode(nonce + sealed).decode()}).decode()
        return (charge_point_id, *values)

    def _opened(self, sealed: bytes, owner: bytes) -> str | None:
        from cryptography.exceptions import InvalidTag

        try:
            cipher = self._ready()
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error.strerror or error}") from error
        if cipher is None or len(sealed) <= _NONCE_BYTES:
            return None
        try:
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner).decode()
        except InvalidTag:
            return None

    def _ready(self) -> "AESGCM | None":
        """By the key that is there; None if there is none, or what is there is none. Raises OSError."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # not before there is a secret

        if self._cipher is None:
            with suppress(FileNotFoundError):
                key = read_regular(self._path)
                if len(key) == _KEY_BYTES:
                    if self._path.stat().st_mode & 0o077:
                        log.warning("%s could be read by others; its mode is set to 0600", self._path)
                        with suppress(OSError):  # somebody else's, or on a read-only disk: it opens all the same
                            self._path.chmod(_MODE)
                    self._key, self._cipher = key, AESGCM(key)
        return self._cipher

    def _made(self) -> "AESGCM":
        """A new key. What is there instead of one is kept aside."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = secrets.token_bytes(_KEY_BYTES)
        with suppress(FileNotFoundError):
            os.replace(self._path, self._path.with_name(self._path.name + ".damaged"))
        self._write(key)
        self._key, self._cipher = key, AESGCM(key)
        return self._cipher

    def _write(self, key: bytes) -> None:
        temporary = self._path.with_name(self._path.name + ".tmp")
        write_synced(temporary, key, _MODE)
        os.replace(temporary, self._path)
        sync_folder(self._path.parent)

    def _tell(self) -> None:
        if not self._is_told:
            self._is_told = True
            log.error(
                "%s: secrets and jobs in it cannot be read: %s is gone, or another; keys are as the configuration files"
                " have them, updates and uploads under way are forgotten",
                self._database,
                self._path.name,
            )


def _is_secret(key: object, value: object, keys: frozenset[str] | None) -> bool:
    return key in keys if keys is not None else _URL in str(value)


def _owner(charge_point_id: object, name: str, key: object) -> bytes:
    return orjson.dumps([charge_point_id, name, key])


def _sealed_text(value: object) -> bytes | None:
    """What is sealed in a column; None if nothing is."""
    if not isinstance(value, str) or not value.startswith(f'{{"{_MEMBER}":'):
        return None
    try:
        found = orjson.loads(value)
        return base64.b64decode(found[_MEMBER], validate=True) if len(found) == 1 else None
    except (ValueError, TypeError):
        return None
