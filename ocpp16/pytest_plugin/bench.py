"""All fleets of one run of pytest: what a test has left undone, what is wrong in the traffic, what a failure shows.

A fleet lives as long as its fixture. What is told of a test is what happened while it ran, also of a fleet that many
tests share.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from ocpp16.message_log.record import Kind
from ocpp16.pytest_plugin.fleets import Fleet
from ocpp16.pytest_plugin.judgement import Judgement
from ocpp16.pytest_plugin.settings import Settings
from ocpp16.pytest_plugin.telling import file_name, section, write_trace
from ocpp16.pytest_plugin.watch import Watch
from ocpp16.texts import shown

MOST_SHOWN: Final = 60
"""Frames of a charge point in the report of a failure."""
MOST_SECTIONS: Final = 10
"""Charge points in it."""
MOST_FINDINGS: Final = 20


class Bench:
    """Of one process of pytest. `asleep`: as of `Waits`."""

    def __init__(self, asleep: Collection[str] = ()) -> None:
        self._asleep = asleep
        self._numbers = count(1)
        self._open: dict[Fleet, Judgement] = {}
        self._closed: dict[Fleet, Judgement] = {}
        """In the present test; judged once more, and no more than that."""
        self._begun_at: dict[Watch, int] = {}
        """Frames of a charge point that were there before the present test."""

    @contextmanager
    def opened(self, url: str, settings: Settings, *, in_order: bool) -> Iterator[Fleet]:
        """A fleet for as long as a fixture lives; in_order: how it ends."""
        fleet = Fleet(url, settings, self._numbers.__next__, self._asleep)
        fleet.open()
        judgement = self._open[fleet] = Judgement(fleet)
        try:
            yield fleet
        finally:
            try:
                fleet.close(in_order=in_order)
            finally:
                del self._open[fleet]
                self._closed[fleet] = judgement

    def begin(self) -> None:
        """Another test."""
        self._closed.clear()
        for judgement in self._open.values():
            judgement.begin()
        self._begun_at = {watch: watch.seen.count for fleet in self._open for watch in fleet.watches()}

    def judge(self, settings: Settings) -> None:
        """Fails the test for what it has never awaited, and for what is wrong in the traffic since this was last
        asked."""
        __tracebackhide__ = True
        problems = self._problems(settings)
        if problems:
            pytest.fail("\n".join(_first(problems, MOST_FINDINGS)), pytrace=False)

    def _problems(self, settings: Settings) -> list[str]:
        problems = []
        for fleet, judgement in {**self._open, **self._closed}.items():
            problems += [f"{call} was never awaited: it has checked nothing" for call in fleet.forgotten()]
            is_over = fleet in self._closed
            problems += judgement.problems(settings.lint, settings.lint_ignore, is_over=is_over)
        return problems

    def sections(self, settings: Settings) -> list[tuple[str, str]]:
        """Titles and texts for the report of the present test, which has failed."""
        self._problems(settings)
        found: list[tuple[str, str]] = []
        for fleet, watch, records in self._traffic():
            if len(found) == MOST_SECTIONS:
                found.append(("ocpp16", "more charge points are not shown"))
                break
            standing = fleet.look(watch.standing)
            found.append((f"ocpp16 {shown(watch.identity, 60)}", f"{standing}\n{section(records, MOST_SHOWN)}"))
        told = [text for judgement in (*self._open.values(), *self._closed.values()) for text in judgement.told]
        return [*found, ("ocpp16 lint", "\n".join(_first(told, MOST_FINDINGS)))] if told else found

    def write_traces(self, folder: Path, test: str) -> list[Path]:
        """Of the present test, a file for each charge point that something was said by or to. Raises OSError."""
        written = []
        for _, watch, records in self._traffic():
            if all(record.kind is Kind.EVENT for record in records):
                continue
            path = folder / file_name(test, watch.identity)
            write_trace(path, watch.identity, records)
            written.append(path)
        return written

    def _traffic(self) -> Iterator[tuple[Fleet, Any, Sequence[Any]]]:
        for fleet in (*self._open, *self._closed):
            for watch in fleet.watches():
                first = self._begun_at.get(watch, 0)
                records = fleet.look(watch.seen.records_from, first)
                if records or watch not in self._begun_at:
                    yield fleet, watch, records


def _first(texts: list[str], most: int) -> list[str]:
    left_out = len(texts) - most
    return [*texts[:most], f"and {left_out} more"] if left_out > 0 else texts


BENCH: Final = pytest.StashKey[Bench]()


def bench_of(config: pytest.Config, asleep: Collection[str]) -> Bench:
    """That of this process, made when a fixture is first asked for."""
    return config.stash.setdefault(BENCH, Bench(asleep))
