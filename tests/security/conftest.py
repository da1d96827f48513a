"""A store of certificates in files, and its clock."""

from pathlib import Path

import pytest
from certificate_steps import Clock

from ocpp16.security.file_evse_security import FileEvseSecurity


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    return tmp_path / "certs"


@pytest.fixture
def security(certs: Path, clock: Clock) -> FileEvseSecurity:
    return FileEvseSecurity(certs, now=clock)
