"""docs/benchmarks.md and the README's figures, made from the figures of a run.

    python benchmarks/run.py --figures FILE
    python benchmarks/report.py FILE          # writes what stands between the marks in both

A table for each benchmark, in the order in which the figures came. What a run has not measured is not in the page.
"""

import platform
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from figures import Figure, read, rounded

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
TITLES = {
    "fleet": "Many charge points over TCP, beside `ocpp` and `websockets`",
    "large_fleet": "Fleets of thousands in one process, by `ocpp16.fleet`",
    "large_station": "One station of many connectors",
    "durable": "On disk before it is sent (SQLite, synchronous=FULL)",
    "replay": "Messages that waited on disk",
    "memory": "Memory, as slopes",
    "tls": "TLS: EC P-256, chain of one intermediate, TLS 1.3",
    "imports": "Imports",
    "round_trip": "Whole paths over streams in memory, both ends in one process",
    "gate": "Instructions and bytes, as the gate counts them",
    "codec": "The codec beside `ocpp` 2.1.0",
    "websocket": "WebSocket frames beside wsproto",
    "schedule": "Composite schedules of mixed profiles × 24 periods over 24 h",
    "limits": "Charging limits in a charge point, of 1,000 or 50 connectors",
    "store": "The store",
}


def page(figures: Mapping[str, Figure]) -> str:
    """What stands between the marks of the page."""
    parts = [f"Measured with {platform.python_implementation()} {platform.python_version()}, {platform.machine()}."]
    for name, title in TITLES.items():
        rows = [figure for figure in figures.values() if figure.name.startswith(f"{name}.")]
        if rows:
            parts.append(f"## {title}\n\n{table(rows)}")
    return "\n\n".join(parts)


def table(figures: Iterable[Figure]) -> str:
    rows = [f"| {figure.text} | {figure.measured} | {_demanded(figure)} |".replace("|  |", "| |") for figure in figures]
    return "\n".join(["| | measured | demanded |", "|---|---|---|", *rows])


def _demanded(figure: Figure) -> str:
    """Said where it is missed: rounded, 1.33 of 1.3 looks as if it were met."""
    return f"{figure.demanded}: **missed**" if figure.is_missed else figure.demanded


def sentence(figures: Mapping[str, Figure]) -> str:
    """What stands between the marks of the README. Raises KeyError for a figure that was not measured."""
    mean, ratio, cpu, kib = (figures[name] for name in ("codec.mean", "fleet.ratio", "fleet.cpu.1000", "fleet.kib"))
    return (
        f"parsed and validated {rounded(mean.value)} times as fast as by the\n"
        f"  usual Python library; a whole CALL, from the meter to its answer, costs {cpu.measured} of CPU and is "
        f"{rounded(ratio.value)} times\n"
        f"  as fast; a connected charge point with its station costs {kib.measured}"
    )


def between(text: str) -> str:
    """What stands between the marks. Raises ValueError if they are not there once each, in order."""
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end or BEGIN in before + inside + after or END in before + inside + after:
        raise ValueError("the marks are not there once each, in order")
    return inside


def replaced(text: str, new: str) -> str:
    return text.replace(f"{BEGIN}{between(text)}{END}", f"{BEGIN}{new}{END}")


def main() -> int:
    figures = read(Path(sys.argv[1]))
    PAGE.write_text(replaced(PAGE.read_text(), f"\n{page(figures)}\n"))
    README.write_text(replaced(README.read_text(), sentence(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
