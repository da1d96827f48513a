"""The smart charging situation of a station, out of its database: installed profiles, and what charges.

The station may be running: nothing is locked, repaired or written. Its connection to the Central System is not in the
database, so it counts as online.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click

from ocpp16.charge_point.restored import Restored, restored
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.cli.charge_point_options import find_configuration
from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.schedule.scenario import Scenario
from ocpp16.codec import format_datetime
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.file import read_json_object
from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import core, internal, smart_charging
from ocpp16.errors import ConfigurationError
from ocpp16.models import Counters
from ocpp16.profiles.charging_profiles import goes_on, stored_profile_rules, stored_profiles
from ocpp16.profiles.schedule_keys import SCHEDULE_KEYS
from ocpp16.schedule import ProfileRules, check_profile
from ocpp16.state.clock import Clock, to_micros
from ocpp16.store.snapshot import take_snapshot
from ocpp16.store.tables import settings

OVERLAY = "user_config.json"
"""Beside the database: what was changed at run time."""
DAY = 86_400

_KEYS: tuple[Key[Any], ...] = (core.NUMBER_OF_CONNECTORS, *SCHEDULE_KEYS.values())


def station_scenario(path: Path, configuration_name: str, now: datetime) -> Scenario:
    """Connector 1 of a station for a day from `now`, in the unit of its GetCompositeSchedule answers.

    path: the database, or the folder it is in; configuration_name: a path, or a file of the share folder. What has to
    be left out is said on standard error. Raises CommandFailed, ConfigurationError, StoreError.
    """
    document, charge_point_id = _configuration(configuration_name)
    path = _database(path, charge_point_id)
    snapshot = take_snapshot(path, charge_point_id)
    if charge_point_id not in snapshot.charge_point_ids:
        known = ", ".join(snapshot.charge_point_ids) or "nobody"
        raise CommandFailed(f"{path}: has nothing of charge point {charge_point_id}, but of {known}")
    second_line = SecondLine(charge_point_id, Counters(), time.monotonic, lambda event: None)
    found = restored(snapshot.rows, to_micros(now), second_line)
    configuration = Configuration.load(document, overlay=_changes(path.with_name(OVERLAY), found), is_complete=False)
    most = configuration[core.NUMBER_OF_CONNECTORS]
    units = configuration[smart_charging.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT]
    clock = Clock(lambda: 0.0, to_micros(now), found.boot)
    clock.corrections.update(found.corrections)
    try:
        return Scenario.from_json(
            {
                "name": charge_point_id,
                "connector": min(1, most),
                "request": {
                    "start": format_datetime(to_micros(now)),
                    "duration": DAY,
                    "unit": "W" if units[:1] == ("Power",) else "A",
                },
                "profiles": list(_profiles(found, stored_profile_rules(configuration))),
                "transactions": {
                    str(transaction.connector_id): {
                        "start": format_datetime(clock.corrected(transaction.started_at, transaction.clock_boot)),
                        "transactionId": transaction.transaction_id,
                    }
                    for transaction in found.transactions.all_running()
                },
                "config": {key.name: key.to_json(configuration[key]) for key in _KEYS},
            }
        )
    except ValueError as error:
        raise CommandFailed(f"{path}: {error}") from error


def _configuration(name: str) -> tuple[Mapping[str, Any], str]:
    """The document, once it is known to be right, and whose it is."""
    path = find_configuration(name, None)
    document = read_json_object(path)
    try:
        configuration = Configuration.load(document, is_complete=False)
    except ConfigurationError as error:
        raise ConfigurationError([f"{path}: {problem}" for problem in error.problems]) from error
    return document, configuration[internal.CHARGE_POINT_ID]


def _database(path: Path, charge_point_id: str) -> Path:
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.db"))
    for file in files:
        if unquote(file.stem) == charge_point_id:
            return file
    known = f"; there are {', '.join(file.name for file in files)}" if files else ""
    raise CommandFailed(f"{path}: has no database of charge point {charge_point_id}{known}")


def _changes(overlay: Path, found: Restored) -> Mapping[str, Any]:
    """What was changed at run time; without a file for it, it is in the database."""
    if overlay.exists():
        return read_json_object(overlay)
    changed = found.settings.get(settings.CONFIGURATION)
    return changed if isinstance(changed, dict) else {}


def _profiles(found: Restored, rules: ProfileRules) -> Iterator[dict[str, Any]]:
    """As SetChargingProfile requests, in the order in which the station takes them in when it starts."""
    for row in stored_profiles(found.stored):
        problem = check_profile(row.connector_id, row.profile, rules)
        running = found.transactions.running(row.connector_id)
        if problem is not None or (running is not None and not goes_on(row, running)):
            reason = "its transaction does not run any more" if problem is None else str(problem)
            click.echo(f"ocpp16: charging profile {row.charging_profile_id} is left out: {reason}", err=True)
        else:
            yield {"connectorId": row.connector_id, "csChargingProfiles": row.profile}
