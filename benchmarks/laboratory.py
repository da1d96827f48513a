"""Certificates for benchmarks over TLS: of a Central System, by an intermediate authority or by the root itself."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ocpp16.security.lab_pki import Authority, Use

HOST = "127.0.0.1"
ROOT = Path("ca/csms/CSMS_ROOT_CA.pem")
"""Where a charge point looks for it, below the folder of its certificates."""


class Certificates(NamedTuple):
    """folder: of the charge points; chain and key: files of the Central System."""

    folder: Path
    chain: Path
    key: Path


@contextmanager
def certificates(*, has_intermediate: bool = True) -> Iterator[Certificates]:
    """They are there until the end of the block."""
    with tempfile.TemporaryDirectory() as name:
        folder, now = Path(name), time.time()
        root = Authority("Root", now)
        issuer = Authority("Intermediate", now, above=root) if has_intermediate else root
        issued = issuer.issue("csms", names=[HOST], use=Use.SERVER)
        made = Certificates(folder, folder / "chain.pem", folder / "key.pem")
        (folder / ROOT).parent.mkdir(parents=True)
        for file, text in ((folder / ROOT, root.certificate), (made.chain, issued.chain), (made.key, issued.key)):
            file.write_text(text)
        yield made
