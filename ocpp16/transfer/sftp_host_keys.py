"""Is the server of SFTP the one that was meant? And the key that we show it."""

import logging
from pathlib import Path
from typing import Final

import paramiko

from ocpp16.texts import shown
from ocpp16.transfer.failures import TransferError, TransferFailure
from ocpp16.transfer.location import DEFAULT_PORTS, Location
from ocpp16.transfer.sftp_access import SftpAccess

__all__ = ["check_host_key", "known_keys", "prefer_known_keys", "read_private_key"]

logger: Final = logging.getLogger(__name__)

_ALGORITHMS: Final = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""By which a key of this type is proven, where they are called otherwise."""

Keys = dict[str, paramiko.PKey]


def known_keys(access: SftpAccess, location: Location) -> Keys:
    """What `known_hosts` has of the host, by type. Raises TransferError if a file that was named cannot be read."""
    path = access.known_hosts
    if path is None:
        path = Path("~/.ssh/known_hosts").expanduser()
        if not path.is_file():
            return {}
    hosts = paramiko.HostKeys()
    reason = ""
    try:
        hosts.load(str(path))
    except (OSError, paramiko.SSHException, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no file of known hosts"
    if reason:
        raise TransferError(TransferFailure.HOST_KEY, f"known hosts: {shown(path)}: {reason}")
    port = location.port_or_default
    name = location.host if port == DEFAULT_PORTS["sftp"] else f"[{location.host}]:{port}"
    return dict(hosts.lookup(name) or {})


def prefer_known_keys(transport: paramiko.Transport, known: Keys) -> None:
    """Of several keys that a server has it shall show one that we know."""
    options = transport.get_security_options()
    wanted = [name for kind in known for name in _ALGORITHMS.get(kind, (kind,)) if name in options.key_types]
    if wanted:
        options.key_types = (*wanted, *(kind for kind in options.key_types if kind not in wanted))


def check_host_key(key: paramiko.PKey, known: Keys, access: SftpAccess, location: Location) -> None:
    """Raises TransferError with HOST_KEY, which says what to do."""
    fingerprint: str = key.fingerprint
    if fingerprint in access.fingerprints or known.get(key.get_name()) == key:
        return
    if known:
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
