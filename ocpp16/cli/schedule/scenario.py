"""A smart charging situation as a JSON document: read, calculated, and told in the same form.

A file has one scenario, or many as `vectors` with `config_defaults` (`file` reads it). A scenario has `connector`,
`request` (start, duration, unit) and `profiles` (SetChargingProfile.req payloads in the order received), and as it
needs: `now` (equal to request.start), `transaction` (start of the one that runs on the connector, or null),
`transactionId` (1), `transactions` (connector → start, transactionId), `online` (true), `config` (configuration keys
that differ), `name`, `note` and `expected` (as a result).

Rules of this file: no file and no clock is touched; every complaint is a ValueError that names scenario and member.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ocpp16._core import format_datetime, parse_datetime_tolerant
from ocpp16._core.periods import CompiledProfile
from ocpp16._core.precedence import RunningTransaction
from ocpp16._core.schedule import CompositeSchedule, Limit, SchedulePeriod, ScheduleSettings
from ocpp16.enums import ChargingProfilePurposeType
from ocpp16.profiles.schedule_keys import SCHEDULE_KEYS, schedule_settings
from ocpp16.schedule.calculation import charging_limit, composite_schedule
from ocpp16.schedule.checks import ProfileRules, check_profile, with_start_schedule
from ocpp16.schedule.installed import InstalledProfiles

_CONFIG: Mapping[str, Any] = {
    "NumberOfConnectors": 1,
    **{key.name: key.default for key in SCHEDULE_KEYS.values()},
    "IgnoredProfilePurposesOffline": "",
    "AllowChargingProfileWithoutStartSchedule": False,
}
_MEMBERS = {
    "name",
    "note",
    "now",
    "connector",
    "transaction",
    "transactionId",
    "transactions",
    "online",
    "config",
    "profiles",
    "request",
    "expected",
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything a composite schedule depends on."""

    name: str
    connector_id: int
    start: int
    """µs since 1970 UTC."""
    duration: int
    unit: Literal["A", "W"]
    number_of_connectors: int
    profiles: InstalledProfiles
    transactions: Mapping[int, RunningTransaction]
    settings: ScheduleSettings
    ignored: tuple[str, ...]
    expected: Mapping[str, Any] | None = None

    @classmethod
    def from_json(cls, document: Any, defaults: Mapping[str, Any] = _CONFIG) -> "Scenario":
        """Raises ValueError naming scenario and member."""
        if not isinstance(document, Mapping):
            raise ValueError("a scenario must be an object")
        name = str(document.get("name", "scenario"))
        try:
            return cls._read(name, document, {**_CONFIG, **defaults})
        except KeyError as error:
            raise ValueError(f"{name}: {error.args[0]} is missing") from None
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from None

    @classmethod
    def _read(cls, name: str, document: Mapping[str, Any], defaults: Mapping[str, Any]) -> "Scenario":
        for member in document:
            if member not in _MEMBERS:
                raise ValueError(f"there is no member {member}")
        for key in document.get("config", {}):
            if key not in _CONFIG:
                raise ValueError(f"config.{key} has no effect on schedules")
        config = {**defaults, **document.get("config", {})}
        request = document["request"]
        start = _instant(request["start"], "request.start")
        if "now" in document and _instant(document["now"], "now") != start:
            raise ValueError("now must be equal to request.start")
        connector_id, most = document["connector"], config["NumberOfConnectors"]
        if not 0 <= connector_id <= most:
            raise ValueError(f"connector {connector_id} is not within 0 to {most}")
        if request["unit"] not in ("A", "W"):
            raise ValueError(f"request.unit must be A or W, not {request['unit']!r}")
        if request["duration"] < 0:
            raise ValueError(f"request.duration must not be negative, but is {request['duration']}")
        return cls(
            name,
            connector_id,
            start,
            request["duration"],
            request["unit"],
            most,
            _profiles(document["profiles"], most, start, bool(config["AllowChargingProfileWithoutStartSchedule"])),
            dict(_transactions(document, connector_id)),
            schedule_settings(lambda key: config[key.name]),
            () if document.get("online", True) else _purposes(config["IgnoredProfilePurposesOffline"]),
            document.get("expected"),
        )

    def composite_schedule(self) -> CompositeSchedule:
        return composite_schedule(
            self.profiles,
            self.connector_id,
            self.start,
            self.duration,
            self.unit,
            number_of_connectors=self.number_of_connectors,
            transactions=self.transactions,
            settings=self.settings,
            ignored=self.ignored,
        )

    def charging_limit(self, at: int | None = None) -> Limit:
        """The limit at an instant (µs since 1970 UTC), by default at the start of the window."""
        return charging_limit(
            self.profiles,
            self.connector_id,
            self.start if at is None else at,
            self.unit,
            number_of_connectors=self.number_of_connectors,
            transactions=self.transactions,
            settings=self.settings,
            ignored=self.ignored,
        )

    def result(self, *, explained: bool = False) -> dict[str, Any]:
        """The composite schedule in the form of `expected`; limits are not rounded.

        explained: with `profileId`, `purpose`, `stackLevel` and `converted`, and a step also where only these change.
        """
        schedule = self.composite_schedule()
        periods = [_told(step, explained) for step in (schedule.steps if explained else schedule.periods)]
        return {
            "start": format_datetime(schedule.start_micros, 0),
            "duration": schedule.duration,
            "unit": schedule.unit,
            "periods": periods,
        }

    def verdicts(self, at: int | None = None) -> list[dict[str, Any]]:
        """Why each profile of the connector applies at an instant, or not: `profileId`, `purpose`, …, `verdict`."""
        found = self.profiles.stack(self.connector_id).verdicts(
            self.start if at is None else at,
            transaction=self.transactions.get(self.connector_id),
            ignored=self.ignored,
        )
        return [
            {
                "profileId": profile.profile_id,
                "purpose": profile.purpose,
                "stackLevel": profile.stack_level,
                "connector": profile.connector_id,
                "verdict": verdict,
            }
            for profile, verdict in found
        ]


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """How two results differ, line by line; limits may differ by a millionth."""
    told = [
        f"{name} is {found[name]}, expected {expected[name]}"
        for name in ("duration", "unit")
        if found[name] != expected[name]
    ]
    if parse_datetime_tolerant(found["start"]) // 1_000_000 != parse_datetime_tolerant(expected["start"]) // 1_000_000:
        told.append(f"start is {found['start']}, expected {expected['start']}")
    pairs = ({p["startPeriod"]: p for p in result["periods"]} for result in (found, expected))
    ours, theirs = pairs
    for start in sorted(ours.keys() | theirs.keys()):
        if start not in ours or start not in theirs:
            told.append(f"a period at {start} s is {'missing' if start not in ours else 'too many'}")
            continue
        one, other = ours[start]["limit"], theirs[start]["limit"]
        if abs(one - other) > 1e-6 * max(abs(one), abs(other)):
            told.append(f"limit at {start} s is {one:g}, expected {other:g}")
        if ours[start].get("numberPhases") != theirs[start].get("numberPhases"):
            told.append(
                f"numberPhases at {start} s is {ours[start].get('numberPhases')}, expected "
                f"{theirs[start].get('numberPhases')}"
            )
    return told


def _told(step: SchedulePeriod, explained: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"startPeriod": step.start_period, "limit": step.limit, "numberPhases": step.number_phases}
    if explained:
        profile = step.profile
        told |= {
            "profileId": None if profile is None else profile.profile_id,
            "purpose": None if profile is None else profile.purpose,
            "stackLevel": step.stack_level,
            "converted": step.is_converted,
        }
    return told


def _instant(value: Any, member: str) -> int:
    try:
        return parse_datetime_tolerant(value) // 1_000_000 * 1_000_000
    except (TypeError, ValueError):
        raise ValueError(f"{member} must be an RFC 3339 time, not {value!r:.60}") from None


def _profiles(payloads: Any, most: int, now: int, is_start_filled_in: bool) -> InstalledProfiles:
    profiles = InstalledProfiles()
    for number, payload in enumerate(payloads):
        connector_id, profile = payload["connectorId"], payload["csChargingProfiles"]
        place = f"profiles[{number}]"
        if not 0 <= connector_id <= most:
            raise ValueError(f"{place}.connectorId {connector_id} does not exist")
        problem = check_profile(connector_id, profile, ProfileRules(needs_start_schedule=not is_start_filled_in))
        if problem is not None:
            raise ValueError(f"{place}: {problem}")
        if is_start_filled_in:
            profile = with_start_schedule(profile, format_datetime(now))
        profiles.install(CompiledProfile(connector_id, profile))
    return profiles


def _transactions(document: Mapping[str, Any], connector_id: int) -> Iterator[tuple[int, RunningTransaction]]:
    for number, transaction in document.get("transactions", {}).items():
        start = _instant(transaction["start"], f"transactions.{number}.start")
        yield int(number), RunningTransaction(start, transaction.get("transactionId", 1))
    if document.get("transaction") is not None:
        start = _instant(document["transaction"], "transaction")
        yield connector_id, RunningTransaction(start, document.get("transactionId", 1))


def _purposes(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in set(ChargingProfilePurposeType):
            raise ValueError(f"config.IgnoredProfilePurposesOffline: {name} is no purpose")
    return names
