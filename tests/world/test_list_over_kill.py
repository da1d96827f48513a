"""A local authorization list is the one that was accepted, whole, after kill -9 at whichever moment of its change."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.world, pytest.mark.kills]

LENGTH = 1500
"""Entries: a commit of them takes a while."""


def update(version: int) -> dict[str, Any]:
    entries = [{"idTag": f"V{version}T{n}", "idTagInfo": {"status": "Accepted"}} for n in range(LENGTH + version)]
    return {"listVersion": version, "updateType": "Full", "localAuthorizationList": entries}


class Site:
    """A charge point that is killed and started again, and its Central System."""

    def __init__(self, world: Callable[[str], ModuleType], csms: Any, folder: Path) -> None:
        self._programs = world("programs")
        self._configuration = world("kill_campaign").configuration(csms.url)
        self._configuration["Core"]["SupportedFeatureProfiles"] = "Core,LocalAuthListManagement"
        self._configuration["Core"]["AuthorizationCacheEnabled"] = True
        self._configuration["LocalAuthListManagement"] = {
            "LocalAuthListEnabled": True,
            "LocalAuthListMaxLength": 2 * LENGTH,
            "SendLocalListMaxLength": 2 * LENGTH,
        }
        self._csms = csms
        self._folder = folder

    def start(self) -> Any:
        program = self._programs.ChargePointProgram(self._folder, self._configuration)
        program.wait_for(event="boot")
        return program

    @contextmanager
    def killed(self) -> Iterator[Any]:
        program = self.start()
        try:
            yield program
        finally:
            program.kill()

    def version(self) -> int:
        """Of the list that counts, which is whole."""
        version = int(self._csms.call("GetLocalListVersion", {})["listVersion"])
        (path,) = self._folder.rglob("*.db")
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            tags = [row[0] for row in database.execute("SELECT id_tag FROM local_list")]
        assert len(tags) == (LENGTH + version if version else 0)
        assert all(tag.startswith(f"v{version}t") for tag in tags)
        return version


@pytest.fixture
def site(world: Callable[[str], ModuleType], csms: Any, tmp_path: Path) -> Site:
    return Site(world, csms, tmp_path / "charge point")


def test_accepted_and_killed_at_once(site: Site, csms: Any) -> None:
    for version in (1, 2):
        with site.killed():
            assert site.version() == version - 1
            csms.send("call", action="SendLocalList", payload=update(version))
            csms.wait_until(lambda count=version: _accepted(csms) == count, "the answer to SendLocalList")
    with site.start():
        assert site.version() == 2
        assert csms.call("ClearCache", {}) == {"status": "Accepted"}
    assert csms.objections == []


@pytest.mark.parametrize("later", [False, True])
def test_killed_before_the_answer(site: Site, csms: Any, later: bool) -> None:
    """Then it is there or it is not, whole; with nobody the wiser, the next one is taken either way."""
    with site.start():
        assert csms.call("SendLocalList", update(1)) == {"status": "Accepted"}
    with site.killed() as program:
        csms.send("call", action="SendLocalList", payload=update(2))
        csms.wait_until(lambda: any('"V2T1"' in line.get("text", "") for line in csms.lines), "the request")
        if later:
            program.do("status")
    with site.start():
        assert site.version() in (1, 2)
        assert csms.call("SendLocalList", update(3)) == {"status": "Accepted"}
        assert site.version() == 3


def _accepted(csms: Any) -> int:
    sent = {frame[1] for frame in csms.frames("sent") if frame[0] == 2 and frame[2] == "SendLocalList"}
    answers = [frame for frame in csms.frames("received") if frame[0] == 3 and frame[1] in sent]
    return sum(json.dumps(frame[2]) == '{"status": "Accepted"}' for frame in answers)
