"""Why a composite schedule says what it says, in sentences for people.

Each step of a schedule is explained as it is when it begins: what decides, what it was compared with, what it
outranked, and why the other profiles are silent. Asked is only what `ocpp16.schedule` offers to everybody.
"""

from collections.abc import Iterator

from ocpp16.cli.schedule.scenario import Scenario
from ocpp16.codec import format_datetime
from ocpp16.enums import ChargingProfilePurposeType
from ocpp16.schedule import (
    CompiledProfile,
    Contribution,
    InstalledProfiles,
    Limit,
    RunningTransaction,
    SchedulePeriod,
    charging_limit,
    convert_limit,
)

_MAXIMUM = ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE
_TX = ChargingProfilePurposeType.TX_PROFILE
_SECOND = 1_000_000


def amount(limit: float, unit: str) -> str:
    """A limit for people: three decimal places at most."""
    text = f"{limit:g}" if limit >= 1e12 else f"{limit:.3f}".rstrip("0").rstrip(".")
    return f"{text} {unit}"


def title_of(profile: CompiledProfile) -> str:
    """What a profile is, and where: purpose, id, stack level, connector."""
    return f"{profile.purpose} {profile.profile_id} (level {profile.stack_level}, connector {profile.connector_id})"


class Reasons:
    """Of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        # A composite schedule shows an idle connector as if a transaction began with the window. To ask at any later
        # instant, that transaction has to be there; TxProfiles must not find it.
        self._anchor = RunningTransaction(scenario.start)
        self._profiles = InstalledProfiles(
            profile
            for profile in scenario.profiles
            if profile.purpose != _TX or profile.connector_id in scenario.transactions
        )

    def sentences(self, step: SchedulePeriod) -> list[str]:
        """Of one of `CompositeSchedule.steps`; the first says who decides."""
        at = self._scenario.start + step.start_period * _SECOND
        if self._scenario.connector_id == 0:
            return [*self._of_station(step, at), *self._others(0, at, _MAXIMUM)]
        limit = self.limit(self._scenario.connector_id, at)
        return [*self._of_connector(limit), *self._others(limit.connector_id, at)]

    def limit(self, connector_id: int, at: int) -> Limit:
        """What the schedule of a connector says at an instant within the window, with its two sources."""
        scenario = self._scenario
        return charging_limit(
            self._profiles,
            connector_id,
            at,
            scenario.unit,
            number_of_connectors=scenario.number_of_connectors,
            transactions={connector_id: self._running(connector_id)},
            settings=scenario.settings,
            ignored=scenario.ignored,
            horizon=1,
        )

    def _running(self, connector_id: int) -> RunningTransaction:
        return self._scenario.transactions.get(connector_id, self._anchor)

    # One connector

    def _of_connector(self, limit: Limit) -> Iterator[str]:
        shown = amount(limit.limit, limit.unit)
        own, top = limit.transaction_limit, limit.maximum
        if own is not None and top is not None:
            decider, other = (top, own) if limit.profile is top.profile else (own, top)
            yield f"{shown}: {self._says(decider, limit.number_phases)}."
            yield f"{self._says(other, limit.number_phases)}; {_compared(other, limit)}."
            if own.number_phases and top.number_phases and own.number_phases != top.number_phases:
                yield f"Both count on {_on(limit.number_phases)}, the fewest that either states."
        elif own is not None or top is not None:
            yield f"{shown}: {self._says(own or top, limit.number_phases)}."
        else:
            yield f"{shown}: no charging profile applies, so the default limit does ({self._default_key()})."

    def _says(self, part: Contribution | None, phases: int | None) -> str:
        assert part is not None
        said = f"{title_of(part.profile)} says {amount(part.limit, part.profile.unit)}"
        if part.profile.unit == self._scenario.unit:
            return said + (f" on {_on(part.number_phases)}" if part.number_phases else "")
        stated = _on(phases or self._scenario.settings.default_number_phases)
        default = "" if phases else " (none is stated)"
        return f"{said}, which is {amount(part.converted_limit, self._scenario.unit)} on {stated}{default}"

    def _default_key(self) -> str:
        return f"CompositeScheduleDefaultLimit{'Amps' if self._scenario.unit == 'A' else 'Watts'}"

    # The charge point

    def _of_station(self, step: SchedulePeriod, at: int) -> Iterator[str]:
        scenario = self._scenario
        shown = amount(step.limit, scenario.unit)
        parts: dict[str, list[int]] = {}
        total = 0.0
        alike: tuple[float, str] | None = None
        for number in range(1, scenario.number_of_connectors + 1):
            if number in scenario.transactions or scenario.profiles.has_own(number):
                share, text = self._share(number, at)
            else:
                alike = share, text = alike or self._share(number, at)
            total += share
            parts.setdefault(text, []).append(number)
        added = f"the connectors add up to {amount(total, scenario.unit)}"
        top = self.limit(1, at).maximum
        if step.profile is not None and top is not None:
            yield f"{shown}: {self._says_station(top, step)}; {added}."
        else:
            yield f"{shown}: {added}."
            if top is not None:
                yield f"{self._says_station(top, step)}; that is no less."
        for text, numbers in parts.items():
            yield f"{_connectors(numbers)}: {text}."

    def _share(self, connector_id: int, at: int) -> tuple[float, str]:
        """What a connector adds to the sum, and why."""
        scenario = self._scenario
        limit = self.limit(connector_id, at)
        idle = "" if connector_id in scenario.transactions else " (idle)"
        own = limit.transaction_limit
        if own is None:
            default = scenario.settings.default_limit_amps
            if scenario.unit == "W":
                default = scenario.settings.default_limit_watts
            return default, f"{amount(default, scenario.unit)} by default ({self._default_key()}){idle}"
        phases = limit.number_phases
        before = [title_of(p) for p, word in self._verdicts(connector_id, at) if word == "outranked" and not _is_max(p)]
        outranked = f", before {', '.join(before)}" if before else ""
        return own.converted_limit, f"{self._says(own, phases)}{outranked}{idle}"

    def _says_station(self, top: Contribution, step: SchedulePeriod) -> str:
        said = f"{title_of(top.profile)} says {amount(top.limit, top.profile.unit)}"
        unit, settings = self._scenario.unit, self._scenario.settings
        if top.profile.unit == unit:
            return said
        converted = convert_limit(top.limit, top.profile.unit, unit, step.number_phases, settings)
        return (
            f"{said}, which is {amount(converted, unit)} on {_on(step.number_phases or settings.default_number_phases)}"
        )

    # Those that do not decide

    def _verdicts(self, connector_id: int, at: int) -> list[tuple[CompiledProfile, str]]:
        scenario = self._scenario
        asked: list[tuple[CompiledProfile, str]] = [
            *self._profiles.stack(connector_id).verdicts(
                at, transaction=self._running(connector_id), ignored=scenario.ignored
            )
        ]
        counted = {profile.profile_id for profile, _ in asked}
        plain = scenario.profiles.stack(connector_id).verdicts(at, ignored=scenario.ignored)
        return asked + [(profile, word) for profile, word in plain if profile.profile_id not in counted]

    def _others(self, connector_id: int, at: int, purpose: str | None = None) -> Iterator[str]:
        verdicts = self._verdicts(connector_id, at)
        deciders = {_is_max(profile): profile for profile, word in verdicts if word == "decides"}
        for profile, word in verdicts:
            if word != "decides" and purpose in (None, profile.purpose):
                yield f"{title_of(profile)} {self._why(profile, word, deciders, connector_id)}."

    def _why(
        self, profile: CompiledProfile, word: str, deciders: dict[bool, CompiledProfile], connector_id: int
    ) -> str:
        payload, schedule = profile.payload, profile.payload["chargingSchedule"]
        match word:
            case "outranked":
                return f"is outranked by {title_of(deciders[_is_max(profile)])}"
            case "replaced":
                return f"is replaced on connector {connector_id} by its own default of level {profile.stack_level}"
            case "ignored":
                return "is left out while offline (IgnoredProfilePurposesOffline)"
            case "no transaction":
                return f"needs a transaction, and none runs on connector {connector_id}"
            case "other transaction":
                running = self._scenario.transactions[connector_id].transaction_id
                known = "one whose id is not known yet" if running is None else str(running)
                return f"is for transaction {profile.transaction_id}, but what runs is {known}"
            case "not valid yet":
                return f"is not valid before {payload['validFrom']}"
            case "no longer valid":
                return f"is not valid from {payload['validTo']} on"
            case "not started":
                begin = schedule.get("startSchedule") if profile.kind != "Relative" else None
                return f"begins at {begin}" if begin else "begins with the transaction"
            case "gap":
                return f"pauses until it begins again ({payload['recurrencyKind']})"
        over = profile.over_micros
        return "is over" if over is None else f"is over since {format_datetime(over, 0)}"


def _is_max(profile: CompiledProfile) -> bool:
    return profile.purpose == _MAXIMUM


def _on(phases: int | None) -> str:
    return "1 phase" if phases == 1 else f"{phases} phases"


def _compared(other: Contribution, limit: Limit) -> str:
    is_more = other.converted_limit > limit.limit * (1 + 1e-6)
    return "that is more" if is_more else "that is the same"


def _connectors(numbers: list[int]) -> str:
    """ "Connectors 1, 3-7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    texts = ["-".join(map(str, run)) for run in runs]
    return f"Connector{'s' if len(numbers) > 1 else ''} {', '.join(texts)}"
