"""The two payloads of an action, for annotations: apart from the units, which have no use for `typing`."""

from typing import Literal

Kind = Literal["request", "response"]
