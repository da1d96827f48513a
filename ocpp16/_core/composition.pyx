"""What all charging profiles come to on one connector: over a window of time, and at one instant.

Rules of this file (OCPP 1.6 ed. 2 §3.13.3, §5.7 and §7.13):
1. A connector's transaction limit and the charge point's maximum are two lists of stretches; one walk over both makes
   the steps, looking at period boundaries of what decides only.
2. The limit at an instant needs no lists: one pass over the profiles says what decides, and until when.
3. What is shown and what is enforced differ without a transaction: there a TxDefaultProfile is shown, but binds nobody.
"""

from libc.stdint cimport int64_t
from libc.string cimport memset

from ocpp16._core.periods cimport FOREVER, TX_DEFAULT, seconds_of
from ocpp16._core.precedence cimport (
    Cursor,
    Entry,
    Facts,
    ProfileStack,
    RunningTransaction,
    Stretch,
    Sweep,
    decide,
    facts_of,
    free_sweep,
    period_of,
    place,
    seek,
    sweep_set,
)
from ocpp16._core.schedule cimport (
    CompositeSchedule,
    Limit,
    ScheduleSettings,
    Steps,
    Terms,
    Value,
    convert,
    duration_of,
    emit,
    horizon_of,
    is_same,
    join,
    new_contribution,
    new_limit,
    new_schedule,
    settings_of,
    unit_of,
)

cdef int64_t LONG_WORK = 20000  # about 100 µs: from there on other threads may run meanwhile


def connector_schedule(
    ProfileStack stack not None,
    start,
    duration,
    str unit not None,
    ScheduleSettings settings=None,
    RunningTransaction transaction=None,
    ignored=(),
):
    """The CompositeSchedule of one connector, or of connector 0 as if it were one.

    stack: its profiles; start: of the window, an aware datetime or µs since 1970 UTC; duration: s, cut to
    `settings.max_duration`, 0 gives the value at `start`; unit: "A" or "W"; transaction: the one that runs on the
    connector: without one, TxProfiles do not count and Relative profiles are shown as if one began at `start`; ignored:
    purposes that are left out, as while offline. Raises ValueError for a wrong duration or unit.
    """
    cdef int wanted = unit_of(unit)
    cdef int64_t begin = seconds_of(start), end
    cdef CompositeSchedule schedule
    cdef Facts facts = facts_of(transaction, ignored, begin)
    settings = settings_of(settings)
    schedule = new_schedule(stack.connector_id, begin, duration_of(duration, settings), unit, stack)
    end = begin + (schedule.duration or 1)
    if (stack.own_count + stack.max_count) * (1 + (end - begin) // 86400) < LONG_WORK:
        _compose(stack, &facts, &settings.terms, begin, end, wanted, &schedule.table)
    else:
        with nogil:
            _compose(stack, &facts, &settings.terms, begin, end, wanted, &schedule.table)
    return schedule


cdef int _compose(
    ProfileStack stack, const Facts *facts, const Terms *terms, int64_t begin, int64_t end, int unit, Steps *steps,
) except -1 nogil:
    cdef Sweep sweep
    cdef Cursor own, top
    cdef Value value
    cdef size_t middle
    cdef int64_t at = begin
    memset(&sweep, 0, sizeof(Sweep))
    try:
        sweep_set(&sweep, stack.entries, stack.own_count, facts, begin, end)
        middle = sweep.count
        sweep_set(&sweep, stack.entries + stack.own_count, stack.max_count, facts, begin, end)
        place(&own, sweep.stretches, 0, middle)
        place(&top, sweep.stretches, middle, sweep.count)
        own.until = top.until = begin
        while at < end:
            if own.until <= at:
                seek(&own, at)
            if top.until <= at:
                seek(&top, at)
            join(terms, unit, own.profile, period_of(&own), top.profile, period_of(&top), &value)
            emit(steps, at - begin, &value)
            at = own.until if own.until < top.until else top.until
    finally:
        free_sweep(&sweep)
    return 0


def connector_limit(
    ProfileStack stack not None,
    at,
    str unit not None,
    ScheduleSettings settings=None,
    RunningTransaction transaction=None,
    ignored=(),
    bint is_enforced=False,
    horizon=86400,
):
    """The Limit of a connector at an instant, until when, and why. Cost: the number of its profiles.

    is_enforced: what the station must obey instead of what a composite schedule shows: without a transaction the
    TxDefaultProfiles do not count. horizon: s, how far to look for a change; `until` is never later, but for None: no
    boundary lies ahead. The others as for `connector_schedule`.
    """
    cdef int wanted = unit_of(unit)
    cdef int64_t begin = seconds_of(at), end = begin + horizon_of(horizon), until
    cdef Facts facts = facts_of(transaction, ignored, begin)
    cdef Value value, later
    cdef Cursor own, top
    cdef Terms *terms
    cdef Limit limit
    settings = settings_of(settings)
    terms = &settings.terms
    if is_enforced and transaction is None:
        facts.ignored |= 1 << TX_DEFAULT
    until = _at(stack, &facts, terms, begin, wanted, &own, &top, &value)
    limit = new_limit(stack.connector_id, unit, &value, begin, begin)
    limit.is_default = value.source is NULL
    if own.profile is not NULL:
        period = period_of(&own)
        limit.transaction_limit = new_contribution(
            own.profile, period, convert(terms, period.limit, own.profile.unit, wanted, value.phases)
        )
    if top.profile is not NULL:
        period = period_of(&top)
        limit.maximum = new_contribution(
            top.profile, period, convert(terms, period.limit, top.profile.unit, wanted, value.phases)
        )
    while until < end:
        begin = until
        until = _at(stack, &facts, terms, begin, wanted, &own, &top, &later)
        if (
            later.phases != value.phases
            or not is_same(later.limit, value.limit)
            or (later.source is NULL) != (value.source is NULL)  # as high as the default limit, yet it binds: §3.13.6
        ):
            limit.until_second = begin
            return limit
    limit.until_second = end if until < FOREVER else FOREVER
    return limit


cdef int64_t _at(
    ProfileStack stack, const Facts *facts, const Terms *terms, int64_t at, int unit, Cursor *own, Cursor *top,
    Value *value,
) noexcept nogil:
    """The value at an instant, and the next one at which it may change."""
    cdef int64_t until = _decide(stack.entries, stack.own_count, facts, at, own)
    cdef int64_t other = _decide(stack.entries + stack.own_count, stack.max_count, facts, at, top)
    join(terms, unit, own.profile, period_of(own), top.profile, period_of(top), value)
    return until if until < other else other


cdef int64_t _decide(const Entry *entries, int count, const Facts *facts, int64_t at, Cursor *cursor) noexcept nogil:
    cdef Stretch found = decide(entries, count, facts, at)
    place(cursor, &found, 0, 1 if found.profile is not NULL else 0)
    if found.profile is NULL:
        return found.end
    seek(cursor, at)
    return cursor.until
