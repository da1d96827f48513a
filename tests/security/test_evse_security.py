"""The built-in EvseSecurity and the one in memory hold the same contract."""

from pathlib import Path

from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.testing.evse_security import MemoryEvseSecurity, check_evse_security

NOW = 1_790_000_000.0


async def test_files_hold_the_contract(tmp_path: Path) -> None:
    names = await check_evse_security(FileEvseSecurity(tmp_path / "certs", now=lambda: NOW), NOW)
    assert len(names) >= 9


async def test_memory_holds_the_contract() -> None:
    names = await check_evse_security(MemoryEvseSecurity(lambda: NOW), NOW)
    assert len(names) >= 9
