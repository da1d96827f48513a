"""A charging profile in C: whole seconds, doubles, no Python object to touch while calculating."""

cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport int64_t

cdef extern from *:
    """
    #define OCPP16_FOREVER ((int64_t)1 << 60)
    """
    const int64_t FOREVER "OCPP16_FOREVER"  # later than anything, and the sum of two of them still fits


cdef enum Purpose:
    MAXIMUM
    TX_DEFAULT
    TX


cdef enum RateUnit:
    AMPERES
    WATTS


ctypedef struct Period:
    int64_t start  # seconds from the start of its run
    double limit
    int phases  # 0: not stated


ctypedef struct Profile:
    PyObject *owner  # the CompiledProfile, which outlives every pointer to this
    Period *periods
    int count
    int purpose
    int unit
    bint is_relative
    bint has_transaction
    int64_t transaction
    int64_t stack_level
    int64_t start  # what offsets count from, unless it is Relative
    int64_t length  # of one run
    int64_t repeat  # 0: runs once
    int64_t valid_from
    int64_t valid_to
    int64_t over  # over for good from this instant on


ctypedef struct Run:
    int64_t base  # what offsets count from
    int64_t begin
    int64_t end


cdef class CompiledProfile:
    cdef Profile data
    cdef readonly object connector_id
    cdef readonly object profile_id
    cdef readonly object transaction_id
    cdef readonly str purpose
    cdef readonly str kind
    cdef readonly str unit
    cdef readonly dict payload


cdef int64_t seconds_of(object instant) except? -1
cdef object datetime_of(int64_t seconds)


@cython.cdivision(True)
cdef inline bint next_run(const Profile *p, int64_t anchor, int64_t since, int64_t until, Run *run) noexcept nogil:
    """The first run within [since, until) and within the profile's validity; False if there is none.

    Only the ends of a run are cut: offsets go on counting from its base. `anchor` is the base of Relative ones.
    """
    cdef int64_t begin = since if since > p.valid_from else p.valid_from
    cdef int64_t end = until if until < p.valid_to else p.valid_to
    if begin >= end:
        return False
    run.base = anchor if p.is_relative else p.start
    if p.repeat and begin > run.base:
        run.base += (begin - run.base) // p.repeat * p.repeat
        if begin >= run.base + p.length:
            run.base += p.repeat
    run.begin = begin if begin > run.base else run.base
    run.end = run.base + p.length
    if run.end > end:
        run.end = end
    return run.begin < run.end


cdef inline int period_at(const Profile *p, int64_t offset) noexcept nogil:
    """Index of the last period that has begun at `offset` >= 0."""
    cdef int low = 0, high = p.count - 1, middle
    while low < high:
        middle = (low + high + 1) >> 1
        if p.periods[middle].start <= offset:
            low = middle
        else:
            high = middle - 1
    return low
