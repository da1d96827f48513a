"""What charge points cannot be is told before anything begins, by the option that is wrong."""

import socket
from pathlib import Path

import pytest

from ocpp16.cli import main

TO = ("--csms", "ws://csms.example/")
COMMANDS: dict[str, tuple[str, ...]] = {
    "load": ("load",),
    "scenario": ("scenario", "run", "boot-storm"),
    "fleet": ("fleet",),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--csms", "http://x/"), '--csms: Internal.CentralSystemURI = "http://x/": must begin with ws://'),
        (("--csms", "wss://x/"), "--password: Security.SecurityProfile = 2: needs an AuthorizationKey"),
        ((*TO, "--id", ""), "--id: the pattern makes"),
        ((*TO, "--key", "Core.Nope=1"), "--key Core.Nope=1: Core.Nope: is not a key of this section"),
        ((*TO, "--key", "Nope.X=1"), "--key Nope.X=1: Nope: is not a section"),
        ((*TO, "--password", "short"), "--password: Security.AuthorizationKey = (secret): must have 8 to 100 bytes"),
        (
            (*TO, "--key", "Security.AuthorizationKey=geheim"),
            "--key Security.AuthorizationKey: Security.AuthorizationKey = (secret): must have 8 to 100 bytes",
        ),
        ((*TO, "--certs", "/not/there"), "'--certs': Directory '/not/there' does not exist."),
        ((*TO, "--blueprint", "tricycle"), "--blueprint"),
    ],
)
def test_of_each_option(command: str, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMANDS[command], *options]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert "geheim" not in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("load", *TO, "--connectors", "5000"), "'--connectors': 5000 is not in the range 1<=x<=1000"),
        (("load", *TO, "--web-host", "localhost"), "--web-host: there is no panel without --web"),
        (("load", "--locust-worker", "x:y"), "--locust-worker: must be HOST or HOST:PORT"),
        (("proxy", "--listen", "127.0.0.1:0", "--csms", "http://u:p@x"), "--csms http://…@x: must begin with ws://"),
    ],
)
def test_of_one_command(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(list(words)) == 2
    assert said in capsys.readouterr().err


def test_a_test_that_never_began_leaves_the_reports_of_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "results.json"
    report.write_text("of yesterday")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["load", "--csms", "ws://127.0.0.1:9/", "--metrics-port", port, "--json", str(report)]) == 2
    assert f"cannot listen on 127.0.0.1, port {port}: another program listens there" in capsys.readouterr().err
    assert report.read_text() == "of yesterday"
