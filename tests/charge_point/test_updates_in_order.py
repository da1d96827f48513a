"""No status of an update is told behind a newer one, and its end is told: whatever happens to disk, connection, answers
and the charge point itself, in any order.
"""

import random
from contextlib import suppress
from typing import Any

import pytest
import trio
from workshop import Workshop, ask, tell, told

from ocpp16.errors import CallFailed
from ocpp16.models import UNSIGNED
from ocpp16.testing import CallErrorAnswer, CentralSystem

ACTION = "FirmwareStatusNotification"
STEPS = ("Downloading", "Downloaded", "Installing", "Installed")
ACTS = ("tell", "tell", "refuse", "silent", "answer", "answer", "cut", "trigger", "full", "free")
ANSWERS: dict[str, Any] = {"refuse": CallErrorAnswer("InternalError", "busy"), "silent": None, "answer": {}}


class Story:
    """Of one update, over several starts."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.to_come = list(STEPS)
        self.seen: list[str] = []
        self.mood = "answer"

    def answer(self, payload: dict[str, Any], call: Any) -> Any:
        self.seen.append(payload["status"])
        return ANSWERS[self.mood]

    async def act(self, bench: Any, disk: Any) -> None:
        act, is_connected = self.chance.choice(ACTS), bench.charge_point.connection.is_connected
        if act == "tell" and self.to_come:
            bench.charge_point.on_firmware_update_status_notification(UNSIGNED, self.to_come.pop(0))
        elif act in ANSWERS:
            self.mood = act
        elif act in {"full", "free"}:
            disk.is_full = act == "full"
        elif act == "cut" and is_connected:
            bench.csms.abort("cp001")
        elif act == "trigger" and is_connected and self.to_come:
            with suppress(ConnectionError, CallFailed), trio.move_on_after(5):
                await bench.call("TriggerMessage", {"requestedMessage": ACTION})
        await trio.sleep(self.chance.choice((0, 0, 0.01, 1, 12)))


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("all_queued", [False, True])
async def test_an_update(open_bench: Any, make_config: Any, disk: Any, all_queued: bool, seed: int) -> None:
    document = make_config(Internal__QueueAllMessages=all_queued)
    story = Story(seed)
    for start in range(3):
        csms = CentralSystem()
        csms.answers[ACTION] = story.answer
        async with open_bench(station=Workshop(), document=document, store=disk, csms=csms) as bench:
            if not start:
                await ask(bench)
            for _ in range(10):
                await story.act(bench, disk)
            disk.is_full, story.mood = False, "answer"
            if start == 2 or story.chance.random() < 0.3:
                await trio.sleep(900)
            await bench.charge_point.dead_letters.resend()
            await trio.sleep(story.chance.choice((0, 30)))
            await bench.charge_point.stored()
    told = [STEPS.index(status) for status in story.seen if status != "Idle"]
    assert told == sorted(told)
    begun = story.seen[story.seen.index(STEPS[told[0]]) :] if told else []
    assert "Idle" not in begun, "nothing was triggered after the end"
    assert story.to_come or told[-1] == STEPS.index("Installed")


@pytest.mark.parametrize("is_triggered", [False, True])
async def test_one_of_an_earlier_start_gives_way(
    open_bench: Any, make_config: Any, disk: Any, *, is_triggered: bool
) -> None:
    """What was refused before, or is told again as it was triggered, and is refused."""
    action = "FirmwareStatusNotification"
    document = make_config(Internal__QueueAllMessages=True, Core__TransactionMessageAttempts=10)
    busy = CallErrorAnswer("InternalError", "busy")
    async with open_bench(station=Workshop(), document=document, store=disk) as bench:
        bench.csms.answers[action] = {} if is_triggered else busy
        await ask(bench)
        await tell(bench, "Downloading")
    csms = CentralSystem()
    left = [busy]
    csms.answers[action] = lambda payload, call: left.pop() if left else {}
    async with open_bench(station=Workshop(), document=document, store=disk, csms=csms) as bench:
        if is_triggered:
            await bench.call("TriggerMessage", {"requestedMessage": action})
        await trio.sleep(1)
        await tell(bench, "Installed")
        await trio.sleep(300)
        assert told(bench) == ["Downloading", "Installed"]


async def test_one_that_was_given_up_is_no_dead_letter(open_bench: Any, make_config: Any) -> None:
    """Sent again it would be told as the present."""
    document = make_config(Internal__QueueAllMessages=True)
    async with open_bench(station=Workshop(), document=document) as bench:
        bench.csms.answers["FirmwareStatusNotification"] = CallErrorAnswer("InternalError", "busy")
        await tell(bench, "Downloading")
        await trio.sleep(100)
        assert told(bench) == ["Downloading"] * 3
        assert await bench.charge_point.dead_letters() == ()
        assert bench.charge_point.connection.queue_depth == 0
