"""Processes that benchmarks start: a Central System with canned answers, and children that measure themselves.

Each in a session of its own, so that Ctrl-C reaches only the benchmark, which then ends those it started. With two
processors or more the Central System has one of its own.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_PROCESSORS = sorted(os.sched_getaffinity(0))


class Server:
    """The Central System of `canned_central_system.py`."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self._process = process
        self.port = port

    def finish(self) -> dict[str, Any]:
        """End it. Returns what it has seen: `calls` by action and `last`, when the last came, by `time.monotonic`."""
        seen, _ = self._process.communicate()
        return dict(json.loads(seen))


@contextmanager
def central_system(*certificate_and_key: Path) -> Iterator[Server]:
    """It is ready, and ends with the block. With a certificate and its key it speaks TLS."""
    with _started("canned_central_system.py", _PROCESSORS[0], *certificate_and_key, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Server(process, int(process.stdout.readline()))


def measured(
    script: str, *arguments: object, under: Sequence[str] = (), environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """What a child prints at its end, which is JSON. Raises RuntimeError when it fails.

    under: the command that runs the interpreter. environment: that of the child, else ours.
    """
    with _started(script, _PROCESSORS[-1], *arguments, under=under, environment=environment) as process:
        told, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{script} {' '.join(map(str, arguments))} failed: exit code {process.returncode}")
    return dict(json.loads(told.splitlines()[-1]))


@contextmanager
def _started(
    script: str,
    processor: int,
    *arguments: object,
    stdin: int | None = subprocess.DEVNULL,
    under: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> Iterator["subprocess.Popen[str]"]:
    command = [*under, sys.executable, str(HERE / script), *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    )
    try:
        os.sched_setaffinity(process.pid, {processor})
        yield process
    finally:
        process.kill()  # nothing, if it has ended
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def progress(text: str) -> None:
    """Where a long benchmark is; overwritten by what follows."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text} …", end="\r", file=sys.stderr, flush=True)
    else:
        print(f"{text} …", file=sys.stderr, flush=True)


# Of a child, about itself


def cpu_seconds() -> float:
    """User and system time of this process, its threads included."""
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def memory_in_use() -> int:
    """Bytes of this process that are its own."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this kernel tells no Pss")


def allow_files(count: int) -> None:
    """Raises RuntimeError if the system does not allow so many open files."""
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if highest != resource.RLIM_INFINITY and highest < count:
        raise RuntimeError(f"{count} open files are needed, and {highest} are allowed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, highest))


def tell(**found: object) -> None:
    """The last line of a child."""
    print(json.dumps(found), flush=True)
