"""Locust drives charge points: a user of Locust is one charge point.

    from ocpp16.load.locust import ChargePointUser

    class ChargePoint(ChargePointUser):
        \"\"\"The host of Locust is the address of the Central System.\"\"\"

Each process of Locust has one child with a fleet, begun with its first user; whatever calls end there come back as
requests of the type OCPP, named by their action, connections as those of the type WebSocket, what the Central System
does against the protocol as failures of the type protocol, named by the rule of `ocpp16 lint`, and scenarios that users
play as those of the type scenario. The exit code of Locust is that of errors, too, where a worker was lost, or
nobody came to the end of a scenario. Importing this patches the whole process, as Locust does: nothing else of `ocpp16`
imports it, and trio cannot run beside it.
"""

import heapq
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import gevent
from locust import User, events, task
from locust.env import Environment
from locust.runners import STATE_MISSING, STATE_RUNNING, STATE_SPAWNING, MasterRunner, WorkerRunner

from ocpp16.load.locust_child import Call, ChildFleet, FleetLost, Links, Story, Violations
from ocpp16.load.locust_verdict import REPORT, Verdict, log
from ocpp16.texts import shown

__all__ = ["CallFailed", "ChargePointUser", "FleetLost", "NotConnected", "ProtocolBroken", "ScenarioFailed"]

REQUEST_TYPE: Final = "OCPP"
STORY_TYPE: Final = "scenario"
LINK_TYPE: Final = "WebSocket"
PROTOCOL_TYPE: Final = "protocol"
MOST_OF_A_WORKER: Final = 100_000
"""Numbers that the users of one worker have for themselves."""
LONG: Final = 86_400
"""Seconds between two things that a user has to do, which are nothing."""
PLACE: Final = "ocpp16_fleet"
"""The attribute of Locust's environment with the fleet."""
GOING: Final = "ocpp16_fleet_that_goes"
"""The same with what ends the one before."""
VERDICT: Final = "ocpp16_verdict"
"""The same with the `Verdict`."""
LOOK: Final = 0.5
"""Seconds between two looks for workers that are missing: Locust waits three for a sign of life."""
MILLISECONDS: Final = 1_000


class CallFailed(Exception):
    """A CALL without a result: Locust counts those of the same text together."""


class NotConnected(Exception):
    """There is no connection to the Central System, or none any more; its text says why."""


class ProtocolBroken(Exception):
    """The Central System did something against the protocol: the action, and what, in words."""


class ScenarioFailed(Exception):
    """A scenario of which something was not met: the name of the first such expectation, by which Locust counts."""


class ChargePointUser(User):
    """One charge point while it is there.

    charge_point: how they are called, from `worker`, the number of Locust's worker, without which two workers would
    have charge points of one name, and `number`, the least that is free in it. options: what else the child is told:
    `blueprint` (a name), `keys` (configuration keys by section, such as AuthorizationKey), `seed`, `certificates` (the
    folder whose ca/csms is trusted), `source_addresses`. scenario: what it plays, the name of one that is ready made
    or the path of a file; "": it charges one car after another. values: what `${name}` stands for in it. command: of
    the child.
    """

    abstract = True
    charge_point: ClassVar[str] = "CP{worker:02}{number:05}"
    options: ClassVar[Mapping[str, Any]] = {}
    scenario: ClassVar[str] = ""
    values: ClassVar[Mapping[str, str]] = {}
    command: ClassVar[tuple[str, ...]] = (sys.executable, "-m", "ocpp16", "load", "--worker")

    def wait_time(self) -> float:
        """Seconds until Locust has the user do its task again, which does nothing here."""
        return LONG

    def on_start(self) -> None:
        """Raises FleetLost if the process with the charge points was given up, there is no address to go to, or it
        cannot be called so."""
        _fleet_of(self).enter(self)

    def on_stop(self) -> None:
        fleet: LocustFleet | None = getattr(self.environment, PLACE, None)
        if fleet is not None:
            fleet.leave(self)

    @task
    def live(self) -> None:
        """What it does, it does in the child."""


class LocustFleet:
    """The users of this process of Locust, and the child with their charge points."""

    def __init__(self, environment: Environment, command: Sequence[str], host: str, options: Mapping[str, Any]) -> None:
        self._environment = environment
        self.host = host
        runner = environment.runner
        self._worker: int = max(getattr(runner, "worker_index", 0), 0)
        self._is_alone = not isinstance(runner, WorkerRunner)
        self._scenarios: dict[str, str] = {}
        """What the charge points that came so far play, by name."""
        self._names: dict[ChargePointUser, tuple[int, str]] = {}
        self._free: list[int] = []
        self._highest = 0
        self._child = ChildFleet(
            command,
            {"do": "run", "csms": host, "tell_calls": True, **options},
            self._tell,
            self._tell_loss,
            on_links=self._tell_links,
            on_violations=self._tell_violations,
            on_story=self._tell_story,
        )

    def enter(self, user: ChargePointUser) -> None:
        number = heapq.heappop(self._free) if self._free else self._highest + 1
        self._highest = max(self._highest, number)
        name = self._name(user.charge_point, number)
        self._names[user] = number, name
        more: dict[str, Any] = {}
        if user.scenario:
            of_all = self._worker * MOST_OF_A_WORKER + number
            more = {"scenario": user.scenario, "values": dict(user.values), "number": of_all}
            self._scenarios[name] = user.scenario
            _verdict(self._environment).played.setdefault(user.scenario, 0)
        self._child.add(name, **more)

    def _name(self, pattern: str, number: int) -> str:
        """Raises FleetLost for a pattern that is none, or gives two charge points one name."""
        try:
            name, of_next, of_other = (
                pattern.format(worker=self._worker + one, number=number + two) for one, two in ((0, 0), (0, 1), (1, 0))
            )
        except (LookupError, ValueError, AttributeError) as error:
            raise FleetLost(f"charge_point: {shown(pattern, 80)} is no pattern: {error!r}") from None
        if name == of_next:
            raise FleetLost(f"charge_point: {shown(pattern, 80)} must have {{number}}, which tells one from the next")
        if name == of_other and not self._is_alone:
            raise FleetLost(f"charge_point: {shown(pattern, 80)} must have {{worker}}: others have the same numbers")
        return name

    def leave(self, user: ChargePointUser) -> None:
        found = self._names.pop(user, None)
        if found is not None:
            number, name = found
            self._child.remove(name)
            heapq.heappush(self._free, number)

    def close(self) -> None:
        self._child.close()

    def _tell(self, call: Call) -> None:
        self._environment.events.request.fire(
            request_type=REQUEST_TYPE,
            name=call.action,
            response_time=call.seconds * MILLISECONDS,
            response_length=0,
            exception=_failure(call),
            context={},
        )

    def _tell_links(self, links: Links) -> None:
        """Without a time: what is measured is the answers to calls."""
        for _ in range(links.times):
            self._environment.events.request.fire(
                request_type=LINK_TYPE,
                name="connection",
                response_time=None,
                response_length=0,
                exception=NotConnected(links.reason) if links.reason else None,
                context={},
            )

    def _tell_violations(self, violations: Violations) -> None:
        """Each is a failure; none has a time."""
        for _ in range(violations.times):
            self._environment.events.request.fire(
                request_type=PROTOCOL_TYPE,
                name=violations.rule,
                response_time=None,
                response_length=0,
                exception=ProtocolBroken(violations.why),
                context={},
            )

    def _tell_story(self, story: Story) -> None:
        scenario = self._scenarios.get(story.charge_point)
        if scenario is not None:
            played = _verdict(self._environment).played
            played[scenario] = played.get(scenario, 0) + 1
        self._environment.events.request.fire(
            request_type=STORY_TYPE,
            name=story.scenario,
            response_time=story.seconds * MILLISECONDS,
            response_length=0,
            exception=ScenarioFailed(f"not met: {story.unmet}") if story.unmet else None,
            context={"charge_point": story.charge_point, "why": story.why},
        )

    def _tell_loss(self, lost: FleetLost, is_final: bool) -> None:
        """Every user has failed; those of a child that is given up end."""
        users = list(self._names)
        for user in users:
            self._environment.events.user_error.fire(user_instance=user, exception=lost, tb=lost.__traceback__)
        self._environment.events.request.fire(
            request_type=REQUEST_TYPE,
            name="process with the charge points",
            response_time=0,
            response_length=0,
            exception=lost,
            context={},
        )
        if is_final:
            for user in users:
                user.stop(force=True)


def _failure(call: Call) -> CallFailed | None:
    if call.outcome == "result":
        return None
    if call.outcome == "error":
        return CallFailed(f"CALLERROR {call.code}".rstrip())
    return CallFailed("no answer in time" if call.outcome == "timeout" else "connection lost")


def _fleet_of(user: ChargePointUser) -> LocustFleet:
    """That of the user's environment, begun now if it is its first."""
    environment = user.environment
    host = user.host or environment.host
    if not host:
        raise FleetLost("no host: give the address of the Central System, as --host ws://127.0.0.1:9000/ocpp")
    _wait_for_the_one_before(environment)  # others may come meanwhile, and be first
    found: LocustFleet | None = getattr(environment, PLACE, None)
    if found is not None and found.host != host:
        raise FleetLost("the charge points of one process of Locust go to one Central System: their hosts differ")
    if found is None:
        found = LocustFleet(environment, user.command, host, user.options)
        setattr(environment, PLACE, found)
        if not hasattr(environment, GOING):
            setattr(environment, GOING, None)
            environment.events.test_stop.add_listener(_end)
            environment.events.quitting.add_listener(_quit)
    return found


def _end(environment: Environment, **more: Any) -> None:
    """Of a test. The child goes meanwhile: Locust gives a worker that quits half a second for its last figures."""
    found: LocustFleet | None = getattr(environment, PLACE, None)
    if found is not None:
        setattr(environment, PLACE, None)
        setattr(environment, GOING, gevent.spawn(found.close))


def _wait_for_the_one_before(environment: Environment) -> None:
    """Its charge points may be those of the next."""
    going: gevent.Greenlet | None = getattr(environment, GOING, None)
    if going is not None:
        going.join()


def _quit(environment: Environment, **more: Any) -> None:
    """This process ends after its child."""
    _end(environment)
    _wait_for_the_one_before(environment)


# What Locust does not judge


def _verdict(environment: Environment) -> Verdict:
    found: Verdict | None = getattr(environment, VERDICT, None)
    if found is None:
        found = Verdict()
        setattr(environment, VERDICT, found)
    return found


def _begin_to_judge(environment: Environment, **more: Any) -> None:
    """Worker and master each do their part of it."""
    verdict, runner, of = _verdict(environment), environment.runner, environment.events
    of.test_start.add_listener(lambda **more: verdict.begin())
    if isinstance(runner, WorkerRunner):
        of.report_to_master.add_listener(lambda client_id, data, **more: data.update({REPORT: dict(verdict.played)}))
    elif isinstance(runner, MasterRunner):
        of.worker_report.add_listener(lambda client_id, data, **more: verdict.heard(client_id, data))
        gevent.spawn(_look_for_workers, runner, verdict)


def _look_for_workers(runner: MasterRunner, verdict: Verdict) -> None:
    """Locust itself tells nobody that one is missing. Where the last one is, a master without page ends."""
    options = runner.environment.parsed_options
    while True:
        was_at_work = runner.state in (STATE_RUNNING, STATE_SPAWNING)
        gevent.sleep(LOOK)
        missing = [one.id for one in runner.clients.values() if one.state == STATE_MISSING]
        if was_at_work:
            verdict.miss(missing)
            if missing and not runner.worker_count and getattr(options, "headless", False):
                runner.quit()


def _judge(environment: Environment, **more: Any) -> None:
    """After the runner has quit, which has the last reports: who listened first is told last."""
    runner = environment.runner
    if runner is None or isinstance(runner, WorkerRunner):
        return
    workers = runner.clients.values() if isinstance(runner, MasterRunner) else ()
    problems = _verdict(environment).problems(one.id for one in workers if one.state != STATE_MISSING)
    for problem in problems:
        log.error("%s", problem)
    if problems and environment.process_exit_code is None:
        environment.process_exit_code = getattr(environment.parsed_options, "exit_code_on_error", 1)


events.init.add_listener(_begin_to_judge)
events.quitting.add_listener(_judge)
