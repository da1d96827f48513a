"""Python's garbage collector and objects that live as long as the process."""

import gc


def settle_memory() -> int:
    """Take all that lives now out of the garbage collector's sight; returns how many objects that is.

    For a process of many charge points, once they are opened and started: the collector walks over everything again and
    again, which at thousands of charge points is a fifth of all work and more. What becomes unused goes all the same;
    only of what is taken out, circles that become unused later are not found. So at every few hundred that are opened
    and when all are, but not in a program that opens and closes charge points all day. `gc.unfreeze()` undoes it.
    """
    gc.collect()
    gc.freeze()
    return gc.get_freeze_count()
