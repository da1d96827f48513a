"""A picture of a composite schedule made of characters, as wide as the terminal.

The composite schedule is a heavy line; profiles are thin ones, each with its letter, so that nobody needs colours.
"""

import os
import shutil
import sys
from collections.abc import Sequence

import click

from ocpp16.cli.schedule.curves import Curve, Plot, Stretch, time_marks, value_marks, window_text

ROWS = 16
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NARROWEST = 40
COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")

_HEAVY = {"along": "━", "up": "┃", "fall": ("┓", "┗"), "rise": ("┛", "┏")}

Cell = tuple[str, int]
"""A character, and whose: the number of a profile, or one of these."""
_NOBODY, _COMPOSITE = -1, -2


def draw(plot: Plot) -> None:
    """Print it on standard output."""
    is_coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for line in picture(plot, shutil.get_terminal_size().columns):
        text = "".join(_coloured(character, owner) for character, owner in line) if is_coloured else _plain(line)
        click.echo(text.rstrip())


def picture(plot: Plot, width: int) -> list[Sequence[Cell]]:
    """The lines of the picture, none wider than `width` characters, which is taken as 40 if it is less."""
    width = max(width, NARROWEST)
    marks = value_marks(plot, 5)
    margin = max(len(mark.text) for mark in marks) + len(plot.unit) + 2
    across = width - margin - 1
    canvas = [[(" ", _NOBODY)] * across for _ in range(ROWS)]
    for number, curve in enumerate(plot.profiles):
        _draw_profile(canvas, plot, curve, number)
    _draw_composite(canvas, plot)
    texts = {_row(mark.at, plot): f"{mark.text} {plot.unit}" for mark in marks}
    lines: list[Sequence[Cell]] = [*_written(f"{plot.title} ({plot.axis})", width)]
    for number, cells in enumerate(canvas):
        edge = "┤" if number in texts else "│"
        lines.append([*_cells(f"{texts.get(number, '').rjust(margin - 1)} {edge}"), *cells])
    lines += [_cells(line) for line in _time_axis(plot, margin, across)]
    lines += _written(window_text(plot), width, margin)
    lines += _written(f"━━━ {plot.composite.title}", width, margin, _COMPOSITE)
    for number, curve in enumerate(plot.profiles):
        lines += _written(f"─{_letter(number)}─ {curve.title}", width, margin, number)
    return lines


def _letter(number: int) -> str:
    return LETTERS[number % len(LETTERS)]


def _row(limit: float, plot: Plot) -> int:
    return ROWS - 1 - round((ROWS - 1) * min(limit, plot.top) / plot.top)


def _columns(stretch: Stretch, plot: Plot, across: int) -> tuple[int, int]:
    """First column, and the one after the last; at least one."""
    begin = min(stretch.begin * across // plot.duration, across - 1)
    return begin, max(stretch.end * across // plot.duration, begin + 1)


def _draw_profile(canvas: list[list[Cell]], plot: Plot, curve: Curve, number: int) -> None:
    for stretch in curve.stretches:
        row = _row(stretch.limit, plot)
        begin, end = _columns(stretch, plot, len(canvas[row]))
        for column in range(begin, end):
            # Each letter has its place, so that lines that lie upon each other both show.
            is_letter = column % 12 == (2 + 3 * number) % 12 or end - begin < 4
            canvas[row][column] = (_letter(number) if is_letter else "─", number)


def _draw_composite(canvas: list[list[Cell]], plot: Plot) -> None:
    across = len(canvas[0])
    rows = [0] * across
    for stretch in plot.composite.stretches:
        begin, end = _columns(stretch, plot, across)
        rows[begin:end] = [_row(stretch.limit, plot)] * (end - begin)
    before = rows[0]
    for column, row in enumerate(rows):
        if row == before:
            canvas[row][column] = (_HEAVY["along"][0], _COMPOSITE)
        else:
            first, last = _HEAVY["fall" if row > before else "rise"]
            canvas[before][column], canvas[row][column] = (first, _COMPOSITE), (last, _COMPOSITE)
            for between in range(min(row, before) + 1, max(row, before)):
                canvas[between][column] = (_HEAVY["up"][0], _COMPOSITE)
        before = row


def _time_axis(plot: Plot, margin: int, across: int) -> list[str]:
    ticks, texts = ["─"] * across, [" "] * (margin + 1 + across)
    free_from = 0
    for mark in time_marks(plot, max(across // 12, 1)):
        column = min(round(mark.at * across / plot.duration), across - 1)
        begin = min(margin + 1 + column - len(mark.text) // 2, len(texts) - len(mark.text))
        ticks[column] = "┬"
        if begin >= free_from:
            texts[begin : begin + len(mark.text)] = mark.text
            free_from = begin + len(mark.text) + 1
    return [" " * margin + "└" + "".join(ticks), "".join(texts)]


def _cells(text: str, owner: int = _NOBODY) -> list[Cell]:
    return [(character, owner) for character in text]


def _written(text: str, width: int, margin: int = 0, owner: int = _NOBODY) -> list[Sequence[Cell]]:
    """One line of text, or as many as it needs."""
    room = width - margin
    return [_cells(" " * margin + text[at : at + room], owner) for at in range(0, len(text), room)]


def _plain(line: Sequence[Cell]) -> str:
    return "".join(character for character, _ in line)


def _coloured(character: str, owner: int) -> str:
    if owner == _NOBODY or character == " ":
        return character
    if owner == _COMPOSITE:
        return click.style(character, bold=True)
    return click.style(character, fg=COLOURS[owner % len(COLOURS)])
