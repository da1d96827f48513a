"""How each CALL ended, and when it was due: what load tests measure."""

from collections import Counter
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import ConfigurationError
from ocpp16.fleet import CallEnded
from ocpp16.simulation import CarPlan
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault

HEARTBEATS = {"Core": {"HeartbeatInterval": 10}, "Internal": {"RetryBackoffRandomRange": 0}}


class Told:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[CallEnded] = []

    def __call__(self, call: CallEnded) -> None:
        self.calls.append(call)

    def of(self, action: str) -> list[CallEnded]:
        return [call for call in self.calls if call.action == action]


@pytest.fixture
def told() -> Told:
    return Told()


def beats_every_10_s(csms: CentralSystem) -> None:
    """The interval in the answer to BootNotification holds."""
    csms.standard_answers.interval = 10


async def test_every_call_of_a_transaction_ends_once(csms: CentralSystem, fleet_of: Any, told: Told) -> None:
    async with fleet_of(csms, keys=HEARTBEATS, calls=told) as fleet:
        await fleet.add_all(["CP1", "CP2"])
        await fleet.wait_registered()
        for member in fleet:
            member.station.plug_in(1, CarPlan(draw_for=100.0))
            member.station.present_id_tag("TAG", [1])
        await trio.sleep(300)
    assert Counter((call.charge_point, call.action) for call in told.calls) == Counter(
        (call.identity, call.action) for call in csms.calls()
    )
    assert {call.outcome for call in told.calls} == {"result"}
    assert len(told.of("StopTransaction")) == 2
    assert all(call.due <= call.sent <= call.ended for call in told.calls)


async def test_a_loop_that_was_blocked_shows_in_due_and_not_in_sent(
    csms: CentralSystem, fleet_of: Any, told: Told, autojump_clock: trio.testing.MockClock
) -> None:
    beats_every_10_s(csms)
    async with fleet_of(csms, keys=HEARTBEATS, calls=told) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
        registered_at = told.of("BootNotification")[0].ended
        await trio.sleep_until(registered_at + 8)
        autojump_clock.jump(7)  # the heartbeat was due 5 s ago when the loop goes on
        await trio.sleep(1)
    (beat,) = told.of("Heartbeat")
    assert beat.ended - beat.due == pytest.approx(5.0, abs=0.01)
    assert beat.ended - beat.sent == pytest.approx(0.0, abs=0.01)


async def test_samples_of_the_meter_are_late_as_well(
    csms: CentralSystem, fleet_of: Any, told: Told, autojump_clock: trio.testing.MockClock
) -> None:
    async with fleet_of(csms, keys={"Core": {"MeterValueSampleInterval": 60}}, calls=told) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        member.station.plug_in(1, CarPlan(draw_for=1000.0))
        member.station.present_id_tag("TAG", [1])
        await trio.sleep(100)
        autojump_clock.jump(30)
        await trio.sleep(1)
        late = [round(call.ended - call.due) for call in told.of("MeterValues")]
    assert len(late) == 2
    assert late[0] == 0
    assert late[1] > 5


async def test_what_waits_behind_a_slow_answer_was_due_when_it_was_queued(
    csms: CentralSystem, fleet_of: Any, told: Told
) -> None:
    beats_every_10_s(csms)
    async with fleet_of(csms, keys=HEARTBEATS, calls=told) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
        await trio.sleep(5)
        csms.misbehave(Fault.DELAY, "Heartbeat", seconds=25.0)
        await trio.sleep(60)
    slow, waited = told.of("Heartbeat")[:2]
    assert slow.ended - slow.sent == pytest.approx(25.0, abs=0.1)
    # Two beats came meanwhile; the second has taken the place of the first, which was due 15 s before the answer.
    assert waited.ended - waited.due == pytest.approx(15.0, abs=0.1)
    assert waited.ended - waited.sent == pytest.approx(0.0, abs=0.1)


async def test_a_timeout_ends_a_call_and_the_late_answer_does_not_end_it_again(
    csms: CentralSystem, fleet_of: Any, told: Told
) -> None:
    beats_every_10_s(csms)
    async with fleet_of(csms, keys=HEARTBEATS, calls=told) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
        csms.misbehave(Fault.DELAY, "Heartbeat", seconds=45.0)
        await trio.sleep(70)
    beats = told.of("Heartbeat")
    assert beats[0].outcome == "timeout"
    assert beats[0].ended - beats[0].sent == pytest.approx(30.0, abs=1.0)
    assert len(beats) == len(csms.calls("Heartbeat"))
    assert [call.outcome for call in beats[1:]] == ["result"] * (len(beats) - 1)


async def test_errors_have_their_code_and_the_next_attempt_is_due_after_the_interval(
    csms: CentralSystem, fleet_of: Any, told: Told
) -> None:
    csms.answers["StartTransaction"] = CallErrorAnswer("InternalError", "no")
    keys = {"Core": {"TransactionMessageAttempts": 3, "TransactionMessageRetryInterval": 20}}
    async with fleet_of(csms, keys=keys, calls=told) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        member.station.plug_in(1, CarPlan(draw_for=1000.0))
        member.station.present_id_tag("TAG", [1])
        await trio.sleep(10)
        del csms.answers["StartTransaction"]
        await trio.sleep(60)
    refused, taken = told.of("StartTransaction")
    assert (refused.outcome, refused.code) == ("error", "InternalError")
    assert (taken.outcome, taken.code) == ("result", "")
    assert taken.due - refused.ended == pytest.approx(20.0, abs=0.1)
    assert taken.ended - taken.due == pytest.approx(0.0, abs=0.1)


async def test_a_lost_connection_loses_the_open_call_and_boot_is_due_with_the_next(
    csms: CentralSystem, fleet_of: Any, told: Told
) -> None:
    keys = {"Internal": {"RetryBackoffWaitMinimum": 50, "RetryBackoffRandomRange": 0}}
    csms.misbehave(Fault.ABORT, "BootNotification")
    async with fleet_of(csms, keys=keys, calls=told) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
    lost, taken = told.of("BootNotification")
    assert (lost.outcome, taken.outcome) == ("lost", "result")
    assert taken.due - lost.ended > 40
    assert taken.ended - taken.due < 0.1


async def test_a_listener_that_raises_ends_nothing(
    csms: CentralSystem, fleet_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(call: CallEnded) -> None:
        raise RuntimeError("no room")

    async with fleet_of(csms, calls=listener) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        member.station.plug_in(1, CarPlan(draw_for=10.0))
        member.station.present_id_tag("TAG", [1])
        await trio.sleep(100)
    assert len(csms.calls("StopTransaction")) == 1
    assert "listener of calls" in caplog.text


async def test_frames_and_links_are_told(csms: CentralSystem, fleet_of: Any) -> None:
    frames: list[tuple[str, str, str]] = []
    links: list[tuple[str, bool, str]] = []
    csms.refuse_handshake(503, "too many")
    async with fleet_of(
        csms, frames=lambda *frame: frames.append(frame), links=lambda *link: links.append(link)
    ) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
    assert [link[:2] for link in links] == [("CP1", False), ("CP1", True), ("CP1", False)]
    assert links[0][2].startswith("HTTP 503")
    sent = [text for identity, direction, text in frames if direction == "sent"]
    assert len(sent) == len(csms.calls())
    assert sent[0].startswith('[2,"')
    assert {identity for identity, _, _ in frames} == {"CP1"}
    assert len(frames) == 2 * len(sent)


async def test_listeners_that_raise_end_nothing(
    csms: CentralSystem, fleet_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(*told: object) -> None:
        raise RuntimeError("no room")

    async with fleet_of(csms, frames=listener, links=listener) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
    assert "listener of frames" in caplog.text
    assert "listener of connections" in caplog.text


async def test_what_is_no_function_is_refused(csms: CentralSystem, fleet_of: Any) -> None:
    with pytest.raises(ConfigurationError, match="calls must be a function"):
        async with fleet_of(csms, calls="all"):
            pass
