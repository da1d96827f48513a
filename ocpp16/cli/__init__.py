"""The `ocpp16` command: a demonstration, a simulated charge point, a Central System to try with, smart charging.

One file for each subcommand; `main` is the entry point. What a terminal needs comes with the extra `cli`, so nothing
here but this file is imported without it.
"""

import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from ocpp16.cli.importing import uninterrupted

NEEDED = ("click", "rich", "prompt_toolkit")
SERVERS = {"charge-point", "central-system", "fleet", "proxy"}
"""Subcommands that have done their duty when they are told to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (None: the process's) and return its exit code.

    0: done; 1: something unexpected, or the demonstration failed; 2: the command cannot be carried out as it is given
    (options, files, configuration, port, database); 130: interrupted by Ctrl-C; 143: told to end by SIGTERM, where that
    is not how it ends anyway.
    """
    code = 130
    try:
        with _Starting(sys.argv[1:] if arguments is None else arguments):
            if all(find_spec(name) for name in NEEDED):
                with uninterrupted():
                    from ocpp16.cli.command_line import run

                code = run(arguments)
            else:
                print('ocpp16: the command line needs an extra: pip install "ocpp16[cli]"', file=sys.stderr)
                code = 2
    except KeyboardInterrupt:  # while that was imported, or the end was on its way
        code = 130
    if code == 130:
        # An interrupt in code made from text (dataclasses at import) leaves a mark that the interpreter ends itself by
        # SIGINT for, whoever has caught it; the next code made from text takes it away.
        exec("")  # noqa: S102
    return code


class _Starting:
    """Until the program listens to SIGTERM itself, and after it has, there is nothing to be ended in order."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._code = 0 if SERVERS.intersection(arguments) else 143

    def __enter__(self) -> None:
        try:
            self._before = signal.signal(signal.SIGTERM, lambda number, frame: os._exit(self._code))
        except ValueError:  # not in the main thread
            self._before = None

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
