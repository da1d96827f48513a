"""What all charging profiles come to on connector 0: what the charge point expects to draw from the grid.

Rules of this file (OCPP 1.6 ed. 2 §3.13.3 and §5.7):
1. Connector 0 adds up what its connectors may draw, idle ones too, and is then held by the maximum.
2. The walk goes from change to change over a heap of all connectors; limits wait in sums by unit and phase count, so a
   change costs the same for three connectors and for a thousand.
3. Such sums carry what rounding has cut off along with them: what was added and taken away again leaves nothing.
"""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from ocpp16._core.periods cimport FOREVER, Period, Profile, period_at, seconds_of
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
    new_contribution,
    new_limit,
    new_schedule,
    settings_of,
    unit_of,
)


ctypedef struct Member:
    Cursor cursor
    Facts facts
    const Profile *profile  # what is in the sums at present
    const Period *period
    int64_t count  # connectors that are like this one
    const Entry *entries
    int entry_count
    size_t first  # its stretches
    size_t last


ctypedef struct Totals:
    double sums[2][4]  # by unit and number of phases (0: not stated)
    double rests[2][4]  # what rounding has cut off
    int64_t counts[2][4]
    int64_t unlimited


def station_schedule(
    ProfileStack station not None,
    members,
    start,
    duration,
    str unit not None,
    ScheduleSettings settings=None,
    ignored=(),
):
    """The CompositeSchedule of connector 0: what the charge point expects to draw from the grid.

    station: the stack whose maxima hold; members: (ProfileStack, RunningTransaction or None, count) of each connector,
    `count` being how many connectors are alike, with the same stack and no transaction. The others as for
    `connector_schedule`.
    """
    cdef int wanted = unit_of(unit)
    cdef int64_t begin = seconds_of(start)
    cdef list stacks = [station]
    settings = settings_of(settings)
    cdef CompositeSchedule schedule = new_schedule(0, begin, duration_of(duration, settings), unit, stacks)
    _station(station, members, begin, begin + (schedule.duration or 1), wanted, settings, ignored, FOREVER, schedule)
    return schedule


def station_limit(
    ProfileStack station not None,
    members,
    at,
    str unit not None,
    ScheduleSettings settings=None,
    ignored=(),
    horizon=86400,
):
    """The Limit of connector 0 at an instant, and until when: `horizon` seconds later at the latest."""
    cdef int wanted = unit_of(unit)
    cdef int64_t begin = seconds_of(at), end = begin + horizon_of(horizon)
    cdef CompositeSchedule schedule = new_schedule(0, begin, end - begin, unit, [station])
    cdef Steps *steps = &schedule.table
    cdef Facts facts = facts_of(None, ignored, begin)
    cdef Stretch top
    cdef Limit limit
    settings = settings_of(settings)
    _station(station, members, begin, end, wanted, settings, ignored, 2, schedule)
    limit = new_limit(0, unit, &steps.items[0].value, begin, begin + steps.items[steps.last_period].at)
    if steps.periods == 1:
        limit.until_second = end
    top = decide(station.entries + station.own_count, station.max_count, &facts, begin)
    if top.profile is not NULL:
        period = top.profile.periods + period_at(top.profile, begin - top.base)
        limit.maximum = new_contribution(
            top.profile, period, convert(&settings.terms, period.limit, top.profile.unit, wanted, limit.phases)
        )
    return limit


cdef int _station(
    ProfileStack station, object members, int64_t begin, int64_t end, int unit, ScheduleSettings settings,
    object ignored, size_t most, CompositeSchedule schedule,
) except -1:
    cdef ProfileStack stack
    cdef RunningTransaction transaction
    cdef Facts facts = facts_of(None, ignored, begin), own
    cdef list found = list(members)
    cdef size_t count = len(found), i
    cdef Member *items = <Member *>calloc(count + 1, sizeof(Member))
    cdef Member **heap = <Member **>calloc(count + 1, sizeof(void *))
    try:
        if items is NULL or heap is NULL:
            raise MemoryError
        for i in range(count):
            stack, transaction, number = found[i]
            if number < 0 or (transaction is not None and number != 1):
                raise ValueError(f"{number} connectors cannot be alike here")
            own = facts
            if transaction is not None:
                own = facts_of(transaction, (), begin)
                own.ignored = facts.ignored
            items[i].facts, items[i].count = own, number
            items[i].entries, items[i].entry_count = stack.entries, stack.own_count
            schedule.stacks.append(stack)
        with nogil:
            _add_up(
                items, heap, count, station.entries + station.own_count, station.max_count, &facts, &settings.terms,
                begin, end, unit, most, &schedule.table,
            )
    finally:
        free(items)
        free(heap)
    return 0


cdef int _add_up(
    Member *members, Member **heap, size_t count, const Entry *maxima, int max_count, const Facts *facts,
    const Terms *terms, int64_t begin, int64_t end, int unit, size_t most, Steps *steps,
) except -1 nogil:
    cdef Sweep sweep
    cdef Totals totals
    cdef Cursor top
    cdef Value value
    cdef Member *member
    cdef size_t i
    cdef int64_t at = begin
    memset(&sweep, 0, sizeof(Sweep))
    memset(&totals, 0, sizeof(Totals))
    try:
        for i in range(count):
            member = members + i
            member.first = sweep.count
            sweep_set(&sweep, member.entries, member.entry_count, &member.facts, begin, end)
            member.last = sweep.count
        i = sweep.count
        sweep_set(&sweep, maxima, max_count, facts, begin, end)
        place(&top, sweep.stretches, i, sweep.count)
        seek(&top, begin)
        for i in range(count):  # only now the stretches stay where they are
            member = members + i
            place(&member.cursor, sweep.stretches, member.first, member.last)
            _move(&totals, member, begin)
            _sift_up(heap, i, member)
        while True:
            _sum(&totals, &top, terms, unit, &value)
            emit(steps, at - begin, &value)
            at = top.until
            if count and heap[0].cursor.until < at:
                at = heap[0].cursor.until
            if at >= end or steps.periods >= most:
                return 0
            if top.until <= at:
                seek(&top, at)
            while count and heap[0].cursor.until <= at:
                member = heap[0]
                _add(&totals, member, -1)
                _move(&totals, member, at)
                _sift_down(heap, count, member)
    finally:
        free_sweep(&sweep)


cdef inline void _move(Totals *totals, Member *member, int64_t at) noexcept nogil:
    seek(&member.cursor, at)
    member.profile, member.period = member.cursor.profile, period_of(&member.cursor)
    _add(totals, member, 1)


cdef inline void _add(Totals *totals, const Member *member, int sign) noexcept nogil:
    cdef double *sum
    cdef double *rest
    cdef int64_t *number
    cdef double amount, new, back
    if member.profile is NULL:
        totals.unlimited += sign * member.count
        return
    sum = &totals.sums[member.profile.unit][member.period.phases]
    rest = &totals.rests[member.profile.unit][member.period.phases]
    number = &totals.counts[member.profile.unit][member.period.phases]
    number[0] += sign * member.count
    if number[0] == 0:
        sum[0] = rest[0] = 0
        return
    amount = sign * member.count * member.period.limit
    new = sum[0] + amount
    back = new - sum[0]
    rest[0] += (sum[0] - (new - back)) + (amount - back)
    sum[0] = new


cdef void _sum(const Totals *totals, const Cursor *top, const Terms *terms, int unit, Value *value) noexcept nogil:
    """Connector 0: each sum is converted with the phase count its connectors have in common with the maximum."""
    cdef double total = totals.unlimited * terms.defaults[unit], limit
    cdef int cap = 0 if top.profile is NULL else top.profile.periods[top.index].phases
    cdef int highest = 0, kind, stated, phases
    cdef bint is_any_absent = totals.unlimited and cap == 0
    if totals.unlimited:
        highest = cap
    for kind in range(2):
        for stated in range(4):
            if totals.counts[kind][stated] == 0:
                continue
            phases = cap if stated == 0 or (cap and cap < stated) else stated
            total += convert(terms, totals.sums[kind][stated] + totals.rests[kind][stated], kind, unit, phases)
            if phases == 0:
                is_any_absent = True
            elif phases > highest:
                highest = phases
    if highest and is_any_absent and terms.phases > highest:
        highest = terms.phases
    value.limit, value.phases, value.source, value.is_converted = total, highest, NULL, False
    if top.profile is not NULL:
        limit = convert(terms, top.profile.periods[top.index].limit, top.profile.unit, unit, highest)
        if limit < total:
            value.limit = limit
            if not is_same(limit, total):  # else the sum counts as the source, which is in this unit
                value.source, value.is_converted = top.profile, top.profile.unit != unit


cdef inline void _sift_up(Member **heap, size_t i, Member *member) noexcept nogil:
    while i and member.cursor.until < heap[(i - 1) >> 1].cursor.until:
        heap[i] = heap[(i - 1) >> 1]
        i = (i - 1) >> 1
    heap[i] = member


cdef inline void _sift_down(Member **heap, size_t size, Member *member) noexcept nogil:
    cdef size_t i = 0, child = 1
    while child < size:
        if child + 1 < size and heap[child + 1].cursor.until < heap[child].cursor.until:
            child += 1
        if member.cursor.until <= heap[child].cursor.until:
            break
        heap[i] = heap[child]
        i, child = child, 2 * child + 1
    heap[i] = member
