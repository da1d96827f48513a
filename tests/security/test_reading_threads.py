"""Threads that read the folders of certificates."""

import threading
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from forged import NOW, root
from patience import PATIENCE

from ocpp16.security.certificate_store import CertificateStore
from ocpp16.security.evse_security import CaCertificateType
from ocpp16.security.file_evse_security import READERS, FileEvseSecurity

ROOTS = CaCertificateType.CSMS


async def test_a_fleet_on_one_folder_has_few_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it connects anew at once, and asks for the roots."""
    keepers = [FileEvseSecurity(tmp_path, now=lambda: NOW) for _ in range(3 * READERS)]
    await keepers[0].install_ca_certificate(root().pem, ROOTS)
    asked, go_on = threading.Semaphore(0), threading.Event()

    def slow(self: CertificateStore, *_: Any) -> None:
        asked.release()
        go_on.wait(PATIENCE)

    monkeypatch.setattr(CertificateStore, "verify_location", slow)
    async with trio.open_nursery() as nursery:
        for keeper in keepers:
            nursery.start_soon(keeper.get_verify_location, ROOTS)
        for _ in range(READERS):
            assert await trio.to_thread.run_sync(asked.acquire, True, PATIENCE)
        await trio.testing.wait_all_tasks_blocked()
        assert not asked.acquire(blocking=False), "the others wait for these"
        go_on.set()
    for _ in range(2 * READERS):
        assert asked.acquire(blocking=False)
