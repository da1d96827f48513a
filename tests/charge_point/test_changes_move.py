"""What was changed lies in the store until there is a file for it: then it moves there, and nothing of it is lost."""

import json
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.store.memory import MemoryStore
from ocpp16.store.overlay import TextFileWrite
from ocpp16.store.tables import settings

KEY = "11" * 16


def stored(disk: MemoryStore) -> set[str]:
    """The documents of changes that lie in the store."""
    names = {str(row[0]) for row in disk.load("cp001", settings.TABLE)}
    return names & {settings.CONFIGURATION, settings.SECRETS}


@pytest.fixture
def document(make_config: Any) -> Any:
    return make_config(Security__SecurityProfile=1, Security__AuthorizationKey="hex:" + "00" * 16)


async def change(bench: Any, **values: str) -> None:
    for key, value in values.items():
        assert await bench.call("ChangeConfiguration", {"key": key, "value": value}) == {"status": "Accepted"}
        await trio.sleep(10)
        await bench.charge_point.wait_registered()


def in_force(bench: Any) -> tuple[str | None, str | None, str]:
    configuration = bench.charge_point.configuration
    texts = (configuration.text(name) for name in ("ConnectionTimeOut", "ResetRetries"))
    return (*texts, configuration.origin("AuthorizationKey"))


async def test_into_the_files(open_bench: Any, disk: Any, document: Any, tmp_path: Path) -> None:
    """What the file says already was changed later, or by hand; secrets go where secrets are."""
    path = tmp_path / "user_config.json"
    async with open_bench(store=disk, document=document) as bench:
        await change(bench, ConnectionTimeOut="77", ResetRetries="5", AuthorizationKey=KEY)
    assert stored(disk) == {settings.CONFIGURATION, settings.SECRETS}
    path.write_text(json.dumps({"Core": {"ResetRetries": 2}}))
    async with open_bench(store=disk, document=document, user_config_path=path) as bench:
        assert in_force(bench) == ("77", "2", "overlay")
        await bench.charge_point.stored()
        assert stored(disk) == set()
    core = json.loads(path.read_text())["Core"]
    assert (core["ConnectionTimeOut"], core["ResetRetries"]) == (77, 2)
    assert KEY in path.with_name("user_config.json.secrets").read_text()
    async with open_bench(store=disk, document=document, user_config_path=path) as bench:
        assert in_force(bench) == ("77", "2", "overlay")


async def test_a_file_that_cannot_be_written(
    open_bench: Any, disk: Any, document: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in force all the same, and stays in the store for the next start."""

    def refuse(write: TextFileWrite) -> None:
        raise OSError("no space left on device")

    path = tmp_path / "user_config.json"
    async with open_bench(store=disk, document=document) as bench:
        await change(bench, ConnectionTimeOut="77")
    with monkeypatch.context() as patched:
        patched.setattr(TextFileWrite, "prepare", refuse)
        async with open_bench(store=disk, document=document, user_config_path=path) as bench:
            assert in_force(bench)[0] == "77"
    assert stored(disk) == {settings.CONFIGURATION}
    async with open_bench(store=disk, document=document, user_config_path=path) as bench:
        assert in_force(bench)[0] == "77"
    assert stored(disk) == set()


async def test_what_only_the_store_makes_whole(open_bench: Any, disk: Any, make_config: Any, tmp_path: Path) -> None:
    """The main configuration lacks the AuthorizationKey, which the Central System gave."""
    async with open_bench(store=disk, document=make_config()) as bench:
        await change(bench, AuthorizationKey=KEY)
    document = make_config(Security__SecurityProfile=1)
    async with open_bench(store=disk, document=document, user_config_path=tmp_path / "user_config.json") as bench:
        assert bench.charge_point.connection.is_connected
