"""The `ocpp16` command: a demonstration, a simulated charge point, a Central System to try with, smart charging.

One file for each subcommand; `main` is the entry point. What a terminal needs comes with the extra `cli`, so nothing
here but this file is imported without it.
"""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

NEEDED = ("click", "rich", "prompt_toolkit")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (None: the process's) and return its exit code.

    0: done; 1: something unexpected, or the demonstration failed; 2: the command cannot be carried out as it is given
    (options, files, configuration, port, database); 130: interrupted by Ctrl-C.
    """
    if not all(find_spec(name) for name in NEEDED):
        print('ocpp16: the command line needs an extra: pip install "ocpp16[cli]"', file=sys.stderr)
        return 2
    try:
        from ocpp16.cli.command_line import run

        return run(arguments)
    except KeyboardInterrupt:  # while that was imported, or the end was on its way
        return 130
