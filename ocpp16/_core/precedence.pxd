"""Which charging profile decides when: the stack of a connector, and the sweep that turns it into stretches of time."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from ocpp16._core.periods cimport FOREVER, CompiledProfile, Period, Profile, period_at


ctypedef struct Entry:
    const Profile *profile
    int64_t since  # a station-wide default waits until the connector's own one of its level is over for good


# What the profiles of a connector depend on, apart from themselves.
ctypedef struct Facts:
    int64_t anchor  # base of Relative schedules
    int64_t transaction
    bint has_transaction
    bint has_transaction_id
    unsigned int ignored  # bit per Purpose


ctypedef struct Stretch:
    int64_t begin
    int64_t end
    int64_t base
    const Profile *profile


# Room that the sweeps of one calculation share.
ctypedef struct Sweep:
    Stretch *runs
    size_t run_count
    size_t run_room
    uint64_t *keys
    uint64_t *spare
    uint32_t *heap
    size_t key_room
    Stretch *stretches  # the result: in order of time, without overlap; what sweeps add up to
    size_t count
    size_t room


# Where the walk over one set's stretches stands: the deciding profile and period, and until when they do.
ctypedef struct Cursor:
    const Stretch *next
    const Stretch *stop
    const Profile *profile  # NULL: the set gives nothing
    int64_t base
    int64_t until
    int index


cdef class ProfileStack:
    cdef readonly int connector_id
    cdef readonly tuple profiles
    cdef Entry *entries
    cdef int own_count  # TxProfiles and TxDefaultProfiles come first
    cdef int max_count
    cdef int _add(self, int count, CompiledProfile profile, int64_t since) noexcept


cdef class RunningTransaction:
    cdef int64_t seconds
    cdef int64_t number
    cdef readonly object transaction_id


cdef Facts facts_of(RunningTransaction transaction, object ignored, int64_t now) except *
cdef bint applies(const Profile *p, const Facts *facts) noexcept nogil
cdef void free_sweep(Sweep *sweep) noexcept nogil
cdef int sweep_set(
    Sweep *sweep, const Entry *entries, int count, const Facts *facts, int64_t begin, int64_t end,
) except -1 nogil
cdef Stretch decide(const Entry *entries, int count, const Facts *facts, int64_t at) noexcept nogil


cdef inline void place(Cursor *cursor, const Stretch *stretches, size_t first, size_t last) noexcept nogil:
    cursor.next, cursor.stop = stretches + first, stretches + last
    cursor.profile = NULL
    cursor.index = -1


cdef inline void seek(Cursor *cursor, int64_t at) noexcept nogil:
    """Go on to the instant `at`, which is not before the last one and not beyond `until`'s next change."""
    cdef const Stretch *stretch
    while cursor.next < cursor.stop and cursor.next.end <= at:
        cursor.next += 1
        cursor.index = -1
    if cursor.next == cursor.stop:
        cursor.profile, cursor.until = NULL, FOREVER
        return
    stretch = cursor.next
    if stretch.begin > at:
        cursor.profile, cursor.until = NULL, stretch.begin
        return
    cursor.profile, cursor.base = stretch.profile, stretch.base
    if cursor.index < 0:
        cursor.index = period_at(stretch.profile, at - stretch.base)
    else:
        cursor.index += 1
    cursor.until = stretch.end
    if cursor.index + 1 < stretch.profile.count:
        at = stretch.base + stretch.profile.periods[cursor.index + 1].start
        if at < cursor.until:
            cursor.until = at


cdef inline const Period *period_of(const Cursor *cursor) noexcept nogil:
    return NULL if cursor.profile is NULL else cursor.profile.periods + cursor.index
