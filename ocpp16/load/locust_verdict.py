"""What Locust does not judge by itself: it ends with 0 also where a worker was killed in the middle, with its charge
points and figures, and where nobody came to the end of a scenario, so that nothing was judged.

A worker that ends in order is the will of whoever ended it. Nothing of this imports Locust.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ocpp16.texts import shown

REPORT: Final = "ocpp16"
"""What a worker's report to its master has of ours: how often each scenario came to its end, by its name or file."""
MOST_SCENARIOS: Final = 1_000
"""That a master keeps of one worker."""
MOST_WORKERS: Final = 10_000

log: Final = logging.getLogger("ocpp16")


class Verdict:
    """Of one test. played: how often each scenario came to its end in this process."""

    def __init__(self) -> None:
        self.played: dict[str, int] = {}
        self._of_workers: dict[str, dict[str, int]] = {}
        self._missing: set[str] = set()

    def begin(self) -> None:
        """Another test."""
        self.played = {}
        self._of_workers.clear()
        self._missing.clear()

    def heard(self, worker: str, data: Mapping[str, Any]) -> None:
        """A worker's report came to the master; what cannot be is told, and left."""
        told = data.get(REPORT, {})
        if not isinstance(told, dict) or len(told) > MOST_SCENARIOS or not all(map(_is_count, told.items())):
            log.warning("worker %s reports what cannot be: %s", shown(worker, 64), shown(told, 200))
            return
        if told and (worker in self._of_workers or len(self._of_workers) < MOST_WORKERS):
            self._of_workers[worker] = told

    def miss(self, workers: Iterable[str]) -> None:
        """These are not heard of, in the middle of a test."""
        self._missing.update(workers)

    def problems(self, present: Iterable[str] = ()) -> list[str]:
        """Why this was no good test, in sentences. present: workers that are heard of now."""
        found = []
        lost = len(self._missing.difference(present))
        if lost:
            charge_points = "with charge points and figures that nobody knows"
            found.append(f"{lost} {'worker was' if lost == 1 else 'workers were'} lost in the middle, {charge_points}")
        ended = dict.fromkeys(self.played, 0)
        for played in (self.played, *self._of_workers.values()):
            for scenario, times in played.items():
                ended[scenario] = ended.get(scenario, 0) + times
        found += [
            f"nobody came to the end of the scenario {shown(scenario, 200)}: nothing of it was judged"
            for scenario, times in ended.items()
            if not times
        ]
        return found


def _is_count(one: tuple[Any, Any]) -> bool:
    name, times = one
    return isinstance(name, str) and type(times) is int and times >= 0
