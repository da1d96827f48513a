"""What is imported when: a door costs hardly more than trio, an opening nothing that it does not use, and after
`preload` nothing is left to import. Each is asked of a process of its own, by names of modules, not by a clock.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.testing import CentralSystem

DOOR = {"ocpp16", "ocpp16._version", "ocpp16.charge_point", "ocpp16.charge_point.open", "ocpp16.ctrl_c"}
"""All that the doors may load besides trio."""

ONLY_WITH_A_FILE = {
    "sqlite3",
    *(f"ocpp16.store.{name}" for name in ("connection", "fallback", "migrations", "opening", "owner", "pages")),
    *(f"ocpp16.store.{name}" for name in ("presence", "recovery", "sqlite", "statements", "trees")),
}
ONLY_WITH_A_LOG = {f"ocpp16.message_log.{name}" for name in ("message_log", "scribe", "html", "text", "json_lines")}
NEVER = {
    "asyncio",
    "cryptography",
    "fastjsonschema",  # only for keys of the host's own
    "ocpp16.cli",
    "ocpp16.garbage",
    "ocpp16.large_pages",
    "ocpp16.simulation",
    "ocpp16.testing",
    "ocpp16.transfer",
}
"""Of an opening and a connection."""

OF_OTHERS = {"orjson", "wsproto", "h11"}
"""Packages that an opening and a connection may load besides trio and what trio needs."""

OPENING = """
import json, sys
import trio
from ocpp16 import open_charge_point, preload

async def main(uri, database_path, is_preloaded):
    if is_preloaded:
        preload()
    before = set(sys.modules)
    from ocpp16.station import CoreStation

    class Station(CoreStation): ...

    station = Station()
    config = {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": uri,
            "ChargePointVendor": "v",
            "ChargePointModel": "m",
        },
        "Core": {"NumberOfConnectors": 1},
        "Security": {"SecurityProfile": 0},
    }
    async with open_charge_point(config, station, database_path=database_path) as charge_point:
        await charge_point.start()
        with trio.fail_after(30):
            await charge_point.wait_registered()
    print(json.dumps(sorted(set(sys.modules) - before)))

trio.run(main, *json.loads(sys.argv[1]))
"""


def loaded(code: str) -> set[str]:
    """What the code loads after trio."""
    text = f"import json, sys, trio\nbefore = set(sys.modules)\n{code}\nprint(json.dumps([*set(sys.modules) - before]))"
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("name", ["open_charge_point", "open_charge_points", "preload"])
def test_a_door_loads_trio_and_itself(name: str) -> None:
    found = loaded(f"from ocpp16 import {name}")
    assert {module for module in found if module.partition(".")[0] not in sys.stdlib_module_names} == DOOR
    assert not found & {"sqlite3", "json", "email", "decimal", "asyncio"}


def test_the_doors_of_other_hosts_are_found_without_an_import_of_their_own() -> None:
    assert not {"ocpp16.aio", "ocpp16.blocking"} & loaded(
        "import ocpp16; assert {'aio', 'blocking'} < set(dir(ocpp16))"
    )
    assert loaded("import ocpp16; ocpp16.aio, ocpp16.blocking") > {"ocpp16.aio", "ocpp16.blocking"}


def test_values_do_not_load_the_charge_point() -> None:
    found = loaded("from ocpp16 import CoreStation, IdTagInfo, Measurement, Observer, StoreError, open_store")
    assert not found & {"sqlite3", "wsproto", "h11", "ocpp16.profiles", "ocpp16.charge_point", "ocpp16.configuration"}


async def opened(*arguments: Any) -> set[str]:
    """What is loaded while a charge point of another process is opened and registered, and the block is left."""
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        given = json.dumps([f"ws://127.0.0.1:{port}/ocpp/", *arguments])
        done = await trio.run_process([sys.executable, "-c", OPENING, given], capture_stdout=True)
    return set(json.loads(done.stdout))


def packages_of_others(found: set[str]) -> set[str]:
    """But for the names under which Cython keeps what its units share."""
    tops = {module.partition(".")[0] for module in found} - sys.stdlib_module_names - {"ocpp16"}
    return {top for top in tops if not top.startswith(("_cython", "cython_runtime"))}


async def test_an_opening_without_a_file_loads_no_database() -> None:
    found = await opened(None, False)
    assert {"ocpp16.charge_point.blocks", "wsproto", "h11"} < found
    assert packages_of_others(found) == OF_OTHERS
    assert not found & (ONLY_WITH_A_FILE | ONLY_WITH_A_LOG | NEVER)


async def test_an_opening_with_a_file_loads_all_of_the_database(tmp_path: Path) -> None:
    found = await opened(str(tmp_path), False)
    assert found > ONLY_WITH_A_FILE, ONLY_WITH_A_FILE - found
    assert packages_of_others(found) == OF_OTHERS
    assert not found & NEVER


async def test_after_preload_nothing_is_left_to_load(tmp_path: Path) -> None:
    assert await opened(str(tmp_path), True) == set()


def test_preload_loads_nothing_that_is_not_for_a_charge_point() -> None:
    found = loaded("from ocpp16 import preload; preload()")
    assert found > ONLY_WITH_A_FILE | ONLY_WITH_A_LOG
    assert not found & NEVER


INTERRUPTED = """
import importlib.abc, json, signal, sys
import trio
from ocpp16 import open_charge_point

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "ocpp16.rpc.session":
            told.append(name)
            signal.raise_signal(signal.SIGINT)

async def main():
    async with open_charge_point({"Internal": {}}, object()):
        told.append("entered")

told = []
sys.meta_path.insert(0, Interrupting())
try:
    trio.run(main)
except BaseException as error:
    told.append(type(error).__name__)
print(json.dumps([*told, "ocpp16.rpc.session" in sys.modules, "ocpp16.charge_point.plan" in sys.modules]))
"""


def test_ctrl_c_does_not_tear_an_import_in_two() -> None:
    """What a door imports is imported whole; the interruption comes where something is awaited, or when all is over."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == ["ocpp16.rpc.session", "KeyboardInterrupt", True, True]
