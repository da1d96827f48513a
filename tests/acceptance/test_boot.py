"""Boot, registration, heartbeat, reconnecting."""

from collections.abc import Callable
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]

FAR = "2030-01-01T00:00:00Z"


def boot(status: str, interval: int) -> dict[str, Any]:
    return {"status": status, "currentTime": FAR, "interval": interval}


def test_tc_001_cold_boot(without_power: Begin) -> None:
    """It introduces itself, waits to be accepted, then tells the status of connector 0 and of every other."""
    one = without_power(Internal={"ChargePointSerialNumber": "S-1", "FirmwareVersion": "1.2"})
    one.power_up()
    told = one.expect("BootNotification")
    assert told == {
        "chargePointVendor": "Vendor",
        "chargePointModel": "Model",
        "chargePointSerialNumber": "S-1",
        "firmwareVersion": "1.2",
    }
    for connector in (0, 1, 2):
        one.status(connector, "Available", errorCode="NoError")
    assert one.do("status")["registration"] == "Accepted"


def test_tc_002_cold_boot_pending(without_power: Begin) -> None:
    """Pending: it asks again after the interval, and does what it is told meanwhile."""
    one = without_power()
    one.script("set", action="BootNotification", answer=boot("Pending", 600))
    one.power_up()
    one.told("boot", status="Pending")
    assert one.call("GetConfiguration", key=["HeartbeatInterval"])["configurationKey"][0]["key"] == "HeartbeatInterval"
    assert one.ask("ChangeConfiguration", key="ConnectionTimeOut", value="33") == "Accepted"
    one.script("reset")
    assert one.ask("TriggerMessage", requestedMessage="BootNotification") == "Accepted"
    one.told("boot", status="Accepted")
    one.status(2, "Available")


def test_pending_asks_again_after_the_interval(without_power: Begin) -> None:
    """The interval of a Pending answer is the time to the next BootNotification; it sends nothing else before."""
    one = without_power()
    one.answer_next("BootNotification", boot("Pending", 1), boot("Pending", 1))
    one.power_up()
    one.told("boot", status="Pending", interval=1)
    one.told("boot", status="Pending", interval=1)
    one.told("boot", status="Accepted")
    one.status(2, "Available")


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_the_interval_of_a_refusal_is_no_heartbeat_interval(without_power: Begin, status: str) -> None:
    """Only an accepting answer sets HeartbeatInterval (edition 2 §4.2)."""
    one = without_power(Core={"HeartbeatInterval": 777})
    one.answer_next("BootNotification", boot(status, 1))
    one.script("set", action="BootNotification", answer=boot("Accepted", 0))
    one.power_up()
    one.told("boot", status=status)
    one.told("boot", status="Accepted")
    (key,) = one.do("get_configuration", keys=["HeartbeatInterval"])["configurationKey"]
    assert int(key["value"]) != 1


def test_rejected_says_nothing_and_hears_nothing(without_power: Begin) -> None:
    """Rejected: calls of the Central System get no answer, and only BootNotification is sent, after the interval."""
    one = without_power()
    one.script("set", action="BootNotification", answer=boot("Rejected", 2))
    one.power_up()
    one.told("boot", status="Rejected")
    before = len(one.calls("StatusNotification"))
    one.post('[2,"unheard","GetConfiguration",{}]')
    one.plug_in()
    one.told("boot", status="Rejected")
    assert len(one.calls("StatusNotification")) == before
    one.script("reset")
    one.told("boot", status="Accepted")
    one.status(1, "Preparing")
    answers = [frame[1] for event, frame in one.lines() if event == "received" and frame[0] != 2]
    assert "unheard" not in answers


@pytest.mark.parametrize("action", ["RemoteStartTransaction", "RemoteStopTransaction"])
def test_pending_refuses_remote_control(without_power: Begin, action: str) -> None:
    """Not before it is accepted (edition 2 §4.2)."""
    one = without_power()
    one.script("set", action="BootNotification", answer=boot("Pending", 600))
    one.power_up()
    one.told("boot", status="Pending")
    payload = {"idTag": "CARD", "connectorId": 1} if action.endswith("StartTransaction") else {"transactionId": 1}
    assert one.ask(action, **payload) == "Rejected"


def test_heartbeats_come_at_the_interval_of_the_boot(without_power: Begin) -> None:
    """The interval of the accepting answer is that of the heartbeats, and is the value of HeartbeatInterval."""
    one = without_power()
    one.script("set", action="BootNotification", answer=boot("Accepted", 1))
    one.power_up()
    one.told("boot", status="Accepted", interval=1)
    one.wait_for_count("Heartbeat", 2)
    (key,) = one.do("get_configuration", keys=["HeartbeatInterval"])["configurationKey"]
    assert key["value"] == "1"


def test_a_changed_heartbeat_interval_holds_at_once(begin: Begin) -> None:
    """ChangeConfiguration of HeartbeatInterval: the next heartbeat comes after the new one."""
    one = begin()
    assert one.calls("Heartbeat") == []
    assert one.ask("ChangeConfiguration", key="HeartbeatInterval", value="1") == "Accepted"
    one.wait_for_count("Heartbeat", 2)


def test_the_clock_of_the_central_system_is_taken_over(without_power: Begin) -> None:
    """currentTime of BootNotification.conf: what is told later bears that time."""
    one = without_power()
    one.script("set", action="BootNotification", answer=boot("Accepted", 300))
    one.power_up()
    one.told("boot", status="Accepted")
    one.plug_in()
    assert one.status(1, "Preparing")["timestamp"].startswith("2030-01-01T00:")


def test_after_a_reconnect_no_second_boot(begin: Begin) -> None:
    """The connection was lost, not the power: no BootNotification, and the status of what changed is told."""
    one = begin()
    one.offline()
    one.plug_in()
    one.online()
    one.status(1, "Preparing")
    assert len(one.calls("BootNotification")) == 1


def test_a_restart_boots_again(begin: Begin) -> None:
    """`stop` closes the connection, `restart` introduces itself again."""
    one = begin()
    assert one.do("stop") is True
    one.told("connection", connected=False)
    assert one.do("restart") is True
    one.booted()
    assert len(one.calls("BootNotification")) == 2


def test_refused_handshakes_are_tried_again(begin: Begin) -> None:
    """HTTP errors on the upgrade: it tries again and again, and goes on where it was."""
    one = begin(Internal={"RetryBackoffRepeatTimes": 0})
    one.script("refuse", status=503, times=2)
    one.script("close", identity=one.identity)
    one.told("connection", connected=False)
    one.told("connection", connected=True)
    one.settle()
    refused = [event for event, _ in one.lines() if event == "refused"]
    assert len(refused) == 2


@pytest.mark.parametrize("answer", ["InternalError", None], ids=["by an error", "not at all"])
def test_a_boot_that_is_not_answered_is_sent_again(without_power: Begin, answer: str | None) -> None:
    """CALLERROR, or silence: a minute after that the next BootNotification, with another id."""
    one = without_power(speed=20, Core={"WebSocketPingInterval": 0})
    one.is_answered = False
    one.answer_next("BootNotification", answer)
    one.power_up()
    one.wait_for_count("BootNotification", 2)
    one.told("boot", status="Accepted")
    one.status(2, "Available")


@pytest.mark.parametrize("code", [1000, 1001, 1011])
def test_a_close_of_the_central_system_is_no_goodbye(begin: Begin, code: int) -> None:
    """Whatever the code of the close frame, it connects again."""
    one = begin()
    one.script("close", identity=one.identity, code=code)
    one.told("connection", connected=False)
    one.told("connection", connected=True)
    one.settle()
