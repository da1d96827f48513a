"""PEM as anybody writes it (RFC 7468): its blocks, found in one pass whatever a text holds.

A block that begins and does not end is none, and takes nothing from the one that begins behind it.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["CERTIFICATE_LABELS", "PemBlock", "pem_blocks"]

CERTIFICATE_LABELS: Final = (b"CERTIFICATE", b"X509 CERTIFICATE")
"""Of blocks that hold a certificate."""

_MARK: Final = re.compile(rb"-----(BEGIN|END) ([A-Z0-9 ]{1,60})-----")


class PemBlock(NamedTuple):
    """What stands at `start` to `end` of a text, in bytes: its label, and its body without white space."""

    label: bytes
    start: int
    end: int
    body: bytes


def pem_blocks(content: bytes, *labels: bytes) -> Iterator[PemBlock]:
    """The blocks with one of these labels, of any kind if none is named, in their order."""
    begin: re.Match[bytes] | None = None
    for mark in _MARK.finditer(content):
        if labels and mark[2] not in labels:
            continue
        if mark[1] == b"BEGIN":
            begin = mark
        elif begin is not None and begin[2] == mark[2]:
            yield PemBlock(mark[2], begin.start(), mark.end(), b"".join(content[begin.end() : mark.start()].split()))
            begin = None
