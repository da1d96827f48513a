"""The examples of docs/transfer.md do what the page says; that they are programs at all is for tests/docs."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from http_file_server import HttpFileServer
from loopback import content_of

from ocpp16.transfer import Location, TransferError

pytestmark = pytest.mark.world

PAGE = Path(__file__).resolve().parents[2] / "docs" / "transfer.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def names_of(number: int) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(EXAMPLES[number], "example", "exec"), names)
    return names


async def test_retries(
    tmp_path: Path, content: Callable[[int], bytes], still_clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names = names_of(0)
    with HttpFileServer() as server:
        server.files["/fw"] = content(400_000)
        server.cut_after = 100_000
        async with trio.open_nursery() as nursery:
            nursery.start_soon(names["fetched"], server.base + "/fw", str(tmp_path / "fw"), 1, 10)
            while server.cut_after:
                await trio.lowlevel.checkpoint()
            while not (said := capsys.readouterr().out).endswith("cut off\n"):
                await trio.lowlevel.checkpoint()
            server.cut_after = None
            await trio.testing.wait_all_tasks_blocked()
            still_clock.advance(10)
        assert content_of(tmp_path / "fw") == content(400_000)
        assert "400000 from 100000" in capsys.readouterr().out
        with pytest.raises(TransferError):
            await names["fetched"](server.base + "/none", str(tmp_path / "none"), 3, 10)
        assert len(server.requests) == 3
        assert await names["sent"](str(tmp_path / "fw"), server.base + "/logs/") == server.base + "/logs/fw"
        assert server.bodies["/logs/fw"] == content(400_000)
    assert "cut off" in said


def test_whom_to_believe() -> None:
    assert "id_ed25519" in repr(names_of(1)["service"])


async def test_a_scheme_of_ones_own(tmp_path: Path, content: Callable[[int], bytes]) -> None:
    names = names_of(2)
    (tmp_path / "log").write_bytes(content(300_000))
    done = await names["service"].upload(tmp_path / "log", "shelf://top/logs/")
    assert done.location == "shelf://top/logs/log"
    await names["service"].download("shelf://top/logs/log", tmp_path / "back")
    assert content_of(tmp_path / "back") == content(300_000)
    assert Location.parse(done.location).decoded_path in names["shelf"].files


@pytest.mark.parametrize(("scheme", "wanted"), [("", set()), ("http", {"h11"}), ("ftp", set()), ("sftp", {"paramiko"})])
def test_each_library_is_imported_by_who_needs_it(scheme: str, wanted: set[str]) -> None:
    code = f"""
import sys, trio
from ocpp16.transfer import TransferError, TransferService
async def main():
    try:
        await TransferService().download("{scheme}://user@127.0.0.1:1/fw", "/nowhere/fw")
    except TransferError as error:
        assert error.failure == "local file", error
if "{scheme}":
    trio.run(main)
print(*{{"h11", "paramiko", "sqlite3"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) == wanted
