"""Memory in large pages: what may be moved there, and what must not become memory."""

import subprocess
import sys
from mmap import PAGESIZE
from pathlib import Path

import pytest

from ocpp16.large_pages import LARGE, UNUSED, memory_in_use, use_large_pages

THERE = Path("/sys/kernel/mm/transparent_hugepage/enabled")
PROGRAM = """
import ctypes, mmap
from pathlib import Path
from ocpp16 import settle_memory
from ocpp16.large_pages import LARGE, use_large_pages

def kib(name):
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])

def pages_of(memory):
    present = ctypes.create_string_buffer(len(memory) // mmap.PAGESIZE)
    begin = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert not ctypes.CDLL(None).mincore(ctypes.c_void_p(begin), ctypes.c_size_t(len(memory)), present)
    return present.raw.count(1)

kept = [[number] for number in range(400_000)]
filled = mmap.mmap(-1, 8 * LARGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
filled.write(b"x" * len(filled))
reserved = mmap.mmap(-1, 64 * LARGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # a table that is hardly used
for page in range(64):
    reserved[page * LARGE] = 1
before, touched = kib("Pss"), pages_of(reserved)
settle_memory()
after = kib("Pss"), kib("AnonHugePages")
assert pages_of(reserved) == touched, "the table of 128 MiB is as empty as it was"
assert [number for [number] in kept] == list(range(400_000))
again = use_large_pages()
print(before, *after, again // 1024)
"""


def test_what_is_used_is_moved_and_what_is_reserved_stays_so() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=subprocess.PIPE, text=True)
    used, used_after, large, again = (int(word) for word in ran.stdout.split())
    if not large:
        pytest.skip("this kernel has no large pages for us")
    assert large >= 7 * LARGE // 1024, "what is filled, but for its borders; of Python's own arenas it is chance"
    assert again >= large, "and they are known to be there"
    most = LARGE // 1024 + used // UNUSED
    assert used_after - used <= most, "the first of Python's new arenas, and what was unused in pages that were moved"


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


ARENAS = """
import gc, os, sys, threading
from pathlib import Path
from ocpp16 import settle_memory

def kib():  # in use, and of it what is to lie in large pages: a full machine may have none just now
    used = wished = resident = 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *words = line.split()
        if name == "Rss:":
            resident = int(words[0])
            used += resident
        elif name == "VmFlags:" and "hg" in words:
            wished += resident
    return used, wished

gc.disable()
old = [[number] for number in range(50_000)]  # lies where it lay before
settle_memory()
settle_memory()
before = kib()

def make(found):
    found.extend([number] for number in range(100_000))

kept = [[], [], []]
makers = [threading.Thread(target=make, args=(found,)) for found in kept]
for maker in makers:
    maker.start()
for maker in makers:
    maker.join()
made = kib()
child = os.fork()
if not child:
    make(kept[0])
    del old, kept[1:]
    os._exit(len(kept[0]) != 200_000 or kept[0][199_999] != [99_999])
assert os.waitpid(child, 0)[1] == 0
assert all([number for [number] in found] == list(range(100_000)) for found in kept)
del kept, old, makers
gc.collect()
after, _ = kib()
again = []
make(again)
assert [number for [number] in again] == list(range(100_000))
print(*before, *made, after)
"""


def test_new_memory_lies_in_large_pages_and_is_given_back() -> None:
    ran = subprocess.run([sys.executable, "-c", ARENAS], check=True, stdout=subprocess.PIPE, text=True)
    used, wished, used_with, wished_with, used_after = (int(word) for word in ran.stdout.split())
    assert used_with - used > 20_000, "300,000 lists with a number"
    assert used_after < used + 4 * LARGE // 1024, "all of it, what lay in small pages, too"
    if not THERE.exists():
        pytest.skip("this kernel has no large pages")
    assert wished_with - wished > 0.7 * (used_with - used)


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
