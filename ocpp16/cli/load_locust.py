"""`ocpp16 load --locust-master` and `--locust-worker`: Locust takes this process over."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import click
from click.core import ParameterSource

from ocpp16.cli.failure import CommandFailed
from ocpp16.load.locust_command import OPTIONS, LocustMissing

_LOG: Final = frozenset({"verbose", "log_level", "more"})
_OF_MASTER: Final = _LOG | {"locust_master", "csms", "charge_points", "rate", "duration"}
_OF_WORKER: Final = _LOG | {
    *(
        "locust_worker",
        "named",
        "values",
        "blueprint",
        "keys",
        "password",
        "password_file",
        "csms",
        "seed",
        "certs",
        "addresses",
    ),
}
"""Parameters of the command that each of them takes."""


def check_options(context: click.Context) -> None:
    """What is given is for the master, or for the worker, which of them it is to be. Raises CommandFailed."""
    given = {
        one.name: one.opts[0]
        for one in context.command.params
        if one.name is not None and context.get_parameter_source(one.name) is ParameterSource.COMMANDLINE
    }
    if "locust_master" in given and "locust_worker" in given:
        raise CommandFailed("--locust-master and --locust-worker are two processes: begin one of each")
    is_master = "locust_master" in given
    role, other = ("--locust-master", "workers") if is_master else ("--locust-worker", "master")
    mine, others = (_OF_MASTER, _OF_WORKER) if is_master else (_OF_WORKER, _OF_MASTER)
    problems = []
    for name, option in given.items():
        if name in mine:
            continue
        if name in others:
            problems.append(f"{option}: not with {role}; give it to the {other}")
        elif name == "web":
            problems.append("--web: with Locust the figures are on the page of its master")
        else:
            problems.append(
                f"{option}: not with {role}; options of Locust come after --, and a file of yours can say the rest"
            )
    if problems:
        raise CommandFailed(*problems)


def become(command: Callable[[], list[str]], options: Mapping[str, Any]) -> NoReturn:
    """Run Locust instead of this program. options: of the charge points. Raises CommandFailed."""
    try:
        words = command()
    except LocustMissing as error:
        raise CommandFailed(str(error)) from None
    except ValueError as error:
        raise CommandFailed(f"--locust-worker: {error}") from None
    given = {name: value for name, value in options.items() if value}
    environment = {**os.environ, OPTIONS: json.dumps(given)}
    os.execve(words[0], words, environment)  # noqa: S606 - our own interpreter, without a shell
