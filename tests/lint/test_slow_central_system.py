"""Nobody blames a charge point for what it could not send, since it waited for an answer."""

from told import Told

BEAT = {"currentTime": "2026-01-01T01:00:00Z"}


def begun(*rules: str, **keys: int) -> Told:
    told = Told(*rules)
    told.connected()
    known = [{"key": key, "readonly": True, "value": str(value)} for key, value in keys.items()]
    told.is_asked("GetConfiguration", {"configurationKey": known})
    told.boots()
    return told


def waits(told: Told, seconds: int) -> list[str]:
    """The charge point asks, and is answered so late."""
    name = told.second
    told.charge_point(f'[2,"{name}","Heartbeat",{{}}]')
    return told.central_system(f'[3,"{name}",{{"currentTime":"2026-01-01T01:00:00Z"}}]', after=seconds)


def test_a_trigger() -> None:
    told = begun("trigger")
    told.is_asked("TriggerMessage", {"status": "Accepted"}, requestedMessage="MeterValues")
    for _ in range(3):
        waits(told, 29)
    told.asks("Heartbeat", BEAT, after=50)
    assert told.found == []
    told.asks("Heartbeat", BEAT, after=10)
    assert [finding.rule for finding in told.found] == ["trigger"], "nothing was in its way any more"


def test_one_answer_that_never_comes_is_waited_for_a_minute() -> None:
    told = begun("reset")
    told.is_asked("Reset", {"status": "Accepted"}, type="Soft")
    told.charge_point('[2,"never","Heartbeat",{}]')
    assert told.is_asked("GetLocalListVersion", {"listVersion": 0}, after=350) == []
    assert told.is_asked("GetLocalListVersion", {"listVersion": 0}, after=20) == ["reset"]


def test_statuses_after_a_start() -> None:
    told = begun("status-after-boot", NumberOfConnectors=5)
    for connector in range(6):
        told.status("Available", connector)
        waits(told, 28)
        waits(told, 28)
    assert told.found == []
    told = begun("status-after-boot", NumberOfConnectors=5)
    told.status("Available", 0)
    told.asks("Heartbeat", BEAT, after=130)
    assert [finding.rule for finding in told.found] == ["status-after-boot"]
