"""The charge points of a test together, how they end, and the verbs of each."""

import inspect
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from host_faces import TIMEOUT, Server

from ocpp16.errors import ConfigurationError
from ocpp16.fleet import Member
from ocpp16.pytest_plugin import ChargePoint, Fleet, NotSeen, fleets
from ocpp16.pytest_plugin.bench import Bench
from ocpp16.pytest_plugin.judgement import Judgement
from ocpp16.pytest_plugin.settings import Settings
from ocpp16.security.tls import server_context
from ocpp16.simulation import CommandError
from ocpp16.simulation.command_table import COMMANDS


def test_a_fleet_is_a_mapping_of_ids(fleet_of: Callable[..., Fleet]) -> None:
    fleet = fleet_of(id="CP{number}", blueprint="ac-22kw-twin")
    first, *others = fleet.add_all(3)
    assert [one.id for one in fleet] == ["CP1", "CP2", "CP3"]
    assert fleet["CP1"] is first
    assert "CP9" not in fleet
    assert len(fleet) == 3
    fleet.wait_registered()
    others[0].plug_in(2, plug_after=0)
    others[0].wait_status(2, "Preparing")
    fleet.remove("CP2")
    assert [one.id for one in fleet] == ["CP1", "CP3"]
    with pytest.raises(KeyError):
        fleet.remove("CP2")


def test_what_one_is_made_of(fleet_of: Callable[..., Fleet]) -> None:
    fleet = fleet_of(keys={"Core": {"HeartbeatInterval": 33, "ConnectionTimeOut": 5}})
    one = fleet.add("CP1", connectors=3, keys={"Core": {"ConnectionTimeOut": 6}})
    told = one.get_configuration(["HeartbeatInterval", "ConnectionTimeOut"])["configurationKey"]
    assert {row["key"]: row["value"] for row in told} == {"HeartbeatInterval": "33", "ConnectionTimeOut": "6"}
    one.wait_status(3, "Available")
    with pytest.raises(ValueError, match="the fleet has a charge point 'CP1' already"):
        fleet.add("CP1")
    with pytest.raises(ValueError, match="no blueprint ac-22kv; did you mean ac-22kw"):
        fleet.add("CP2", blueprint="ac-22kv")
    with pytest.raises(ConfigurationError, match="HeartbeatInterval"):
        fleet.add("CP2", keys={"Core": {"HeartbeatInterval": "often"}})
    with pytest.raises(TypeError, match=r"add\(\) takes no timeout: that is set for a whole test"):
        fleet.add("CP2", timeout=5)
    assert [one.id for one in fleet] == ["CP1"]


def test_a_password_goes_into_the_handshake(fleet_of: Callable[..., Fleet], server: Server) -> None:
    server.system._keys = {"CP1": b"0123456789abcdef"}
    fleet = fleet_of()
    fleet.add("CP1", password="0123456789abcdef").wait_registered()
    assert len(server.system.calls("BootNotification", "CP1")) == 1


def test_wss_is_trusted_by_the_folder_of_the_marker(server: Server, tmp_path: Path) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    (tmp_path / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    (tmp_path / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    (tmp_path / "ca" / "csms").mkdir(parents=True)
    (tmp_path / "ca" / "csms" / "lab.pem").write_bytes(authority.cert_pem.bytes())
    server.system._keys = {"CP1": b"0123456789abcdef", "CP2": b"another-password"}
    context = server_context(tmp_path / "chain.pem", tmp_path / "key.pem")
    port = server.do(server.system.listen, "127.0.0.1", 0, context)
    settings = Settings(certificates=tmp_path, password="0123456789abcdef", timeout=TIMEOUT)
    fleet = Fleet(f"wss://localhost:{port}/", settings, lambda: 1)
    fleet.open()
    try:
        fleet.add("CP1").wait_registered()
        with pytest.raises(NotSeen, match=r"CP2: an accepted .* it is not connected .*401") as told:
            fleet.add("CP2").wait_registered(2)
        assert "0123456789abcdef" not in str(told.value)
    finally:
        fleet.close(in_order=False)


def test_in_order_transactions_are_ended_and_told(fleet_of: Callable[..., Fleet], server: Server) -> None:
    fleet = fleet_of()
    charge_point = fleet.add("CP1")
    charge_point.wait_registered()
    charge_point.plug_in(1, plug_after=0)
    charge_point.present_id_tag("CARD1")
    charge_point.wait_sent("StartTransaction")
    fleet.close(in_order=True)
    assert [call.payload["reason"] for call in server.system.calls("StopTransaction")] == ["Other"]


def test_cut_off_nothing_more_is_told_and_nobody_is_waited_for(fleet_of: Callable[..., Fleet], server: Server) -> None:
    fleet = fleet_of()
    charge_point = fleet.add("CP1")
    charge_point.wait_registered()
    charge_point.plug_in(1, plug_after=0)
    charge_point.present_id_tag("CARD1")
    charge_point.wait_sent("StartTransaction")
    server.system.go_half_open("CP1")
    began = time.monotonic()
    fleet.close(in_order=False)
    assert time.monotonic() - began < 2.5  # to take leave of who does not answer takes three seconds
    assert server.system.calls("StopTransaction") == []


def test_an_orderly_end_that_nobody_answers_is_cut_short(
    fleet_of: Callable[..., Fleet], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleets, "LONGEST_END", 0.1)
    server.system.answers["StopTransaction"] = None
    fleet = fleet_of()
    charge_point = fleet.add("CP1")
    charge_point.wait_registered()
    charge_point.plug_in(1, plug_after=0)
    charge_point.present_id_tag("CARD1")
    charge_point.wait_sent("StartTransaction")
    began = time.monotonic()
    fleet.close(in_order=True)
    assert time.monotonic() - began < 8  # StopTimeout alone is ten seconds
    assert not charge_point._thread._thread.is_alive()


def test_what_cannot_be_added_leaves_no_thread(server: Server) -> None:
    fleet = Fleet(f"ws://127.0.0.1:{server.port}/", Settings(certificates="/nowhere/at/all"), lambda: 1)
    fleet.open()
    try:
        with pytest.raises(ConfigurationError):
            fleet.add("CP 1", keys={"Nonsense": {"A": 1}})
    finally:
        fleet.close(in_order=True)
    assert not fleet._thread._thread.is_alive()


def test_one_that_did_not_start_is_gone_and_its_id_is_free(
    fleet_of: Callable[..., Fleet], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = fleet_of()
    with monkeypatch.context() as patch:
        patch.setattr(Member, "begin", lambda member, after: None)  # as a machine that comes to nothing
        patch.setattr(fleets, "LONGEST_CUT", 0.01)
        with pytest.raises(NotSeen, match="CP1: a start was not seen within"):
            fleet.add("CP1")
    assert "CP1" not in fleet
    assert fleet.watches() == []
    fleet.add("CP1").wait_registered()
    assert len(server.system.calls("BootNotification", "CP1")) == 1


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"help", "power_off"}))
def test_each_command_of_the_station_is_a_verb(name: str) -> None:
    verb = getattr(ChargePoint, name)
    assert list(inspect.signature(verb).parameters) == ["self", *(one.name for one in COMMANDS[name].arguments)]
    assert COMMANDS[name].text[1:] in (verb.__doc__ or "")


def test_no_verb_hides_what_a_charge_point_has() -> None:
    own = {
        name for name, value in vars(ChargePoint).items() if getattr(value, "__module__", "") == ChargePoint.__module__
    }
    assert {"wait_status", "wait_sent", "run", "calls"} <= own
    assert not {"wait_status", "wait_sent", "wait_received", "run", "calls", "traffic", "id", "time"} & COMMANDS.keys()
    assert not hasattr(ChargePoint, "help")
    assert not hasattr(ChargePoint, "power_off")


def test_what_is_done_at_once_is_not_refused_because_it_has_not_started(fleet_of: Callable[..., Fleet]) -> None:
    charge_point = fleet_of().add("CP1")
    charge_point.present_id_tag("CARD1")
    assert charge_point.sample(1) in {True, False}


def test_a_verb_says_what_is_wrong(fleet_of: Callable[..., Fleet]) -> None:
    charge_point = fleet_of().add("CP1")
    with pytest.raises(CommandError, match=r"no connector 9: this station has 1\.\.1"):
        charge_point.plug_in(9)
    with pytest.raises(TypeError, match=r"unplug\(connector\): missing a required argument: 'connector'"):
        charge_point.unplug()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'colour'"):
        charge_point.plug_in(1, colour="red")  # type: ignore[call-arg]
    with pytest.raises(CommandError, match="no command plugin; did you mean plug_in"):
        charge_point.run("plugin", connector=1)
    charge_point.wait_registered(TIMEOUT)
    assert charge_point.run("status")["registration"] == "Accepted"


def test_what_was_removed_and_judged_is_let_go_of(fleet_of: Callable[..., Fleet]) -> None:
    fleet = fleet_of()
    judgement = Judgement(fleet)
    fleet.add("CP1").wait_registered()
    fleet.add("CP2").wait_registered()
    fleet.remove("CP1")
    judgement.begin()
    assert [watch.identity for watch in fleet.watches()] == ["CP1", "CP2"], "nobody has judged it yet"
    assert judgement.problems("error", (), is_over=False) == []
    judgement.begin()
    assert [watch.identity for watch in fleet.watches()] == ["CP2"]


def test_the_report_of_one_that_came_again_is_whole(server: Server) -> None:
    bench = Bench()
    settings = Settings(timeout=TIMEOUT)
    with bench.opened(f"ws://127.0.0.1:{server.port}/", settings, in_order=False) as fleet:
        fleet.add("CP1").wait_registered()
        bench.begin()
        fleet.remove("CP1")
        fleet.add("CP1").wait_registered()
        (_, text), *_ = [section for section in reversed(bench.sections(settings)) if section[0] == "ocpp16 CP1"]
    assert text.count('"BootNotification"') == 1
