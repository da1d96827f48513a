"""Objects that live as long as the process: Python's garbage collector, and where they lie."""

import gc

from ocpp16._core.arenas import new_arenas_are_large
from ocpp16.large_pages import memory_in_use, use_large_pages

FIRST_LOOK = 5_000
"""Objects that may be made, and not freed, before the collector looks at what is new; Python's own number is 700. What
waits in thousands of charge points is new each time, and looked at in vain: at 5,000 of them, a ninth of all work with
Python's number, and a fifteenth with this one. More would make the single looks long, each of which holds the loop."""
SECOND_LOOK = 3
"""So many such looks, and there is one at all that lived through them; Python's own number is 10. At 10,000 charge
points that begin to work those were 50,000 objects, and the loop stood for 0.1 s. As much is looked at as before, in
more and shorter looks."""
NEW = 16
"""Memory is looked through for what is not in large pages yet when it has grown by a sixteenth."""
_moved_at = 0
"""Bytes this process had when that was done last, or fewer that it had since."""


def settle_memory() -> None:
    """Take all that lives now out of the garbage collector's sight, and have it look at what is new less often.

    For a process of many charge points: the collector walks over everything again and again, which at thousands of
    charge points is a fifth of all work and more, and a third while they are opened. What becomes unused goes all the
    same; only of what is taken out, circles that become unused later are not found. So at every twenty or so that are
    opened (what was just made is near the processor then, and is looked at once) and when all are, but not in a program
    that opens and closes charge points all day.

    The first number of `gc.get_threshold()` is `FIRST_LOOK` afterwards if it was lower, the second `SECOND_LOOK` if it
    was higher, and the third follows in proportion, so that all of what is new is looked at as often as before: what
    lived through two looks, as the rest of a broken connection, would else lie about for long. A first number of 0,
    which is a collector that is switched off, stays. `gc.unfreeze()` and `gc.set_threshold(…)` undo it.

    Where Linux has large pages (`ocpp16.large_pages`), Python's memory comes from them from now on, and what it has is
    moved to them: at thousands of charge points the processor else spends a sixth of its time on finding where things
    lie. That is not done at each call, but when the process has grown by a sixteenth.
    """
    global _moved_at
    new_arenas_are_large()
    gc.collect()
    gc.freeze()
    size = memory_in_use()
    if size > _moved_at + _moved_at // NEW:
        use_large_pages()
        _moved_at = memory_in_use()
    else:
        _moved_at = min(_moved_at, size)
    first, second, third = gc.get_threshold()
    if 0 < first < FIRST_LOOK:
        fewer = min(second, SECOND_LOOK)
        all_new = third * second * first // (FIRST_LOOK * fewer) if fewer else third
        gc.set_threshold(FIRST_LOOK, fewer, max(min(third, 1), all_new))


def new_objects() -> int:
    """About how many objects were made, and not freed, since the collector last looked at all that is in its sight."""
    (count, looks, second_looks), (first, second, _) = gc.get_count(), gc.get_threshold()
    return count + first * (looks + second * second_looks)
