"""The program log: where it goes, how much of it, and the options that say so.

Standard error only: standard output belongs to what the command is for. Who does not read it holds up nothing.
"""

import logging
import logging.config
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.standard_error import StandardError
from ocpp16.regular_file import read_regular

F = TypeVar("F", bound=Callable[..., Any])

LEVELS = ("debug", "info", "warning", "error")


@dataclass(slots=True)
class LogChoice:
    """What the options say about the log."""

    is_verbose: bool = False
    level: str | None = None
    errors: StandardError = field(default_factory=StandardError)

    def begin(self, usual: str, file: Path | None = None) -> None:
        """Begin logging. `usual`: the level if none was chosen; `file`: settings in the form of logging.config.

        Raises CommandFailed if that file cannot be used.
        """
        logging.raiseExceptions = False  # a standard error that is closed is no reason to complain on it
        if file is None:
            handler = logging.StreamHandler(self.errors)
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
            logging.getLogger().addHandler(handler)
        else:
            _configure(file)
            for other in _handlers():
                if isinstance(other, logging.StreamHandler) and other.stream is sys.stderr:
                    other.setStream(self.errors)
        level = self.level or ("debug" if self.is_verbose else usual if file is None else None)
        if level is not None:
            logging.getLogger().setLevel(level.upper())


def _configure(file: Path) -> None:
    """Raises CommandFailed."""
    try:
        read_regular(file)  # of one that is not there it would say what of its content is missing
        logging.config.fileConfig(file, disable_existing_loggers=False)
    except OSError as error:
        raise CommandFailed(f"{file}: cannot be read: {error.strerror or error}") from error
    except KeyError as error:
        raise CommandFailed(f"{file}: {error.args[0]} is missing") from error
    except Exception as error:  # configparser, eval of arguments, imports: it may raise anything
        raise CommandFailed(f"{file}: {error}") from error


def _handlers() -> Iterator[logging.Handler]:
    yield from logging.getLogger().handlers
    for logger in logging.getLogger().manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            yield from logger.handlers


def log_options(command: F) -> F:
    """Add -v and --log-level; they may stand before the name of the subcommand or after it."""

    def set_verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(LogChoice).is_verbose = True

    def set_level(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.ensure_object(LogChoice).level = value

    with_level = click.option(
        "--log-level",
        type=click.Choice(LEVELS, case_sensitive=False),
        expose_value=False,
        callback=set_level,
        help="How much is logged on standard error.",
    )
    with_verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=set_verbose,
        help="Log everything, and show tracebacks.",
    )
    return with_verbose(with_level(command))
