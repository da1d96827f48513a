"""Python's garbage collector and objects that live as long as the process."""

import gc


def settle_memory() -> None:
    """Take all that lives now out of the garbage collector's sight.

    For a process of many charge points: the collector walks over everything again and again, which at thousands of
    charge points is a fifth of all work and more, and a third while they are opened. What becomes unused goes all the
    same; only of what is taken out, circles that become unused later are not found. So at every twenty or so that are
    opened (what was just made is near the processor then, and is looked at once) and when all are, but not in a program
    that opens and closes charge points all day. `gc.unfreeze()` undoes it.
    """
    gc.collect()
    gc.freeze()
