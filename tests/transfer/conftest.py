"""What the tests of transfers share: content without a pattern, and servers' certificates."""

import random
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import CA, know_threads


@pytest.fixture(autouse=True)
def threads_of_before() -> None:
    """What other tests left is none of ours."""
    know_threads()


@pytest.fixture
def content() -> Callable[[int], bytes]:
    """Bytes of no pattern, so that a shift or a hole is seen."""

    def made(size: int) -> bytes:
        return random.Random(size).randbytes(size)

    return made


@pytest.fixture
def trusted() -> ssl.SSLContext:
    """A client's context that believes the servers here."""
    context = ssl.create_default_context()
    CA.configure_trust(context)
    return context


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and chain of 127.0.0.1 in one file."""
    path = tmp_path / "server.pem"
    CA.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Where the files of this side are."""
    path = tmp_path / "here"
    path.mkdir()
    return path
