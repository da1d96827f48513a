"""One charge point through all that can happen to it: drivers, a Central System that asks for everything, a bad
network, and kill -9. `LongRun.problems` is what was wrong.

The charge point is `ocpp16 charge-point` in a process of its own with database and message log, the Central System
csms_process.py in another, between them BadNetwork. What happens is drawn, so a seed tells the same story again, as far
as processes and sockets have the same pace.

After each start what is in force is compared with what was asked for and answered; after each end the files are read;
when all is over the Central System must have heard everything (long_run_record.py).
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from bad_network import BadNetwork
from long_run_acts import ACTS, CHANGES
from long_run_configuration import CONNECTORS
from long_run_files import left_over, logged_ids
from long_run_record import strict_transactions
from long_run_site import Site
from long_run_troubles import TROUBLES, heal
from programs import CentralSystemProgram

MOMENTS = ("BootNotification", "StatusNotification", "StartTransaction", "MeterValues", "StopTransaction")
"""Requests upon which a life may end."""
LATEST = 5
"""Calls of the last life that must be in the message log, whatever was rotated away."""

Act = Callable[[Site], object]


class LongRun:
    """Parameters as of Site."""

    def __init__(
        self,
        csms: CentralSystemProgram,
        network: BadNetwork,
        folder: Path,
        seed: int,
        launcher: Sequence[str] = (),
    ) -> None:
        self.site = Site(csms, network, folder, seed, launcher)
        self.acts = 0
        self._random = self.site.random

    def run(self, rounds: int, kills: int | None = None) -> None:
        """So many lives, or parts of lives, or as many as bring so many kills; then let it live until all is told.

        Raises AssertionError if that takes too long, or a program ends that should not.
        """
        for number in range(rounds):
            if self.site.kills == kills:
                break
            try:
                self._live()
            except BaseException as error:
                error.add_note(f"seed {self.site.seed}, round {number}")
                raise
        self.finish()

    def finish(self) -> None:
        """Let it live, undisturbed, until all is told; then look at everything."""
        site = self.site
        heal(site)
        if not site.is_alive:
            site.start()
        for connector in CONNECTORS:
            site.program.do("unplug", connector=connector)
        site.drain()
        site.end_in_order("input")
        site.found += left_over(site.folder)
        latest = set(site.record.ids_since_boot()[-LATEST:])
        site.found += [f"the call {one} is in no log" for one in latest - logged_ids(site.folder)]
        site.found += site.record.problems(site.told)
        site.found += [f"the package ocpp objects: {text}" for text in site.csms.objections]

    @property
    def problems(self) -> list[str]:
        return self.site.found

    @property
    def transactions(self) -> int:
        """Of the whole run, those that had to be told in the order in which they came."""
        return strict_transactions(self.site.record.frames)

    def _live(self) -> None:
        site, random = self.site, self._random
        if random.random() < 0.4:
            heal(site)
        if not site.is_alive:
            if random.random() < 0.15:
                site.be_stillborn()
            site.start()
        upon = random.choice((None, *MOMENTS))
        arrived = 0 if upon is None else site.record.arrivals(upon)
        for _ in range(random.randint(2, 16)):
            if random.random() < 0.2:
                choose(TROUBLES, random)(site)
            choose(ACTS, random)(site)
            self.acts += 1
            site.look()
            if upon is not None and site.record.arrivals(upon) > arrived:
                break
            time.sleep(site.pace * random.choice((0, 0, 0.02, 0.1, 0.3, 0.8)))
        end = random.random()
        if end < 0.4:
            site.kill()
        elif end < 0.7:
            self._die_in_a_change()
        elif end < 0.85:
            site.end_in_order(random.choice(("input", "signal")))

    def _die_in_a_change(self) -> None:
        """Killed while it is made, or as soon as it was answered."""
        site, random = self.site, self._random
        site.patience, usual = random.choice((0.0, 1.0)), site.patience
        choose(CHANGES, random)(site)
        site.patience = usual
        time.sleep(random.choice((0, site.pace * random.uniform(0, 0.02))))
        site.kill()


def choose(acts: Sequence[tuple[int, Act]], random: Random) -> Act:
    """One of them, by its weight."""
    return random.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
