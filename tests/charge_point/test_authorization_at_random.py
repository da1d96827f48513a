"""Authorization over random stories of list, cache, keys, network and clock, beside a plain model.

After each step: what is listed and cached, in which order, and for some id tags the answer, on whose word, and which
key had a say. What is on disk at each commit is what was before the step, or what is after it.
"""

from random import Random
from typing import Any, ClassVar

import pytest
import trio
from authorization_model import SERVER, Access, Info, Told
from random_story import SECOND, STORE_TIMEOUT, Story

from ocpp16._core import format_datetime
from ocpp16.enums import AuthorizationStatus, Reason
from ocpp16.errors import CallFailed
from ocpp16.models import IdTagInfo
from ocpp16.state.clock import to_micros
from ocpp16.testing import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem

TAGS = ("Ann", "ann", "ANN", "Bob", "boB", "Cid", "Dot", "Eve", "Fay", "Gus")
MOST_LISTED, MOST_SENT, MOST_CACHED = 4, 3, 3
KEYS = (
    "AuthorizationCacheEnabled",
    "LocalAuthListEnabled",
    "LocalPreAuthorize",
    "LocalAuthorizeOffline",
    "AllowOfflineTxForUnknownId",
)
NEVER_SET = "0001-01-01T00:00:00Z"

Entries = list[tuple[str, Info | None]]


def read(info: IdTagInfo) -> Info:
    return Info(str(info.status), None if info.expiry_date is None else to_micros(info.expiry_date), info.parent_id_tag)


class Authorization(Story):
    """`access` is the model."""

    def __init__(self, seed: int, open_bench: Any, document: Any, *, cuts: float, lifetime: int) -> None:
        super().__init__(seed, open_bench, document, cuts=cuts)
        self.access = Access(MOST_LISTED, MOST_SENT, MOST_CACHED, lifetime * SECOND, dict.fromkeys(KEYS, True))
        self.answered: Info | None = None
        """What Authorize was answered last; None: nothing that could be used."""
        self.how = "answer"
        """How Authorize is answered."""
        self.sessions = 0
        self.between: list[dict[str, Any]] = []
        """What may be found if the power goes in the middle of the step."""

    # The Central System

    def script(self, csms: CentralSystem) -> None:
        csms.answers["Authorize"] = self.authorize_conf
        csms.answers["StartTransaction"] = self.start_conf
        csms.answers["StopTransaction"] = self.stop_conf

    def some_info(self, random: Random) -> Info:
        status = random.choice(("Accepted", "Accepted", "Accepted", *map(str, AuthorizationStatus)))
        seconds = random.choice((None, None, None, -60, 2, 60, 3600, 90_000))
        expiry = None if seconds is None else self.now() + seconds * SECOND - SECOND // 4
        return Info(status, expiry, random.choice((None, None, "P", "q")))

    def on_wire(self, info: Info) -> dict[str, Any]:
        wire: dict[str, Any] = {"status": info.status}
        if info.expiry is not None:
            wire["expiryDate"] = format_datetime(info.expiry, 6)
        elif wire["status"] == "Blocked":
            wire["expiryDate"] = NEVER_SET
        if info.parent is not None:
            wire["parentIdTag"] = info.parent
        return wire

    async def learnt(self, id_tag: str) -> dict[str, Any]:
        await trio.sleep(0.01)  # no two answers have the same time
        info = self.some_info(self.chance)
        self.access.learn(id_tag, info, self.now())
        self.between.append(self.access.seen(self.now()))
        self.answered = info
        return self.on_wire(info)

    async def authorize_conf(self, payload: dict[str, Any], call: Any) -> Any:
        self.answered = None
        if self.how == "error":
            return CallErrorAnswer("GenericError")
        if self.how == "unreadable":
            return {"idTagInfo": {"status": "Perhaps"}}
        if self.how == "silence":
            return None
        return {"idTagInfo": await self.learnt(payload["idTag"])}

    async def start_conf(self, payload: dict[str, Any], call: Any) -> dict[str, Any]:
        return {"transactionId": payload["meterStart"], "idTagInfo": await self.learnt(payload["idTag"])}

    async def stop_conf(self, payload: dict[str, Any], call: Any) -> dict[str, Any]:
        return {"idTagInfo": await self.learnt(payload["idTag"])} if "idTag" in payload else {}

    # Beside the model

    @property
    def door(self) -> Any:
        return self.bench.charge_point.for_station.authorization

    def begins(self) -> None:
        """Uses within the hour are not on disk: the order is that of the last ones that are."""
        self.access.cache = dict(sorted(self.access.cache.items(), key=lambda item: item[1].at))
        for used in self.access.cache.values():
            used.last = used.at

    def seen(self, door: Any) -> dict[str, Any]:
        return {
            "list": {key: read(info) for key, info in door.local_list.items()},
            "version": door.local_list_version,
            "cache": {key: read(info) for key, info in door.cache.items()},
        }

    def before(self) -> dict[str, Any]:
        self.between.clear()
        return self.access.seen(self.now())

    async def compare(self) -> None:
        assert self.seen(self.door) == self.access.seen(self.now())
        assert list(self.door.cache) == self.access.unforgotten(self.now()), "what was not used for longest is first"

    def check_start(self, bench: Any, before: dict[str, Any]) -> None:
        found = self.seen(bench.charge_point.for_station.authorization)
        assert found in (before, self.access.seen(self.now()), *self.between), "after a power cut"

    # Steps

    async def ask(self) -> None:
        id_tag = self.random.choice(TAGS)
        self.how = self.random.choice(("answer", "answer", "answer", "error", "unreadable", "silence"))
        await self.ask_for(id_tag)

    async def ask_for(self, id_tag: str) -> None:
        access = self.access
        await trio.sleep(0.01)  # no two uses have the same time
        expected: Told | None = None
        key = ""
        if self.is_online:
            decided = access.decide_online(id_tag, self.now())
            expected, key = (decided, "") if isinstance(decided, Told) else (None, decided)
        else:
            expected = access.decide_offline(id_tag, self.now())
        how = "not asked" if expected is not None else self.how
        asked = len(self.bench.sent("Authorize"))
        info = await self.bench.charge_point.authorize_id_token(id_tag)
        assert (len(self.bench.sent("Authorize")) > asked) == (how != "not asked")
        if how == "answer":
            assert self.answered is not None
            expected = Told(self.answered, SERVER, key)
        elif how == "silence":
            expected = access.decide_offline(id_tag, self.now())
        elif how != "not asked":
            expected = Told(Info("Invalid"), "the Central System gave no usable answer", "")
        self.note(id_tag, how, expected)
        assert Told(read(info), info.source, info.key) == expected
        latest = self.door.decisions[-1]
        assert (latest.id_tag, latest.id_tag_info) == (id_tag, info)

    async def ask_for_all(self) -> None:
        self.how = "answer"
        for id_tag in ("ann", "BOB", "cid", "dot"):
            await self.ask_for(id_tag)

    def some_entries(self) -> Entries:
        tags = self.random.sample(TAGS, self.random.choice((0, 1, 2, 3, 3, 4)))
        return [(id_tag, None if self.random.random() < 0.15 else self.some_info(self.random)) for id_tag in tags]

    def some_list(self) -> tuple[bool, int, Entries]:
        version = self.access.version + self.random.choice((-1, 0, 1, 1, 1, 1, 2, -self.access.version))
        return self.random.random() < 0.5, version, self.some_entries()

    async def ask_to_list(self, is_full: bool, version: int, entries: Entries, *bad: Any) -> str:
        wire = [
            {"idTag": id_tag, **({} if info is None else {"idTagInfo": self.on_wire(info)})} for id_tag, info in entries
        ]
        request: dict[str, Any] = {"listVersion": version, "updateType": "Full" if is_full else "Differential"}
        if wire or bad or self.random.random() < 0.5:
            request["localAuthorizationList"] = [*wire, *bad]
        try:
            return str((await self.call("SendLocalList", request))["status"])
        except CallFailed as error:
            return f"error {error.code}"

    async def send_list(self) -> None:
        if not self.is_online:
            return
        update = self.some_list()
        expected = self.access.answer_to_list(*update)
        self.note(*update, expected)
        if expected == "Accepted":
            self.access.take_list(*update)
        assert await self.ask_to_list(*update) == expected

    async def send_nonsense(self) -> None:
        if not self.is_online:
            return
        bad = self.random.choice(
            (
                {"idTag": "X" * 21, "idTagInfo": {"status": "Accepted"}},
                {"idTag": 7, "idTagInfo": {"status": "Accepted"}},
                {"idTag": "Ann", "idTagInfo": {"status": "Perhaps"}},
                {"idTag": "Ann", "idTagInfo": {"status": "Accepted", "expiryDate": "tomorrow"}},
                {"idTagInfo": {"status": "Accepted"}},
                None,
            )
        )
        self.note(bad)
        assert (await self.ask_to_list(*self.some_list(), bad)).startswith("error ")

    async def clear_cache(self) -> None:
        has_cache = self.access.keys["AuthorizationCacheEnabled"]
        self.access.cache.clear()
        if self.is_online and self.random.random() < 0.7:
            assert await self.call("ClearCache", {}) == {"status": "Accepted" if has_cache else "Rejected"}
        else:
            assert await self.door.clear_cache() is has_cache

    async def switch(self) -> None:
        key, is_on = self.random.choice(KEYS), self.random.random() < 0.6
        self.note(key, is_on)
        self.access.switch(key, is_on)
        value = "true" if is_on else "false"
        if self.is_online:
            assert await self.call("ChangeConfiguration", {"key": key, "value": value}) == {"status": "Accepted"}
        else:
            assert str(await self.bench.charge_point.configuration.set(key, value)) == "Accepted"

    async def charge(self) -> None:
        """Begin, or end with a card, which may be another one."""
        number, id_tag = self.random.randint(1, 2), self.random.choice(TAGS)
        charge_point = self.bench.charge_point
        running = charge_point.transaction(number)
        self.note(number, id_tag, "begin" if running is None else "end")
        if running is None:
            self.sessions += 1
            charge_point.on_transaction_started(number, f"s{self.sessions}", id_tag, self.sessions)
        else:
            charge_point.on_transaction_stopped(number, running.session_id, Reason.LOCAL, 5000, id_tag_end=id_tag)
            charge_point.on_session_stopped(number, running.session_id)

    async def on_a_slow_disk(self) -> None:
        """A list, or that the cache is cleared, and something is learnt meanwhile; stored in the end, or given up."""
        if not self.is_online:
            return
        is_stored, is_list = self.random.random() < 0.7, self.random.random() < 0.6
        update = self.some_list()
        self.note(update if is_list else "clear", is_stored)
        answers: list[str] = []

        async def ask() -> None:
            if is_list:
                answers.append(await self.ask_to_list(*update))
                return
            try:
                answers.append((await self.call("ClearCache", {}))["status"])
            except CallFailed:
                answers.append("not stored")

        if is_list:
            expected, late = self.access.answer_to_list(*update), "Failed"
        else:
            expected = "Accepted" if self.access.keys["AuthorizationCacheEnabled"] else "Rejected"
            late = "not stored"
        known = {key: (used.info, used.at) for key, used in self.access.cache.items()}
        self.disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.sleep(0.1)
            self.how = "answer"
            await self.ask_for(self.random.choice(TAGS))
            await trio.sleep(1 if is_stored else STORE_TIMEOUT + 1)
            self.disk.is_full = False
        await self.bench.charge_point.stored()
        if expected == "Accepted" and is_stored:
            if is_list:
                self.access.take_list(*update)
            else:  # what was written down meanwhile goes as well, a commit later
                fresh = {k: one.info for k, one in self.access.cache.items() if known.get(k) != (one.info, one.at)}
                self.access.cache.clear()
                self.between.append({**self.access.seen(self.now()), "cache": fresh})
        assert answers == [late if expected == "Accepted" and not is_stored else expected]

    acts: ClassVar = {
        ask: 10,
        ask_for_all: 3,
        send_list: 6,
        send_nonsense: 1,
        clear_cache: 1,
        switch: 4,
        charge: 4,
        on_a_slow_disk: 3,
        Story.pass_time: 3,
        Story.set_clock: 2,
        Story.network: 3,
        Story.restart: 1,
    }


@pytest.mark.parametrize("seed", range(20))
async def test_a_story(open_bench: Any, make_config: Any, seed: int) -> None:
    lifetime = seed % 2 * 5_400
    document = make_config(
        Internal__StoreTimeout=STORE_TIMEOUT,
        Internal__AuthorizationCacheMaxEntries=MOST_CACHED,
        Internal__AuthorizationCacheLifetime=lifetime,
        Core__AuthorizationCacheEnabled=True,
        Core__LocalPreAuthorize=True,
        Core__LocalAuthorizeOffline=True,
        Core__AllowOfflineTxForUnknownId=True,
        Core__StopTransactionOnInvalidId=False,
        LocalAuthListManagement__LocalAuthListEnabled=True,
        LocalAuthListManagement__LocalAuthListMaxLength=MOST_LISTED,
        LocalAuthListManagement__SendLocalListMaxLength=MOST_SENT,
    )
    await Authorization(seed, open_bench, document, cuts=0.1, lifetime=lifetime).run(lives=2, steps=40)
