"""What several tests of the store use."""

from pathlib import Path

import pytest

from ocpp16.store import connection as connections


class Disk:
    """Opening files to write raises `error`, while there is one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        create_private = connections.create_private

        def checked(path: Path) -> None:
            if self.error is not None:
                raise self.error
            create_private(path)

        monkeypatch.setattr(connections, "create_private", checked)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture(scope="session")
def new_disk() -> type[Disk]:
    """For tests that need one after another."""
    return Disk
