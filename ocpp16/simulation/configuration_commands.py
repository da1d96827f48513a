"""Handlers of the commands about configuration keys."""

from typing import Any

from ocpp16.simulation.command import CommandError
from ocpp16.simulation.controlled import Controlled
from ocpp16.texts import shown


def get_configuration(on: Controlled, keys: list[str]) -> Any:
    return on.charge_point.configuration.get(keys)


async def change_configuration(on: Controlled, key: str, value: str) -> str:
    return str(await on.charge_point.configuration.set(key, value))


def why_not_changed(on: Controlled, key: str, value: str) -> str:
    return on.charge_point.configuration.problem(key, value)


def configuration_origins(on: Controlled, keys: list[str]) -> dict[str, str]:
    configuration = on.charge_point.configuration
    if not keys:
        return configuration.origins()
    try:
        return {key: configuration.origin(key) for key in keys}
    except KeyError as unknown:
        raise CommandError("bad_value", f"there is no key {shown(unknown.args[0], 60)}") from None


async def reset_configuration(on: Controlled, key: str) -> str:
    return str(await on.charge_point.configuration.reset(key))


def why_not_reset(on: Controlled, key: str) -> str:
    return "another key does not go with what it was before"
