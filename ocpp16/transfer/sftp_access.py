"""How a server of SFTP is believed, and how it believes us; known without paramiko."""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["SftpAccess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpAccess:
    """Whose host keys are accepted, and what we log in with besides the password of the URL.

    Parameters: `known_hosts` a file as OpenSSH has it, by default that of the user, if there is one; `fingerprints` of
    host keys that are accepted whatever that file says, as `ssh-keygen -l` prints them (SHA256:…); `private_key` a file
    in the format of OpenSSH or PEM, tried before the password, and `private_key_password` what it is encrypted with.

    `accept_unknown_host_keys` takes any key of a host that `known_hosts` does not have, and logs a warning each time:
    whoever is on the way can read the password and exchange the file. A key that contradicts `known_hosts` is refused
    all the same.
    """

    known_hosts: Path | None = None
    fingerprints: frozenset[str] = frozenset()
    accept_unknown_host_keys: bool = False
    private_key: Path | None = None
    private_key_password: str | None = field(default=None, repr=False)
