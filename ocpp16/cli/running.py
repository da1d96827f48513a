"""Running a command's trio program to an orderly end, whatever asks for it.

The first SIGINT (Ctrl-C), SIGTERM or SIGHUP asks; the program has `GRACE` seconds for it. A second one cuts that short.
What was told to the charge point is on disk in any case.
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import trio

from ocpp16.cli.failure import INTERRUPTED
from ocpp16.cli.scaled_clock import ScaledClock

GRACE = 15.0
"""Real seconds, whatever clock the program runs on."""


class Ending:
    """The end of the program: asked for once, by whoever is first, with a reason and the exit code to end with."""

    def __init__(self) -> None:
        self.reason: str = ""
        self.exit_code: int = 0
        self._begun = trio.Event()

    def begin(self, reason: str, exit_code: int = 0) -> None:
        """Ask the program to end."""
        if not self._begun.is_set():
            self.reason = reason
            self.exit_code = exit_code
            self._begun.set()

    async def wait(self) -> None:
        """Wait until somebody asks."""
        await self._begun.wait()


Program = Callable[[Ending], Awaitable[None]]


def run(
    program: Program, *, exit_code_of_sigterm: int = 0, speed: float = 1.0, is_calendar_faster: bool = False
) -> int:
    """Run `program`, which is to return soon after the ending has begun; returns the exit code.

    SIGINT leads to 130, SIGTERM to `exit_code_of_sigterm`: a server that was told to end has done its duty. SIGHUP is
    the end of the terminal, and counts as SIGTERM. `speed`: how many times faster than in reality time passes;
    `is_calendar_faster`: also that of time stamps, for what is talked to is in this program, too.
    """
    exit_codes = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: exit_code_of_sigterm}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it is to be survived
        exit_codes[signal.SIGHUP] = exit_code_of_sigterm and 128 + signal.SIGHUP
    clock = None if speed == 1.0 else ScaledClock(speed, is_calendar=is_calendar_faster)
    return trio.run(_run, program, exit_codes, GRACE * speed, clock=clock)


async def _run(program: Program, exit_codes: dict[signal.Signals, int], grace: float) -> int:
    ending = Ending()
    with trio.open_signal_receiver(*exit_codes) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, signals, exit_codes, ending, nursery.cancel_scope, grace)
            await program(ending)
            nursery.cancel_scope.cancel()
    return ending.exit_code


async def _listen(
    signals: AsyncIterator[int],
    exit_codes: dict[signal.Signals, int],
    ending: Ending,
    everything: trio.CancelScope,
    grace: float,
) -> None:
    is_asked = False
    async for number in signals:
        received = signal.Signals(number)
        if is_asked:
            everything.cancel()
        is_asked = True
        ending.begin(received.name, exit_codes[received])
        everything.deadline = min(everything.deadline, trio.current_time() + grace)
