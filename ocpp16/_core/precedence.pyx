"""Which charging profile decides when: the stack of a connector, and the sweep that turns it into stretches of time.

Rules of this file (OCPP 1.6 ed. 2 §3.13.1 and §3.13.2):
1. Within a purpose the active profile of the highest stack level decides alone; a schedule that is silent (gap, over,
   not begun) is not active. A TxProfile comes before every TxDefaultProfile, whatever their levels, so the two
   purposes are one set in order of precedence. The maxima are the other set.
2. A TxDefaultProfile of a connector stands in for the station-wide one of its level until it is over for good.
3. TxProfiles count while a transaction runs, and then only those without transactionId or with its id.
4. Whole runs are swept, never single periods: n log n in the runs that touch the window, and less where a high level
   covers it. Which period is in force is looked up only in the run that decides.
"""

cimport cython
from cpython.object cimport PyObject
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdlib cimport free, realloc

from operator import attrgetter

from ocpp16._core.periods cimport (
    MAXIMUM,
    TX,
    TX_DEFAULT,
    CompiledProfile,
    Run,
    datetime_of,
    next_run,
    seconds_of,
)

cdef object MOST = 2**63 - 1
cdef object LEVEL = attrgetter("stack_level")
cdef dict BITS = {"ChargePointMaxProfile": 1 << MAXIMUM, "TxDefaultProfile": 1 << TX_DEFAULT, "TxProfile": 1 << TX}


@cython.final
cdef class RunningTransaction:
    """A transaction that runs on a connector; frozen.

    start: the timestamp of its StartTransaction.req, an aware datetime or µs since 1970 UTC; transaction_id: the
    Central System's id, None while it is not known. Raises ValueError for an id that does not fit into 64 bits.
    """

    def __cinit__(self, start, transaction_id=None):
        self.seconds = seconds_of(start)
        if transaction_id is not None:
            if not isinstance(transaction_id, int):
                raise TypeError(f"transaction_id must be int, not {type(transaction_id).__name__}")
            if not ~MOST <= transaction_id <= MOST:
                raise ValueError("transaction_id does not fit into 64 bits")
            self.number = transaction_id
        self.transaction_id = transaction_id

    @property
    def start(self):
        return datetime_of(self.seconds)

    def __repr__(self):
        return f"RunningTransaction({self.start.isoformat()}, transaction_id={self.transaction_id})"


cdef Facts facts_of(RunningTransaction transaction, object ignored, int64_t now) except *:
    cdef Facts facts
    facts.anchor, facts.transaction, facts.ignored = now, 0, 0
    facts.has_transaction = facts.has_transaction_id = False
    if transaction is not None:
        facts.anchor, facts.has_transaction = transaction.seconds, True
        facts.has_transaction_id = transaction.transaction_id is not None
        facts.transaction = transaction.number
    if type(ignored) is str:
        raise TypeError("ignored is a collection of purposes, not one text")
    for purpose in ignored:
        if purpose not in BITS:
            raise ValueError(f"not a charging profile purpose: {purpose!r}")
        facts.ignored |= <unsigned int>BITS[purpose]
    return facts


@cython.final
cdef class ProfileStack:
    """The charging profiles that matter to one connector, in order of precedence; frozen.

    profiles: CompiledProfiles of any connector, from which those are taken that apply here; connector_id: 1 and up, or
    0 for what a connector without profiles of its own has. Raises ValueError for two profiles of the same purpose,
    connector and stack level: of these only one can be installed.
    """

    def __cinit__(self, profiles, connector_id):
        cdef list tx = [], own = [], station = [], maximum = []
        cdef CompiledProfile profile, other
        cdef Py_ssize_t i, j = 0
        cdef int count = 0
        if not 0 <= connector_id <= 0x7FFFFFFF:
            raise ValueError(f"connector_id must be 0 to {0x7FFFFFFF}, not {connector_id}")
        self.connector_id = connector_id
        for profile in profiles:
            if profile.data.purpose == MAXIMUM:
                maximum.append(profile)
            elif profile.connector_id == connector_id:
                if profile.data.purpose == TX:
                    tx.append(profile)
                elif connector_id == 0:
                    station.append(profile)
                else:
                    own.append(profile)
            elif profile.connector_id == 0 and profile.data.purpose == TX_DEFAULT:
                station.append(profile)
        for rank in (tx, own, station, maximum):
            rank.sort(key=LEVEL, reverse=True)
            for i in range(1, len(rank)):
                if (<CompiledProfile>rank[i - 1]).data.stack_level == (<CompiledProfile>rank[i]).data.stack_level:
                    raise ValueError(
                        f"profiles {rank[i - 1].profile_id} and {rank[i].profile_id} have the same purpose, connector "
                        "and stackLevel"
                    )
        self.entries = <Entry *>PyMem_Calloc(len(tx) + len(own) + len(station) + len(maximum) + 1, sizeof(Entry))
        if self.entries is NULL:
            raise MemoryError
        i = 0
        for profile in tx:
            count = self._add(count, profile, -FOREVER)
        while i < len(own) or j < len(station):
            other = station[j] if j < len(station) else None
            profile = own[i] if i < len(own) else None
            if profile is None or (other is not None and other.data.stack_level > profile.data.stack_level):
                count = self._add(count, other, -FOREVER)
                j += 1
                continue
            count = self._add(count, profile, -FOREVER)
            i += 1
            if other is not None and other.data.stack_level == profile.data.stack_level:
                count = self._add(count, other, profile.data.over)
                j += 1
        self.own_count = count
        for profile in maximum:
            count = self._add(count, profile, -FOREVER)
        self.max_count = count - self.own_count
        self.profiles = tuple([
            <CompiledProfile>self.entries[k].profile.owner for k in range(self.own_count + self.max_count)
        ])

    cdef int _add(self, int count, CompiledProfile profile, int64_t since) noexcept:
        self.entries[count].profile, self.entries[count].since = &profile.data, since
        return count + 1

    def __dealloc__(self):
        PyMem_Free(self.entries)

    def verdicts(self, at, *, RunningTransaction transaction=None, ignored=()):
        """Why each profile applies at an instant or not: (CompiledProfile, word) in order of precedence.

        The words: "decides" (its purposes' set: transaction or maximum), "outranked" (active, but a higher one
        decides), "ignored" (its purpose is), "no transaction", "other transaction", "replaced" (a default of the
        connector stands in for it), "not valid yet", "no longer valid", "not started", "over", "gap" (between two
        recurrences).
        """
        cdef int64_t now = seconds_of(at)
        cdef Facts facts = facts_of(transaction, ignored, now)
        cdef Entry *entry
        cdef int i
        cdef bint is_decided = False
        cdef list verdicts = []
        for i in range(self.own_count + self.max_count):
            entry = self.entries + i
            if i == self.own_count:
                is_decided = False
            word = _verdict(entry, &facts, now)
            if word == "decides":
                word = "outranked" if is_decided else word
                is_decided = True
            verdicts.append((<CompiledProfile>entry.profile.owner, word))
        return verdicts

    def __repr__(self):
        return f"<ProfileStack of connector {self.connector_id}: {len(self.profiles)} profiles>"


cdef str _verdict(const Entry *entry, const Facts *facts, int64_t at):
    cdef const Profile *p = entry.profile
    cdef Run run
    if facts.ignored >> p.purpose & 1:
        return "ignored"
    if not applies(p, facts):
        return "other transaction" if facts.has_transaction else "no transaction"
    if at < entry.since:
        return "replaced"
    if at < p.valid_from:
        return "not valid yet"
    if at >= p.valid_to:
        return "no longer valid"
    if next_run(p, facts.anchor, at, at + 1, &run):
        return "decides"
    if at < (facts.anchor if p.is_relative else p.start):
        return "not started"
    return "gap" if p.repeat and p.length else "over"


cdef bint applies(const Profile *p, const Facts *facts) noexcept nogil:
    if facts.ignored >> p.purpose & 1:
        return False
    if p.purpose != TX:
        return True
    if not facts.has_transaction:
        return False
    return not p.has_transaction or (facts.has_transaction_id and p.transaction == facts.transaction)


cdef Stretch decide(const Entry *entries, int count, const Facts *facts, int64_t at) noexcept nogil:
    """What decides at one instant, and until when nothing of higher rank can begin; profile NULL: nothing does."""
    cdef Stretch found
    cdef Run run
    cdef int i
    found.begin, found.end, found.base, found.profile = at, FOREVER, at, NULL
    for i in range(count):
        if not applies(entries[i].profile, facts):
            continue
        if not next_run(
            entries[i].profile, facts.anchor, at if at > entries[i].since else entries[i].since, FOREVER, &run
        ):
            continue
        if run.begin > at:
            found.end = run.begin if run.begin < found.end else found.end
            continue
        found.profile, found.base = entries[i].profile, run.base
        found.end = run.end if run.end < found.end else found.end
        break
    return found


cdef int sweep_set(
    Sweep *sweep, const Entry *entries, int count, const Facts *facts, int64_t begin, int64_t end,
) except -1 nogil:
    """Append the stretches of [begin, end) in which some profile of a set is active, with the one that decides."""
    _collect(sweep, entries, count, facts, begin, end)
    if sweep.run_count == 1:
        _append(sweep, sweep.runs[0].begin, sweep.runs[0].end, sweep.runs)
    elif sweep.run_count:
        _sort(sweep, begin)
        _stack(sweep)
    return 0


cdef int _collect(
    Sweep *sweep, const Entry *entries, int count, const Facts *facts, int64_t begin, int64_t end,
) except -1 nogil:
    """All runs in order of precedence, without those beyond what the ones above leave uncovered at either end."""
    cdef int64_t since
    cdef Run run
    cdef Stretch *stretch
    cdef int i
    sweep.run_count = 0
    for i in range(count):
        if not applies(entries[i].profile, facts):
            continue
        since = begin if begin > entries[i].since else entries[i].since
        while next_run(entries[i].profile, facts.anchor, since, end, &run):
            if sweep.run_count == sweep.run_room:
                _grow(<void **>&sweep.runs, &sweep.run_room, sizeof(Stretch))
            stretch = sweep.runs + sweep.run_count
            stretch.begin, stretch.end, stretch.base, stretch.profile = run.begin, run.end, run.base, entries[i].profile
            sweep.run_count += 1
            if run.begin <= begin:
                begin = run.end
            if run.end >= end:
                end = run.begin
            if not entries[i].profile.repeat:
                break
            since = run.end
        if begin >= end:
            break
    return 0


cdef int _sort(Sweep *sweep, int64_t origin) except -1 nogil:
    """keys := (begin, index) of each run in order of time; a window is shorter than 2**31 s."""
    cdef size_t n = sweep.run_count, i, j, width, low, middle, high, k
    cdef uint64_t *source
    cdef uint64_t *target
    cdef uint64_t key
    if n > sweep.key_room:
        _grow_to(<void **>&sweep.keys, n, sizeof(uint64_t))
        _grow_to(<void **>&sweep.spare, n, sizeof(uint64_t))
        _grow_to(<void **>&sweep.heap, n, sizeof(uint32_t))
        sweep.key_room = n
    source = sweep.keys
    for i in range(n):  # blocks of 8 by insertion, then merged
        key = <uint64_t>(sweep.runs[i].begin - origin) << 32 | i
        j = i
        while j & 7 and source[j - 1] > key:
            source[j] = source[j - 1]
            j -= 1
        source[j] = key
    target = sweep.spare
    width = 8
    while width < n:
        low = 0
        while low < n:
            middle = low + width if low + width < n else n
            high = low + 2 * width if low + 2 * width < n else n
            i, j = low, middle
            for k in range(low, high):
                if j >= high or (i < middle and source[i] < source[j]):
                    target[k] = source[i]
                    i += 1
                else:
                    target[k] = source[j]
                    j += 1
            low = high
        source, target = target, source
        width *= 2
    sweep.keys, sweep.spare = source, target
    return 0


cdef int _stack(Sweep *sweep) except -1 nogil:
    """Walk over the begins; the smallest index of all runs that have begun and are not over is on top of the heap."""
    cdef const Stretch *runs = sweep.runs
    cdef uint32_t *heap = sweep.heap
    cdef size_t n = sweep.run_count, next = 0, size = 0
    cdef uint32_t run
    cdef int64_t at, end
    at = runs[<uint32_t>sweep.keys[0]].begin
    while True:
        while size and runs[heap[0]].end <= at:
            size -= 1
            if size:
                _sift_down(heap, size, heap[size])
        if size == 0:
            if next == n:
                return 0
            at = runs[<uint32_t>sweep.keys[next]].begin
        while next < n and runs[<uint32_t>sweep.keys[next]].begin <= at:
            _sift_up(heap, size, <uint32_t>sweep.keys[next])
            size += 1
            next += 1
        end = runs[heap[0]].end
        while next < n:  # what begins below the top changes nothing before the top is over
            run = <uint32_t>sweep.keys[next]
            if runs[run].begin >= end:
                break
            if run < heap[0]:
                end = runs[run].begin
                break
            _sift_up(heap, size, run)
            size += 1
            next += 1
        _append(sweep, at, end, runs + heap[0])
        at = end


cdef inline void _sift_up(uint32_t *heap, size_t i, uint32_t run) noexcept nogil:
    while i and run < heap[(i - 1) >> 1]:
        heap[i] = heap[(i - 1) >> 1]
        i = (i - 1) >> 1
    heap[i] = run


cdef inline void _sift_down(uint32_t *heap, size_t size, uint32_t run) noexcept nogil:
    cdef size_t i = 0, child = 1
    while child < size:
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if run < heap[child]:
            break
        heap[i] = heap[child]
        i, child = child, 2 * child + 1
    heap[i] = run


cdef inline int _append(Sweep *sweep, int64_t begin, int64_t end, const Stretch *run) except -1 nogil:
    if sweep.count == sweep.room:
        _grow(<void **>&sweep.stretches, &sweep.room, sizeof(Stretch))
    cdef Stretch *stretch = sweep.stretches + sweep.count
    stretch.begin, stretch.end, stretch.base, stretch.profile = begin, end, run.base, run.profile
    sweep.count += 1
    return 0


cdef int _grow(void **memory, size_t *room, size_t size) except -1 nogil:
    cdef size_t wanted = 2 * room[0] if room[0] else 32  # of stretches a kilobyte, which malloc has at hand
    _grow_to(memory, wanted, size)
    room[0] = wanted
    return 0


cdef int _grow_to(void **memory, size_t wanted, size_t size) except -1 nogil:
    cdef void *found = realloc(memory[0], wanted * size)
    if found is NULL:
        with gil:
            raise MemoryError
    memory[0] = found
    return 0


cdef void free_sweep(Sweep *sweep) noexcept nogil:
    free(sweep.runs)
    free(sweep.keys)
    free(sweep.spare)
    free(sweep.heap)
    free(sweep.stretches)
