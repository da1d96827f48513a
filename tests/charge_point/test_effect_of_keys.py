"""RebootRequired where it is true (OCPP 1.6 ed. 2 §5.3): what is answered Accepted acts at once, and only what can act
at a start alone waits for it. The scenarios are in `tests/effects`.
"""

import json
from pathlib import Path
from typing import Any

import effects_on_authorization
import effects_on_charging
import effects_on_messages
import pytest
from key_effect import EFFECTS, Changing, Effect
from keys_of_a_start import KEYS_OF_A_START

from ocpp16.configuration.key import Access, Key
from ocpp16.configuration.keys import BY_NAME
from ocpp16.configuration.keys.internal import CHARGE_POINT_ID

SCENARIOS = (effects_on_authorization, effects_on_charging, effects_on_messages)
"""Imported for their rows of the table."""
PROFILE_SCHEMAS = Path(__file__).parents[2] / "share" / "profile_schemas"


def has_built_section(key: Key[Any]) -> bool:
    section = json.loads((PROFILE_SCHEMAS / f"{key.section}.json").read_text(encoding="utf-8"))
    return bool(section.get("x-built", True))


BUILT = [key for key in BY_NAME.values() if key.is_built and has_built_section(key)]
AT_ONCE = {key.name for key in BUILT if not key.needs_reboot}


def test_each_key_that_acts_at_once_has_its_scenario() -> None:
    assert set(EFFECTS) == AT_ONCE


@pytest.mark.parametrize("row", EFFECTS.values(), ids=EFFECTS.keys())
async def test_what_is_accepted_acts_at_once(open_bench: Any, make_config: Any, profile: Any, row: Effect) -> None:
    access = {} if row.key.access in (Access.RW, Access.WO) else {row.key.name: "RW"}
    document = make_config(Internal__KeyAccess=access, **row.document)
    options = {} if row.csms is None else {"csms": row.csms()}
    async with open_bench(document=document, **options) as bench:
        on = Changing(bench, row.key, profile)
        await row.scenario(on)
        assert on.changes, "nothing was changed"
        assert bench.charge_point.counters.internal_errors == 0


AT_A_START = {key.name for key in BUILT if key.needs_reboot}
NEVER_OVER_OCPP = {"SecurityProfile"}
"""Keys that no KeyAccess opens."""


def test_each_key_that_acts_at_a_start_has_its_values() -> None:
    assert set(KEYS_OF_A_START) == AT_A_START - NEVER_OVER_OCPP


@pytest.mark.parametrize("name", KEYS_OF_A_START)
async def test_what_acts_at_a_start_waits_for_it(open_bench: Any, make_config: Any, tmp_path: Any, name: str) -> None:
    key, row = BY_NAME[name.lower()], KEYS_OF_A_START[name]
    values = {"Internal__KeyAccess": {name: "RW"}, **row.besides, f"{key.section}__{name}": row.old}
    document = make_config(**values)
    old, new = key.parse_json(row.old), key.parse_json(row.new)
    assert old != new
    options = {"document": document, "database_path": tmp_path, "message_log_path": tmp_path / "log"}
    async with open_bench(**options) as bench:
        told: list[Any] = []
        configuration = bench.charge_point.configuration
        bench.charge_point.on_change(key, lambda old, new: told.append((old, new)))
        before = await bench.call("GetConfiguration", {"key": [name]})
        for _ in range(2):
            answer = await bench.call("ChangeConfiguration", {"key": name, "value": key.format(new)})
            assert answer == {"status": "RebootRequired"}
            assert configuration[key] == old
            assert configuration.is_pending(key)
            assert await bench.call("GetConfiguration", {"key": [name]}) == before
        assert told == []
        assert before["configurationKey"][0]["value"] == key.format(old)
        assert not before["configurationKey"][0]["readonly"]
    async with open_bench(**options) as bench:
        assert bench.charge_point.configuration[key] == new
        assert not bench.charge_point.configuration.is_pending(key)
        identity = bench.charge_point.configuration[CHARGE_POINT_ID]
        answer = await bench.csms.call(identity, "GetConfiguration", {"key": [name]})
        assert answer["configurationKey"][0]["value"] == key.format(new)
