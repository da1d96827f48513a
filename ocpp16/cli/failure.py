"""What went wrong, in lines a person can use: whose fault it is decides the exit code.

Nobody is shown a traceback who did not ask for one. Errors that arrive in groups, as trio raises them, are told one by
one.
"""

import errno
from collections.abc import Iterator

import trio

from ocpp16.errors import ConfigurationError, StoreError
from ocpp16.texts import shown

UNEXPECTED = 1
CANNOT = 2
"""The command cannot be carried out as it is given."""
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""
ENDED = 143
"""The same of SIGTERM, for what was not done yet then."""

LONGEST_PATH = 200
"""Characters of a path that are told."""
_OF_A_PATH = frozenset({errno.EACCES, errno.EPERM, errno.ENAMETOOLONG})
"""What is wrong with a path that was given, so that nobody may even look whether there is something."""


class CommandFailed(Exception):
    """A command cannot go on; `problems` are sentences, one for each thing that is wrong."""

    def __init__(self, *problems: str, exit_code: int = CANNOT) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.exit_code = exit_code


class Explanation:
    """Of an exception: `lines` for standard error, `exit_code`, and whether it `is_unexpected` (a traceback helps)."""

    __slots__ = ("exit_code", "is_unexpected", "lines")

    def __init__(self, error: BaseException) -> None:
        self.lines: list[str] = []
        self.exit_code: int = 0
        self.is_unexpected: bool = False
        for leaf in leaves(error):
            lines, exit_code = self._of(leaf)
            self.lines += [line for line in lines if line not in self.lines]
            # What is unexpected outweighs what is known; an interrupt explains all that came with it.
            if exit_code == INTERRUPTED or self.exit_code not in {UNEXPECTED, INTERRUPTED}:
                self.exit_code = exit_code
        if self.exit_code == INTERRUPTED:
            self.lines, self.is_unexpected = [], False

    def _of(self, leaf: BaseException) -> tuple[tuple[str, ...], int]:
        match leaf:
            case CommandFailed():
                return leaf.problems, leaf.exit_code
            case ConfigurationError():
                return leaf.problems, CANNOT
            case StoreError():
                return (str(leaf),), CANNOT
            case KeyboardInterrupt() | RuntimeError(__cause__=KeyboardInterrupt()):
                return (), INTERRUPTED  # the latter, if it came while a class was made
            case BrokenPipeError():
                return (), UNEXPECTED  # nobody reads what we print
            case OSError(errno=number, filename=str() as path, strerror=why) if number in _OF_A_PATH:
                return (f"{shown(path, LONGEST_PATH)}: {why}",), CANNOT
        self.is_unexpected = True
        return (f"unexpected {type(leaf).__name__}: {leaf}".split("\n", 1)[0].removesuffix(": "),), UNEXPECTED


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group, and in groups within it; cancellations, which are nobody's fault, are left out."""
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from leaves(member)
    elif not isinstance(error, trio.Cancelled):
        yield error


def listening_failed(host: str, port: int, error: OSError | UnicodeError) -> CommandFailed:
    """For a port that cannot be listened on, or a host that is no name, as a label of it is empty or too long."""
    if isinstance(error, UnicodeError):
        return CommandFailed(f"cannot listen on {shown(host, 100)}, port {port}: that is no name of a machine")
    reasons = {
        errno.EADDRINUSE: "another program listens there",
        errno.EACCES: "not allowed",
        errno.EADDRNOTAVAIL: "no address of this machine",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    return CommandFailed(f"cannot listen on {host}, port {port}: {reason}")
