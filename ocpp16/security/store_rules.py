"""What a store of certificates takes, keeps, and how long."""

from dataclasses import dataclass
from typing import Final

from ocpp16.security.private_keys import KeyType

__all__ = ["DAY", "StoreRules"]

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class StoreRules:
    """Parameters, all times in seconds.

    `strict_ca`: a root must say that it is a CA's (basicConstraints); off, one without is taken.
    `additional_root_check`: AdditionalRootCertificateCheck. `most_certificates`: CertificateStoreMaxLength, roots of
    all families; None: no limit but that of files. `clock_tolerance`: by how much the clock may be wrong. `key_type`:
    of new keys. `most_files`, `most_bytes`: of all folders and bundles together. `key_age`: after which a key without
    a certificate is of no use; `most_waiting_keys`: so many of them are kept, the newest. `leaf_age`: how long ago a
    certificate must have expired to go; `most_leaves`: so many of a kind are kept, however long they last.
    """

    strict_ca: bool = False
    additional_root_check: bool = False
    most_certificates: int | None = None
    clock_tolerance: float = 0.0
    key_type: KeyType = KeyType.EC_P256
    most_files: int = 2_000
    most_bytes: int = 50 * 1024 * 1024
    key_age: float = 7 * DAY
    leaf_age: float = 30 * DAY
    most_leaves: int = 20
    most_waiting_keys: int = 20
