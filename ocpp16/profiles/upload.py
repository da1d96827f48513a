"""The upload of a log that the Central System asked for, from its request to its end; two messages ask for one.

Rules of this file:
1. There is one upload of a kind. A newer request takes its place, once the station takes it.
2. It is on disk before the request is answered. A start that finds it without its end asks the station again; refused,
   it has failed.
3. A status is told as `status_report` has it. What the station tells before the answer is out follows it.
4. An upload that the station tells of by itself is taken as if it had been asked for, and forgotten with this start.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ocpp16.enums import LogStatusEnumType
from ocpp16.enums import UploadLogStatusEnumType as Status
from ocpp16.models import GetLogResponse, LogRequest
from ocpp16.profiles.base import Context, Payload, Stored
from ocpp16.profiles.status_report import StatusReport
from ocpp16.profiles.turn import Turn
from ocpp16.state.clock import to_datetime, to_micros
from ocpp16.store.base import RowChange
from ocpp16.store.tables.jobs import ROWS, JobRow, delete, put
from ocpp16.values import exactly

MOST_EARLY = 8
"""Statuses that are kept of those told before the request is answered: there are no more, and the last counts."""
_REJECTED = GetLogResponse(LogStatusEnumType.REJECTED)


class UploadKind(NamedTuple):
    """`row` is its kind in the table of jobs, `action` tells of it; `word` is a status as the wire has it, `members`
    what else that message has."""

    row: str
    action: str
    word: Callable[[Status], str]
    members: Callable[[int], Payload]


class _Job:
    __slots__ = ("is_told", "request", "status")

    def __init__(self, request: LogRequest, status: Status = Status.IDLE, *, is_told: bool = True) -> None:
        self.request = request
        self.status = status
        """What the station told last; Idle: nothing yet."""
        self.is_told = is_told

    @property
    def is_over(self) -> bool:
        return self.status not in (Status.IDLE, Status.UPLOADING)

    @property
    def is_of_the_station(self) -> bool:
        """Nobody asked for it."""
        return not self.request.location


class Upload:
    """`question` asks the station to begin, under StationTimeout."""

    __slots__ = ("_asked", "_ctx", "_early", "_job", "_kind", "_last_end", "_question", "_report", "_turn")

    def __init__(self, ctx: Context, kind: UploadKind, question: Callable[[LogRequest], Awaitable[Any]]) -> None:
        self._ctx = ctx
        self._kind = kind
        self._question = question
        self._job: _Job | None = None
        self._last_end: tuple[int, Status] | None = None
        self._asked: LogRequest | None = None
        """The request whose answer is not out yet."""
        self._early: tuple[Status, ...] = ()
        self._report = StatusReport(ctx, self._told_status)
        self._turn = Turn()

    # What was stored

    def restore(self, stored: Stored) -> None:
        stored.taken(self._take, ROWS)

    def _take(self, row: JobRow) -> None:
        if row.kind != self._kind.row:
            return
        state: Mapping[str, Any] = row.state
        try:
            request = LogRequest(
                state["request_id"],
                state["location"],
                state["log_type"],
                state["retries"],
                state["retry_interval"],
                None if state["oldest"] is None else to_datetime(state["oldest"]),
                None if state["latest"] is None else to_datetime(state["latest"]),
            )
            job = _Job(request, Status(state["status"]), is_told=state["is_told"] is True)
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"no upload of a log: {type(error).__name__}") from error
        self._job = job

    def _rows(self, job: _Job | None) -> list[RowChange]:
        """What the disk is to hold of it."""
        if job is None or job.is_of_the_station:
            return [delete(self._kind.row)]
        request = job.request
        state = {
            "location": request.location,
            "request_id": request.request_id,
            "log_type": str(request.log_type),
            "retries": request.retries,
            "retry_interval": request.retry_interval,
            "oldest": None if request.oldest is None else to_micros(request.oldest),
            "latest": None if request.latest is None else to_micros(request.latest),
            "status": str(job.status),
            "is_told": job.is_told,
        }
        return [put(JobRow(self._kind.row, state))]

    def start(self) -> None:
        job = self._job
        if job is None:
            return
        if not job.is_told:
            self._tell(job)
        if not job.is_over:
            self._ctx.spawn(self._go_on, job)

    async def _go_on(self, job: _Job) -> None:
        response = await self._ask(job.request)
        if response.status is LogStatusEnumType.REJECTED and job is self._job and not job.is_over:
            self._advance(job, Status.UPLOAD_FAILURE)

    # The Central System asks

    async def take(self, request: LogRequest) -> GetLogResponse:
        """Have the station begin, in place of an upload that runs; `begin` is to follow the answer.

        Raises StoreError if it could not be stored: the station may have begun, and what it tells then is told.
        """
        async with self._turn:
            self._asked = request
            try:
                response = await self._ask(request)
                if response.status is LogStatusEnumType.REJECTED:
                    return _REJECTED
                self._leave_what_is_over()
                job, replaced = _Job(request), self._job is not None
                await self._ctx.asked.commit(
                    self._rows(job), apply=partial(self._replace, job), restore=lambda: self._rows(self._job)
                )
            except BaseException:
                self.begin()
                raise
            status = LogStatusEnumType.ACCEPTED_CANCELED if replaced else LogStatusEnumType.ACCEPTED
            return GetLogResponse(status, response.filename)

    async def _ask(self, request: LogRequest) -> GetLogResponse:
        return await self._ctx.station_side.ask(self._question, request, accept=_response, safe=_REJECTED)

    def _leave_what_is_over(self) -> None:
        """Another one is taken: what waits to be told of the one before, its end, waits by itself from here on."""
        if self._job is not None and self._job.is_over:
            self._report.leave()
            self._told_status()

    def _replace(self, job: _Job) -> None:
        self._report.drop()
        self._job = job

    def begin(self) -> None:
        """The request is answered: what the station told meanwhile follows."""
        asked, early = self._asked, self._early
        self._asked, self._early = None, ()
        if asked is not None and (self._job is None or self._job.request.request_id == asked.request_id):
            for status in early:
                self.told(asked.request_id, status)

    @property
    def request_id(self) -> int | None:
        """Of the upload that is under way."""
        return None if self._job is None or self._job.is_over else self._job.request.request_id

    @property
    def status(self) -> Status:
        """Idle without an upload that is under way."""
        return Status.IDLE if self._job is None or self._job.is_over else self._job.status

    # The station tells

    def told(self, request_id: int, status: Status) -> None:
        """How far it is. Raises ValueError for another upload than the one that runs; then nothing has changed."""
        if self._asked is not None and self._asked.request_id == request_id:
            if self._early[-1:] != (status,):
                self._early = (*self._early[: MOST_EARLY - 1], status)
            return
        job = self._job
        if job is None or job.is_over:
            if (request_id, status) == self._last_end:
                return
            if job is not None and not job.is_of_the_station:
                self._report.leave()
            job = _Job(LogRequest(request_id, ""))
        elif job.request.request_id != request_id:
            raise ValueError(f"request_id: the upload under way is {job.request.request_id}, not {request_id}")
        if status is job.status:
            return
        self._job = job
        self._advance(job, status)

    def _advance(self, job: _Job, status: Status) -> None:
        job.status, job.is_told = status, False
        if job.is_over:
            self._last_end = job.request.request_id, status
        self._tell(job, self._ctx.journal.append(*self._rows(job)))

    # The Central System is told

    def report(self) -> None:
        """Tell, as it was triggered, that an upload runs, or Idle."""
        job = self._job
        is_running = job is not None and job.status is Status.UPLOADING
        payload: Payload = {"status": self._kind.word(Status.UPLOADING if is_running else Status.IDLE)}
        if job is not None and is_running:
            payload.update(self._kind.members(job.request.request_id))
        self._report.trigger(self._kind.action, payload, job)

    def _tell(self, job: _Job, number: int = 0) -> None:
        payload = {"status": self._kind.word(job.status), **self._kind.members(job.request.request_id)}
        self._report.tell(self._kind.action, payload, job, number)

    def _told_status(self) -> None:
        job = self._job
        if job is None:
            return
        job.is_told = True
        if job.is_over:
            self._job = None
        self._ctx.journal.append(*self._rows(self._job))

    def may_tell(self) -> None:
        """The charge point is connected, or accepted: what was not told may be."""
        self._report.again()


def _response(answer: Any) -> GetLogResponse:
    return exactly(GetLogResponse, answer, "the answer")
