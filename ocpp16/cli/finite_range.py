"""A number of the command line that is one."""

from math import isfinite, isnan
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A range that has neither NaN, which is in every range of click, nor infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{number:g} is no {'' if isnan(number) else 'finite '}number", param, ctx)
        return number
