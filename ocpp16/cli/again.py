"""The command that makes a load test of the same kind, as its report tells it: what the test was made of, as it was
given, without secrets; not where its results went."""

import shlex
from collections.abc import Iterator
from typing import Any, Final

import click
from click.core import ParameterSource

from ocpp16.address import without_credentials
from ocpp16.configuration.keys import BY_NAME

MADE_OF: Final = (
    *("csms", "charge_points", "connectors", "named", "values", "duration", "rate", "arrivals", "speed", "processes"),
    *("thresholds", "seed", "blueprint", "pattern", "keys", "password", "password_file", "certs", "addresses"),
)
"""Parameters of `ocpp16 load`, in this order."""
HIDDEN: Final = "…"
"""In the place of a secret."""
CUSTOM: Final = "Custom"
"""Section of keys of which others know whether they are secrets."""


def again(context: click.Context) -> str:
    """The command of this context."""
    options = {option.name: option for option in context.command.params}
    words = [f"ocpp16 {context.command.name}"]
    for name in MADE_OF:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = options[name].opts[0]
            words += [f"{option} {shlex.quote(text)}" for text in _texts(name, context.params[name])]
    return " ".join(words)


def _texts(name: str, value: Any) -> Iterator[str]:
    for one in value if isinstance(value, tuple) else (value,):
        text = format(one, ".12g") if isinstance(one, float) else str(one)
        match name:
            case "csms":
                yield without_credentials(text)
            case "password":
                yield HIDDEN
            case "keys" if is_secret(text):
                yield f"{text.partition('=')[0]}={HIDDEN}"
            case _:
                yield text


def is_secret(given: str) -> bool:
    """Is a value of `--key`, or may it be, one of a key that is a secret?"""
    section, _, name = given.partition("=")[0].partition(".")
    key = BY_NAME.get(name.lower())
    return section == CUSTOM or (key is not None and key.is_secret)
