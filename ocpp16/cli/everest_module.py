"""`ocpp16 everest-module`: the folder that EVerest's manager wants, to name it in its configuration."""

from pathlib import Path

import click

from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.everest.laying import ForeignFile, WrongFolder, lay
from ocpp16.texts import shown


@click.command("everest-module", short_help="Lay the folder of a module for EVerest.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Write over files that are not of this command.")
@log_options
@click.pass_obj
def everest_module(choice: LogChoice, folder: Path, force: bool) -> int:
    """Lay manifest.yaml and module.py into DIR, for EVerest's manager.

    DIR is libexec/everest/modules/NAME of an EVerest installation; NAME is then named as `module:` in its
    configuration. Files laid before are written over, others only with --force. docs/everest.md has all steps.
    """
    choice.begin("warning")
    try:
        laid = lay(folder, is_forced=force)
    except (ForeignFile, WrongFolder) as error:
        raise CommandFailed(shown(error, 1000)) from error
    except OSError as error:
        raise CommandFailed(f"{shown(error.filename or folder, 1000)}: {error.strerror}") from error
    for file in laid:
        click.echo(f"{file.outcome}: {file.path}")
    click.echo(f"In EVerest's configuration: module: {laid[0].path.parent.name}")
    return 0
