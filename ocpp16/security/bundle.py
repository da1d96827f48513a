"""The roots of one family: a file with several of them, or a folder of files.

What somebody else put there stays as it is: comments, certificates that cannot be read, files of other kinds. Only the
text of a certificate that is to go is cut out.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ocpp16.der import is_der
from ocpp16.pem import pem_blocks
from ocpp16.security.certificate import Certificate, blocks_in, pem_of
from ocpp16.security.certificate_files import TEMPORARY, CertificateFiles, FileChange
from ocpp16.security.certificate_paths import ENDINGS
from ocpp16.security.evse_security import CaCertificateType

__all__ = ["Bundle", "Installed"]


class Installed(NamedTuple):
    """A certificate and the file it is in; `modified_at`: when that was written, seconds since 1970, UTC."""

    certificate: Certificate
    path: Path
    modified_at: float


class Bundle:
    """`path` is a folder where there is one, or nothing of an ending that a file of certificates has."""

    def __init__(self, files: CertificateFiles, kind: CaCertificateType, path: Path) -> None:
        self.kind = kind
        self.path = path
        self._files = files

    @property
    def is_folder(self) -> bool:
        return self._files.is_folder(self.path) or self.path.suffix not in ENDINGS

    @property
    def folder(self) -> Path:
        """The folder in which files change."""
        return self.path if self.is_folder else self.path.parent

    def paths(self) -> list[Path]:
        """Its files. Raises OSError."""
        if not self.is_folder:
            return [self.path]
        return [path for path in self._files.listed(self.path) if path.suffix in ENDINGS]

    def installed(self) -> list[Installed]:
        """All certificates in it, roots or not, each once. Files that cannot be read are left out."""
        found: dict[str, Installed] = {}
        for path in self.readable_paths():
            content, modified_at = self._read(path)
            for block in blocks_in(content):
                if block.certificate is not None:
                    found.setdefault(block.certificate.fingerprint, Installed(block.certificate, path, modified_at))
        return list(found.values())

    def contents(self) -> Iterator[bytes]:
        """Of its files, those that can be read."""
        return (self._read(path)[0] for path in self.readable_paths())

    def changes(self, added: Certificate | None, removed: Collection[str] = ()) -> list[FileChange]:
        """What to change to have `added`, and none of those with the fingerprints `removed`. Raises OSError."""
        found = []
        if added is not None and self.is_folder:
            name = f"{self.kind}_ROOT_{added.fingerprint[:32]}.pem"
            found.append(FileChange(self.path / name, pem_of([added])))
        for path in self.paths() if removed or not self.is_folder else ():
            # Of a folder, what cannot be read holds nothing that is known to be there.
            before = self._read(path)[0] if self.is_folder else self._files.read(path) or b""
            after, is_empty = _without(before, removed)
            if added is not None and not self.is_folder:
                after = _joined(after, added, as_der=path.suffix == ".der")
            if after != before:
                found.append(FileChange(path, None if self.is_folder and is_empty else after))
        return found

    def temporary(self) -> list[Path]:
        """Files of ours that a power cut left half made."""
        beginning = f"{self.kind}_ROOT_" if self.is_folder else self.path.name
        try:
            paths = self._files.listed(self.folder)
        except OSError:
            return []
        hidden = [path for path in paths if path.suffix == TEMPORARY and path.name.startswith(".")]
        return [path for path in hidden if path.name.lstrip(".").startswith(beginning)]

    def readable_paths(self) -> Iterable[Path]:
        """The same; none where there is no place for them."""
        try:
            return self.paths()
        except OSError:
            return ()

    def _read(self, path: Path) -> tuple[bytes, float]:
        try:
            content, state = self._files.read(path), self._files.state(path)
        except OSError:
            return b"", 0.0
        return content or b"", 0.0 if state is None else state.modified_at


def _without(content: bytes, fingerprints: Collection[str]) -> tuple[bytes, bool]:
    """The text without these certificates, and whether nothing else is left in it: another one, or a list of revoked
    ones."""
    pieces, at, left = [], 0, 0
    for block in blocks_in(content):
        if block.certificate is not None and block.certificate.fingerprint in fingerprints:
            pieces.append(content[at : block.start])
            at = block.end
            if content[at : at + 2] == b"\r\n":
                at += 2
            elif content[at : at + 1] == b"\n":
                at += 1
        else:
            left += 1
    after = b"".join((*pieces, content[at:]))
    return after, left == 0 and next(pem_blocks(after), None) is None


def _joined(content: bytes, added: Certificate, *, as_der: bool) -> bytes:
    if is_der(content) or (as_der and not content):
        return content + added.der
    gap = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + gap + pem_of([added])
