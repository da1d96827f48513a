"""What the interfaces of this EVerest have. It comes in versions: an older one lacks commands and variables that this
module knows, a newer one has more.

The framework's Module says it by `implementations` and `requirements`, each with `commands` and `variables`; where it
does not, everything that this module knows is taken to be there.
"""

from typing import Any

from ocpp16.faults import obey_exit

__all__ = ["commands", "variables"]


def commands(module: Any, implementation: str) -> frozenset[str] | None:
    """That the framework asks an implementation of this module for; None where it does not say."""
    return _names(module, "implementations", implementation, "commands")


def variables(module: Any, requirement: str) -> frozenset[str] | None:
    """That may be subscribed to of a required module; None where the framework does not say."""
    return _names(module, "requirements", requirement, "variables")


def _names(module: Any, side: str, name: str, kind: str) -> frozenset[str] | None:
    try:
        return frozenset(str(one) for one in getattr(getattr(module, side)[name], kind))
    except BaseException as failure:  # a version that does not tell it, or not like this
        obey_exit(failure)
        return None
