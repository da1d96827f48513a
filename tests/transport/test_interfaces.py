"""Two ways to the Central System, by veth in network namespaces of their own: the one that is named is taken, whatever
the routes say, and none instead of it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.world]

PROGRAM = Path(__file__).parents[1] / "world" / "by_interface.py"
PATIENCE = 300.0
PORT = 9000
# The Central System has an address of its own; both ways lead there, and the route by `near` is preferred.
CENTRAL = {"4": "10.99.9.1", "6": "fd99:9::1"}
NEAR, FAR = ({"4": f"10.99.{way}.2", "6": f"fd99:{way}::2"} for way in (1, 2))
WAYS = {"near": 1, "far": 2}


class Site:
    """A station and a Central System, each in a namespace."""

    def __init__(self) -> None:
        self.station, self.central = (f"ocpp16-{os.getpid()}-{name}" for name in ("station", "central"))
        self._listening: list[subprocess.Popen[str]] = []

    def ip(self, command: str, *, inside: str = "") -> str:
        place = ["-n", inside] if inside else []
        return subprocess.run(["ip", *place, *command.split()], check=True, capture_output=True, text=True).stdout

    def at_station(self, command: str) -> None:
        self.ip(command, inside=self.station)

    def at_central(self, command: str) -> None:
        self.ip(command, inside=self.central)

    def build(self) -> None:
        for place in (self.station, self.central):
            self.ip(f"netns add {place}")
            self.ip("link set lo up", inside=place)
        for name, way in WAYS.items():
            self.at_station(f"link add {name} type veth peer name {name} netns {self.central}")
            for place, host in ((self.central, 1), (self.station, 2)):
                self.ip(f"address add 10.99.{way}.{host}/24 dev {name}", inside=place)
                self.ip(f"address add fd99:{way}::{host}/64 dev {name} nodad", inside=place)
                self.ip(f"link set {name} up", inside=place)
            self.wait_until_it_runs(name, True)
            self.route(name)
            self.at_station(f"-6 route add {CENTRAL['6']} via fd99:{way}::1 dev {name} metric {way}")
        for address in CENTRAL.values():
            self.at_central(
                f"address add {address} dev lo nodad" if ":" in address else f"address add {address} dev lo"
            )

    def route(self, name: str) -> None:
        """Linux forgets it when the interface goes down."""
        way = WAYS[name]
        self.at_station(f"route add {CENTRAL['4']} via 10.99.{way}.1 dev {name} metric {way}")

    def wait_until_it_runs(self, name: str, does_run: bool) -> None:
        """Linux notes by and by that a cable is there, or gone."""
        while ("state UP" in self.ip(f"link show {name}", inside=self.station)) is not does_run:
            time.sleep(0.05)

    def listen(self) -> None:
        for address in CENTRAL.values():
            command = self._program(self.central, "listen", address, *WAYS)
            listening = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            self._listening.append(listening)
            assert listening.stdout is not None
            assert {json.loads(listening.stdout.readline()) for _ in WAYS} == set(WAYS)

    def connect(self, family: str, *interfaces: str) -> list[Any]:
        command = self._program(self.station, "connect", CENTRAL[family], *interfaces)
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _program(self, place: str, role: str, address: str, *names: str) -> list[str]:
        return ["ip", "netns", "exec", place, sys.executable, str(PROGRAM), role, address, str(PORT), *names]

    def tear_down(self) -> None:
        for listening in self._listening:
            listening.kill()
            listening.communicate()
        for place in (self.station, self.central):
            subprocess.run(["ip", "netns", "delete", place], capture_output=True)


@pytest.fixture
def site() -> Iterator[Site]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("only root can make network namespaces, with the command ip")
    made = Site()
    try:
        try:
            made.build()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces with veth here: {error.stderr.strip()}")
        made.listen()
        yield made
    finally:
        made.tear_down()


@pytest.mark.parametrize("family", ["4", "6"])
def test_the_interface_that_is_named_is_taken(site: Site, family: str) -> None:
    interfaces = ["", "far", FAR[family], "near", NEAR[family]]
    found = site.connect(family, *interfaces)
    by_near, by_far = ({"by": name, "source": address[family]} for name, address in (("near", NEAR), ("far", FAR)))
    assert found == [by_near, by_far, by_far, by_near, by_near]


BREAKING: dict[str, tuple[Callable[[Site], None], str]] = {
    "down": (lambda site: site.at_station("link set far down"), "the interface is down"),
    "unplugged": (lambda site: site.at_central("link set far down"), "nothing is connected to the interface"),
    "without address": (lambda site: site.at_station("address flush dev far"), "the interface has no IPv4 address"),
    "gone": (lambda site: site.at_station("link delete far"), "No such device"),
}


@pytest.mark.parametrize("what", BREAKING)
def test_there_is_no_way_but_the_interface(site: Site, what: str) -> None:
    """The other one is up, and a route leads by it."""
    breaking, told = BREAKING[what]
    breaking(site)
    if what == "unplugged":
        site.wait_until_it_runs("far", False)
    by_route, by_name = site.connect("4", "", "far")
    assert by_route["by"] == "near"
    assert by_name == {"step": "interface", "text": f"interface: cannot use far: {told}"}


def test_an_address_that_is_gone_is_not_replaced(site: Site) -> None:
    site.at_station("address flush dev far")
    assert [failure["step"] for failure in site.connect("4", FAR["4"])] == ["interface"]


@pytest.mark.parametrize("by", ["far", FAR["4"]])
def test_an_interface_that_comes_back_is_used_again(site: Site, by: str) -> None:
    site.at_station("link set far down")
    assert [failure["step"] for failure in site.connect("4", by)] == ["interface"]
    site.at_station("link set far up")
    site.wait_until_it_runs("far", True)
    site.route("far")
    assert site.connect("4", by) == [{"by": "far", "source": FAR["4"]}]
