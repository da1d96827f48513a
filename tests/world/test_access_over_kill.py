"""Reservations and authorization cache over kill -9 at random: what was accepted is there, what is there was asked.

The environment says how long: OCPP16_KILLS (10) and OCPP16_KILL_SEED (1).
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.world, pytest.mark.kills]

KILLS = int(os.environ.get("OCPP16_KILLS", "10"))
SEED = int(os.environ.get("OCPP16_KILL_SEED", "1"))

EXPIRY = "2099-01-01T00:00:00Z"
RESERVABLE = (1, 2)
"""Connectors; whoever is to be cached presents a card at the third."""

Kept = dict[int, tuple[int, str]]
"""Reservation id → connector and id tag."""


class Site:
    """A charge point that is killed and started again, and its Central System, which knows what may be kept."""

    def __init__(self, world: Callable[[str], ModuleType], csms: Any, folder: Path, seed: int) -> None:
        self.reservations: Kept = {}
        self.cached: set[str] = set()
        """In the cache, and something that came later was answered Accepted."""
        self.allowed: set[str] = set()
        """Asked for since the cache was cleared."""
        self.found = 0
        """Reservations and cached tags that a start found."""
        self.in_doubt = 0
        """Requests whose answer was not heard."""
        self._programs = world("programs")
        self._configuration = world("kill_campaign").configuration(csms.url)
        self._configuration["Core"] |= {
            "SupportedFeatureProfiles": "Core,Reservation",
            "AuthorizationCacheEnabled": True,
            "NumberOfConnectors": 3,
        }
        self._csms = csms
        self._folder = folder
        self._random = Random(seed)
        self._tags = 0

    def live_and_die(self) -> None:
        """Some requests one after another, then one in whose middle it is killed."""
        program = self._start()
        try:
            for _ in range(self._random.randint(0, 2)):
                seen, asked = self._ask(program)
                self._wait_for_answer(seen)
                self._take_in(seen, *asked)
            self._present(program)
            moment = self._random.choice(("at once", "sent", "some time", "answered"))
            seen, asked = self._ask(program)
            if moment == "sent":
                self._csms.wait_until(lambda: self._frame(seen, "sent") is not None, "request")
            elif moment == "some time":
                time.sleep(self._random.uniform(0, 0.02))
            elif moment == "answered":
                self._wait_for_answer(seen)
        finally:
            program.kill()
        self._check_next_start(seen, *asked)

    def _start(self) -> Any:
        program = self._programs.ChargePointProgram(self._folder, self._configuration)
        program.wait_for(event="boot")
        return program

    def _present(self, program: Any) -> None:
        """A card nobody has seen, and wait until it is in the cache."""
        self._tags += 1
        id_tag = f"CARD{self._tags}"
        self.allowed.add(id_tag.lower())
        program.send("present_id_tag", id_tag=id_tag, connectors=[3])
        self._csms.wait_until(
            lambda: id_tag in {one["idTag"] for one in self._csms.received("Authorize")}, f"Authorize of {id_tag}"
        )

    def _ask(self, program: Any) -> tuple[int, tuple[str, dict[str, Any], set[str]]]:
        """Returns where the lines of this request begin, what it is, and what was in the cache before."""
        self._tags += 1
        random = self._random
        action = random.choice(("ReserveNow", "ReserveNow", "CancelReservation", "ClearCache"))
        payload: dict[str, Any] = {}
        if action != "ClearCache":
            payload = {"reservationId": random.randint(1, 3)}
        if action == "ReserveNow":
            payload |= {
                "connectorId": random.choice(RESERVABLE),
                "expiryDate": EXPIRY,
                "idTag": f"GUEST{self._tags}",
            }
        before = cached(program)
        seen = len(self._csms.lines)
        self._csms.send("call", action=action, payload=payload)
        return seen, (action, payload, before)

    def _frame(self, seen: int, event: str, message_id: str | None = None) -> list[Any] | None:
        """The request among the lines from there on, or what answers it."""
        for line in self._csms.lines[seen:]:
            if line.get("event") == event:
                frame: list[Any] = json.loads(line["text"])
                if (frame[0] == 2) if message_id is None else (frame[0] != 2 and frame[1] == message_id):
                    return frame
        return None

    def _answer(self, seen: int) -> str | None:
        request = self._frame(seen, "sent")
        answer = None if request is None else self._frame(seen, "received", request[1])
        if answer is None:
            return None
        assert answer[0] == 3, answer
        return str(answer[2]["status"])

    def _wait_for_answer(self, seen: int) -> None:
        self._csms.wait_until(lambda: self._answer(seen) is not None, "answer")

    def _take_in(self, seen: int, action: str, payload: dict[str, Any], before: set[str]) -> None:
        """What was answered."""
        if self._answer(seen) != "Accepted":
            return
        self.reservations = after(self.reservations, action, payload)
        if action == "ClearCache":
            self.cached, self.allowed = set(), self.allowed - before
        else:
            self.cached |= before

    def _check_next_start(self, seen: int, action: str, payload: dict[str, Any], before: set[str]) -> None:
        program = self._start()
        try:
            kept: Kept = {
                one["reservation_id"]: (one["connector"], one["id_tag"]) for one in program.do("reservations")
            }
            tags = cached(program)
        finally:
            program.kill()
        answer = self._answer(seen)
        self._take_in(seen, action, payload, before)
        if answer is None:
            self.in_doubt += 1
            assert kept in (self.reservations, after(self.reservations, action, payload)), (action, payload)
            assert tags <= self.allowed
            if action == "ClearCache" and not before & tags:
                self.cached, self.allowed = set(), self.allowed - before
            self.reservations = kept
        assert kept == self.reservations
        assert self.cached <= tags <= self.allowed, (action, payload)
        self.cached = tags
        self.found += len(kept) + len(tags)


def after(kept: Kept, action: str, payload: dict[str, Any]) -> Kept:
    """What is kept when this was accepted."""
    others = {number: one for number, one in kept.items() if number != payload.get("reservationId", 0)}
    if action == "ReserveNow":
        others[payload["reservationId"]] = (payload["connectorId"], payload["idTag"])
    return others


def cached(program: Any) -> set[str]:
    return {one["id_tag"].lower() for one in program.do("cache")["entries"]}


@pytest.mark.timeout(900 + 60 * KILLS)
def test_what_was_accepted_is_kept_and_nothing_else(
    world: Callable[[str], ModuleType], csms: Any, tmp_path: Path
) -> None:
    site = Site(world, csms, tmp_path / "charge point", SEED)
    for _ in range(KILLS):
        site.live_and_die()
    assert site.found > 0, "too little happened to prove anything"
    assert csms.objections == []
