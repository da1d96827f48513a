"""Is the server of SFTP the one that was meant? And the key that we show it."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import paramiko
from paramiko.hostkeys import HostKeyEntry

from ocpp16.texts import shown
from ocpp16.transfer.failures import TransferError, TransferFailure
from ocpp16.transfer.location import DEFAULT_PORTS, Location
from ocpp16.transfer.sftp_access import SftpAccess

__all__ = ["check_host_key", "known_keys", "prefer_known_keys", "read_private_key"]

logger: Final = logging.getLogger(__name__)

_ALGORITHMS: Final = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""By which a key of this type is proven, where they are called otherwise."""

_MARKER: Final = "@"
_REVOKED: Final = "@revoked"


class KnownKeys(NamedTuple):
    """Keys that a host may show, and keys that nobody may (`@revoked`, for whatever host: a key is copied easily)."""

    good: list[paramiko.PKey]
    revoked: list[paramiko.PKey]


def known_keys(access: SftpAccess, location: Location) -> KnownKeys:
    """What `known_hosts` has of the host. Raises TransferError if a file that was named cannot be read. Lines that
    nobody understands are left out, and so are those of authorities, which paramiko does not know."""
    known = KnownKeys([], [])
    path = access.known_hosts
    if path is None:
        path = Path("~/.ssh/known_hosts").expanduser()
        if not path.is_file():
            return known
    reason = ""
    try:
        content = path.read_bytes()  # of /dev/null, too, as people write for "nobody is known"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no file of known hosts"
    if reason:
        raise TransferError(TransferFailure.HOST_KEY, f"known hosts: {shown(path)}: {reason}")
    port = location.port_or_default
    name = location.host if port == DEFAULT_PORTS["sftp"] else f"[{location.host}]:{port}"
    for line in content.decode("utf-8", "replace").splitlines():
        marker, _, rest = line.strip().partition(" ") if line.lstrip().startswith(_MARKER) else ("", "", line.strip())
        if rest and not rest.startswith("#") and marker in ("", _REVOKED):
            (known.revoked if marker else known.good).extend(_keys_in(rest, None if marker else name))
    return known


def _keys_in(line: str, name: str | None) -> Iterator[paramiko.PKey]:
    """The key of a line, if it is of this host; None: of any."""
    try:
        entry = HostKeyEntry.from_line(line.strip())
    except Exception:  # of kinds that depend on what is wrong
        return
    if entry is not None and entry.key is not None:
        of_line = paramiko.HostKeys()  # which knows hashed names
        for one in entry.hostnames:
            of_line.add(one, entry.key.get_name(), entry.key)
        if name is None or of_line.lookup(name) is not None:
            yield entry.key


def prefer_known_keys(transport: paramiko.Transport, known: KnownKeys) -> None:
    """Of several keys that a server has it shall show one that we know."""
    options = transport.get_security_options()
    kinds = dict.fromkeys(key.get_name() for key in known.good)
    wanted = [name for kind in kinds for name in _ALGORITHMS.get(kind, (kind,)) if name in options.key_types]
    if wanted:
        options.key_types = (*wanted, *(kind for kind in options.key_types if kind not in wanted))


def check_host_key(key: paramiko.PKey, known: KnownKeys, access: SftpAccess, location: Location) -> None:
    """Raises TransferError with HOST_KEY, which says what to do."""
    fingerprint: str = key.fingerprint
    if fingerprint in access.fingerprints:
        return
    if key in known.revoked:
        raise TransferError(
            TransferFailure.HOST_KEY, f"{location}: its host key {fingerprint} was taken back (@revoked in known_hosts)"
        )
    if key in known.good:
        return
    if known.good:
        raise TransferError(
            TransferFailure.HOST_KEY,
            f"{location}: its host key {fingerprint} is not the one in known_hosts: the server has a new one, or "
            "somebody else answers in its place",
        )
    if not access.accept_unknown_host_keys:
        raise TransferError(
            TransferFailure.HOST_KEY,
            f"{location}: its host key {fingerprint} is not known: if it is the right one, add it to known_hosts or to "
            "SftpAccess.fingerprints; SftpAccess(accept_unknown_host_keys=True) takes any",
        )
    logger.warning("the host key %s of %s is not known, and is not verified", fingerprint, location)


def read_private_key(access: SftpAccess) -> paramiko.PKey | None:
    """None if there is none. Raises TransferError with AUTHENTICATION."""
    path = access.private_key
    if path is None:
        return None
    reason = "it is no private key, or its password is another one"
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key_file(str(path), access.private_key_password)
        except OSError as error:
            reason = error.strerror or reason
        except (paramiko.SSHException, ValueError, TypeError):  # of another kind, or encrypted
            pass
    raise TransferError(TransferFailure.AUTHENTICATION, f"the private key {shown(path)}: {reason}")
