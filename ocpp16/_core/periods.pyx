"""One charging profile as numbers: parsed once when it is installed, never again.

Rules of this file (OCPP 1.6 ed. 2 §3.13, §7.8, §7.13, §7.14):
1. Instants are whole seconds UTC; fractions are cut off towards the past.
2. A recurrence is a plain step of 86400 or 604800 s after startSchedule; what reaches beyond it is not executed, and
   there is none before startSchedule.
3. validFrom and validTo cut a schedule, they never move it. All ends are exclusive.
4. startSchedule of a Relative profile, recurrencyKind of another kind than Recurring, transactionId of another purpose
   than TxProfile and minChargingRate have no effect.
"""

cimport cython
from cpython.datetime cimport PyDateTime_Check, import_datetime
from cpython.mem cimport PyMem_Free, PyMem_Malloc

from datetime import datetime, timedelta, timezone

from ocpp16._core.datetimes import parse_datetime_tolerant

import_datetime()

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int *) except? -1

cdef object EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
cdef long long FIRST = -62135596800000000
cdef long long LAST = 253402300799999999
cdef int64_t DAY = 86400
cdef double HIGHEST = 1e280  # so that no conversion and no sum becomes infinite
cdef dict PURPOSES = {"ChargePointMaxProfile": MAXIMUM, "TxDefaultProfile": TX_DEFAULT, "TxProfile": TX}
cdef dict UNITS = {"A": AMPERES, "W": WATTS}
cdef dict RECURRENCES = {"Daily": DAY, "Weekly": 7 * DAY}


cdef int64_t seconds_of(object instant) except? -1:
    """Whole seconds since 1970 of an aware datetime, or of an int of microseconds, within the years 1 to 9999."""
    cdef long long micros
    cdef int is_beyond
    if PyDateTime_Check(instant):
        if instant.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {instant.isoformat()}")
        since = instant - EPOCH
        return <int64_t>since.days * DAY + <int64_t>since.seconds
    if type(instant) is not int:
        raise TypeError(f"an instant is an aware datetime or an int of microseconds, not {type(instant).__name__}")
    micros = PyLong_AsLongLongAndOverflow(instant, &is_beyond)
    if is_beyond or not FIRST <= micros <= LAST:
        raise ValueError("an instant is outside of the years 1 to 9999")
    return micros // 1000000


cdef object datetime_of(int64_t seconds):
    return EPOCH + timedelta(seconds=seconds)


cdef int64_t _seconds(object count) except? -1:
    """A number of seconds of any size; beyond FOREVER nothing happens any more."""
    return FOREVER if count > FOREVER else count


cdef str _member(dict holder, str field, dict known):
    value = holder.get(field)
    if value not in known:
        raise ValueError(f"{field} must be one of {', '.join(known)}, not {value!r}")
    return str(value)


@cython.final
cdef class CompiledProfile:
    """A charging profile ready for calculation; frozen.

    connector_id: what it is (to be) installed for, 0 being the charge point; payload: `csChargingProfiles` as on the
    wire, which must not change afterwards. Only what calculation relies on is checked here: use
    `ocpp16.schedule.compile_profile`. Raises ValueError, KeyError for a missing member, TypeError for a wrong type.
    """

    def __cinit__(self, connector_id, dict payload not None):
        cdef dict schedule = payload["chargingSchedule"]
        cdef list periods = schedule["chargingSchedulePeriod"]
        cdef dict period
        cdef Profile *data = &self.data
        cdef Py_ssize_t i
        cdef object last = -1
        self.connector_id, self.profile_id, self.payload = connector_id, payload["chargingProfileId"], payload
        self.purpose = _member(payload, "chargingProfilePurpose", PURPOSES)
        self.kind = _member(payload, "chargingProfileKind", {"Absolute": 0, "Recurring": 1, "Relative": 2})
        self.unit = _member(schedule, "chargingRateUnit", UNITS)
        if not periods or len(periods) > 1 << 30:
            raise ValueError("chargingSchedulePeriod must have at least one period")
        data.owner = <PyObject *>self
        data.purpose, data.unit = PURPOSES[self.purpose], UNITS[self.unit]
        data.is_relative = self.kind == "Relative"
        try:
            data.stack_level = payload["stackLevel"]
            if data.purpose == TX:
                self.transaction_id = payload.get("transactionId")
                data.has_transaction = self.transaction_id is not None
                data.transaction = self.transaction_id if data.has_transaction else 0
        except OverflowError:
            raise ValueError("stackLevel and transactionId must fit into 64 bits") from None
        data.length = _seconds(schedule.get("duration", FOREVER))
        data.over = FOREVER
        if not data.is_relative:
            if "startSchedule" not in schedule:
                raise ValueError(f"startSchedule is missing, which kind {self.kind} counts from")
            data.start = parse_datetime_tolerant(schedule["startSchedule"]) // 1000000
        if self.kind == "Recurring":
            data.repeat = RECURRENCES[_member(payload, "recurrencyKind", RECURRENCES)]
            data.length = data.length if data.length < data.repeat else data.repeat
        elif self.kind == "Absolute" and data.length < FOREVER:
            data.over = data.start + data.length
        data.valid_from, data.valid_to = -FOREVER, FOREVER
        if "validFrom" in payload:
            data.valid_from = parse_datetime_tolerant(payload["validFrom"]) // 1000000
        if "validTo" in payload:
            data.valid_to = parse_datetime_tolerant(payload["validTo"]) // 1000000
            data.over = data.over if data.over < data.valid_to else data.valid_to
        data.periods = <Period *>PyMem_Malloc(len(periods) * sizeof(Period))
        if data.periods is NULL:
            raise MemoryError
        data.count = <int>len(periods)
        for i, period in enumerate(periods):
            start = period["startPeriod"]
            if start <= last or (i == 0 and start != 0):  # the walk over them relies on it
                raise ValueError(f"startPeriod must be 0 first and then rise, but is {start}")
            last = start
            data.periods[i].start = _seconds(start)
            data.periods[i].limit = period["limit"]
            if data.periods[i].limit > HIGHEST:
                data.periods[i].limit = HIGHEST
            if "numberPhases" in period:
                if period["numberPhases"] not in (1, 2, 3):
                    raise ValueError(f"numberPhases must be 1, 2 or 3, not {period['numberPhases']}")
                data.periods[i].phases = period["numberPhases"]
            else:
                data.periods[i].phases = 0

    def __dealloc__(self):
        PyMem_Free(self.data.periods)

    @property
    def stack_level(self):
        return self.data.stack_level

    @property
    def over_micros(self):
        """From when on it is over for good, in µs since 1970 UTC; None: it never is."""
        return None if self.data.over >= FOREVER else self.data.over * 1000000

    def is_over(self, at):
        """Is it over for good at this instant: validTo has passed, or an Absolute schedule's duration?"""
        return self.data.over <= seconds_of(at)

    def __repr__(self):
        return (
            f"<CompiledProfile {self.profile_id}: {self.purpose} on connector {self.connector_id}, "
            f"level {self.data.stack_level}, {self.kind}>"
        )
