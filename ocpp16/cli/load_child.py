"""`ocpp16 load --worker`: a child process of a load test, whose job comes by standard input."""

import os
import time
from functools import partial
from typing import Final

import trio

from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.running import Ending, run
from ocpp16.cli.standard_streams import STDIN, StandardInput, StandardOutput
from ocpp16.load.lines import LONGEST, LineError, Lines, parsed
from ocpp16.load.worker import Worker
from ocpp16.texts import shown

NO_OUTCOME: Final = 1
"""Exit code of one that came to none."""


def work() -> int:
    """The job is the first line; how fast time passes is known only then."""
    begun = b""
    while b"\n" not in begun and len(begun) <= LONGEST:
        chunk = os.read(STDIN, 65_536)
        if not chunk:
            return 0  # there is no parent any more
        begun += chunk
    first, _, rest = begun.partition(b"\n")
    try:
        speed = parsed(first).get("speed", 1.0)
    except LineError as error:
        raise CommandFailed(f"the first line is no job: {error}") from None
    if not isinstance(speed, int | float) or isinstance(speed, bool) or not 0.5 <= speed <= 200:
        raise CommandFailed(f"speed must be a number from 0.5 to 200, not {shown(speed, 64)}")
    codes: list[int] = []
    run(partial(_work_in_trio, first, rest, codes), speed=float(speed))
    return codes[0] if codes else NO_OUTCOME


async def _work_in_trio(first: bytes, rest: bytes, codes: list[int], ending: Ending) -> None:
    output = StandardOutput(partial(ending.begin, "standard output was closed"))
    worker = Worker(first, Lines(StandardInput(), rest), output.write, wall=time.time, cpu=time.process_time)

    async def listen() -> None:
        await ending.wait()
        worker.stop()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        codes.append(await worker.run())
        nursery.cancel_scope.cancel()
