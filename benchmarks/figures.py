"""Figures: what was measured, in which unit, and what is demanded of it.

Each is printed when it is known, and written as a line of JSON to the file that OCPP16_FIGURES names, if it does:
`run.py` gives that to the benchmarks, `report.py` makes docs/benchmarks.md of it.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """`name` is for programs (`fleet.cpu.1000`), `text` says to people what was measured."""

    name: str
    text: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_missed(self) -> bool:
        """Is something demanded of it that it does not hold?"""
        return (self.at_most is not None and self.value > self.at_most) or (
            self.at_least is not None and self.value < self.at_least
        )

    @property
    def measured(self) -> str:
        return f"{rounded(self.value)} {self.unit}"

    @property
    def demanded(self) -> str:
        """Empty where nothing is."""
        bars = [("≤", self.at_most), ("≥", self.at_least)]
        return ", ".join(f"{sign} {rounded(bar)} {self.unit}" for sign, bar in bars if bar is not None)


def rounded(value: float) -> str:
    """Two or three significant digits: no more can be measured."""
    magnitude = abs(value)
    return f"{value:,.0f}" if magnitude >= 100 else f"{value:.3g}" if magnitude >= 10 else f"{value:.2g}"


def note(
    name: str, text: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
) -> Figure:
    """Print it, with what is demanded beside, and keep it for the report."""
    figure = Figure(name, text, value, unit, at_most, at_least)
    demanded = f"   ({figure.demanded}{', MISSED' if figure.is_missed else ''})" if figure.demanded else ""
    print(f"{text:84} {figure.measured:>14}{demanded}", flush=True)
    path = os.environ.get("OCPP16_FIGURES")
    if path:
        with Path(path).open("a") as file:
            file.write(json.dumps(asdict(figure), ensure_ascii=False) + "\n")
    return figure


def read(path: Path) -> dict[str, Figure]:
    """By name; of one that was measured twice, the last."""
    return {figure.name: figure for figure in _figures(path.read_text().splitlines())}


def _figures(lines: Iterable[str]) -> Iterator[Figure]:
    for line in lines:
        yield Figure(**json.loads(line))
