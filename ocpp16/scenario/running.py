"""Playing a scenario against a Central System."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.enums import RegistrationStatus
from ocpp16.faults import obey_exit, sentence
from ocpp16.fleet import Blueprint, Fleet, Member, blueprint, open_fleet
from ocpp16.fleet.blueprint import merged
from ocpp16.rpc.calls import CallListener
from ocpp16.rpc.violations import ProtocolViolation, ViolationListener
from ocpp16.scenario.attempt import Attempts
from ocpp16.scenario.cars import car_fault
from ocpp16.scenario.drivers import Crowd, Story
from ocpp16.scenario.judge import DUE
from ocpp16.scenario.model import Per, Scenario, story_fault
from ocpp16.scenario.outcome import Outcome, Progress, StageRun
from ocpp16.scenario.problems import ScenarioError
from ocpp16.scenario.run import LOOKED_AT, Run
from ocpp16.scenario.script import Script
from ocpp16.scenario.stages import Acting
from ocpp16.values import finite, whole

PROGRESS: Final = 1.0
"""Real seconds between two words on how far it is."""
LAST_ANSWERS: Final = DUE + 1.0
"""Seconds of the world that answers may take that are awaited when the story is over; what is asked then is not waited
for."""
Keys = Mapping[str, Mapping[str, Any]]


async def _play(run: Run, script: Script, connectors: int) -> None:
    """All stages, one after another."""
    crowds = [Crowd(run, number, drivers, connectors) for number, drivers in enumerate(run.scenario.drivers, 1)]

    def added(member: Member, late: float) -> None:
        if run.told_added is not None:
            run.told_added(member)
        for crowd in crowds:
            if crowd.drivers.arrivals.per is Per.CHARGE_POINT:
                Story(crowd, member, late).begin()

    run.on_added = added
    for crowd in crowds:
        if crowd.drivers.arrivals.per is Per.FLEET:
            Story(crowd, None).begin()
    for number, stage in enumerate(run.scenario.acts, 1):
        begin = run.begin_stage(stage)
        try:
            await Acting(run, stage, number, script).play()
        finally:
            run.stages.append(StageRun(stage.name, begin, run.now))
    over = run.now
    with trio.move_on_after(LAST_ANSWERS * run.speed):
        await _wait_for_answers(run, over)


async def _wait_for_answers(run: Run, over: float) -> None:
    """Until all is answered that was asked when the story was over. Whom nobody watches may be seen between two calls,
    with nothing that waits; who is Pending or Rejected has asked nothing, whatever waits."""
    busy = [] if run.watches else list(run.members.values())
    while True:
        found = []
        for number, member in enumerate(busy, 1):
            if number % LOOKED_AT == 0:
                await trio.lowlevel.checkpoint()
            connection = member.charge_point.connection
            may_ask = connection.is_connected and connection.registration in (None, RegistrationStatus.ACCEPTED)
            if run.is_there(member.identity) and may_ask and connection.queue_depth:
                found.append(member)
        busy = found
        if not busy and not any(watch.awaits_answers(over) for watch in run.watches.values()):
            return
        await run.pause(0.1)


async def run_scenario(
    scenario: Scenario,
    csms: str,
    *,
    ids: Sequence[str],
    first_number: int = 1,
    of_all: int | None = None,
    blueprint: str | Blueprint | None = None,
    connectors: int | None = None,
    keys: Keys | Callable[[str], Keys] | None = None,
    seed: int = 0,
    duration: float | None = None,
    rate: float | None = None,
    calls: CallListener | None = None,
    violations: ViolationListener | None = None,
    connector: StreamOpener | None = None,
    progress: Callable[[Progress], None] | None = None,
    speed: float = 1.0,
    is_stopping: trio.Event | None = None,
    added: Callable[[Member], None] | None = None,
    **fleet_options: Any,
) -> Outcome:
    """Play a scenario with these charge points against the Central System at `csms`, a URL.

    ids: of the charge points, in the order of their numbers. first_number: of the first of them; where several play the
    same at a time, each with others, their cards are others as well. of_all: how many charge points play in all, where
    they share the cards of one scenario; None: each has as many as it would have alone. blueprint, connectors: instead
    of what the scenario says. keys: configuration keys over its own, by section, or a function that gives them for an
    id. seed: the same seed gives the same story for each charge point. duration: seconds that the stages that hold take
    in all. rate: arrivals a second of all drivers together; without drivers charge points a second of ramps and
    restarts. calls, violations: are told each CALL that ended, and each violation of the protocol (see
    `ChargePoints.open`). connector: opens streams instead of TCP. progress: is told how far it is, about each second.
    speed: how many times faster than in reality trio's clock runs. is_stopping: when it is set the story ends at once,
    in order. added: is told each charge point that comes. fleet_options: others of `open_fleet`.

    Raises ScenarioError for what does not go together, ValueError and ConfigurationError for arguments that cannot be
    meant, FleetError where so many cannot be.
    """
    if not ids:
        raise ScenarioError(scenario.name, "", "", "it needs at least one charge point")
    fault = story_fault(scenario)  # of one that was made in Python
    if fault is not None:
        raise ScenarioError(scenario.name, *fault)
    for name, value in (("duration", duration), ("rate", rate), ("speed", speed)):
        if value is not None and finite(value, name) <= 0:
            raise ValueError(f"{name} must be more than 0, not {value:g}")
    mix = blueprints_of(scenario, blueprint, connectors)
    run = Run(scenario, ids, seed, rate, duration, whole(first_number, "first_number", 1), of_all, speed)
    run.told_added = added
    run.attempts = Attempts(connector, fleet_options.get("certificates_path"))
    options: dict[str, Any] = dict(fleet_options)
    options["violations"] = run.violations if violations is None else partial(_tell_both, run.violations, violations)
    if calls is not None:
        options["calls"] = calls
    elif not scenario.expectations and scenario.play is None:
        run.is_answered = False
        options["calls"] = run.note_call
    if scenario.is_watched:
        options.update(observer=run.observer_of, trace_messages=True)
    if scenario.is_disturbed:
        options["connector_of"] = run.connector_of(connector)
    try:
        return await _in_a_fleet(
            run,
            open_fleet(csms, mix[0][1], keys=_keys(scenario, keys), connector=connector, **options),
            mix,
            partial(_tell, run, progress, PROGRESS * speed) if progress is not None else None,
            is_stopping,
        )
    except BaseExceptionGroup as group:
        raise _only(group) from None


def _tell_both(first: ViolationListener, second: ViolationListener, violation: ProtocolViolation) -> None:
    first(violation)
    second(violation)


async def _in_a_fleet(
    run: Run,
    opening: AbstractAsyncContextManager[Fleet],
    mix: list[tuple[float, Blueprint]],
    telling: Callable[[], Awaitable[None]] | None,
    is_stopping: trio.Event | None,
) -> Outcome:
    script = Script(run)
    is_complete = False
    async with opening as fleet, trio.open_nursery() as nursery:
        fleet.make_room(len(run.ids))
        run.open(fleet, nursery, mix)
        nursery.start_soon(run.agenda.run)
        if telling is not None:
            nursery.start_soon(telling)
        with trio.CancelScope() as story:
            if is_stopping is not None:
                nursery.start_soon(_cancel, is_stopping, story)
            await _play(run, script, len(run.ids) * max(one.connectors for _, one in mix))
            is_complete = True
        outcome = run.outcome(script.results, is_complete=is_complete)
        nursery.cancel_scope.cancel()
    return outcome


def _only(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What was raised, where it is one thing."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup) and len(found.exceptions) == 1:
        found = found.exceptions[0]
    return found


def blueprints_of(
    scenario: Scenario, given: str | Blueprint | None, connectors: int | None
) -> list[tuple[float, Blueprint]]:
    """With their shares. Raises ValueError and ConfigurationError for what cannot be, ScenarioError for cars that none
    of them takes."""
    named = scenario.fleet.mix if given is None else ((1.0, given),)
    count = scenario.fleet.connectors if connectors is None else connectors
    found = [(share, blueprint(one)) for share, one in named]
    changes: dict[str, Any] = {} if count is None else {"connectors": count}
    if scenario.fleet.options and given is None:
        changes["options"] = dict(scenario.fleet.options)
    if changes:
        found = [(share, one.over(**changes)) for share, one in found]
    fault = car_fault(scenario, [one for _, one in found])
    if fault is not None:
        raise ScenarioError(scenario.name, *fault)
    return found


def _keys(scenario: Scenario, given: Keys | Callable[[str], Keys] | None) -> Keys | Callable[[str], Keys]:
    own = scenario.fleet.keys
    if callable(given):
        function = given
        return lambda identity: merged(own, function(identity))
    return merged(own, given or {})


async def _tell(run: Run, progress: Callable[[Progress], None], period: float) -> None:
    while True:
        try:
            progress(await run.progress())
        except BaseException as error:
            obey_exit(error)
            run.note(f"the progress could not be told: {sentence(error)}")
        await run.pause(period)


async def _cancel(is_stopping: trio.Event, story: trio.CancelScope) -> None:
    await is_stopping.wait()
    story.cancel()
