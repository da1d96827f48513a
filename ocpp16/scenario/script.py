"""The script of one charge point: steps that act, and steps that wait for what the Central System is to do."""

from collections.abc import Callable
from math import inf
from random import Random
from typing import Any, Final

import trio

from ocpp16.enums import BootReason, ResetType
from ocpp16.errors import Ocpp16Error
from ocpp16.faults import obey, sentence
from ocpp16.fleet import Member
from ocpp16.fleet.names import numbered
from ocpp16.scenario.attempt import Attempt
from ocpp16.scenario.exchanges import MOST_KEPT, Exchange
from ocpp16.scenario.model import Seen, Step
from ocpp16.scenario.outcome import MOST_FAILURES, ExpectationResult, Failure
from ocpp16.scenario.run import Run
from ocpp16.scenario.step_words import ACCEPTED, WAITS
from ocpp16.scenario.watch import Watch
from ocpp16.simulation import CommandError
from ocpp16.texts import shown

PLAY: Final = "the script in Python"
STARTING: Final = 0.1
"""Seconds after which it is looked again whether a charge point runs."""


TOO_MANY: Final = f"there were more than {MOST_KEPT // 2}, of which the last were looked at"


class Tally:
    """How one step went at all charge points that came to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.checked: int = 0
        self.met: int = 0
        self.failures: list[Failure] = []

    def add(self, identity: str, at: float, why: str) -> None:
        """`why` is empty where it went well."""
        self.checked += 1
        if not why:
            self.met += 1
        elif len(self.failures) < MOST_FAILURES:
            self.failures.append(Failure(identity, at, why))

    @property
    def result(self) -> ExpectationResult:
        return ExpectationResult(self.name, self.met == self.checked, self.checked, self.met, self.failures)


class Script:
    """Of all charge points; `tallies` by number of the step, from 1."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.steps: tuple[Step, ...] = run.scenario.steps
        self.tallies: dict[int, Tally] = {
            number: Tally(_title(number, step))
            for number, step in enumerate(self.steps, 1)
            if step.do in WAITS or step.fails
        }

    @property
    def results(self) -> list[ExpectationResult]:
        """Of the steps that somebody came to."""
        return [tally.result for _, tally in sorted(self.tallies.items()) if tally.checked]

    def _tally(self, number: int, identity: str, why: str) -> None:
        if number not in self.tallies:
            name = PLAY if self._run.scenario.play is not None else _title(number, self.steps[number - 1])
            self.tallies[number] = Tally(name)
        self.tallies[number].add(identity, self._run.now, why)

    async def play(self, member: Member, within: float) -> None:
        """The whole script at one charge point; it ends with the first step that fails."""
        at = [1] if self.steps else [0]
        with trio.move_on_after(within * self._run.speed) as scope:
            await self._play(member, at)
        if scope.cancelled_caught:
            waiting = self._run.waiting.get(member.identity, "")
            self._tally(
                at[0], member.identity, f"the time for steps ({within:g} s) is over{waiting and ', ' + waiting}"
            )
        self._run.waiting.pop(member.identity, None)

    async def _play(self, member: Member, at: list[int]) -> None:
        run = self._run
        while not member.charge_point.is_running:  # it was added a moment ago, or is between two starts
            await run.pause(STARTING)
        random = Random(f"{run.seed} {member.identity} script")  # noqa: S311 - repeatable, not secret
        if run.scenario.play is not None:
            try:
                await run.scenario.play(member, random)
            except BaseException as error:
                obey(error)
                self._tally(0, member.identity, sentence(error))
            else:
                self._tally(0, member.identity, "")
            return
        one = _At(run, member, run.watches[member.identity], random)
        for number, step in enumerate(self.steps, 1):
            at[0] = number
            try:
                why = _as_expected(step, await one.take(step))
            except (CommandError, Ocpp16Error, ValueError) as error:
                why = _as_expected(step, shown(error) or type(error).__name__)
            except BaseException as error:  # of this charge point, and no end of all the others
                obey(error)
                why = sentence(error)
            run.waiting.pop(member.identity, None)
            if why or number in self.tallies:
                self._tally(number, member.identity, why)
            if why:
                return


class _At:
    """One charge point, at its script. What is waited for counts from the last step that did something, or
    from the CALL of the Central System that was waited for last. `within` is in seconds of the world: it is the Central
    System that is waited for."""

    def __init__(self, run: Run, member: Member, watch: Watch, random: Random) -> None:
        self._run = run
        self._member = member
        self._watch = watch
        self._random = random
        self._mark = 0
        self._ends = 0
        """What was seen when it was made to start anew: until it has, it is registered as it was before."""

    async def take(self, step: Step) -> str:
        """Returns why it failed; empty if it did not."""
        own = _OWN.get(step.do)
        if own is not None:
            why: str = await own(self, **step.arguments)
            return why
        self._mark = self._watch.seen
        number = self._run.numbers[self._member.identity]
        arguments = {name: _numbered(value, number) for name, value in step.arguments.items()}
        result = await self._member.commands.run(step.do, arguments)
        if result is False:
            return f"{step.do}: nothing came of it"
        reason = self._member.commands.reason(step.do, arguments, result)
        return f"{step.do} was refused: {reason}" if reason else ""

    def _patience(self, within: float) -> float:
        return within * self._run.speed

    def _waits(self, text: str) -> None:
        self._run.waiting[self._member.identity] = f"waiting for {text}"

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        with trio.move_on_after(seconds):
            while not is_so():
                self._watch.news = trio.Event()
                await self._watch.news.wait()
            return True
        return False

    async def sleep(self, seconds: Any) -> str:
        await self._run.pause(seconds.draw(self._random))
        return ""

    async def wait_registered(self, within: float) -> str:
        self._waits("its registration by the Central System")
        with trio.move_on_after(self._patience(within)):
            await self._until(lambda: not self._ends or self._watch.connected_at > self._ends, inf)
            while True:
                try:
                    await self._member.charge_point.wait_registered()
                    return ""
                except Ocpp16Error:  # between two starts
                    await self._run.pause(1.0)
        why = "" if self._watch.is_connected else shown(self._watch.reason)
        return f"it was not registered within {within:g} s{why and ': ' + why}"

    async def wait_answered(self, within: float) -> str:
        self._waits("the answers of the Central System to all that was sent")
        with trio.move_on_after(self._patience(within)):
            await self._member.charge_point.wait_all_answered()
            return ""
        left = self._member.charge_point.connection.queue_depth
        return f"{left} messages were not answered within {within:g} s"

    async def wait_status(self, connector: int, status: str, within: float) -> str:
        self._waits(f"connector {connector} to be {status}")
        if await self._until(lambda: self._watch.states.get(connector) == status, self._patience(within)):
            return ""
        found = self._watch.states.get(connector, "not reported")
        return f"connector {connector} was {found}, not {status}, for {within:g} s"

    async def wait_connected(self, first_attempt: bool, within: float) -> str:
        self._waits("a new connection to the Central System")
        watch = self._watch

        def is_decided() -> bool:
            return watch.connected_at > self._mark or (first_attempt and watch.attempt_failed_at > self._mark)

        if not await self._until(is_decided, self._patience(within)):
            why = shown(watch.reason) if watch.reason and not watch.is_connected else "there was no attempt"
            return f"it was not connected anew within {within:g} s: {why}"
        if first_attempt and self._mark < watch.attempt_failed_at:
            return f"its first attempt to connect failed: {shown(watch.reason)}"
        return ""

    async def try_connection(self, expect: str, lowered: bool, within: float, **wanted: Any) -> str:
        self._waits("the answer of the Central System to an attempt to connect")
        found = await self._run.attempts.make(
            Attempt(is_lowered=lowered, within=within, **wanted), self._member.charge_point.configuration, self._random
        )
        if found.is_accepted is (expect == ACCEPTED):
            return ""
        became = {True: "accepted", False: "refused", None: "neither accepted nor refused"}[found.is_accepted]
        return f"the attempt was {became}, not {expect}: {found.text}"

    async def wait_sent(self, action: str, within: float, **asked: Any) -> str:
        self._waits(f"the answer of the Central System to {action}")
        return await self._exchange(Seen.SENT, action, within, **asked)

    async def wait_received(self, action: str, within: float, **asked: Any) -> str:
        self._waits(f"{action} of the Central System, which somebody has to ask for there")
        return await self._exchange(Seen.RECEIVED, action, within, **asked)

    async def _exchange(
        self, seen: Seen, action: str, within: float, payload: Any = None, answer: Any = None, error: str = ""
    ) -> str:
        wrong: list[str] = []

        def is_there() -> bool:
            wrong.clear()
            for one in self._since(seen, action):
                why = "" if payload is None else payload.wrong(one.payload)
                if not why:
                    why = _wrong_answer(one, answer, error)
                if not why:
                    if seen is Seen.RECEIVED:
                        self._mark = one.number
                        if action == "Reset" and one.answer == {"status": "Accepted"}:
                            self._ends = one.number
                    return True
                wrong.append(why)
            return False

        if await self._until(is_there, self._patience(within)):
            return ""
        if wrong:
            rest = f"; {TOO_MANY}" if self._forgot(action) else ""
            return f"{action} was {seen}, but not as expected within {within:g} s: {wrong[-1]}{rest}"
        if seen is Seen.SENT and any(self._since(seen, action, is_answered=False)):
            return f"{action} was not answered within {within:g} s"
        return f"{action} was not {seen} within {within:g} s"

    def _since(self, seen: Seen, action: str, *, is_answered: bool = True) -> list[Exchange]:
        return [one for one in self._back_to_mark(action) if one.seen is seen and one.is_answered is is_answered]

    def _back_to_mark(self, action: str) -> list[Exchange]:
        exchanges = self._watch.exchanges
        return [] if exchanges is None else exchanges.since(self._mark, action)

    def _forgot(self, action: str) -> bool:
        """Were there more than are known?"""
        exchanges = self._watch.exchanges
        return exchanges is not None and exchanges.forgot(self._mark, action)

    async def never(self, action: str, seconds: float, payload: Any = None) -> str:
        self._waits(f"{seconds:g} s without {action}")

        def was_there() -> bool:
            return any(payload is None or payload.fits(one.payload) for one in self._back_to_mark(action))

        if await self._until(was_there, seconds):
            return f"there was {action}"
        return f"nobody knows: of {action}, {TOO_MANY}" if self._forgot(action) else ""

    async def power_cut(self, seconds: float) -> str:
        self._mark = self._watch.seen
        if not self._member.cut_power(seconds):
            return "power_cut: it is not running"
        self._ends = max(1, self._mark)
        return ""

    async def reset(self, kind: str, reason: str) -> str:
        self._mark = self._watch.seen
        self._ends = max(1, self._mark)
        self._member.station.reboot(ResetType(kind), BootReason(reason))
        return ""


def _wrong_answer(one: Exchange, answer: Any, error: str) -> str:
    if error:
        return "" if one.code == error else f"it was answered with {one.code or 'a result'}, not CALLERROR {error}"
    if one.code:
        return f"it was answered with CALLERROR {one.code}"
    return "" if answer is None else str(answer.wrong(one.answer))


_OWN: Final[dict[str, Callable[..., Any]]] = {
    "sleep": _At.sleep,
    "wait_registered": _At.wait_registered,
    "wait_answered": _At.wait_answered,
    "wait_status": _At.wait_status,
    "wait_sent": _At.wait_sent,
    "wait_received": _At.wait_received,
    "wait_connected": _At.wait_connected,
    "try_connection": _At.try_connection,
    "never": _At.never,
    "power_cut": _At.power_cut,
    "reset": _At.reset,
}


def _as_expected(step: Step, why: str) -> str:
    """Of a step that failed for this reason ("": it did not), why that is not what was expected."""
    if not step.fails:
        return why
    return "" if why else f"{step.do} was to fail, and did not"


def _title(number: int, step: Step) -> str:
    if step.name:
        return f"step {number}: {step.name}"
    of = step.arguments.get("action") or step.arguments.get("status") or ""
    return f"step {number}: {step.do} {of}".rstrip()


def _numbered(value: Any, number: int) -> Any:
    """Texts may have the number of the charge point, as `CARD{number:06}`."""
    return numbered(value, number) if isinstance(value, str) else value
