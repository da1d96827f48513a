"""What the container file and the compose file name is there: paths, commands, options, what is asked for health."""

import ast
import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from ocpp16.cli.command_line import root as command
from ocpp16.cli.log import LogChoice

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "ci" / "container"
TEXT = (FOLDER / "Containerfile").read_text(encoding="utf-8")
INSTRUCTIONS = re.sub(r"\\\n", " ", "\n".join(line for line in TEXT.splitlines() if not line.startswith("#")))
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def instruction(name: str) -> list[str]:
    """What follows each of that name."""
    return re.findall(rf"^{name} +(.*)$", INSTRUCTIONS, re.MULTILINE)


def commands() -> list[Any]:
    found = [pytest.param(json.loads(instruction("CMD")[-1]), id="image")]
    return found + [pytest.param(service["command"], id=name) for name, service in SERVICES.items()]


def probes() -> list[list[str]]:
    found = [json.loads(re.split(r"\bCMD\b", line)[1]) for line in instruction("HEALTHCHECK")]
    return found + [service["healthcheck"]["test"][1:] for service in SERVICES.values() if "healthcheck" in service]


@pytest.mark.parametrize("words", commands())
def test_a_command_is_one_that_the_command_takes(words: list[str]) -> None:
    assert json.loads(instruction("ENTRYPOINT")[0]) == ["ocpp16"]
    subcommand = command.get_command(click.Context(command), words[0])
    assert subcommand is not None
    given = words[1:]
    context = subcommand.make_context(words[0], given, obj=LogChoice(), resilient_parsing=True)
    assert context.args == []
    options = {name for parameter in subcommand.params for name in parameter.opts}
    assert {word for word in given if word.startswith("--")} <= options


def test_a_file_of_the_share_folder_is_there() -> None:
    named = [words[words.index("--conf") + 1] for (words,) in (it.values for it in commands()) if "--conf" in words]
    assert named
    assert all((ROOT / "share" / name).is_file() for name in named)


def test_what_is_copied_is_there_and_enough_for_a_build() -> None:
    sources = [word for line in instruction("COPY") if "--from" not in line for word in shlex.split(line)[:-1]]
    assert all((ROOT / source).exists() for source in sources)
    assert {"pyproject.toml", "setup.py", "README.md", "LICENSE", "ocpp16", "share"} <= set(sources)


def test_what_the_build_installs_is_an_extra() -> None:
    extras = re.findall(r'"\.\[(\w+)\]"', TEXT)
    assert extras
    assert all(re.search(rf"^{extra} = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE) for extra in extras)


def test_it_does_not_run_as_root_and_keeps_what_lasts() -> None:
    uid = instruction("USER")[-1].split(":")[0]
    assert uid.isdigit()
    assert uid != "0"
    assert f"--uid {uid}" in INSTRUCTIONS
    assert instruction("VOLUME") == ["/data"]
    for service in SERVICES.values():
        assert all(volume.partition(":")[2] == "/data" for volume in service.get("volumes", []))
        assert all(volume.partition(":")[0] in COMPOSE["volumes"] for volume in service.get("volumes", []))


def test_what_asks_for_health_is_a_program_and_asks_where_something_listens() -> None:
    assert len(probes()) == 2
    for words in probes():
        assert words[:2] == ["python", "-c"]
        ast.parse(words[2])
        port = re.search(r"127\.0\.0\.1(?:'|:)\D*(\d+)", words[2])
        assert port is not None
        assert any(port[1] in parameter.values[0] for parameter in commands())


def test_compose_builds_the_container_file_from_the_root() -> None:
    build = SERVICES["station"]["build"]
    assert (FOLDER / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
    assert {need for service in SERVICES.values() for need in service.get("depends_on", {})} <= set(SERVICES)
