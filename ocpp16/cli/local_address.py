"""An address of this machine on the command line."""

from typing import Any

import click

from ocpp16.transport.interface import local_address_problem


class LocalAddress(click.types.StringParamType):
    """One that connections can leave by; what is none is told before anything is begun."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        problem = local_address_problem(value)
        if problem:
            self.fail(problem, param, ctx)
        return str(value)
