"""Signing and verifying signed meter data: ECDSA, on the curves of OCMF 1.x as far as `cryptography` has them."""

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ocpp16.metering import ocmf_text
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.ocmf import DEFAULT_ALGORITHM, DEFAULT_MIME_TYPE, Ocmf
from ocpp16.texts import shown

_CURVES: Final[dict[str, Callable[[], ec.EllipticCurve]]] = {
    "secp192r1": ec.SECP192R1,
    "secp256k1": ec.SECP256K1,
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "brainpool256r1": ec.BrainpoolP256R1,
    "brainpool384r1": ec.BrainpoolP384R1,
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
}
_HASHES: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
_NOT_OFFERED: Final = ("secp192k1",)
"""Curves of the format that the library for cryptography does not have."""

ALGORITHMS: Final = (
    "ECDSA-secp192r1-SHA256",
    "ECDSA-secp256k1-SHA256",
    DEFAULT_ALGORITHM,
    "ECDSA-brainpool256r1-SHA256",
    "ECDSA-secp384r1-SHA256",
    "ECDSA-brainpool384r1-SHA256",
    "ECDSA-secp521r1-SHA256",
)
"""Those with which can be signed here. Verified are also those with SHA384 and SHA512."""


def verify(read: Ocmf, public_key: bytes) -> None:
    """Is it signed with this key? Returns if so; raises SignedDataError that says why not.

    `public_key`: its DER, or a point of the curve that the text names (`public_key.key_bytes`).
    """
    if read.mime_type != DEFAULT_MIME_TYPE:
        raise SignedDataError(f"signature: SM must be {DEFAULT_MIME_TYPE}, not {shown(read.mime_type, 40)!r}")
    curve, algorithm = _algorithm(read.algorithm)
    key = _public(public_key, curve)
    if key.curve.name != curve.name:
        raise SignedDataError(f"the public key is one of {key.curve.name}, but it is signed with {read.algorithm}")
    try:
        key.verify(read.signature, read.payload.encode(), ec.ECDSA(algorithm))
    except InvalidSignature:
        raise SignedDataError("the signature is not that of this text by this key") from None
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SignedDataError(f"the signature cannot be verified: {shown(error, 120)}") from None


def _algorithm(name: str) -> tuple[ec.EllipticCurve, hashes.HashAlgorithm]:
    kind, _, rest = name.partition("-")
    curve, _, digest = rest.partition("-")
    if curve in _NOT_OFFERED:
        raise SignedDataError(f"signature: SA {shown(name, 60)!r} is of a curve that cannot be verified here")
    if kind != "ECDSA" or curve not in _CURVES or digest not in _HASHES:
        raise SignedDataError(f"signature: SA {shown(name, 60)!r} is not known; known are {', '.join(ALGORITHMS)}")
    return _CURVES[curve](), _HASHES[digest]()


def _public(public_key: bytes, curve: ec.EllipticCurve) -> ec.EllipticCurvePublicKey:
    if public_key[:1] in (b"\x02", b"\x03", b"\x04"):
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, public_key)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SignedDataError(f"the public key is no point of {curve.name}: {shown(error, 120)}") from None
    try:
        key = serialization.load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignedDataError(f"the public key cannot be read: {shown(error, 120)}") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SignedDataError("the public key is none of an elliptic curve")
    return key


class SigningKey:
    """A private key that signs. `number`: the secret; `algorithm`: one of `ALGORITHMS`. Raises SignedDataError."""

    __slots__ = ("_hash", "_key", "algorithm")

    def __init__(self, number: int, algorithm: str = DEFAULT_ALGORITHM) -> None:
        curve, self._hash = _algorithm(algorithm)
        self.algorithm: str = algorithm
        try:
            # Below the order of each of these curves, whose size it has; and 0 is no key.
            self._key = ec.derive_private_key(number % 2 ** (curve.key_size - 1) + 1, curve)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SignedDataError(f"no key of {curve.name}: {shown(error, 120)}") from None

    @property
    def public_der(self) -> bytes:
        """What verifies, as DER."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def ocmf(self, payload: str, encoding: str = "hex") -> str:
        """The OCMF text of this payload. The same key makes the same text of it each time (RFC 6979)."""
        signature = self._key.sign(payload.encode(), ec.ECDSA(self._hash, deterministic_signing=True))
        return ocmf_text.text(payload, signature, self.algorithm, encoding)
