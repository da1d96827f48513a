"""What a TLS connection to the Central System must satisfy (security profiles 2 and 3).

Verification cannot be turned off: the chain must always lead to a trusted root. Only the check of the name may be, and
that is logged. Where revocation lists lie beside the roots, the issuer of the certificate must have a valid one, which
does not name the certificate. Contexts are shared by all charge points with the same set-up, so nobody may change one.
Whoever has a key log can read the traffic: that file is its owner's alone before anything is written. Connections are
not made here.
"""

import binascii
import logging
import os
import ssl
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from ssl import SSLContext
from typing import Final

from ocpp16.der import field_at, is_der
from ocpp16.errors import ConfigurationError
from ocpp16.pem import CERTIFICATE_LABELS, PemBlock, pem_blocks
from ocpp16.regular_file import read_regular
from ocpp16.texts import shown

__all__ = ["CIPHERS_12", "CIPHERS_13", "SSLContext", "client_context", "prepare_keylog", "server_context"]

logger: Final = logging.getLogger(__name__)

# The security white paper: a Central System has to offer all four, so one pair is enough for us.
CIPHERS_12 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
CIPHERS_13 = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"

_PEM_REVOCATIONS = b"-----BEGIN X509 CRL-----"
_WRAPPED_BY_TPM = b"-----BEGIN TSS2 PRIVATE KEY-----"
_WITHOUT_PROVIDER = (
    "the key lies in a TPM, and the OpenSSL of this process cannot use it: before it starts OPENSSL_CONF must name a "
    "file that activates the provider tpm2, and the TPM must be the one that made the key (docs/certificates.md)"
)
_IN_ANY_CASE = "!aNULL:!eNULL:@SECLEVEL=2"
"""To OpenSSL, whatever its build and the list before it say: no suite in which the server shows no certificate, or
without encryption, and at least 112 bits, so no RSA under 2048 bits and no SHA-1."""
_NO_WILDCARDS = 0x2  # OpenSSL's X509_CHECK_FLAG_NO_WILDCARDS, for which the ssl module has no public name


def client_context(
    csms_ca: Path | None,
    *,
    ciphers12: str = CIPHERS_12,
    ciphers13: str = CIPHERS_13,
    use_default_verify_paths: bool = False,
    verify_name: bool = True,
    allow_wildcards: bool = False,
    successors_are_roots: bool = False,
    certificate_chain: Path | None = None,
    private_key: Path | None = None,
    key_password: str | None = None,
    keylog_file: Path | None = None,
    warn: Callable[..., object] = logger.warning,
) -> ssl.SSLContext:
    """The context for connections to the Central System; one object for the same arguments and file contents.

    Parameters: `csms_ca` a bundle file, or a folder whose *.pem and *.der files are read, with roots, and with lists of
    revoked certificates (X509 CRL, PEM) if there are any; `ciphers12` OpenSSL names
    with colons; `ciphers13` "" turns TLS 1.3 off, other values have an effect from Python 3.15 on (before, OpenSSL's
    own TLS 1.3 suites hold); `use_default_verify_paths` trusts the CAs of the operating system as well; `verify_name`
    False checks the chain only; `allow_wildcards` accepts names as *.example.com; `successors_are_roots` ends a chain
    at a CA that somebody else signed as well, if it lies with the roots (AdditionalRootCertificateCheck);
    `certificate_chain` (leaf first) and `private_key` for security profile 3; `keylog_file` gets the secrets, for
    debugging (see `prepare_keylog`); `warn` is told, as a logger is, what is wrong and yet no error.

    Raises `ConfigurationError` when nothing at all would be trusted, or a file or cipher list is unusable.
    """
    keylog = None if keylog_file is None else (keylog_file, *prepare_keylog(keylog_file))
    chain = _read(certificate_chain, "client certificate")
    key = _read(private_key, "client key")
    roots = _trusted(csms_ca, warn)
    if not roots and not use_default_verify_paths:
        there = "none is installed that is valid now" if csms_ca is None else f"{shown(csms_ca)} holds none"
        raise ConfigurationError([f"CSMS root certificates: {there}, so no server could be trusted"])
    if successors_are_roots:
        roots = tuple(filter(_may_end_a_chain, roots))
    revocations = _revocations(csms_ca, warn)
    if not verify_name:
        warn("the name in the certificate of the Central System is not verified (VerifyCsmsCommonName)")
    return _client_context(
        roots,
        revocations,
        ciphers12,
        ciphers13,
        use_default_verify_paths,
        verify_name,
        allow_wildcards,
        successors_are_roots,
        # Contents, not only paths: a renewed certificate is another context.
        None if certificate_chain is None else (certificate_chain, private_key, key_password, hash((chain, key))),
        keylog,
    )


@lru_cache(maxsize=64)
def _client_context(
    roots: tuple[bytes, ...],
    revocations: tuple[tuple[Path, int], ...],
    ciphers12: str,
    ciphers13: str,
    use_default_verify_paths: bool,
    verify_name: bool,
    allow_wildcards: bool,
    successors_are_roots: bool,
    client: tuple[Path, Path | None, str | None, int] | None,
    keylog: tuple[Path, int, int] | None,
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _set_ciphers(context, ciphers12, ciphers13)
    context.check_hostname = verify_name
    if not allow_wildcards:
        flags: int = getattr(context, "_host_flags")  # noqa: B009 - unknown to the type checker
        setattr(context, "_host_flags", flags | _NO_WILDCARDS)  # noqa: B010
    if successors_are_roots:
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    for root in roots:
        context.load_verify_locations(cadata=root)
    for path, _ in revocations:
        context.load_verify_locations(cafile=path)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    if use_default_verify_paths:
        context.set_default_verify_paths()
    if client is not None:
        chain, key, password, _ = client
        _load_chain(context, chain, key, password)
    if keylog is not None:
        path = keylog[0]
        try:
            context.keylog_filename = str(path)
        except (OSError, ValueError) as exc:
            raise _keylog_problem(path, exc) from exc
    return context


def prepare_keylog(path: Path) -> tuple[int, int]:
    """Make the file for the secrets of TLS sessions, or restrict the one that is there, to its owner (mode 0600).

    Returns device and number of the file, by which another one in its place is known. Raises `ConfigurationError`
    naming TLSKeylogFile: the folder does not exist, the file cannot be written, is none, or is somebody else's.
    """
    try:
        # Not for reading, and without waiting for a reader, should it be a pipe.
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        try:
            found = os.fstat(number)
            if not stat.S_ISREG(found.st_mode):
                raise ValueError("is no regular file")
            if stat.S_IMODE(found.st_mode) != 0o600:
                os.fchmod(number, 0o600)
            return found.st_dev, found.st_ino
        finally:
            os.close(number)
    except (OSError, ValueError) as exc:
        raise _keylog_problem(path, exc) from exc


def _keylog_problem(path: Path, exc: OSError | ValueError) -> ConfigurationError:
    reason = (exc.strerror if isinstance(exc, OSError) else None) or exc
    return ConfigurationError([f"TLSKeylogFile: {shown(path)}: {shown(reason)}"])


def server_context(
    certificate_chain: Path,
    private_key: Path,
    *,
    client_ca: Path | None = None,
    key_password: str | None = None,
) -> ssl.SSLContext:
    """The context of a Central System; `client_ca` makes it demand client certificates (security profile 3).

    Raises `ConfigurationError` for unusable files.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_chain(context, certificate_chain, private_key, key_password)
    if client_ca is not None:
        roots = _trusted(client_ca, logger.warning)
        if not roots:
            raise ConfigurationError([f"root certificates of clients: {shown(client_ca)} holds none"])
        for root in roots:
            context.load_verify_locations(cadata=root)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _set_ciphers(context: ssl.SSLContext, ciphers12: str, ciphers13: str) -> None:
    try:
        context.set_ciphers(f"{ciphers12}:{_IN_ANY_CASE}")
        if not ciphers13:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        elif callable(set_suites := getattr(context, "set_ciphersuites", None)):
            set_suites(ciphers13)
    except (ssl.SSLError, ValueError) as exc:  # ValueError: letters that no name of a cipher has
        raise ConfigurationError([f"SupportedCiphers: no usable cipher in {ciphers12!r} or {ciphers13!r}"]) from exc


def _load_chain(context: ssl.SSLContext, chain: Path, key: Path | None, password: str | None) -> None:
    try:
        # A password is always handed over: without one OpenSSL would ask for it on the terminal.
        context.load_cert_chain(chain, key, password or "")
    except (OSError, ValueError) as exc:
        reason = _WITHOUT_PROVIDER if _is_in_tpm(key) else shown(exc)
        raise ConfigurationError([f"certificate {shown(chain)} with key {shown(key)}: {reason}"]) from exc


def _is_in_tpm(key: Path | None) -> bool:
    return key is not None and _WRAPPED_BY_TPM in _read(key, "client key")


def _read(path: Path | None, what: str) -> bytes:
    if path is None:
        return b""
    try:
        return read_regular(path)
    except (OSError, ValueError) as exc:
        reason = (exc.strerror if isinstance(exc, OSError) else None) or exc
        raise ConfigurationError([f"{what} {shown(path)}: {shown(reason)}"]) from exc


def _trusted(source: Path | None, warn: Callable[..., object]) -> tuple[bytes, ...]:
    """The certificates of a bundle file or folder in DER. One that cannot be read does not spoil the others."""
    found: dict[bytes, None] = {}
    for file in _files(source):
        content = _read(file, "CSMS root certificates")
        for block in _blocks(content):
            if _is_certificate(block):
                found[block] = None
            else:
                warn("a certificate in %s cannot be read and is left out", shown(file))
    return tuple(found)


def _files(source: Path | None) -> list[Path]:
    """Those of a bundle file or folder that may hold certificates."""
    if source is None:
        return []
    try:
        files = sorted(source.iterdir()) if source.is_dir() else [source] if source.exists() else []
        return [file for file in files if file.suffix in {".pem", ".der"} and file.is_file()]
    except (OSError, ValueError) as exc:
        raise ConfigurationError([f"root certificates {shown(source)}: {shown(exc)}"]) from exc


def _revocations(source: Path | None, warn: Callable[..., object]) -> tuple[tuple[Path, int], ...]:
    """The files with lists of revoked certificates, each with what tells its contents from others."""
    found = []
    for file in _files(source):
        content = _read(file, "revocation list")
        if _PEM_REVOCATIONS in content:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
            except (OSError, ValueError):
                warn("the revocation list in %s cannot be read and is left out", shown(file))
            else:
                found.append((file, hash(content)))
    return tuple(found)


def _may_end_a_chain(der: bytes) -> bool:
    """Where a chain may end at whatever is trusted, a certificate that signs nobody is left out."""
    from ocpp16.security.certificate import Certificate  # cryptography only where it is asked
    from ocpp16.security.certificate_rules import is_root

    try:
        return is_root(Certificate(der), successors_are_roots=True)
    except ValueError:  # more than OpenSSL found wrong with it
        return False


def _blocks(content: bytes) -> Iterator[bytes]:
    """Its certificates in DER, by what it holds, as who keeps them reads it (`certificate.blocks_in`), and not by what
    it is called."""
    if not is_der(content):
        yield from map(_der, pem_blocks(content, *CERTIFICATE_LABELS))
        return
    at = 0
    while at < len(content):
        try:
            field, at = field_at(content, at)
        except ValueError:
            yield content[at:]
            return
        yield field.whole


def _der(block: PemBlock) -> bytes:
    try:
        return binascii.a2b_base64(block.body, strict_mode=True)
    except ValueError:
        return b""


@lru_cache(maxsize=256)
def _is_certificate(der: bytes) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
    except (ssl.SSLError, ValueError):
        return False
    return True
