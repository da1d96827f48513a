# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What the sums alone cost: stacks painted from the top, three purposes merged, and nothing else.

No validity, no Weekly or Relative, no phases, no reasons, no checks, no connector 0; single precision; profiles come
sorted; bare tuples go out. The floor that bench_schedule measures against.
"""

from libc.stdlib cimport free, malloc, qsort, realloc

cdef enum:
    DAY = 86400

ctypedef struct Piece:
    long begin
    long end
    float limit  # below 0: nothing
    int is_power

ctypedef struct Pieces:
    Piece *items
    int count
    int room


cdef class BareProfile:
    cdef long start, duration
    cdef bint is_daily, is_power
    cdef int count
    cdef long *starts
    cdef float *limits

    def __cinit__(self, long start, long duration, bint is_daily, bint is_power, list periods):
        cdef int i
        self.start, self.duration, self.is_daily, self.is_power = start, duration, is_daily, is_power
        self.count = len(periods)
        self.starts = <long *>malloc(self.count * sizeof(long))
        self.limits = <float *>malloc(self.count * sizeof(float))
        for i in range(self.count):
            self.starts[i], self.limits[i] = periods[i]

    def __dealloc__(self):
        free(self.starts)
        free(self.limits)


cdef void add(Pieces *to, long begin, long end, float limit, bint is_power) noexcept:
    if to.count == to.room:
        to.room = 2 * to.room if to.room else 64
        to.items = <Piece *>realloc(to.items, to.room * sizeof(Piece))
    cdef Piece *piece = to.items + to.count
    piece.begin, piece.end, piece.limit, piece.is_power = begin, end, limit, is_power
    to.count += 1


cdef void paint(BareProfile p, Pieces *to, Pieces *gaps, Pieces *left) noexcept:
    """Whatever of `gaps` the profile covers goes to `to`, the rest to `left`; the latter two in order of time."""
    cdef long begin, end, base, stop, at, next
    cdef int g, i, low, high
    left.count = 0
    for g in range(gaps.count):
        begin, end = gaps.items[g].begin, gaps.items[g].end
        base = p.start
        if p.is_daily and begin > base:
            base += (begin - base) / DAY * DAY
        while base < end and begin < end:
            stop = base + p.duration if p.duration >= 0 else end
            if p.is_daily and stop > base + DAY:
                stop = base + DAY
            stop = stop if stop < end else end
            if stop > begin:
                if base > begin:
                    add(left, begin, base, -1, 0)
                    begin = base
                low, high = 0, p.count - 1
                while low < high:
                    i = (low + high + 1) >> 1
                    if base + p.starts[i] <= begin:
                        low = i
                    else:
                        high = i - 1
                for i in range(low, p.count):
                    at = base + p.starts[i]
                    if at >= stop:
                        break
                    next = base + p.starts[i + 1] if i + 1 < p.count else stop
                    next = next if next < stop else stop
                    add(to, begin, next, p.limits[i], p.is_power)
                    begin = next
            if not p.is_daily:
                break
            base += DAY
        if begin < end:
            add(left, begin, end, -1, 0)


cdef int order(const void *one, const void *other) noexcept nogil:
    cdef long a = (<const Piece *>one).begin, b = (<const Piece *>other).begin
    return (a > b) - (a < b)


cdef void stack(list profiles, Pieces *to, Pieces *one, Pieces *other, long begin, long end) noexcept:
    cdef Pieces *gaps = one
    cdef Pieces *left = other
    cdef BareProfile profile
    cdef int i
    gaps.count = 0
    add(gaps, begin, end, -1, 0)
    for profile in profiles:
        paint(profile, to, gaps, left)
        gaps, left = left, gaps
        if gaps.count == 0:
            break
    for i in range(gaps.count):
        add(to, gaps.items[i].begin, gaps.items[i].end, -1, 0)
    for i in range(1, to.count):
        if to.items[i].begin < to.items[i - 1].begin:
            qsort(to.items, to.count, sizeof(Piece), order)
            break


def bare_schedule(list tx, list defaults, list maximum, long begin, long end, float nothing=48, float factor=690):
    """[(start, limit in A)] of profiles sorted from the highest level down."""
    cdef Pieces sets[5]
    cdef int at[3]
    cdef Piece *own
    cdef Piece *top
    cdef int i
    cdef long now = begin, next
    cdef float limit, other, last = -1
    cdef list found = []
    for i in range(5):
        sets[i].items, sets[i].count, sets[i].room = NULL, 0, 0
    stack(tx, &sets[0], &sets[3], &sets[4], begin, end)
    stack(defaults, &sets[1], &sets[3], &sets[4], begin, end)
    stack(maximum, &sets[2], &sets[3], &sets[4], begin, end)
    at[0] = at[1] = at[2] = 0
    while now < end:
        next = end
        for i in range(3):
            while sets[i].items[at[i]].end <= now:
                at[i] += 1
            if sets[i].items[at[i]].end < next:
                next = sets[i].items[at[i]].end
        own, top = sets[0].items + at[0], sets[2].items + at[2]
        if own.limit < 0:
            own = sets[1].items + at[1]
        limit = own.limit / factor if own.is_power else own.limit
        other = top.limit / factor if top.is_power else top.limit
        if other >= 0 and (limit < 0 or other < limit):
            limit = other
        if limit < 0:
            limit = nothing
        if limit != last:
            found.append((now - begin, limit))
            last = limit
        now = next
    for i in range(5):
        free(sets[i].items)
    return found
