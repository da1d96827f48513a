"""One update of the firmware: what is kept of it, and its rows.

Its rows hold the whole request, for a start goes on where the last one was. They are deleted when it is over.
"""

from dataclasses import replace
from functools import partial

from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.models import FirmwareUpdate
from ocpp16.profiles.base import Stored
from ocpp16.state.clock import to_datetime, to_micros
from ocpp16.state.firmware import Step, failure_at, wire_status
from ocpp16.store.base import RowChange
from ocpp16.store.tables.jobs import ROWS, JobRow, delete, put
from ocpp16.values import text

KIND = "firmware"
SIGNATURE = "firmware signature"
"""Job row of what proves signed firmware: apart from the rest, which changes often, and of which nothing must be left
on the disk when it is deleted; SQLite overwrites what fits into one page."""


class FirmwareJob:
    """The update, where it is, and whether the Central System knows."""

    __slots__ = ("is_told", "step", "update", "word")

    def __init__(self, update: FirmwareUpdate, step: Step, *, is_told: bool) -> None:
        self.update: FirmwareUpdate = update
        self.step: Step = step
        self.is_told: bool = is_told
        """The Central System was told the word."""
        self.word: str = wire_status(update.status, is_signed=update.is_signed) or str(Status.IDLE)
        """What it was, or is to be, told last."""

    @property
    def is_of_the_station(self) -> bool:
        """Nobody asked for it."""
        return not self.update.location


def stored_job(stored: Stored) -> FirmwareJob | None:
    """The update that was stored, if it can be read. One that came signed, and whose signature cannot, has failed: it
    would look as if nobody had signed it."""
    proof: dict[str, str] = {}
    found = [job for job in stored.taken(partial(_read, proof), ROWS) if job is not None]
    if not found:
        return None
    job = found[0]
    if job.update.is_signed:
        certificate, signature = proof.get("signing_certificate"), proof.get("signature")
        job.update = replace(job.update, signing_certificate=certificate, signature=signature)
        if not (proof or job.is_of_the_station or job.step is Step.OVER):
            return FirmwareJob(replace(job.update, status=failure_at(job.step)), Step.OVER, is_told=False)
    return job


def _read(proof: dict[str, str], row: JobRow) -> FirmwareJob | None:
    """The update of this row; what it is proved by goes into `proof`."""
    state = row.state
    try:
        if row.kind == SIGNATURE:
            proof.update({name: text(state[name], name) for name in ("signing_certificate", "signature")})
        if row.kind != KIND:
            return None
        update = FirmwareUpdate(
            state["request_id"],
            state["location"],
            to_datetime(state["retrieve_date"]),
            state["retries"],
            state["retry_interval"],
            None if state["install_date"] is None else to_datetime(state["install_date"]),
            status=Status(state["status"]),
        )
        job = FirmwareJob(update, Step(state["step"]), is_told=state["is_told"] is True)
        # Not every status has a word of its own. Rows of an older version do not tell it.
        job.word = word = text(state.get("word", job.word), "word")
        if wire_status(Status(word), is_signed=update.is_signed) != word:
            raise ValueError("a word that is not of this message")
        return job
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"no update of the firmware: {type(error).__name__}") from error


def rows(job: FirmwareJob | None) -> list[RowChange]:
    """What the disk is to hold of it, but for what `all_rows` has besides."""
    if job is None:
        return [delete(KIND), delete(SIGNATURE)]
    update = job.update
    state = {
        "location": update.location,
        "request_id": update.request_id,
        "retrieve_date": to_micros(update.retrieve_date),
        "retries": update.retries,
        "retry_interval": update.retry_interval,
        "install_date": None if update.install_date is None else to_micros(update.install_date),
        "step": int(job.step),
        "status": str(update.status),
        "is_told": job.is_told,
        "word": job.word,
    }
    return [put(JobRow(KIND, state))]


def all_rows(job: FirmwareJob | None) -> list[RowChange]:
    """With what does not change as long as the update lives."""
    if job is None:
        return rows(None)
    update = job.update
    if update.signature is None:
        return [*rows(job), delete(SIGNATURE)]
    proof = {"signing_certificate": update.signing_certificate, "signature": update.signature}
    return [*rows(job), put(JobRow(SIGNATURE, proof))]
