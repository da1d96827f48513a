"""RebootRequired where it is true (OCPP 1.6 ed. 2 §5.3): what is answered Accepted acts at once, and only what can act
at a start alone waits for it. The scenarios are in `tests/effects`.
"""

import json
from pathlib import Path
from typing import Any

import effects_on_authorization
import effects_on_charging
import effects_on_messages
import effects_on_plug_and_charge
import effects_on_prices
import effects_on_security
import effects_on_signed_values
import pytest
from key_effect import EFFECTS, Changing, Effect
from keys_of_a_start import KEYS_OF_A_START

from ocpp16.charge_point.open import open_charge_point
from ocpp16.configuration.key import Access, Key
from ocpp16.configuration.keys import BY_NAME
from ocpp16.errors import CallFailed, ConfigurationError
from ocpp16.testing.stations import RecordingStation, UpdatableStation

SCENARIOS = (
    effects_on_authorization,
    effects_on_charging,
    effects_on_messages,
    effects_on_plug_and_charge,
    effects_on_prices,
    effects_on_security,
    effects_on_signed_values,
)
"""Imported for their rows of the table."""
PROFILE_SCHEMAS = Path(__file__).parents[2] / "share" / "profile_schemas"


def has_built_section(key: Key[Any]) -> bool:
    section = json.loads((PROFILE_SCHEMAS / f"{key.section}.json").read_text(encoding="utf-8"))
    return bool(section.get("x-built", True))


BUILT = [key for key in BY_NAME.values() if key.is_built and has_built_section(key)]
OF_ITSELF = {"PreviousAuthorizationKey", "PreviousSecurityProfile"}
"""Keys that the charge point writes, and nobody else."""
AT_ONCE = {key.name for key in BUILT if not key.needs_reboot} - OF_ITSELF


def test_each_key_that_acts_at_once_has_its_scenario() -> None:
    assert set(EFFECTS) == AT_ONCE


@pytest.mark.parametrize("row", EFFECTS.values(), ids=EFFECTS.keys())
async def test_what_is_accepted_acts_at_once(open_bench: Any, make_config: Any, profile: Any, row: Effect) -> None:
    access = {} if row.key.access in (Access.RW, Access.WO) else {row.key.name: "RW"}
    document = make_config(Internal__KeyAccess=access, **row.document)
    options: dict[str, Any] = {} if row.csms is None else {"csms": row.csms()}
    if row.security is not None:
        options["evse_security"] = row.security
    if row.station is not None:
        options["station"] = row.station()
    async with open_bench(document=document, **options) as bench:
        on = Changing(bench, row.key, profile)
        await row.scenario(on)
        assert on.changes, "nothing was changed"
        assert bench.charge_point.counters.internal_errors == 0


AT_A_START = {key.name for key in BUILT if key.needs_reboot and not key.is_secret}
IN_THE_FILE_ALONE = {"ChargePointId"}
"""Keys that no KeyAccess opens."""


def test_each_key_that_acts_at_a_start_has_its_values() -> None:
    assert set(KEYS_OF_A_START) == AT_A_START - IN_THE_FILE_ALONE


@pytest.mark.parametrize("name", KEYS_OF_A_START)
async def test_what_acts_at_a_start_waits_for_it(open_bench: Any, make_config: Any, tmp_path: Any, name: str) -> None:
    key, row = BY_NAME[name.lower()], KEYS_OF_A_START[name]
    values = {"Internal__KeyAccess": {name: "RW"}, **row.besides, f"{key.section}__{name}": row.old}
    options = {"document": make_config(**values), "database_path": tmp_path, "message_log_path": tmp_path / "log"}
    options["station"] = UpdatableStation()
    old, new = key.parse_json(row.old), key.parse_json(row.new)
    assert old != new

    async def reported(bench: Any) -> tuple[str, bool]:
        answer = await bench.call("GetConfiguration", {"key": [name]})
        (found,) = answer["configurationKey"]
        return found["value"], found["readonly"]

    async with open_bench(**options) as bench:
        told: list[Any] = []
        charge_point = bench.charge_point
        charge_point.on_change(key, lambda old, new: told.append((old, new)))
        for _ in range(2):
            answer = await bench.call("ChangeConfiguration", {"key": name, "value": key.format(new)})
            assert answer == {"status": "RebootRequired"}
            assert charge_point.configuration[key] == old
            assert charge_point.configuration.is_pending(key)
            assert await reported(bench) == (key.format(old), False)
        assert told == []
    for starts in (1, 2):
        async with open_bench(**options) as bench:
            assert bench.charge_point.configuration[key] == new, f"{starts} starts later"
            assert not bench.charge_point.configuration.is_pending(key)
            assert await reported(bench) == (key.format(new), False)


@pytest.mark.parametrize("name", KEYS_OF_A_START)
async def test_a_restart_is_a_start(open_bench: Any, make_config: Any, tmp_path: Any, name: str) -> None:
    key, row = BY_NAME[name.lower()], KEYS_OF_A_START[name]
    values = {"Internal__KeyAccess": {name: "RW"}, **row.besides, f"{key.section}__{name}": row.old}
    options = {"document": make_config(**values), "message_log_path": tmp_path / "log"}
    async with open_bench(station=UpdatableStation(), **options) as bench:
        new = key.parse_json(row.new)
        told: list[Any] = []
        bench.charge_point.on_change(key, lambda old, new: told.append((old, new)))
        await bench.call("ChangeConfiguration", {"key": name, "value": key.format(new)})
        assert await bench.charge_point.stop()
        assert await bench.charge_point.restart()
        assert told == [(key.format(key.parse_json(row.old)), key.format(new))]
        await bench.charge_point.wait_registered()
        assert len(told) == 1
        assert bench.charge_point.configuration[key] == new
        answer = await bench.call("GetConfiguration", {"key": [name]})
        assert answer["configurationKey"][0]["value"] == key.format(new)


@pytest.mark.parametrize("name", sorted(IN_THE_FILE_ALONE))
async def test_what_is_chosen_in_the_file_alone(open_bench: Any, make_config: Any, name: str) -> None:
    """All that is stored goes by ChargePointId: changes made under another one would be lost at the next start."""
    for access in ("RW", "WO"):
        with pytest.raises(ConfigurationError, match=rf"KeyAccess\.{name} = {access}: "):
            async with open_charge_point(make_config(Internal__KeyAccess={name: access}), RecordingStation()):
                pass
    async with open_bench(document=make_config(Internal__KeyAccess={name: "RO"})) as bench:
        change = {"key": name, "value": "1"}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Rejected"}


@pytest.mark.parametrize("is_reopened", [True, False])
async def test_what_is_mended_follows_at_the_next_start(
    open_bench: Any, make_config: Any, tmp_path: Any, is_reopened: bool
) -> None:
    options = {"document": make_config(Internal__KeyAccess={"Tolerances": "RW"}), "database_path": tmp_path}

    async def is_mended(bench: Any) -> bool:
        request = {"connectorId": 1, "x": 1}
        try:
            answer = await bench.csms.call("cp001", "UnlockConnector", request, validated=False)
        except CallFailed:
            return False
        return bool(answer == {"status": "Unlocked"})

    async with open_bench(**options) as bench:
        answer = await bench.call("ChangeConfiguration", {"key": "Tolerances", "value": "strict"})
        assert answer == {"status": "RebootRequired"}
        assert await is_mended(bench)
        if not is_reopened:
            await bench.charge_point.stop()
            await bench.charge_point.restart()
            await bench.charge_point.wait_registered()
            assert not await is_mended(bench)
    if is_reopened:
        async with open_bench(**options) as bench:
            assert not await is_mended(bench)
        async with open_bench(**options, tolerances=["default"]) as bench:
            assert await is_mended(bench), "the host's word comes first"
