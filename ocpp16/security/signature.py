"""The signature of a file, as SignedUpdateFirmware carries it (security white paper, on signed firmware)."""

import hashlib
import os
import stat
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from ocpp16.security.certificate import certificates_in
from ocpp16.security.certificate_rules import key_fault
from ocpp16.security.chain import leaf_first

__all__ = ["verify_file_signature"]

CHUNK: Final = 1024 * 1024
LONGEST_SIGNATURE: Final = 8192
"""Characters."""


def verify_file_signature(
    path: Path,
    certificate_pem: str,
    signature_base64: str,
    *,
    allow_pkcs1v15: bool = True,
    may_proceed: Callable[[], bool] = lambda: True,
) -> bool:
    """Is it the signature of the whole file by the key of this certificate, over its SHA-256?

    Reads the file a piece at a time and blocks: call it in a thread. That the certificate may be trusted is another
    question (`EvseSecurity.verify_certificate`).

    Parameters: `path` the file; `certificate_pem` the certificate, or a chain with the leaf first; `signature_base64`
    ECDSA, or RSA with PSS and a salt of any length; `allow_pkcs1v15` takes RSA signatures of the older form as well,
    which many tools make; `may_proceed` is asked between two pieces, False ends it with False. Raises OSError if the
    file cannot be read.
    """
    certificates = leaf_first(certificates_in(certificate_pem))
    signature = _decoded(signature_base64)
    if not certificates or not signature or key_fault(certificates[0]):
        return False
    digest = _sha256(path, may_proceed)
    return digest is not None and _is_of(certificates[0].public_key, signature, digest, allow_pkcs1v15=allow_pkcs1v15)


def _decoded(text: str) -> bytes:
    """b"" for what is no base64; line ends in it are harmless."""
    if len(text) > LONGEST_SIGNATURE:
        return b""
    try:
        return b64decode("".join(text.split()), validate=True)
    except ValueError:
        return b""


def _sha256(path: Path, may_proceed: Callable[[], bool]) -> bytes | None:
    # A pipe without a writer would hold this up for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is no regular file")
        whole = hashlib.sha256()
        while piece := file.read(CHUNK):
            whole.update(piece)
            if not may_proceed():
                return None
    return whole.digest()


def _is_of(key: Any, signature: bytes, digest: bytes, *, allow_pkcs1v15: bool) -> bool:
    algorithm = Prehashed(hashes.SHA256())
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
    attempts: list[tuple[Any, ...]] = []
    if isinstance(key, ec.EllipticCurvePublicKey):
        attempts = [(ec.ECDSA(algorithm),)]
    elif isinstance(key, rsa.RSAPublicKey):
        attempts = [(pss, algorithm), *([(padding.PKCS1v15(), algorithm)] if allow_pkcs1v15 else [])]
    return any(_verifies(key, signature, digest, attempt) for attempt in attempts)


def _verifies(key: Any, signature: bytes, digest: bytes, arguments: tuple[Any, ...]) -> bool:
    try:
        key.verify(signature, digest, *arguments)
    except Exception:  # InvalidSignature, and ValueError for what is none at all
        return False
    return True
