"""StartTransactions that were given up: sent again, they are ended under the id that they get."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.errors import StoreError
from ocpp16.observer import TransactionUpdated
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables.dead_letters import END, put
from ocpp16.testing import CallErrorAnswer

REFUSED = CallErrorAnswer("GenericError", "no\x1b[2J" + "x" * 3000)


class Disk(MemoryStore):
    """Outlives a charge point. While `is_full` nothing can be written; what was written is in `images`, as a power cut
    after each commit would leave it."""

    def __init__(self, rows: dict[str, Any] | None = None) -> None:
        super().__init__(is_volatile=False)
        self._rows = rows or {}
        self.is_full = False
        self.images: list[dict[str, Any]] = []

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("no space left on device")
        refused = super().apply(batches)
        self.images.append(deepcopy(self._rows))
        return refused


async def refused_start(bench: Any) -> None:
    """A transaction whose StartTransaction was given up, and that is over, offline."""
    bench.csms.answers["StartTransaction"] = CallErrorAnswer("InternalError")
    bench.begin()
    await trio.sleep(5)
    del bench.csms.answers["StartTransaction"]
    bench.charge_point.connection.disconnect()
    await trio.sleep(1)
    bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)


async def test_a_start_goes_before_the_end_that_waits(open_bench: Any, make_config: Any) -> None:
    """Else the Central System would have a transaction that nobody ends."""
    async with open_bench(document=make_config(Core__TransactionMessageAttempts=1)) as bench:
        await refused_start(bench)
        assert await bench.charge_point.dead_letters.resend() == 1
        bench.charge_point.connection.connect()
        await trio.sleep(30)
        sent = [call.action for call in bench.csms.calls() if call.action.endswith("Transaction")]
        assert sent == ["StartTransaction", "StartTransaction", "StopTransaction"]
        assert bench.sent("StopTransaction")[0]["transactionId"] == 1


@pytest.mark.parametrize("answer", ['[3,"{}",{{}}]', '[4,"{}","GenericError","",{{}}]'])
async def test_a_start_that_is_answered_after_its_end_leaves_nothing(
    open_bench: Any, make_config: Any, answer: str
) -> None:
    """StopTransaction is on its way, without an id, when it is asked for: it is told again under that."""
    disk = Disk()
    async with open_bench(store=disk, document=make_config(Core__TransactionMessageAttempts=1)) as bench:
        await refused_start(bench)
        bench.csms.answers["StopTransaction"] = None
        bench.charge_point.connection.connect()
        await trio.sleep(10)
        (stop,) = bench.csms.calls("StopTransaction")
        assert await bench.charge_point.dead_letters.resend() == 1
        del bench.csms.answers["StopTransaction"]
        await bench.csms.send_text("cp001", answer.format(stop.unique_id))
        await trio.sleep(10)
        assert len(bench.sent("StartTransaction")) == 2
        assert [end["transactionId"] for end in bench.sent("StopTransaction")] == [-1, 1]
        assert bench.sent("StopTransaction")[1] == {**bench.sent("StopTransaction")[0], "transactionId": 1}
        assert await bench.charge_point.dead_letters() == ()
        assert bench.charge_point.counters.dead_letters == 1
        await bench.charge_point.stored()
        assert not disk._rows["cp001"].get("transactions")


@pytest.mark.parametrize("refused", [False, True])
async def test_an_end_that_was_told_goes_with_its_start(open_bench: Any, make_config: Any, *, refused: bool) -> None:
    """It had no id: answered or given up, it is told under the one that the start gets, whenever the power is cut."""
    document = make_config(Core__TransactionMessageAttempts=1)
    disk = Disk()
    async with open_bench(store=disk, document=document) as bench:
        await refused_start(bench)
        if refused:
            bench.csms.answers["StopTransaction"] = CallErrorAnswer("PropertyConstraintViolation")
        bench.charge_point.connection.connect()
        await trio.sleep(10)
        letters = await bench.charge_point.dead_letters()
        assert [letter.action for letter in letters] == ["StartTransaction", "StopTransaction"][: 1 + refused]
        assert letters[0].payload == bench.sent("StartTransaction")[0]
        first = letters[0].sequence
        await bench.charge_point.stored()
        assert not disk._rows["cp001"].get("transactions")
    (end,) = bench.sent("StopTransaction")
    disk.images.clear()
    async with open_bench(store=disk, document=document) as bench:
        assert await bench.charge_point.dead_letters.resend([first]) == 1 + refused
        await trio.sleep(10)
        await bench.charge_point.stored()
        images = list(disk.images)
    assert len(images) > 3
    both = ["StartTransaction", "StopTransaction"]
    for image in images:
        left = Disk(image)
        async with open_bench(store=left, document=document) as bench:
            await bench.charge_point.dead_letters.resend()
            await trio.sleep(10)
            sent = [call for call in bench.csms.calls() if call.action.endswith("Transaction")]
            assert [call.action for call in sent] in (both, both[1:], [])
            assert not sent or sent[-1].payload == {**end, "transactionId": 1}
            told = bench.events.of(TransactionUpdated)
            assert [event.session_id for event in told] == ["s1"] * max(0, len(sent) - 1)
            assert await bench.charge_point.dead_letters() == ()
            await bench.charge_point.stored()
            assert not any(left._rows["cp001"].get(name) for name in ("transactions", "message_queue", "dead_letters"))


@pytest.mark.parametrize(
    ("of_end", "name", "value"),
    [
        (False, "connectorId", None),
        (False, "meterStart", "x"),
        (True, "timestamp", None),
        (True, "meterStop", "x"),
        (True, "reason", "Perhaps"),
    ],
)
async def test_a_start_or_an_end_that_cannot_be_sent_begins_no_transaction(
    open_bench: Any, make_config: Any, of_end: bool, name: str, value: Any
) -> None:
    """It was written by something else: whoever sends it again hears of no error, and nothing runs on."""
    disk, document = Disk(), make_config(Core__TransactionMessageAttempts=1)
    async with open_bench(store=disk, document=document) as bench:
        await refused_start(bench)
        bench.charge_point.connection.connect()
        await trio.sleep(10)
        (row,) = bench.charge_point._runtime.features.dead_letters._rows.values()
        await bench.charge_point.stored()
    spoilt = row.payload[END] if of_end else row.payload
    spoilt |= {name: value}
    if value is None:
        del spoilt[name]
    disk.apply([("cp001", [put(row)])])
    async with open_bench(store=disk, document=document) as bench:
        assert await bench.charge_point.dead_letters.resend() == 1
        await trio.sleep(10)
        assert len(bench.sent("StartTransaction")) == of_end
        assert bench.charge_point.connection.queue_depth == 0
        await bench.charge_point.stored()
        assert not disk._rows["cp001"].get("transactions")


@pytest.mark.parametrize("is_restarted", [True, False])
async def test_an_end_that_is_sent_again_alone_is_not_lost_to_its_start(
    open_bench: Any, make_config: Any, is_restarted: bool
) -> None:
    disk, document = Disk(), make_config(Core__TransactionMessageAttempts=1)
    async with open_bench(store=disk, document=document) as bench:
        await refused_start(bench)
        bench.csms.answers["StopTransaction"] = REFUSED
        bench.charge_point.connection.connect()
        await trio.sleep(10)
        start, stop = (letter.sequence for letter in await bench.charge_point.dead_letters())
        bench.csms.answers.clear()
        assert await bench.charge_point.dead_letters.resend([stop]) == 1
        await trio.sleep(10)
        (letter,) = await bench.charge_point.dead_letters()
        assert letter.payload == bench.sent("StartTransaction")[0]
        await bench.charge_point.stored()
        if not is_restarted:
            assert await bench.charge_point.dead_letters.resend([start]) == 1
            await trio.sleep(10)
            assert [end["transactionId"] for end in bench.sent("StopTransaction")] == [-1, -1, 1]
            return
    async with open_bench(store=disk, document=document) as bench:
        assert await bench.charge_point.dead_letters.resend([start]) == 1
        await trio.sleep(10)
        assert len(bench.sent("StartTransaction")) == 1
        assert [end["transactionId"] for end in bench.sent("StopTransaction")] == [1]


@pytest.mark.parametrize("refused", [False, True])
async def test_of_two_each_has_its_own_end(open_bench: Any, make_config: Any, refused: bool) -> None:
    disk, document = Disk(), make_config(Core__TransactionMessageAttempts=1)
    async with open_bench(store=disk, document=document) as bench:
        bench.csms.answers["StartTransaction"] = REFUSED
        if refused:
            bench.csms.answers["StopTransaction"] = REFUSED
        for number in range(2):
            bench.begin(session_id=f"s{number}")
            await trio.sleep(5)
            bench.charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1500 + number)
            await trio.sleep(5)
        bench.csms.answers.clear()
        starts = [one.sequence for one in await bench.charge_point.dead_letters() if one.action == "StartTransaction"]
        assert await bench.charge_point.dead_letters.resend(starts[1:]) == 1 + refused
        await trio.sleep(10)
        last = bench.sent("StopTransaction")[-1]
        assert (last["meterStop"], last["transactionId"]) == (1501, 1)
        assert await bench.charge_point.dead_letters.resend() == 1 + refused
        await trio.sleep(10)
        last = bench.sent("StopTransaction")[-1]
        assert (last["meterStop"], last["transactionId"]) == (1500, 2)
        assert len(bench.sent("StopTransaction")) == 4
