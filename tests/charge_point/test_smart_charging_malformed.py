"""SetChargingProfile with every kind of wrong content: a clear answer, no InternalError; a refusal changes nothing."""

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import trio

from ocpp16.errors import CallFailed

ABSENT = object()
ODD: tuple[Any, ...] = (
    ABSENT, None, True, False, 0, 1, -1, 3, 2**31, 2**63 - 1, 2**63, 2**64 - 1, -(2**63),
    0.05, 0.1, -0.1, 1.5, 1e308, -1e308, 5e-324,
    "", "x", "0", "1", "A", "Daily", "TxProfile", "é\u0000\ud7ff", "x" * 5000,
    "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01",
    "2026-01-01T00:00:00",
    [], {}, [[]], [{}], [None], {"x": 1},
    [{"startPeriod": 0, "limit": 1}] * 2, [{"startPeriod": n, "limit": n} for n in range(2000)],
)  # fmt: skip
CODES = {
    "FormationViolation",
    "OccurenceConstraintViolation",
    "PropertyConstraintViolation",
    "TypeConstraintViolation",
}
VALID: dict[str, Any] = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 1,
        "transactionId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Recurring",
        "recurrencyKind": "Weekly",
        "validFrom": "2025-12-31T23:00:00Z",
        "validTo": "2027-01-01T00:00:00Z",
        "chargingSchedule": {
            "duration": 86400,
            "startSchedule": "2025-12-31T23:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 16, "numberPhases": 3},
                {"startPeriod": 7200, "limit": 8.5, "numberPhases": 1},
            ],
            "minChargingRate": 6,
        },
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all members and items, and to one unknown member of each object."""
    if isinstance(value, dict):
        for name, member in [*value.items(), ("unknown", 0)]:
            yield (*path, name)
            yield from places(member, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield (*path, number)
            yield from places(item, (*path, number))


def changed(request: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """A copy of the request with something odd in one place, if that place is still there."""
    made = copy.deepcopy(request)
    inner = made
    try:
        for name in path[:-1]:
            inner = inner[name]
        if odd is ABSENT:
            del inner[path[-1]]
        else:
            inner[path[-1]] = odd
    except (KeyError, IndexError, TypeError):
        pass
    return made


async def answered(bench: Any, request: Any) -> tuple[str, str | None, str]:
    """The status; or of a CALLERROR the code, and what more it says."""
    try:
        answer = await bench.csms.call("cp001", "SetChargingProfile", request, validated=False)
    except CallFailed as error:
        return error.code, error.reason, error.description
    return answer["status"], None, ""


async def judge(bench: Any, request: Any) -> str:
    """Send it, check what has to hold whatever it is, and leave the charge point as it was."""
    charge_point = bench.charge_point
    shown, number = (
        charge_point.smart_charging.get_all_composite_charging_schedules(3600),
        charge_point._runtime.writer.last,
    )
    status, reason, description = await answered(bench, request)
    assert reason in (None, "callerror")
    assert status in {"Accepted", "Rejected"} if reason is None else status in CODES and description
    if status == "Accepted":
        for connector_id in (0, 1, 2):
            for unit in ("A", "W"):
                await bench.schedule(connector_id, 10**7, chargingRateUnit=unit)
        assert await bench.clear(id=request["csChargingProfiles"]["chargingProfileId"]) == "Accepted"
        assert await bench.install(1, VALID["csChargingProfiles"]) == "Accepted"
    else:
        assert bench.installed() == [1]
        assert charge_point._runtime.writer.last == number
        later = charge_point.smart_charging.get_all_composite_charging_schedules(3600)
        assert {number: found.periods for number, found in later.items()} == {
            number: found.periods for number, found in shown.items()
        }
    return status


async def prepared(bench: Any) -> None:
    bench.begin()
    await trio.sleep(1)
    assert await bench.install(1, VALID["csChargingProfiles"]) == "Accepted"


async def test_one_thing_wrong_in_every_place(open_bench: Any, caplog: Any) -> None:
    async with open_bench() as bench:
        await prepared(bench)
        seen = set()
        for path in places(VALID):
            for odd in ODD:
                seen.add(await judge(bench, changed(VALID, path, odd)))
        assert seen == {"Accepted", "Rejected", *CODES} - {"FormationViolation"}
        assert [record for record in caplog.records if record.levelname == "ERROR"] == []
        assert bench.charge_point.connection.is_connected


@pytest.mark.parametrize("seed", range(4))
async def test_several_things_wrong(open_bench: Any, seed: int) -> None:
    chance, everywhere = Random(seed), list(places(VALID))
    async with open_bench() as bench:
        await prepared(bench)
        for _ in range(400):
            request: Any = VALID
            for path in chance.sample(everywhere, chance.choice((2, 2, 3, 4))):
                request = changed(request, path, chance.choice(ODD))
            await judge(bench, request)
