"""Texts of a meter's public key, in all the forms in which they come, and the one form in which they are sent.

A key is known as the bytes of its DER (SubjectPublicKeyInfo), or as a bare point of a curve, which some meters print.
`oca:base16:asn1:<hex>` is how the application note on signed meter values writes it.
"""

import binascii
import re
from base64 import b64decode, b64encode
from typing import Final

from ocpp16.metering.failure import SignedDataError
from ocpp16.pem import pem_blocks
from ocpp16.texts import shown

LONGEST: Final = 8_192
"""Characters."""
_OCA: Final = re.compile(r"oca:(base16|base64):asn1:(.*)", re.ASCII | re.DOTALL)
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)
_PREFIX: Final = "oca:"


def key_bytes(text: str) -> bytes:
    """The key of PEM, hexadecimal, base64, the note's `oca:…:asn1:…`, or base64 of that. Raises SignedDataError."""
    if len(text) > LONGEST:
        raise SignedDataError(f"a public key must have {LONGEST} characters at most, not {len(text)}")
    for pem in pem_blocks(text.encode("utf-8", "replace")):
        if pem.label != b"PUBLIC KEY":
            raise SignedDataError(f"a public key must be PEM of a PUBLIC KEY, not of a {pem.label.decode()}")
        return _base64(pem.body.decode())
    squeezed = "".join(text.split())
    note = _OCA.fullmatch(squeezed)
    if note is not None:
        return _hex(note[2]) if note[1] == "base16" else _base64(note[2])
    bare = squeezed.replace(":", "").removeprefix("0x")
    if _HEX.fullmatch(bare):
        return _hex(bare)
    found = _base64(squeezed)
    if found.startswith(_PREFIX.encode()):
        return key_bytes(found.decode("latin-1"))
    return found


def oca_text(text: str) -> str:
    """The key as the note sends it in `publicKey`: base64 of `oca:base16:asn1:<hex>`; of what is no key, base64 of the
    text as it is."""
    try:
        whole = f"{_PREFIX}base16:asn1:{key_bytes(text).hex()}"
    except SignedDataError:
        whole = text
    return b64encode(whole.encode()).decode()


def _hex(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    return _some(found, text)


def _base64(text: str) -> bytes:
    try:
        found = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    return _some(found, text)


def _some(found: bytes, text: str) -> bytes:
    if not found:
        raise SignedDataError(f"a public key must be PEM, hexadecimal or base64, not {shown(text, 40)!r}")
    return found
