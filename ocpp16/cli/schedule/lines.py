"""A composite schedule as lines of text: a table of its periods, and the reasons below."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from ocpp16.cli.schedule.reasons import Reasons, amount
from ocpp16.cli.schedule.scenario import Scenario
from ocpp16.schedule import CompositeSchedule


def table_lines(scenario: Scenario, schedule: CompositeSchedule) -> Iterator[str]:
    """What was asked, and each period with absolute and relative times."""
    whose = f"connector {schedule.connector_id}" if schedule.connector_id else "connector 0 (the charge point)"
    yield f"{scenario.name}: {whose} for {schedule.duration} s, in {schedule.unit}"
    ends = [period.start_period for period in schedule.periods[1:]] + [schedule.duration]
    rows = [("from (UTC)", "until", "offset", "limit", "phases")]
    rows += [
        (
            _time(schedule, period.start_period),
            _time(schedule, end),
            _offset(period.start_period),
            amount(period.limit, schedule.unit),
            str(period.number_phases or "-"),
        )
        for period, end in zip(schedule.periods, ends, strict=True)
    ]
    yield from aligned(rows, right={2, 3, 4})


def reason_lines(scenario: Scenario, schedule: CompositeSchedule) -> Iterator[str]:
    """For each step who decides, and why nobody else does."""
    reasons = Reasons(scenario)
    for step in schedule.steps:
        yield ""
        yield f"from {_time(schedule, step.start_period)} UTC ({_offset(step.start_period)})"
        yield from (f"  {sentence}" for sentence in reasons.sentences(step))


def aligned(rows: Iterable[tuple[str, ...]], right: set[int]) -> Iterator[str]:
    """Rows of cells in columns two blanks apart; `right`: the columns that are flush right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"  {'  '.join(cells)}".rstrip()


def _time(schedule: CompositeSchedule, offset: int) -> str:
    try:
        return f"{schedule.start + timedelta(seconds=offset):%Y-%m-%d %H:%M:%S}"
    except OverflowError:  # beyond the last year that Python knows
        return "later"


def _offset(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"+{hour}:{minute:02}:{second:02}"
