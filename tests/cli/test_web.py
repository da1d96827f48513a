"""`--web`: the panel beside a station and beside the demonstration, each from its own process."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import trio
import trio.testing
from patience import PATIENCE

from ocpp16.cli import main
from ocpp16.cli.web_panel import Web, is_loopback, serve_panel
from ocpp16.testing import CentralSystem
from ocpp16.web.panel import Panel

pytestmark = [pytest.mark.world]

TOKEN = "token-of-the-cli-tests"
CSMS = ("--csms", "ws://127.0.0.1:1/", "--id", "cp")
COMMANDS = [("charge-point", *CSMS), ("demo",), ("load", *CSMS[:2])]


def asked(url: str, path: str = "", token: str = "") -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(url.partition("#")[0] + path, headers=headers), timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.real_time
async def test_a_station_with_a_panel(control: Callable[..., Any], write_configuration: Callable[..., Path]) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        async with control(write_configuration(port), "--web") as station:
            url = (await station.event("web"))["url"]
            assert url.startswith("http://127.0.0.1:")
            token = url.partition("#")[2]
            assert len(token) >= 32
            await station.event("boot", status="Accepted")
            status, page = await trio.to_thread.run_sync(asked, url)
            assert status == 200
            assert b"<!doctype html>" in page
            assert (await trio.to_thread.run_sync(asked, url, "api/state"))[0] == 401
            status, state = await trio.to_thread.run_sync(asked, url, "api/state", token)
            assert status == 200
            assert json.loads(state)["parts"]["station"]["identity"] == "cp001"
            stream = await trio.open_tcp_stream("127.0.0.1", int(url.split(":")[2].split("/")[0]))
            head = f"GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
            await stream.send_all(head.encode())
            assert b"200" in await stream.receive_some()
            # That page does not read any more, and the station ends all the same. Nothing is traced, as nobody asked.
            assert await station.end_input() == 0
            assert not any(record.get("event") == "message" for record in station.printed)
            assert token not in station.errors.decode()
            assert b"Traceback" not in station.errors
            await stream.aclose()


@pytest.mark.real_time
async def test_ctrl_c_ends_it_while_somebody_looks(
    control: Callable[..., Any], write_configuration: Callable[..., Path]
) -> None:
    async with control(write_configuration(), "--web", "0", "--web-token", TOKEN) as station:
        url = (await station.event("web"))["url"]
        assert url.endswith(f"/#{TOKEN}")
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        head = f"GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        await stream.send_all(head.encode())
        assert b"200" in await stream.receive_some()
        station.process.send_signal(signal.SIGINT)
        with trio.fail_after(PATIENCE):
            told = b""
            while more := await stream.receive_some():
                told += more
        assert b'"ending":"SIGINT"' in told
        assert await station.exit_code() == 130
        assert station.printed[-1] == {**station.printed[-1], "event": "exit", "reason": "SIGINT"}
        assert b"Traceback" not in station.errors
        await stream.aclose()


def test_without_any_input_it_is_worked_from_the_page(write_configuration: Callable[..., Path]) -> None:
    """As a service: that nobody types is no end of input."""
    typed = [sys.executable, "-m", "ocpp16", "charge-point", "--conf", str(write_configuration()), "--web"]
    with subprocess.Popen(
        [*typed, "--web-token", TOKEN], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as station:
        assert station.stdout is not None
        url = next(line for line in station.stdout if line.startswith(b"panel: "))[7:].decode().strip()
        assert asked(url)[0] == 200
        assert station.poll() is None
        station.send_signal(signal.SIGTERM)
        assert b"stopped: SIGTERM" in station.stdout.read()
    assert station.returncode == 0


def test_the_console_says_where_and_the_environment_has_the_token(
    ocpp16: Callable[..., subprocess.CompletedProcess[str]], write_configuration: Callable[..., Path]
) -> None:
    typed = ("charge-point", "--conf", str(write_configuration()), "--web")
    done = ocpp16(*typed, typed=b"quit\n", OCPP16_WEB_TOKEN=TOKEN)
    assert done.returncode == 0
    assert "panel: http://127.0.0.1:" in done.stdout
    assert f"/#{TOKEN}" in done.stdout
    assert "encrypted" not in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST"])
def test_who_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "panel.example", "localhost.example", ""])
def test_who_others_reach_too(host: str) -> None:
    assert not is_loopback(host)


async def test_then_a_warning_says_so(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("ocpp16.cli.web_panel.is_loopback", lambda host: False)
    async with trio.open_nursery() as nursery:
        url = await serve_panel(nursery, Panel(), Web(0, token=TOKEN))
        nursery.cancel_scope.cancel()
    assert url.startswith("http://127.0.0.1:")
    assert caplog.messages == [
        "the panel on 127.0.0.1 can be reached from other machines, and nothing of it is encrypted"
    ]


async def token_for(address: str, code: str) -> int:
    """The status, for a browser that has this code."""
    host, _, port = address.removeprefix("http://").rstrip("/").partition(":")
    stream = await trio.open_tcp_stream(host, int(port))
    async with stream:
        lines = (
            "POST /api/token HTTP/1.1",
            f"Host: {host}:{port}",
            f"Authorization: Bearer {code}",
            "Connection: close",
        )
        await stream.send_all("".join(f"{line}\r\n" for line in (*lines, "Content-Length: 0", "")).encode())
        answer = b"".join([part async for part in stream]).decode()
    status = int(answer.split()[1])
    assert answer.endswith(TOKEN) == (status == 200)
    return status


@pytest.mark.parametrize("display", ["", ":0"])
@pytest.mark.parametrize("is_there", [True, False])
async def test_it_is_opened_where_that_can_be_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, display: str, is_there: bool
) -> None:
    opened: list[str] = []
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.setenv(name, display if name == "DISPLAY" else "")

    def opening(url: str) -> bool:
        opened.append(url)
        return is_there

    monkeypatch.setattr("webbrowser.open", opening)
    async with trio.open_nursery() as nursery:
        url = await serve_panel(nursery, Panel(), Web(0, token=TOKEN, is_opened=True))
        while not (opened and is_there) and not caplog.messages:
            await trio.lowlevel.checkpoint()
        await trio.testing.wait_all_tasks_blocked()
        if display:
            (shown,) = opened
            at, code = shown.split("#once:")
            assert (at, TOKEN in shown) == (url.partition("#")[0], False)
            assert await token_for(at, code) == (200 if is_there else 401)
            assert await token_for(at, code) == 401, "it is good once"
        nursery.cancel_scope.cancel()
    assert bool(opened) == bool(display)
    assert bool(caplog.messages) == (not (display and is_there))
    assert TOKEN not in caplog.text


@pytest.fixture
def taken_port() -> Iterator[str]:
    """A port on which somebody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield str(held.getsockname()[1])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_taken_port(
    ocpp16: Callable[..., subprocess.CompletedProcess[str]], taken_port: str, command: tuple[str, ...]
) -> None:
    done = ocpp16(*command, "--web", taken_port)
    assert done.returncode == 2
    assert done.stderr == (f"ocpp16: cannot listen on 127.0.0.1, port {taken_port}: another program listens there\n")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--open",), "--open: there is no panel without --web"),
        (("--web-host", "127.0.0.2"), "--web-host: there is no panel without --web"),
        (("--web", "--web-token", "short"), "--web-token: 16 to 200 letters"),
        (("--web", "--web-token", "with blanks in the token"), "--web-token: 16 to 200 letters"),
        (("--web", "--web-token", "x" * 201), "--web-token: 16 to 200 letters"),
        (("--web", "65536"), "'--web'"),
    ],
)
def test_what_cannot_be(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], options: tuple[str, ...], problem: str
) -> None:
    assert main([*command, *options]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_without_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "hypercorn", None)
    for name in [name for name in sys.modules if name.startswith(("ocpp16.web", "hypercorn."))]:
        monkeypatch.delitem(sys.modules, name)
    assert main([*command, "--web"]) == 2
    assert capsys.readouterr().err == 'ocpp16: --web needs an extra: pip install "ocpp16[web]"\n'


@pytest.mark.parametrize("option", [("--locust-master",), ("--locust-worker", "127.0.0.1")])
def test_locust_has_a_page_of_its_own(capsys: pytest.CaptureFixture[str], option: tuple[str, ...]) -> None:
    assert main(["load", *CSMS[:2], "--web", *option]) == 2
    assert "--web: with Locust the figures are on the page of its master" in capsys.readouterr().err


@pytest.mark.real_time
@pytest.mark.parametrize("processes", [1, 2])
async def test_a_load_test_with_a_panel(command: tuple[str, ...], tmp_path: Path, processes: int) -> None:
    story = tmp_path / "story.toml"
    story.write_text('[[stage]]\nkind = "ramp"\nover = 0.2\n[[stage]]\nkind = "hold"\nduration = 600\n')
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        arguments = ("load", "--csms", f"ws://127.0.0.1:{port}/", "--charge-points", "4", "--scenario", str(story))
        more = ("--processes", str(processes), "--web", "--web-token", TOKEN)
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                process = await trio.lowlevel.open_process(
                    [*command, *arguments, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
                )
                assert process.stdout is not None
                assert process.stderr is not None
                try:
                    said = b""
                    while b"\n" not in said:
                        said += await process.stderr.receive_some()
                    nursery.start_soon(_drain, process.stderr)
                    nursery.start_soon(_drain, process.stdout)
                    url = said.partition(b"panel at ")[2].split()[0].decode()
                    state: dict[str, Any] = {}
                    while state.get("parts", {}).get("now", {}).get("registered") != 4:
                        await trio.sleep(0.2)
                        state = json.loads((await trio.to_thread.run_sync(asked, url, "api/state", TOKEN))[1])
                    assert state["parts"]["test"]["scenario"] == "story"
                    assert (state["ids"] is None) == (processes > 1)
                    assert state["parts"].get("states/0") == ("AAAA" if processes == 1 else None)
                    path = "api/state?charge_point=CP00001"
                    status, one = await trio.to_thread.run_sync(asked, url, path, TOKEN)
                    assert status == (200 if processes == 1 else 404), one
                    process.send_signal(signal.SIGINT)
                    assert await process.wait() == 130
                finally:
                    if process.poll() is None:
                        process.kill()


@pytest.mark.real_time
async def test_the_demonstration_goes_on_in_the_browser(command: tuple[str, ...], tmp_path: Path) -> None:
    arguments = ("demo", "--speed", "100", "--web", "--web-token", TOKEN)
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            process = await trio.lowlevel.open_process(
                [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
            )
            assert process.stdout is not None
            printed = b""
            try:
                async for chunk in process.stdout:
                    printed += chunk
                    if b"the station is yours in the browser" in printed:
                        break
                url = printed.partition(b"panel: ")[2].split()[0].decode()
                state = json.loads((await trio.to_thread.run_sync(asked, url, "api/state", TOKEN))[1])
                assert state["parts"]["station"]["identity"] == "demo"
                assert state["parts"]["clock"]["speed"] == 100
                assert state["parts"]["counters"]["calls_answered"] > 20
                process.send_signal(signal.SIGINT)
                nursery.start_soon(_drain, process.stdout)
                assert await process.wait() == 130
            finally:
                if process.poll() is None:
                    process.kill()
            assert process.stderr is not None
            assert await process.stderr.receive_some() == b""
            await process.stderr.aclose()


async def _drain(stream: Any) -> None:
    async for _ in stream:
        pass
    await stream.aclose()
