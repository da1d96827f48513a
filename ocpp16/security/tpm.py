"""Keys that lie in a TPM 2.0 and never leave it, made and asked by the `openssl` command.

The wheels of `cryptography` bring an OpenSSL of their own, which knows no providers; the command of the system does,
with tpm2-openssl. The key file (.tkey) holds a key that only this TPM can unwrap. No argument is a secret.
"""

import subprocess
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509.oid import NameOID

from ocpp16.der import fields_of
from ocpp16.regular_file import read_regular
from ocpp16.security.private_keys import Subject
from ocpp16.texts import shown

__all__ = ["ProviderFailed", "ProviderKey", "make_provider_key", "provider_public_key"]

COMMAND: Final = "openssl"
PROVIDER: Final = ("-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2")
TIMEOUT: Final = 60.0
"""Seconds that one command may take; a TPM is slow, and hangs when it is broken."""
MOST_BYTES: Final = 64 * 1024

_CONFIGURATION: Final = """[req]
distinguished_name = names
req_extensions = wanted
[names]
[wanted]
basicConstraints = critical, CA:FALSE
keyUsage = digitalSignature, keyAgreement
"""
_SHORT: Final = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.COMMON_NAME: "CN",
    NameOID.DOMAIN_COMPONENT: "DC",
}

_BEGIN: Final = "-----BEGIN CERTIFICATE REQUEST-----"
_END: Final = "-----END CERTIFICATE REQUEST-----"
_ECDSA: Final = bytes.fromhex("300a06082a8648ce3d040302")
_ECDSA_WITH_NULL: Final = bytes.fromhex("300c06082a8648ce3d0403020500")


class ProviderFailed(Exception):
    """The command is not there, failed, or took too long; the text says which."""


class ProviderKey(NamedTuple):
    """`pem`: the wrapped key; `public`: its public key in DER; `csr`: the request in PEM."""

    pem: bytes
    public: bytes
    csr: str


def make_provider_key(subject: Subject) -> ProviderKey:
    """A new key EC P-256 and the request for its certificate. Blocks. Raises ProviderFailed, and ValueError for names
    that a certificate cannot have."""
    names = subject.parts()
    x509.Name([x509.NameAttribute(kind, value) for kind, value in names])  # the checks of the library
    if any("\0" in value for _, value in names):
        raise ValueError("a name with a NUL")
    told = "".join(f"/{_SHORT[kind]}={_escaped(value)}" for kind, value in names)
    try:
        return _made_in_a_folder(told)
    except OSError as error:
        raise ProviderFailed(f"no place for its files: {error.strerror or error}") from error


def _made_in_a_folder(told: str) -> ProviderKey:
    with TemporaryDirectory(prefix="ocpp16-") as place:  # mode 0700
        key, request, configuration = (Path(place) / name for name in ("key", "csr", "conf"))
        configuration.write_text(_CONFIGURATION)
        _run(["genpkey", *PROVIDER, "-algorithm", "EC", "-pkeyopt", "group:P-256", "-out", str(key)])
        _run(
            [
                *("req", *PROVIDER, "-new", "-utf8", "-sha256", "-config", str(configuration)),
                *("-key", str(key), "-subj", told, "-out", str(request)),
            ]
        )
        try:
            pem, csr = read_regular(key, MOST_BYTES), _mended(read_regular(request, MOST_BYTES))
            read = x509.load_pem_x509_csr(csr)
            public = read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            is_signed = read.is_signature_valid
        except Exception as error:
            raise ProviderFailed("openssl made no readable request") from error
    if not is_signed:
        raise ProviderFailed("openssl made a request with a wrong signature")
    return ProviderKey(pem, public, csr.decode("ascii"))


def provider_public_key(path: Path) -> bytes:
    """The public key (DER) of a wrapped one. Blocks. Raises ProviderFailed where the TPM does not open it."""
    text = _run(["pkey", *PROVIDER, "-in", str(path), "-pubout"])
    try:
        return load_pem_public_key(text).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception as error:  # of many kinds
        raise ProviderFailed("openssl told no public key of it") from error


def _mended(csr: bytes) -> bytes:
    """The request as RFC 5758 §3.2 wants it: older versions of tpm2-openssl write NULL as parameters of ECDSA, which
    many cannot read. What is signed does not change."""
    text = csr.decode("ascii")
    begin, end = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    request, algorithm, signature = fields_of(fields_of(b64decode(text[begin:end]))[0].content)
    if algorithm.whole != _ECDSA_WITH_NULL:
        return csr
    content = request.whole + _ECDSA + signature.whole
    length = len(content).to_bytes(2, "big").lstrip(b"\0")  # more than 127, so told with the number of its bytes
    whole = b64encode(bytes((0x30, 0x80 | len(length))) + length + content).decode("ascii")
    lines = [whole[place : place + 64] for place in range(0, len(whole), 64)]
    return "\n".join((_BEGIN, *lines, _END, "")).encode("ascii")


def _escaped(value: str) -> str:
    return "".join(f"\\{character}" if character in "\\/+" else character for character in value)


def _run(arguments: Sequence[str]) -> bytes:
    try:
        done = subprocess.run([COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise ProviderFailed(f"openssl {arguments[0]} took more than {TIMEOUT:.0f} s") from None
    except (OSError, ValueError) as error:
        raise ProviderFailed(f"the command openssl cannot be run: {shown(error)}") from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ProviderFailed(f"openssl {arguments[0]}: {shown(lines[-1] if lines else done.returncode)}")
    return done.stdout
