"""Whether charge points as they are asked for can be: looked at before anything begins, and told by the options."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ocpp16.address import address_problems, without_credentials
from ocpp16.cli.again import is_secret
from ocpp16.cli.failure import CommandFailed
from ocpp16.configuration.configuration import Configuration
from ocpp16.errors import ConfigurationError, Ocpp16Error
from ocpp16.fleet import Blueprint
from ocpp16.fleet.blueprint import merged
from ocpp16.texts import shown

_OPTIONS: Final[Mapping[str, str]] = {
    "Internal.CentralSystemURI": "--csms",
    "Internal.ChargePointId": "--id",
    "Core.NumberOfConnectors": "--connectors",
    "Security.AuthorizationKey": "--password",
    "Security.SecurityProfile": "--password",
}
"""How a problem of the configuration begins → the option that it is about."""


def check_csms(url: str) -> None:
    """Of what has no configuration. Raises CommandFailed."""
    if problems := address_problems(url):
        raise CommandFailed(*(f"--csms {without_credentials(url)}: {problem}" for problem in problems))


def chosen_blueprints(choose: Callable[[], Iterable[Blueprint]]) -> list[Blueprint]:
    """What charge points are made of. Raises CommandFailed."""
    try:
        return list(choose())
    except ConfigurationError as error:
        raise CommandFailed(*error.problems) from None
    except Ocpp16Error as error:
        raise CommandFailed(shown(error)) from None
    except ValueError as error:
        raise CommandFailed(f"--blueprint: {shown(error)}") from None


def check_charge_point(
    identity: str,
    csms: str,
    made_of: Iterable[Blueprint],
    keys: Mapping[str, Mapping[str, Any]],
    given: Iterable[str],
    *,
    is_complete: bool = True,
) -> None:
    """That of this id, of each of the blueprints. keys: over theirs; given: those of `--key`, as they were given;
    is_complete: False where a store may have what is missing. Raises CommandFailed that names the options."""
    problems: dict[str, None] = {}
    for blueprint in made_of:
        try:
            Configuration.load(merged(blueprint.configuration(identity, csms), keys), is_complete=is_complete)
        except ConfigurationError as error:
            problems |= dict.fromkeys(_told(error.problems, tuple(given)))
    if problems:
        raise CommandFailed(*problems)


def _told(problems: Iterable[str], given: tuple[str, ...]) -> Iterator[str]:
    for problem in problems:
        name = problem.split(" = ", 1)[0].split(":", 1)[0]
        for one in given:
            if one.partition("=")[0] == name or one.startswith(f"{name}."):
                yield f"--key {shown(one.partition('=')[0] if is_secret(one) else one, 100)}: {problem}"
                break
        else:
            option = next((option for begin, option in _OPTIONS.items() if problem.startswith(begin)), "")
            yield f"{option}: {problem}" if option else problem
