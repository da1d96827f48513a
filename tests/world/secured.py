"""What scenarios of security do with a charge point and its Central System."""

from lab import Lab
from outside import Outside

KEY = "00" + bytes(range(1, 16)).hex()
"""The first one, in hex; it begins with a byte 0."""


def secure(one: Outside, lab: Lab, profile: int) -> None:
    """The Central System has TLS from now on, and demands what this security profile has."""
    one.script("secure", **(lab.server() if profile == 2 else lab.server_that_demands()))
    if profile == 3:
        one.script("demand", identity=one.identity, keys=None)


def profile_of(one: Outside) -> str:
    (found,) = one.call("GetConfiguration", key=["SecurityProfile"])["configurationKey"]
    value: str = found["value"]
    return value


def change(one: Outside, key: str, value: str) -> str:
    return one.ask("ChangeConfiguration", key=key, value=value)
