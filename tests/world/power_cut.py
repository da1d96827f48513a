"""The disk as a power cut leaves it, for charge points that run in the process of the test.

What is done in order after the cut (leaving the block stops the charge point) is put back. Processes that are killed
are in kill_campaign.py.
"""

from pathlib import Path

Disk = dict[Path, bytes]


def contents(folder: Path) -> Disk:
    """What lies in the folder now; without the index of SQLite's log, which is memory and not disk.

    The log is read before its database: what is moved from the one to the other meanwhile is then in both.
    """
    files = sorted(folder.iterdir(), reverse=True)
    return {file: file.read_bytes() for file in files if file.is_file() and not file.name.endswith("-shm")}


def put_back(folder: Path, disk: Disk) -> None:
    """Make the folder what it was."""
    for file in folder.iterdir():
        if file.is_file():
            file.unlink()
    for file, content in disk.items():
        file.write_bytes(content)
