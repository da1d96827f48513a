"""The composite schedule as a list of steps, and the values it is made of.

Rules of this file (OCPP 1.6 ed. 2 §3.13.3 and §5.7):
1. The limit is the lower one of the transaction's and the charge point's, both converted with one phase count: the
   lowest that either states. So neither the current of a phase nor the power of any of them is exceeded.
2. A period begins where limit or phase count changes; what else changes makes a step, for those who ask why.
3. Limits are kept as they come out of the calculation; only what goes on the wire is rounded, downwards, to the one
   decimal place that the message has.
"""

cimport cython
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.math cimport floor, isfinite
from libc.stdlib cimport free, realloc

from ocpp16._core.periods cimport AMPERES, FOREVER, datetime_of, seconds_of


@cython.final
cdef class ScheduleSettings:
    """What a composite schedule depends on apart from charging profiles; frozen. Named as the configuration keys.

    default_limit_amps (A), default_limit_watts (W): shown where no profile applies, not converted into each other;
    default_number_phases: 1 to 3, where a profile states none; supply_voltage: V between phase and neutral, for
    conversion only; max_duration: s, longer requests are cut. Raises ValueError naming the setting.
    """

    def __cinit__(
        self,
        *,
        double default_limit_amps=48.0,
        double default_limit_watts=33120.0,
        default_number_phases=3,
        double supply_voltage=230.0,
        max_duration=31536000,
    ):
        if not isfinite(default_limit_amps) or default_limit_amps < 0:
            raise ValueError(f"default_limit_amps must not be negative, but is {default_limit_amps}")
        if not isfinite(default_limit_watts) or default_limit_watts < 0:
            raise ValueError(f"default_limit_watts must not be negative, but is {default_limit_watts}")
        if default_number_phases not in (1, 2, 3):
            raise ValueError(f"default_number_phases must be 1, 2 or 3, not {default_number_phases}")
        if not isfinite(supply_voltage) or supply_voltage <= 0:
            raise ValueError(f"supply_voltage must be above 0, but is {supply_voltage}")
        if max_duration < 0 or max_duration > 0x7FFFFFFF:
            raise ValueError(f"max_duration must be 0 to {0x7FFFFFFF} s, not {max_duration}")
        self.terms.defaults[0], self.terms.defaults[1] = default_limit_amps, default_limit_watts
        self.terms.phases, self.terms.voltage = default_number_phases, supply_voltage
        self.max_duration = max_duration

    @property
    def default_limit_amps(self):
        return self.terms.defaults[0]

    @property
    def default_limit_watts(self):
        return self.terms.defaults[1]

    @property
    def default_number_phases(self):
        return self.terms.phases

    @property
    def supply_voltage(self):
        return self.terms.voltage


cdef ScheduleSettings DEFAULTS = ScheduleSettings()


cdef ScheduleSettings settings_of(ScheduleSettings settings):
    return DEFAULTS if settings is None else settings


cdef int unit_of(str unit) except -1:
    if unit == "A":
        return AMPERES
    if unit == "W":
        return WATTS
    raise ValueError(f"unit must be A or W, not {unit!r}")


cdef int64_t duration_of(object duration, ScheduleSettings settings) except -1:
    if duration < 0:
        raise ValueError(f"duration must not be negative, but is {duration}")
    return settings.max_duration if duration > settings.max_duration else duration


cdef int64_t horizon_of(object horizon) except -1:
    if not 0 < horizon <= 0x7FFFFFFF:
        raise ValueError(f"horizon must be 1 to {0x7FFFFFFF} s, not {horizon}")
    return horizon


cdef int more_room(Steps *steps) except -1 nogil:
    cdef size_t room = 2 * steps.room if steps.room else 32
    cdef void *found = realloc(steps.items, room * sizeof(Step))
    if found is NULL:
        with gil:
            raise MemoryError
    steps.items, steps.room = <Step *>found, room
    return 0


@cython.final
@cython.freelist(64)
@cython.no_gc
cdef class SchedulePeriod:
    """One period of a CompositeSchedule; frozen.

    start_period: s from the start of the schedule; limit: A per phase, or W of all phases, not rounded; number_phases:
    None where nothing states it; profile: what decides from its start on, None for the default limit and for the sum
    over connectors; is_converted: the profile is in the other unit.
    """

    def __init__(self):
        raise TypeError("a SchedulePeriod that no calculation made")

    @property
    def number_phases(self):
        return self.phases or None

    @property
    def stack_level(self):
        """Of the profile that decides; 0 where none does."""
        return 0 if self.profile is None else self.profile.data.stack_level

    def __eq__(self, other):
        if not isinstance(other, SchedulePeriod):
            return NotImplemented
        return self._key() == (<SchedulePeriod>other)._key()

    def __hash__(self):
        return hash(self._key())

    cdef tuple _key(self):
        profile = None if self.profile is None else self.profile.profile_id
        return self.start_period, self.limit, self.phases, profile, self.is_converted

    def __repr__(self):
        phases = f", {self.phases} phases" if self.phases else ""
        return f"<SchedulePeriod from {self.start_period} s: {self.limit:g}{phases}>"


cdef inline SchedulePeriod _period(const Step *step):
    cdef SchedulePeriod period = SchedulePeriod.__new__(SchedulePeriod)
    period.start_period, period.limit, period.phases = step.at, step.value.limit, step.value.phases
    period.is_converted = step.value.is_converted
    if step.value.source is not NULL:
        period.profile = <CompiledProfile>step.value.source.owner
    return period


cdef CompositeSchedule new_schedule(int connector_id, int64_t begin, int64_t duration, str unit, object stacks):
    cdef CompositeSchedule schedule = CompositeSchedule.__new__(CompositeSchedule)
    schedule.connector_id, schedule.begin, schedule.duration = connector_id, begin, duration
    schedule.unit, schedule.stacks = unit, stacks
    return schedule


@cython.final
cdef class CompositeSchedule:
    """What all charging profiles together come to, over a window of time; frozen.

    connector_id: 0 for the charge point; duration: s, as cut to the settings; unit: "A" or "W".
    """

    def __init__(self):
        raise TypeError("a CompositeSchedule that no calculation made")

    def __cinit__(self):
        self.table.items, self.table.count, self.table.room = NULL, 0, 0
        self.table.last_period = self.table.periods = 0

    def __dealloc__(self):
        free(self.table.items)

    @property
    def start(self):
        """Start of the window, UTC, whole seconds."""
        return datetime_of(self.begin)

    @property
    def start_micros(self):
        return self.begin * 1000000

    @property
    def periods(self):
        """The fewest periods that say it: each begins where limit or phase count changes, the first at 0."""
        cdef Py_ssize_t n = 0
        cdef const Step *step = self.table.items
        cdef const Step *end = step + self.table.count
        if self.cached is None:
            found = PyTuple_New(self.table.periods)
            while step < end:
                if step.is_period:
                    period = _period(step)
                    Py_INCREF(period)
                    PyTuple_SET_ITEM(found, n, period)
                    n += 1
                step += 1
            self.cached = found
        return self.cached

    @property
    def steps(self):
        """As `periods`, but beginning also where only the deciding profile, or the need to convert it, changes."""
        cdef size_t i
        return tuple([_period(self.table.items + i) for i in range(self.table.count)])

    def period_at(self, at):
        """The step in force at an instant (datetime, or µs); ValueError outside of the window."""
        cdef int64_t offset = seconds_of(at) - self.begin
        cdef size_t low = 0, high = self.table.count, middle
        if offset < 0 or (offset >= self.duration and offset) or high == 0:
            raise ValueError("the instant is outside of the schedule")
        while high - low > 1:
            middle = (low + high) >> 1
            if self.table.items[middle].at <= offset:
                low = middle
            else:
                high = middle
        return _period(self.table.items + low)

    def charging_schedule(self):
        """`chargingSchedule` of GetCompositeSchedule.conf: limits rounded down to one decimal place, then merged.

        Without startSchedule, which must be left out there (errata 3.57), and without minChargingRate.
        """
        cdef list periods = []
        cdef double limit, last = -1
        cdef int phases = -1
        cdef size_t i
        cdef const Step *step
        for i in range(self.table.count):
            step = self.table.items + i
            if not step.is_period:
                continue
            limit = round_down(step.value.limit)
            if limit == last and step.value.phases == phases:
                continue
            last, phases = limit, step.value.phases
            period = {"startPeriod": step.at, "limit": limit}
            if phases:
                period["numberPhases"] = phases
            periods.append(period)
        return {"duration": self.duration, "chargingRateUnit": self.unit, "chargingSchedulePeriod": periods}

    def __eq__(self, other):
        if not isinstance(other, CompositeSchedule):
            return NotImplemented
        return (
            self.connector_id == other.connector_id
            and self.begin == (<CompositeSchedule>other).begin
            and self.duration == other.duration
            and self.unit == other.unit
            and self.steps == other.steps
        )

    def __hash__(self):
        return hash((self.connector_id, self.begin, self.duration, self.unit, self.table.count))

    def __repr__(self):
        return (
            f"<CompositeSchedule of connector {self.connector_id} from {self.start.isoformat()} for {self.duration} s: "
            f"{self.table.periods} periods in {self.unit}>"
        )


cpdef double round_down(double limit) noexcept:
    """A limit with one decimal place, never above the given one but for binary noise."""
    return floor(limit * 10 + 1e-6) / 10 if limit < 562949953421312.0 else limit  # 2**49: no decimals further up


def convert_limit(
    double limit, str unit not None, str wanted not None, number_phases=None, ScheduleSettings settings=None
):
    """A limit in the other unit: W = A x supply voltage x phases (OCPP 1.6 ed. 2 §7.12, errata 3.69).

    limit: A per phase or W of all phases, by `unit`; number_phases: 1 to 3, None for the settings' default. Raises
    ValueError for another unit or number of phases.
    """
    cdef int phases = 0 if number_phases is None else number_phases
    if phases < 0 or phases > 3 or (phases == 0 and number_phases is not None):
        raise ValueError(f"number_phases must be 1, 2 or 3, not {number_phases!r}")
    return convert(&settings_of(settings).terms, limit, unit_of(unit), unit_of(wanted), phases)


cdef Contribution new_contribution(const Profile *p, const Period *period, double converted_limit):
    cdef Contribution contribution = Contribution.__new__(Contribution)
    contribution.profile, contribution.limit = <CompiledProfile>p.owner, period.limit
    contribution.phases, contribution.converted_limit = period.phases, converted_limit
    return contribution


@cython.final
cdef class Contribution:
    """What one charging profile says at an instant; frozen.

    limit: in its own unit; converted_limit: in the unit asked for; number_phases: as it states it, or None.
    """

    def __init__(self):
        raise TypeError("a Contribution that no calculation made")

    @property
    def number_phases(self):
        return self.phases or None

    def __repr__(self):
        return f"<Contribution {self.limit:g} {self.profile.unit} of profile {self.profile.profile_id}>"


cdef Limit new_limit(int connector_id, str unit, const Value *value, int64_t at, int64_t until):
    cdef Limit limit = Limit.__new__(Limit)
    limit.connector_id, limit.unit = connector_id, unit
    limit.limit, limit.phases, limit.is_converted = value.limit, value.phases, value.is_converted
    limit.at_second, limit.until_second = at, until
    if value.source is not NULL:
        limit.profile = <CompiledProfile>value.source.owner
    return limit


@cython.final
cdef class Limit:
    """The limit at an instant, until when it stays, and why; frozen.

    limit: A per phase, or W of all phases; number_phases: None where nothing states it; profile: the one that decides,
    None where the default limit stands or connectors were added up; is_converted: it is in the other unit; is_default:
    no profile applies, so that this is the default limit. transaction_limit and maximum: the two that were compared, as
    far as there are any; of connector 0 only maximum.
    """

    def __init__(self):
        raise TypeError("a Limit that no calculation made")

    @property
    def number_phases(self):
        return self.phases or None

    @property
    def at(self):
        """The instant asked for, in whole seconds, UTC."""
        return datetime_of(self.at_second)

    @property
    def until(self):
        """When limit or phase count change, or the horizon if they do not before; None: never."""
        return None if self.until_second >= FOREVER else datetime_of(self.until_second)

    @property
    def until_micros(self):
        """`until` in µs since 1970 UTC."""
        return None if self.until_second >= FOREVER else self.until_second * 1000000

    def __repr__(self):
        until = "" if self.until is None else f" until {self.until.isoformat()}"
        return f"<Limit of connector {self.connector_id}: {self.limit:g} {self.unit}{until}>"
