"""Certificates of the charge point itself, their keys, and which of them is to be used.

A key is found by its name, which says its public key; one that came from elsewhere by trying: first those named like
the certificate, then all. Certificate files are read for what is in them, whatever their names.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ocpp16.der import is_der
from ocpp16.security.certificate import Certificate, certificates_in, pem_of
from ocpp16.security.certificate_files import TEMPORARY, CertificateFiles, FileChange
from ocpp16.security.certificate_paths import ENDINGS, LeafPaths
from ocpp16.security.chain import leaf_first
from ocpp16.security.private_keys import digest_of, public_key_of
from ocpp16.security.store_log import StoreLog
from ocpp16.security.tpm import ProviderFailed, provider_public_key

__all__ = ["Leaf", "LeafFolder"]

KEY_ENDINGS: Final = (".key", ".tkey")
PROVIDER_ENDING: Final = ".tkey"
"""Keys that only a provider of OpenSSL can use."""
MOST_KEYS_TRIED: Final = 2_000
"""Keys that are opened to find that of one certificate."""

MOST_PROVIDER_KEYS_TRIED: Final = 10
"""Of these those in a TPM, which is slow."""
_TIME: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = re.compile(r"(?:CPO_CERT_)?([A-Z]+_LEAF)(?:_CHAIN)?_(\d{8}T\d{6}Z)_[0-9a-f]+\.(?:pem|key|tkey)")


@dataclass(slots=True)
class Leaf:
    """One certificate, a file with its chain and one with it alone that OpenSSL can read, and all files it is in.

    `chain`: it and those that came with it, leaf first.
    """

    certificate: Certificate
    chain: list[Certificate]
    chain_path: Path | None
    single_path: Path | None
    paths: list[Path]


class LeafFolder:
    """Those of one kind. `password` opens encrypted keys, and encrypts new ones."""

    def __init__(self, files: CertificateFiles, paths: LeafPaths, password: str | None, log: StoreLog) -> None:
        self.paths = paths
        self._files = files
        self._password = password
        self._log = log

    def leaves(self) -> list[Leaf]:
        """All of them, each once. What cannot be read is left out."""
        found: dict[str, Leaf] = {}
        for path in self.certificate_files():
            content = self._content(path)
            as_it_is = certificates_in(content)
            chain = leaf_first(as_it_is)
            if not chain or chain[0].is_ca:
                continue
            leaf = found.setdefault(chain[0].fingerprint, Leaf(chain[0], chain, None, None, []))
            leaf.paths.append(path)
            if len(leaf.chain) == 1:
                leaf.chain = chain
            if is_der(content) or chain != as_it_is:
                continue  # DER, or in another order: OpenSSL would not take it
            if len(chain) > 1:
                leaf.chain_path = leaf.chain_path or path
            else:
                leaf.single_path = leaf.single_path or path
        return list(found.values())

    def key_of(self, certificate: Certificate, beside: Sequence[Path] = ()) -> Path | None:
        """The file with its private key. `beside`: files of the certificate, of which a key may have the name."""
        digest = digest_of(certificate.key)
        bases = {path.stem for path in beside}
        paths = self.key_files()
        paths.sort(key=lambda path: (not path.stem.endswith(digest), path.stem not in bases))
        of_provider = [path for path in paths if path.suffix == PROVIDER_ENDING][MOST_PROVIDER_KEYS_TRIED:]
        for path in paths[:MOST_KEYS_TRIED]:
            if path not in of_provider and self._public_of(path, digest) == certificate.key:
                return path
        return None

    def key_files(self) -> list[Path]:
        """All files of keys."""
        return self._listed(self.paths.keys, KEY_ENDINGS)

    def certificate_files(self) -> list[Path]:
        """All files of certificates."""
        return self._listed(self.paths.certificates, ENDINGS)

    def temporary(self) -> list[Path]:
        """Files of ours that a power cut left half made."""
        folders = dict.fromkeys((self.paths.certificates, self.paths.keys))
        found = [path for folder in folders for path in self._listed(folder, {TEMPORARY})]
        return [path for path in found if self.is_ours(Path(path.name.lstrip(".").partition(TEMPORARY)[0]))]

    def chosen(self, now: float, refused: Collection[str], tolerance: float = 0) -> tuple[Leaf, Path] | None:
        """The one to use, with its key: valid now, and expiring last; the refused only where there is no other.

        Of those that expire together it is the one that began last, or came last: what was renewed is used.

        One that is only valid if the clock is wrong, by up to `tolerance` seconds, comes after those that are valid.
        """

        def rank(leaf: Leaf) -> tuple[bool, bool, float, float, str]:
            one = leaf.certificate
            is_taken, is_valid = one.fingerprint not in refused, one.is_valid_at(now)
            return is_taken, is_valid, one.expires_at, one.starts_at, max(path.name for path in leaf.paths)

        usable = [leaf for leaf in self.leaves() if leaf.certificate.is_valid_at(now, tolerance)]
        for leaf in sorted(usable, key=rank, reverse=True):
            key = self.key_of(leaf.certificate, leaf.paths)
            if key is not None:
                self._close_to_others(key)
                return leaf, key
        return None

    def adding(self, chain: Sequence[Certificate], now: float) -> list[FileChange]:
        """What to change to have a leaf and those that came with it (none of them self-signed)."""
        prefix = self.paths.prefix
        name = f"{_stamp(now)}_{chain[0].fingerprint[:16]}.pem"
        changes = [FileChange(self.paths.certificates / f"{prefix}_{name}", pem_of(chain[:1]))]
        if len(chain) > 1:
            changes.insert(0, FileChange(self.paths.certificates / f"CPO_CERT_{prefix}_CHAIN_{name}", pem_of(chain)))
        return changes

    def adding_key(self, pem: bytes, public: bytes, now: float, *, of_provider: bool) -> FileChange:
        """What to change to have a key."""
        ending = PROVIDER_ENDING if of_provider else ".key"
        name = f"{self.paths.prefix}_{_stamp(now)}_{digest_of(public)}{ending}"
        return FileChange(self.paths.keys / name, pem, is_secret=True)

    def made_at(self, path: Path) -> float | None:
        """When a file was made here, in seconds since 1970, by its name; None: it was not."""
        found = _NAME.fullmatch(path.name)
        if found is None or found[1] != self.paths.prefix:
            return None
        try:
            return datetime.strptime(found[2], _TIME).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return None

    def is_ours(self, path: Path) -> bool:
        """Was the file made here?"""
        return self.made_at(path) is not None

    def _public_of(self, path: Path, digest: str) -> bytes | None:
        if path.suffix != PROVIDER_ENDING:
            return public_key_of(self._content(path), self._password)
        # The TPM is slow: it is not asked for one that is named after another key of ours.
        if self.is_ours(path) and not path.stem.endswith(digest):
            return None
        try:
            return provider_public_key(path)
        except ProviderFailed as error:
            self._log.warning("%s: the key cannot be opened: %s", path, error)
            return None

    def _close_to_others(self, key: Path) -> None:
        try:
            state = self._files.state(key)
            if state is not None and state.is_open:
                self._log.warning("%s could be read by others", key)
                self._files.restrict(key)
        except OSError:
            self._log.warning("%s cannot be closed to others", key)

    def _listed(self, folder: Path, endings: Collection[str]) -> list[Path]:
        try:
            return [path for path in self._files.listed(folder) if path.suffix in endings]
        except OSError:
            return []

    def _content(self, path: Path) -> bytes:
        try:
            return self._files.read(path) or b""
        except OSError:
            return b""


def _stamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime(_TIME)
