"""The composite schedule as a list of steps, and the values it is made of."""

from libc.stdint cimport int64_t

from ocpp16._core.periods cimport WATTS, CompiledProfile, Period, Profile


# What limits are converted with, and what stands where nothing applies.
ctypedef struct Terms:
    double defaults[2]  # by RateUnit
    double voltage
    int phases


ctypedef struct Value:
    double limit
    int phases  # 0: absent
    const Profile *source  # NULL: the default limit, or the sum over connectors
    bint is_converted


ctypedef struct Step:
    int64_t at  # seconds from the start of the window
    Value value
    bint is_period  # limit or phases changed, not only what decides


ctypedef struct Steps:
    Step *items
    size_t count
    size_t room
    size_t last_period
    size_t periods


cdef class ScheduleSettings:
    cdef Terms terms
    cdef readonly int64_t max_duration


cdef class SchedulePeriod:
    cdef readonly int64_t start_period
    cdef readonly double limit
    cdef int phases
    cdef readonly CompiledProfile profile
    cdef readonly bint is_converted
    cdef tuple _key(self)


cdef class CompositeSchedule:
    cdef readonly int connector_id
    cdef readonly int64_t duration
    cdef readonly str unit
    cdef int64_t begin
    cdef Steps table
    cdef object stacks  # keeps the profiles alive that steps point to
    cdef tuple cached


cdef class Contribution:
    cdef readonly CompiledProfile profile
    cdef readonly double limit
    cdef readonly double converted_limit
    cdef int phases


cdef class Limit:
    cdef readonly int connector_id
    cdef readonly str unit
    cdef readonly double limit
    cdef readonly CompiledProfile profile
    cdef readonly bint is_converted
    cdef readonly bint is_default
    cdef readonly Contribution transaction_limit
    cdef readonly Contribution maximum
    cdef int phases
    cdef int64_t at_second
    cdef int64_t until_second


cdef int unit_of(str unit) except -1
cdef int64_t duration_of(object duration, ScheduleSettings settings) except -1
cdef int64_t horizon_of(object horizon) except -1
cdef ScheduleSettings settings_of(ScheduleSettings settings)
cdef CompositeSchedule new_schedule(int connector_id, int64_t begin, int64_t duration, str unit, object stacks)
cdef Contribution new_contribution(const Profile *p, const Period *period, double converted_limit)
cdef Limit new_limit(int connector_id, str unit, const Value *value, int64_t at, int64_t until)
cdef int more_room(Steps *steps) except -1 nogil


cdef inline bint is_same(double a, double b) noexcept nogil:
    """Limits whose relative difference is at most 1e-6 are the same."""
    cdef double difference = a - b if a > b else b - a
    return a == b or difference <= 1e-6 * (a if a > b else b)


cdef inline double convert(const Terms *terms, double limit, int unit, int wanted, int phases) noexcept nogil:
    """A limit in the other unit; `phases` 0: not stated."""
    if unit == wanted:
        return limit
    if wanted == WATTS:
        return limit * (terms.voltage * (phases or terms.phases))
    return limit / (terms.voltage * (phases or terms.phases))


cdef inline void join(
    const Terms *terms, int unit, const Profile *own, const Period *own_period, const Profile *top,
    const Period *top_period, Value *value,
) noexcept nogil:
    """The limit of a connector from the transaction's (`own`) and the charge point's (`top`), NULL for nothing."""
    cdef double limit, other
    value.source, value.phases = NULL, 0
    if own is NULL and top is NULL:
        value.limit, value.is_converted = terms.defaults[unit], False
        return
    if own is not NULL:
        value.phases = own_period.phases
    if top is not NULL and top_period.phases and (value.phases == 0 or top_period.phases < value.phases):
        value.phases = top_period.phases
    if own is NULL:
        value.limit, value.source = convert(terms, top_period.limit, top.unit, unit, value.phases), top
    else:
        value.limit, value.source = convert(terms, own_period.limit, own.unit, unit, value.phases), own
        if top is not NULL:
            other = convert(terms, top_period.limit, top.unit, unit, value.phases)
            limit = value.limit
            if other < limit:
                value.limit = other
            if is_same(other, limit):  # the one that needed no conversion counts as the source
                if own.unit != unit and top.unit == unit:
                    value.source = top
            elif other < limit:
                value.source = top
    value.is_converted = value.source.unit != unit


cdef inline int emit(Steps *steps, int64_t at, const Value *value) except -1 nogil:
    """Add a step unless it brings nothing new."""
    cdef Step *step
    cdef const Value *last
    cdef bint is_period = True
    if steps.count:
        last = &steps.items[steps.last_period].value
        if is_same(last.limit, value.limit) and last.phases == value.phases:
            last = &steps.items[steps.count - 1].value
            if last.source == value.source and last.is_converted == value.is_converted:
                return 0
            is_period = False
    if steps.count == steps.room:
        more_room(steps)
    step = steps.items + steps.count
    step.at, step.value, step.is_period = at, value[0], is_period
    if is_period:
        steps.last_period = steps.count
        steps.periods += 1
    steps.count += 1
    return 0
