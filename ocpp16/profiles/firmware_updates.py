"""The one update of the firmware that is under way, signed or not, from its request to its end (OCPP 1.6 ed. 2 §6.19,
§4.5; security white paper).

Its steps are `state.firmware`; here is what is stored, when the station is asked and the Central System told, and what
becomes of the connectors. `firmware` and `signed_firmware` answer the requests.

Rules of this file:
1. An update is on disk before its request is answered, and at each step before that is told. A start goes on where the
   last one was: the station is told of it again.
2. There is one update. A newer one takes its place once the station has given it up, or before it was told of it.
3. A status is told to the Central System once; one that could not be told is told when it can be again, if it still is
   the present one. The end is kept until then, over restarts, too. What is triggered changes nothing.
4. The station gets its go-ahead once in a start: when the last connector was put out of service and no transaction
   runs, and it has been told of the update. Whatever ends the update gives the connectors back.
5. An update that the station tells of by itself is taken as if it had been asked for, but nobody is asked to go on.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial
from math import inf
from typing import Any, ClassVar, Self

from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.models import FirmwareUpdate
from ocpp16.profiles.base import Context, FeatureProfile, Others, Payload, Stored, Taken, hears
from ocpp16.profiles.firmware_job import FirmwareJob, all_rows, rows, stored_job
from ocpp16.profiles.station_side import yes_or_no
from ocpp16.profiles.status_report import StatusReport
from ocpp16.profiles.turn import Turn
from ocpp16.state.clock import IN_DOUBT, to_micros
from ocpp16.state.firmware import HOLDS_CONNECTORS, Step, failure_at, step_after, wire_status
from ocpp16.state.signals import (
    ClockSet,
    ClockSettled,
    Connected,
    RegistrationChanged,
    SecurityEventRaised,
    Signal,
    TransactionEnded,
)
from ocpp16.state.timers import Timer
from ocpp16.station import FirmwareStation
from ocpp16.store.tables.jobs import ROWS


class FirmwareUpdates(FeatureProfile):
    __slots__ = ("_certain_at", "_is_begun", "_is_held", "_job", "_last_end", "_others", "_report", "_timer", "_turn")

    name = ""
    protocol: ClassVar[type | None] = FirmwareStation

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others
        self._job: FirmwareJob | None = None
        self._last_end: tuple[int, Status] | None = None
        self._timer: Timer | None = None
        self._report: StatusReport | None = None
        self._turn = Turn()
        self._is_begun = False
        """Has the station taken it, in this start?"""
        self._is_held = False
        """Are the connectors withheld?"""
        self._certain_at = 0.0
        """By the monotonic clock: from then on a clock is believed that nobody has set."""

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others)

    # What was stored

    def restore(self, stored: Stored) -> None:
        if stored.has(ROWS):
            self._job = stored_job(stored)

    # The station: looking up a method is part of asking, as for `AskedStation`

    async def _update_firmware(self, update: FirmwareUpdate) -> Any:
        return await self.ctx.station.host.update_firmware(update)

    async def _cancel_firmware_update(self, request_id: int) -> Any:
        return await self.ctx.station.host.cancel_firmware_update(request_id)

    # A start

    def attach(self) -> None:
        if self._job is not None and self._job.step in HOLDS_CONNECTORS:
            self._withhold()

    def start(self) -> None:
        job = self._job
        if job is None:
            return
        if not job.is_told:
            self._tell(job)
        if job.step is Step.OVER:
            return
        if job.step is Step.CLEARED:
            job.step = Step.CLEARING
        if job.step > Step.SCHEDULED and not job.is_of_the_station:
            self._have_it_begun(job)
        self._certain_at = self.ctx.clock.monotonic() + IN_DOUBT
        self._go_on()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # The Central System asks

    @property
    def status(self) -> Status:
        """Idle without an update that is under way."""
        return Status.IDLE if self._job is None or self._job.step is Step.OVER else self._job.update.status

    @property
    def request_id(self) -> int | None:
        """Of the update that is under way."""
        return None if self._job is None or self._job.step is Step.OVER else self._job.update.request_id

    async def take(self, update: FirmwareUpdate, by: float, *, cancels: bool = False) -> Taken:
        """Keep an update that was asked for, in place of any other; `begin` is to follow the answer.

        by: trio's time until which the station may take to give up the earlier one; cancels: it has done so already.
        Raises StoreError if it could not be stored; then there is no update at all if the earlier one was given up.
        """
        async with self._turn:
            earlier = self._job
            if earlier is not None and earlier.step is Step.OVER:
                earlier = None
            is_begun = earlier is not None and earlier.step > Step.SCHEDULED
            if earlier is not None and is_begun and not cancels and not await self._is_cancelled(earlier, by):
                return Taken.REFUSED
            self._leave_what_is_over()
            job = FirmwareJob(update, Step.SCHEDULED, is_told=True)
            try:
                await self.ctx.asked.commit(
                    all_rows(job), apply=partial(self._replace, job), restore=lambda: all_rows(self._job)
                )
            except BaseException:
                if earlier is not None and is_begun and earlier is self._job and earlier.step is not Step.OVER:
                    self._advance(earlier, failure_at(earlier.step), Step.OVER)
                raise
            return Taken.ALONE if earlier is None else Taken.IN_PLACE

    async def _is_cancelled(self, job: FirmwareJob, by: float) -> bool:
        """Has the station given it up, or is it over anyway?"""
        is_cancelled = await self.ctx.station_side.ask(
            self._cancel_firmware_update, job.update.request_id, accept=yes_or_no, safe=False, by=by
        )
        return is_cancelled or job is not self._job or job.step is Step.OVER

    def _leave_what_is_over(self) -> None:
        """Another one is taken: what waits to be told of the one before, its end, waits by itself from here on."""
        if self._job is not None and self._job.step is Step.OVER:
            self._told_of().leave()
            self._told_status()

    def _replace(self, job: FirmwareJob) -> None:
        self.stop()
        self._release()
        if self._report is not None:
            self._report.drop()
        self._job, self._is_begun = job, False

    def begin(self) -> None:
        """The request is answered."""
        if self._job is not None and self._job.step is Step.SCHEDULED:
            self._go_on()

    # Its steps

    def _go_on(self) -> None:
        """Do what the present step wants, or wait for its time."""
        self.stop()
        job = self._job
        if job is None:
            return
        if job.step is Step.SCHEDULED:
            if self._is_due(job.update.retrieve_date):
                job.step = Step.DOWNLOADING
                self.ctx.journal.append(*rows(job))
                self._have_it_begun(job)
            elif job.update.is_signed and job.update.status is Status.IDLE:
                self._advance(job, Status.DOWNLOAD_SCHEDULED, job.step)
        elif job.step is Step.WAITING and self._is_due(job.update.install_date):
            job.step = Step.CLEARING
            self.ctx.journal.append(*rows(job))
        if job.step in HOLDS_CONNECTORS:
            self._withhold()
            self._clear()

    def _is_due(self, date: datetime | None) -> bool:
        """Has it come? If not, `_go_on` is called when it does."""
        at = self._comes_at(date)
        if at <= self.ctx.clock.monotonic():
            return True
        self._timer = self.ctx.timers.at(at, self._go_on)
        return False

    def _comes_at(self, date: datetime | None) -> float:
        """When, in monotonic seconds; None: at any time.

        By a clock that nobody has set, which may be ahead by years, not for `IN_DOUBT` seconds after a start.
        """
        if date is None:
            return -inf
        clock = self.ctx.clock
        at = clock.monotonic_at(to_micros(date))
        return at if clock.is_trusted or clock.is_settled else max(at, self._certain_at)

    def _have_it_begun(self, job: FirmwareJob) -> None:
        self.ctx.spawn(self._ask_to_begin, job)

    async def _ask_to_begin(self, job: FirmwareJob) -> None:
        if job is not self._job or job.step is Step.OVER:
            return
        question = self._update_firmware
        if await self.ctx.station_side.ask(question, job.update, accept=_anything, safe=False):
            self._is_begun = self._is_begun or job is self._job
            self._clear()
        elif job is self._job and job.step < Step.OVER:
            self._advance(job, failure_at(job.step), Step.OVER)

    def told(self, request_id: int, status: Status) -> None:
        """The station tells how far it is. Raises ValueError for what does not fit; then nothing has changed."""
        job = self._job
        if (request_id, status) == self._last_end and (job is None or job.step is Step.OVER):
            return
        earlier = job
        if job is None or job.step is Step.OVER:
            update = FirmwareUpdate(request_id, "", self.ctx.clock.now_datetime())
            job = FirmwareJob(update, Step.DOWNLOADING, is_told=True)
        elif job.update.request_id != request_id:
            raise ValueError(f"request_id: the update under way is {job.update.request_id}, not {request_id}")
        if status is job.update.status:
            return
        step = step_after(job.step, status, is_signed=job.update.is_signed)
        if step is None:
            raise ValueError(f"status: {status} does not fit after {job.update.status}")
        if job is not earlier and earlier is not None and not earlier.is_of_the_station and self._report is not None:
            self._report.leave()
        self._job = job
        if job.step is Step.SCHEDULED and step is not job.step:
            self._is_begun = True  # by itself, ahead of its date: nobody is going to ask it
        self._advance(job, status, step)

    def _advance(self, job: FirmwareJob, status: Status, step: Step) -> None:
        is_new = step is not job.step
        job.update = replace(job.update, status=status)
        is_early = self._comes_at(job.update.install_date) > self.ctx.clock.monotonic()
        job.step = Step.WAITING if is_new and step is Step.CLEARING and is_early else step
        word = wire_status(status, is_signed=job.update.is_signed)
        if word is not None:
            job.is_told, job.word = False, word
        number = self.ctx.journal.append(*rows(job))
        if status is Status.INVALID_SIGNATURE:
            what = f"update {job.update.request_id}" if job.update.is_signed else "an unsigned update"
            self.ctx.signals.emit(SecurityEventRaised("InvalidFirmwareSignature", what, is_critical=True))
        if word is not None:
            self._tell(job, number)
        if step is Step.OVER:
            self.stop()
            self._last_end = job.update.request_id, status
            self._release()
            if job.is_told:
                self._told_status()
        elif is_new:
            if job.step is Step.WAITING:
                self._advance(job, Status.INSTALL_SCHEDULED, job.step)
            self._go_on()

    # The Central System is told

    def report(self, *, is_signed: bool) -> None:
        """Tell, as it was triggered, how far the update is, or Idle, if it is one of the messages of this kind."""
        job = self._job
        is_its_kind = job is not None and job.step is not Step.OVER and job.update.is_signed == is_signed
        payload: Payload = {"status": job.word if job is not None and is_its_kind else str(Status.IDLE)}
        if job is not None and is_its_kind and is_signed and payload["status"] != Status.IDLE:
            payload["requestId"] = job.update.request_id
        self._told_of().trigger(_action(is_signed=is_signed), payload, job)

    def _tell(self, job: FirmwareJob, number: int = 0) -> None:
        payload: Payload = {"status": job.word}
        if job.update.is_signed:
            payload["requestId"] = job.update.request_id
        self._told_of().tell(_action(is_signed=job.update.is_signed), payload, job, number)

    def _told_of(self) -> StatusReport:
        if self._report is None:
            self._report = StatusReport(self.ctx, self._told_status)
        return self._report

    def _told_status(self) -> None:
        """The Central System knows the present status."""
        job = self._job
        if job is None:
            return
        job.is_told = True
        if job.step is Step.OVER:
            self._job = None
        self.ctx.journal.append(*rows(self._job))

    @hears(Connected, RegistrationChanged)
    def _may_tell(self, signal: Signal) -> None:
        if self._report is not None:
            self._report.again()

    # The connectors

    def _withhold(self) -> None:
        self._is_held = True
        self._others.availability.withhold()

    def _release(self) -> None:
        if self._is_held:
            self._is_held = False
            self._others.availability.release()

    def _clear(self) -> None:
        """Tell the station once that no connector is in service, behind all that it was told about them."""
        ctx, job = self.ctx, self._job
        if job is None or job.step is not Step.CLEARING or ctx.transactions.all_running():
            return
        if not (self._is_begun or job.is_of_the_station) or not ctx.is_current():  # its start is to come, or is over
            return
        if self._others.availability.is_behind_with_commands:  # many connectors have their turns one after another
            if self._timer is None:
                self._timer = ctx.timers.at(ctx.clock.monotonic(), self._go_on)
            return
        connectors = tuple(filter(None, ctx.connectors))
        ctx.station_side.command(
            self._all_connectors_unavailable, job, connectors=connectors, topic="all_connectors_unavailable"
        )

    async def _all_connectors_unavailable(self, job: FirmwareJob) -> None:
        """A transaction may have begun meanwhile, or the update be over."""
        if job is not self._job or job.step is not Step.CLEARING or self.ctx.transactions.all_running():
            return
        job.step = Step.CLEARED
        self.ctx.journal.append(*rows(job))
        await self.ctx.station.host.all_connectors_unavailable()

    @hears(TransactionEnded)
    def _transaction_ended(self, signal: TransactionEnded) -> None:
        if self._job is not None and self._job.step in HOLDS_CONNECTORS:
            self._go_on()

    @hears(ClockSet, ClockSettled)
    def _clock_set(self, signal: ClockSet | ClockSettled) -> None:
        if self._job is not None and self._job.step in (Step.SCHEDULED, Step.WAITING):
            self._go_on()


def _action(*, is_signed: bool) -> str:
    return "SignedFirmwareStatusNotification" if is_signed else "FirmwareStatusNotification"


def _anything(answer: object) -> bool:
    return True
