# cython: language_level=3
"""Marks for callgrind: which instructions count, and for what. Outside of valgrind they do nothing."""

cdef extern from *:
    """
    #include <valgrind/callgrind.h>
    static void start_counting(void) { CALLGRIND_START_INSTRUMENTATION; }
    static void toggle_counting(void) { CALLGRIND_TOGGLE_COLLECT; }
    static void dump_counts(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }
    """
    void start_counting()
    void toggle_counting()
    void dump_counts(const char *name)


def start():
    """From here on instructions are looked at; what runs before costs little."""
    start_counting()


def toggle():
    """Begin to count, or stop."""
    toggle_counting()


def dump(bytes name):
    """Write down what was counted since the last time, as of `name`."""
    dump_counts(name)
