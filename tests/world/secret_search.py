"""Looking for secrets in all that a charge point left: files, archives in them, and what it said."""

import base64
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

UNFINISHED = "user_config.json.secrets.tmp"
"""Left by a power cut, until the next start."""
HERE = frozenset({"config.json", "user_config.json.secrets", UNFINISHED})
"""Where they are to be."""


def places(data: bytes, where: str) -> dict[str, bytes]:
    """What is in a file by where it is, packed files unpacked."""
    found = {where: data}
    if where.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive.getmembers():
                content = archive.extractfile(member)
                if content is not None:
                    found |= places(content.read(), f"{where}/{member.name}")
    return found


def forms(secret: bytes, identity: str) -> set[bytes]:
    """How a secret may be written."""
    hexadecimal = secret.hex().encode()
    basic_auth = base64.b64encode(identity.encode() + b":" + secret)
    return {secret, hexadecimal, hexadecimal.upper(), base64.b64encode(secret), basic_auth, quote(secret).encode()}


def private_keys(folder: Path) -> dict[str, bytes]:
    """A line of the middle of each, as nothing else has it."""
    return {path.name: path.read_bytes().splitlines()[2][:40] for path in folder.rglob("*.key")}


def left_by(folder: Path) -> dict[str, bytes]:
    """What is in its files, by where it is, but for those that have secrets by right."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in HERE and path.suffix != ".key":
            found |= places(path.read_bytes(), str(path.relative_to(folder)))
    return found


def shown(secrets: Mapping[str, bytes], found: Mapping[str, bytes], identity: str) -> set[tuple[str, str]]:
    """Which secret is where."""
    return {
        (what, where)
        for what, secret in secrets.items()
        for where, data in found.items()
        if any(form in data for form in forms(secret, identity))
    }
