"""Memory in large pages: what may be moved there, and what must not become memory."""

import subprocess
import sys
from mmap import PAGESIZE
from pathlib import Path

import pytest

from ocpp16.large_pages import LARGE, memory_in_use, use_large_pages

PROGRAM = """
import gc, mmap, threading
from pathlib import Path
from ocpp16 import settle_memory
from ocpp16.large_pages import LARGE, use_large_pages

def kib(name):
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])

kept = [[number] for number in range(400_000)]
filled = mmap.mmap(-1, 8 * LARGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
filled.write(b"x" * len(filled))
reserved = mmap.mmap(-1, 64 * LARGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # a table that is hardly used
for page in range(64):
    reserved[page * LARGE] = 1
before = kib("Pss"), kib("AnonHugePages")
settle_memory()
after = kib("Pss"), kib("AnonHugePages")
assert [number for [number] in kept] == list(range(400_000))
again = use_large_pages()
print(*before, *after, again // 1024)
"""


def test_what_is_used_is_moved_and_what_is_reserved_stays_so() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=subprocess.PIPE, text=True)
    used, _, used_after, large, again = (int(word) for word in ran.stdout.split())
    if not large:
        pytest.skip("this kernel has no large pages for us")
    assert large >= 7 * LARGE // 1024, "what is filled, but for its borders; of Python's own arenas it is chance"
    assert again >= large, "and they are known to be there"
    assert used_after - used <= 2048, "the table of 128 MiB is as empty as it was"


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "7f0000000000-7f0000400000 rw-p 00000000 08:01 17 /usr/lib/libc.so",
        "7f0000000000-7f0000400000 r--p 00000000 00:00 0",
        "7f0000000000-7f0000400000 rw-s 00000000 00:00 0",
        "7f0000000000-7f0000400000 rw-p 00000000 00:00 0 [stack]",
        "7f0000000000-7f0000001000 rw-p 00000000 00:00 0",
        f"{7 * LARGE + 4096:x}-{9 * LARGE - 4096:x} rw-p 00000000 00:00 0",
        "7f0000000000-7f0000400000 rw-p 00000000 00:00 0",  # and is not there
    ],
)
def test_nothing_else_is_touched(line: str, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(line + "\n")
    assert use_large_pages(maps=maps) == 0


def test_a_system_without_proc(tmp_path: Path) -> None:
    assert use_large_pages(maps=tmp_path / "none") == 0


def test_settling_looks_only_where_much_is_new() -> None:
    """Each look walks over all memory; a fleet settles at every twenty."""
    program = (
        "import ocpp16.garbage as garbage\n"
        "looks, size = [], 0\n"
        "garbage.memory_in_use = lambda: size\n"
        "garbage.use_large_pages = lambda: looks.append(size)\n"
        "for size in [*range(1_000, 100_000, 100), *range(100_000, 10_000, -10_000), *range(10_000, 50_000, 100)]:\n"
        "    garbage.settle_memory()\n"
        "print(len(looks), *looks)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True)
    count, *looks = map(int, ran.stdout.split())
    assert 70 <= count <= 110, "a hundredfold is 76 sixteenths, a fivefold 27 more"
    assert looks[-1] > 45_000, "what grows again after it has shrunk counts, too"


def test_settling_does_not_walk_over_what_is_frozen() -> None:
    """Not even to count it: a fleet that is added twenty by twenty would walk over all of it at each."""
    program = (
        "import gc, ocpp16.garbage as garbage\n"
        "garbage.use_large_pages = lambda: 0\n"
        "gc.get_freeze_count = gc.get_objects = gc.get_stats = None\n"
        "garbage.settle_memory()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("line", ["", "17", "17 many 3"])
def test_a_size_that_nobody_tells(line: str, tmp_path: Path) -> None:
    statm = tmp_path / "statm"
    assert memory_in_use(statm=statm) == 0
    statm.write_text(line)
    assert memory_in_use(statm=statm) == 0
    statm.write_text("500 17 3\n")
    assert memory_in_use(statm=statm) == 17 * PAGESIZE
