"""The command itself: which subcommands there are, and how what goes wrong is said.

Subcommands are imported when they are asked for, so that one does not wait for what another needs.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

import click

from ocpp16._version import __version__
from ocpp16.cli.failure import Explanation
from ocpp16.cli.importing import uninterrupted
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.texts import shown

SUBCOMMANDS = {
    "demo": ("ocpp16.cli.demo:demo", "Show a whole charging session, from boot to unplugging."),
    "charge-point": ("ocpp16.cli.charge_point:charge_point", "A simulated station, worked by commands or JSON lines."),
    "fleet": ("ocpp16.cli.fleet:fleet", "Many simulated charge points, worked by JSON lines."),
    "scenario": ("ocpp16.cli.scenario:scenario", "Play stories, and judge a Central System."),
    "load": ("ocpp16.cli.load:load", "Load a Central System, measure, and judge."),
    "central-system": ("ocpp16.cli.central_system:central_system", "Accept charge points and say what passes."),
    "schedule": ("ocpp16.cli.schedule.command:schedule", "What charging profiles come to, and why."),
    "doctor": ("ocpp16.cli.doctor:doctor", "What works between here and a Central System, step by step."),
    "certificates": ("ocpp16.cli.certificates:certificates", "Certificates and keys of a charge point."),
    "pki": ("ocpp16.cli.pki:pki", "Make certificates to try profiles 2 and 3 with."),
    "lint": ("ocpp16.cli.lint:lint", "Judge traffic of any vendor: traces and message logs."),
    "proxy": ("ocpp16.cli.proxy:proxy", "Stand between charge points and a Central System."),
    "replay": ("ocpp16.cli.replay:replay", "Play a trace again, either side of it."),
    "everest-module": ("ocpp16.cli.everest_module:everest_module", "Lay the folder of a module for EVerest."),
}
"""Name → module and function; the first sentence of its help, for which it need not be imported."""


LONGEST_SAID = 10_000
"""Characters of a line on standard error: some list what there is."""


class Subcommands(click.Group):
    """Imports a subcommand when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module, _, name = SUBCOMMANDS[cmd_name][0].partition(":")
        with uninterrupted():
            command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in SUBCOMMANDS.items()])


@click.group(
    cls=Subcommands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="ocpp16 %(version)s")
@log_options
@click.pass_context
def root(ctx: click.Context) -> None:
    """OCPP 1.6J charge points: a demonstration, a simulated station, a Central System to try with, smart charging,
    certificates, traces."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str] | None) -> int:
    """Run the command; whatever happens becomes an exit code and lines on standard error."""
    choice = LogChoice()
    _occupy_closed_streams()
    try:
        return _run(arguments, choice)
    finally:
        choice.errors.finish()


def _run(arguments: Sequence[str] | None, choice: LogChoice) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no arrows shall not end what is shown on it
    try:
        result = root.main(arguments, prog_name="ocpp16", standalone_mode=False, obj=choice)
        if sys.stdout is not None:
            sys.stdout.flush()  # what cannot be printed is found here, not by Python at its end
    except click.UsageError as error:
        _say(choice, error.format_message(), "ocpp16" if error.ctx is None else error.ctx.command_path)
        return error.exit_code
    except click.ClickException as error:
        _say(choice, error.format_message())
        return error.exit_code
    except click.Abort:
        return 130
    except (Exception, KeyboardInterrupt) as error:
        return _fail(choice, error)
    return result if isinstance(result, int) else 0


def _occupy_closed_streams() -> None:
    """Else the next file or socket would have the number of a standard stream, and what is printed would go there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _fail(choice: LogChoice, error: BaseException) -> int:
    explanation = Explanation(error)
    for line in explanation.lines:
        _say(choice, line)
    if explanation.is_unexpected:
        if choice.is_verbose:
            choice.errors.write("".join(traceback.format_exception(error)))
        else:
            _say(choice, "this should not happen; -v shows where it did")
    _forget_unread_output()
    return explanation.exit_code


def _say(choice: LogChoice, line: str, who: str = "ocpp16") -> None:
    """One line, whatever is in the text: that may be of others."""
    choice.errors.write(f"{who}: {shown(' '.join(line.split()), LONGEST_SAID)}\n")


def _forget_unread_output() -> None:
    """If nobody reads our standard output, Python must not find that out again at the end and complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
