"""Memory in pages of 2 MiB, where the kernel has them (Linux 6.1 and newer; transparent huge pages not "never").

The processor knows where only some thousands of pages are. Ten thousand charge points lie on eighty thousand pages of
4 KiB, and to learn where one is costs as much as to read what is there. Here is moved what lies in small pages; that
Python's new memory lies in large ones from the beginning is said to `_core/arenas`.
"""

from collections.abc import Iterator
from mmap import PAGESIZE
from pathlib import Path

__all__ = ["LARGE", "memory_in_use", "use_large_pages"]

LARGE = 2 << 20
"""Bytes of a large page."""
UNUSED = 64
"""A large page that is used but for this part is moved. Python leaves up to four small pages unused at the border of
each of its arenas of 1 MiB; less than that moves next to nothing, and more makes memory of what nobody uses."""
_COLLAPSE = 25
"""MADV_COLLAPSE: now, and not when the kernel finds the time."""


def use_large_pages(*, maps: Path = Path("/proc/self/maps")) -> int:
    """Move what this process has made itself, and uses, to large pages. Returns how many bytes lie in them.

    Costs as much as to copy what is not in large pages yet. Only what is in use but for a 64th is moved: a stack or a
    table that was reserved does not become memory by it. 0 where the system does not know this, or allows it to
    nobody. `maps`: the kernel's list of the memory.
    """
    try:
        import ctypes  # here: few programs want it, and some Pythons are built without

        system = ctypes.CDLL(None)
        collapse, in_core = system.madvise, system.mincore
        ranges = list(_ranges(maps))
    except (ImportError, OSError, AttributeError, ValueError):
        return 0
    collapse.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    in_core.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    done = 0
    for begin, end in ranges:
        present = ctypes.create_string_buffer((end - begin) // PAGESIZE)
        if in_core(begin, end - begin, present):
            continue  # taken away meanwhile
        for first, last in _used(present.raw, begin):
            if not collapse(first, last - first, _COLLAPSE):
                done += last - first
    return done


def memory_in_use(*, statm: Path = Path("/proc/self/statm")) -> int:
    """Bytes of this process that lie in memory, by the kernel's own count, which is there for the asking. 0 if not."""
    try:
        return int(statm.read_text().split()[1]) * PAGESIZE
    except (OSError, ValueError, IndexError):
        return 0


def _ranges(maps: Path) -> Iterator[tuple[int, int]]:
    """Of memory that is no file's and nobody else's, from one border of large pages to another."""
    for line in maps.read_text().splitlines():
        addresses, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights == "rw-p" and inode == "0" and (not name or name[0].strip() == "[heap]"):
            begin, end = (int(address, 16) for address in addresses.split("-"))
            begin, end = -(-begin // LARGE) * LARGE, end // LARGE * LARGE
            if begin < end:
                yield begin, end


def _used(present: bytes, begin: int) -> Iterator[tuple[int, int]]:
    """Runs of large pages that are in use. `present`: a byte for each small page, 1 if it is there."""
    pages = LARGE // PAGESIZE
    enough = pages - pages // UNUSED
    first: int | None = None
    for number in range(len(present) // pages):
        is_used = present.count(1, number * pages, (number + 1) * pages) >= enough
        if is_used and first is None:
            first = number
        elif not is_used and first is not None:
            yield begin + first * LARGE, begin + number * LARGE
            first = None
    if first is not None:
        yield begin + first * LARGE, begin + len(present) // pages * LARGE
