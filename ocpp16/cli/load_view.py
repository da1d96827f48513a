"""What is shown of a load test while it runs, and told to Prometheus and to pages in a browser.

The results are looked at in a thread, and by nobody else: a drawing, and a scrape, take those that are there.
"""

from collections.abc import Mapping
from functools import partial
from math import inf
from typing import Any, Final

import trio
from rich.console import Console

from ocpp16.cli.failure import listening_failed
from ocpp16.cli.standard_error import StandardError
from ocpp16.load.figures import ending, figures
from ocpp16.load.live import EVERY, LiveView, View, view_for
from ocpp16.load.load_test import LoadTest
from ocpp16.load.results import Results
from ocpp16.load.series import Latencies
from ocpp16.scenario import Scenario
from ocpp16.scenario.model import StageKind

LIVELY: Final = 1.0
"""Real seconds between two drawings on a terminal."""
RECENT: Final = 0.5
"""Real seconds for which results that were looked at serve others, too."""
TOLD_EVERY: Final = 5.0
"""Real seconds between two looks that histograms are made for."""


def about(scenario: Scenario, charge_points: int, duration: float | None, speed: float = 1.0) -> float:
    """Real seconds that the stages take if nothing is waited for. duration: real ones, instead of what is held as it is
    written; speed: how many times faster all else passes."""
    held = sum(stage.duration for stage in scenario.acts if stage.kind is StageKind.HOLD)
    other = 0.0
    for stage in scenario.acts:
        match stage.kind:
            case StageKind.HOLD:
                continue
            case StageKind.RESTART:
                other += stage.share * charge_points / stage.rate
            case StageKind.STORM:
                other += stage.times * stage.over + (stage.times - 1) * stage.pause
            case _:
                other += stage.over + stage.duration
    return other / speed + (held / speed if duration is None or not held else duration)


class Watching:
    """Parameters: `planned` as of `View.draw`; `speed`, how many times faster than in reality trio's clock is."""

    def __init__(self, test: LoadTest, errors: StandardError, planned: float | None, speed: float) -> None:
        self._test = test
        self._planned = planned
        self._speed = speed
        self._has_metrics = False
        self._results: Results | None = None
        self._seen: tuple[Results, list[Latencies]] | None = None
        self._seen_at = -inf
        self.view: View = view_for(Console(stderr=True, highlight=False), errors.write, lambda: None)
        """A context, while this runs."""

    async def serve_metrics(self, nursery: trio.Nursery, port: int) -> str:
        """Returns the URL. Raises CommandFailed if that port cannot be listened on."""
        from ocpp16.load.exporter import LoadCollector  # of an extra: the command says so where that is missing
        from ocpp16.metrics.http_door import HOST, REQUEST_TIMEOUT, serve_collector

        self._has_metrics = True
        self._results = await self._look(has_histograms=True)
        serve = partial(serve_collector, LoadCollector(self._known), port, timeout=REQUEST_TIMEOUT * self._speed)
        try:
            port = await nursery.start(serve)
        except OSError as error:
            raise listening_failed(HOST, port, error) from error
        return f"http://{HOST}:{port}/metrics"

    async def figures(self) -> Mapping[str, Any]:
        """What a page in a browser is told; those of the last drawing, if that was just now."""
        if self._seen is None or trio.current_time() > self._seen_at + RECENT * self._speed:
            await self._look(has_histograms=False)
        assert self._seen is not None
        results, latencies = self._seen
        return figures(results, planned=self._planned, waits_for=self._test.tally.waiting, latencies=latencies)

    async def last_words(self) -> str:
        """Why a page hears no more."""
        return ending(await self._look(has_histograms=False))

    async def run(self) -> None:
        """Draw, again and again, until cancelled."""
        is_live = isinstance(self.view, LiveView)
        told = trio.current_time()
        while True:
            await trio.sleep((LIVELY if is_live else EVERY) * self._speed)
            has_histograms = self._has_metrics and trio.current_time() >= told + TOLD_EVERY * self._speed
            results = await self._look(has_histograms=has_histograms)
            if has_histograms:
                told, self._results = trio.current_time(), results
            self.view.draw(results, planned=self._planned, waits_for=self._test.tally.waiting)

    async def _look(self, *, has_histograms: bool) -> Results:
        at, view = trio.current_time(), self._test.view()
        found = await trio.to_thread.run_sync(partial(view.results, has_histograms=has_histograms))
        self._seen, self._seen_at = (found, view.tally.latencies()), at
        return found

    def _known(self) -> Results:
        assert self._results is not None, "the door opens after the first look"
        return self._results
