"""Answers about revocation, kept beside the certificates they are of: `….der`, and `….hash` that says of which.

The second file has four lines, as libocpp writes it: algorithm, hash of the issuer's name, of its key, serial number.
What others put there is looked at in the same way, and checked before it is handed out as it was before it was kept.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ocpp16.security.certificate import Certificate
from ocpp16.security.certificate_files import CertificateFiles, FileChange
from ocpp16.security.evse_security import CertificateHashData
from ocpp16.security.hash_data import equal
from ocpp16.security.ocsp import OcspAnswer, checked_answer

__all__ = ["OcspCache"]

_LINES: Final = 4
_OURS: Final = re.compile(r"[0-9a-f]{32}_ocsp\.der")
MOST_KEPT: Final = 2_000
"""Answers that are looked at."""


class OcspCache:
    """One folder of answers."""

    def __init__(self, files: CertificateFiles, folder: Path) -> None:
        self._files = files
        self._folder = folder

    def keeping(
        self, der: bytes, hash_data: CertificateHashData, issuer: Certificate, now: float, tolerance: float
    ) -> list[FileChange]:
        """What to change to have an answer. Raises ValueError that says why it is not a good one.

        What was revoked since must not be good again by one of before."""
        answer = checked_answer(der, hash_data, issuer, now, tolerance)
        before = self.answer(hash_data, issuer, now, tolerance)
        if before is not None and before.this_update > answer.this_update:
            raise ValueError("the answer is older than the one that is kept")
        text = "".join(f"{part}\n" for part in hash_data).encode()
        # The name of the certificate last: without it the answer is nobody's.
        return [FileChange(self._path(hash_data, "der"), answer.der), FileChange(self._path(hash_data, "hash"), text)]

    def answer(
        self, hash_data: CertificateHashData, issuer: Certificate, now: float, tolerance: float
    ) -> OcspAnswer | None:
        """The newest of them, whoever put them there."""
        paths = [(path, name) for path, name in self._kept() if equal(name, hash_data)]
        answers = (self._good(path, name, issuer, now, tolerance) for path, name in paths)
        return max((one for one in answers if one is not None), key=lambda one: one.this_update, default=None)

    def dropping(self, hash_data: CertificateHashData) -> list[FileChange]:
        return [change for path, name in self._kept() if equal(name, hash_data) for change in _both(path)]

    def useless(
        self, issuer_of: Callable[[CertificateHashData], Certificate | None], now: float, tolerance: float
    ) -> list[FileChange]:
        """Those of certificates that are gone, and those that are not to be believed any more."""
        changes: list[FileChange] = []
        for path, name in self._kept():
            issuer = issuer_of(name)
            if issuer is None or self._good(path, name, issuer, now, tolerance) is None:
                changes += _both(path)
        return changes + [FileChange(path, None) for path in self._nameless()]

    def _good(
        self, path: Path, name: CertificateHashData, issuer: Certificate, now: float, tolerance: float
    ) -> OcspAnswer | None:
        try:
            content = self._files.read(path.with_suffix(".der")) or b""
            der = content if content[:1] == b"\x30" else b64decode(b"".join(content.split()), validate=True)
            return checked_answer(der, name, issuer, now, tolerance)
        except (OSError, ValueError):
            return None

    def _kept(self) -> Iterator[tuple[Path, CertificateHashData]]:
        try:
            paths = [path for path in self._files.listed(self._folder) if path.suffix == ".hash"]
        except OSError:
            return
        for path in paths[:MOST_KEPT]:
            try:
                lines = (self._files.read(path) or b"").decode("ascii").split()
            except (OSError, ValueError):
                continue
            if len(lines) == _LINES:
                yield path, CertificateHashData(*lines)

    def _nameless(self) -> list[Path]:
        """Answers of ours whose second file a power cut took."""
        try:
            paths = set(self._files.listed(self._folder))
        except OSError:
            return []
        ours = (path for path in sorted(paths) if _OURS.fullmatch(path.name))
        return [path for path in ours if path.with_suffix(".hash") not in paths]

    def _path(self, hash_data: CertificateHashData, ending: str) -> Path:
        digest = hashlib.sha256("\n".join(hash_data).lower().encode()).hexdigest()[:32]
        return self._folder / f"{digest}_ocsp.{ending}"


def _both(path: Path) -> list[FileChange]:
    return [FileChange(path, None), FileChange(path.with_suffix(".der"), None)]
