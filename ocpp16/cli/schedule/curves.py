"""What a picture of a composite schedule shows, wherever it will be drawn: curves, and marks on two axes."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from ocpp16.cli.schedule.reasons import title_of
from ocpp16.cli.schedule.scenario import Scenario
from ocpp16.schedule import CompiledProfile, CompositeSchedule, composite_schedule
from ocpp16.state.clock import to_datetime

_SECOND = 1_000_000
_DAY = 86_400
_TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 3, 6, 12)),
    *(_DAY * days for days in (1, 2, 7, 14, 28, 56, 112, 364)),
)
_HIGHER = 2.5
"""How far a profile may be above the composite schedule; what is higher still would only flatten the rest."""


class Stretch(NamedTuple):
    """A horizontal piece of a curve."""

    begin: int
    """Seconds from the start of the window."""
    end: int
    limit: float


class Curve(NamedTuple):
    title: str
    stretches: tuple[Stretch, ...]
    """In order; between two of them, where they do not touch, there is nothing."""


class Mark(NamedTuple):
    """A tick of an axis."""

    at: float
    text: str


class Plot(NamedTuple):
    title: str
    unit: str
    axis: str
    """What the limits are."""
    start: int
    """µs since 1970 UTC."""
    duration: int
    """Seconds, at least 1."""
    top: float
    """Of the axis of limits, which begins at 0."""
    composite: Curve
    profiles: tuple[Curve, ...]


def plot_of(scenario: Scenario) -> Plot:
    """The composite schedule, and each profile that has to do with its connector, as if it were alone."""
    schedule = scenario.composite_schedule()
    duration = max(schedule.duration, 1)
    of_connector = scenario.profiles.stack(scenario.connector_id).profiles
    profiles = list(scenario.profiles) if scenario.connector_id == 0 else of_connector
    curves = tuple(_alone(profile, scenario, duration) for profile in profiles)
    composite = Curve("composite schedule", tuple(_stretches(schedule, duration)))
    highest = max(stretch.limit for stretch in composite.stretches)
    limits = [stretch.limit for curve in curves for stretch in curve.stretches]
    if highest > 0:
        limits = [limit for limit in limits if limit <= _HIGHER * highest]
    whose = f"connector {schedule.connector_id}" if schedule.connector_id else "charge point"
    return Plot(
        f"{scenario.name}: {whose}",
        schedule.unit,
        "A per phase" if schedule.unit == "A" else "W of all phases",
        schedule.start_micros,
        duration,
        _top(max([highest, *limits])),
        composite,
        curves,
    )


def _alone(profile: CompiledProfile, scenario: Scenario, duration: int) -> Curve:
    schedule = composite_schedule(
        [profile],
        profile.connector_id or scenario.connector_id or 1,
        scenario.start,
        duration,
        scenario.unit,
        transactions=scenario.transactions,
        settings=scenario.settings,
    )
    stretches = tuple(_stretches(schedule, duration, is_alone=True))
    note = "" if stretches else ", silent"
    if profile.purpose in scenario.ignored:
        note += ", left out while offline"
    elif profile.purpose == "TxProfile" and not stretches:
        note = (
            ", not for a transaction that runs" if profile.connector_id in scenario.transactions else ", no transaction"
        )
    return Curve(title_of(profile) + note, stretches)


def _stretches(schedule: CompositeSchedule, duration: int, *, is_alone: bool = False) -> Iterator[Stretch]:
    steps = schedule.steps if is_alone else schedule.periods
    for number, step in enumerate(steps):
        end = steps[number + 1].start_period if number + 1 < len(steps) else duration
        if not is_alone or step.profile is not None:
            yield Stretch(step.start_period, end, step.limit)


# Axes


def _value_step(top: float, most: int) -> float:
    """1, 2 or 5 times a power of ten, so that at most `most` of them reach `top`."""
    step = 1e-6
    while True:
        for factor in (1, 2, 5):
            if top <= step * factor * most:
                return step * factor
        step *= 10


def _top(highest: float) -> float:
    highest = 1.0 if highest <= 0 else highest * 1.05
    step = _value_step(highest, 8)
    return step * -(-highest // step)


def value_marks(plot: Plot, most: int) -> list[Mark]:
    """Ticks of the axis of limits, from 0."""
    step = _value_step(plot.top, most)
    return [Mark(step * number, f"{step * number:g}") for number in range(int(plot.top / step + 1e-6) + 1)]


def time_marks(plot: Plot, most: int) -> list[Mark]:
    """Ticks of the time axis, at most `most`: round times of day, UTC; `at` counts from the start of the window."""
    begin = plot.start // _SECOND
    step = next((step for step in _TIME_STEPS if plot.duration <= step * most), _TIME_STEPS[-1])
    first = -(-begin // step) * step
    return [Mark(at - begin, _clock_text(at, step)) for at in range(first, begin + plot.duration + 1, step)]


def _clock_text(second: int, step: int) -> str:
    try:
        time = to_datetime(second * _SECOND)
    except OverflowError:
        return "later"
    if step >= _DAY or (step >= 3600 and second % _DAY == 0):
        return f"{time:%m-%d}"
    return f"{time:%H:%M:%S}" if step < 60 else f"{time:%H:%M}"


def window_text(plot: Plot) -> str:
    """From when to when."""
    try:
        begin, end = to_datetime(plot.start), to_datetime(plot.start) + timedelta(seconds=plot.duration)
    except OverflowError:
        return f"{plot.duration} s"
    return f"{begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC"


def joined(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """The pieces of a curve without a gap."""
    piece: list[Stretch] = []
    for stretch in stretches:
        if piece and piece[-1].end != stretch.begin:
            yield piece
            piece = []
        piece.append(stretch)
    if piece:
        yield piece
