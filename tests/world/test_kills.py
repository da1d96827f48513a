"""kill -9 at any moment: the Central System sees every transaction once, whole and in order.

The environment says how long: OCPP16_KILLS (10) and OCPP16_KILL_SEED (1).
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.world, pytest.mark.kills]

KILLS = int(os.environ.get("OCPP16_KILLS", "10"))
SEED = int(os.environ.get("OCPP16_KILL_SEED", "1"))

NewCampaign = Callable[..., Any]


@pytest.fixture
def campaign(world: Callable[[str], ModuleType], csms: Any, tmp_path: Path) -> NewCampaign:
    def make(seed: int = SEED, broken: str | None = None) -> Any:
        launcher = ("-m", "ocpp16")
        if broken is not None:
            launcher = (str(Path(__file__).with_name("broken_command.py")), broken)
        return world("kill_campaign").Campaign(
            world("programs"), world("transaction_check"), csms, tmp_path / "charge point", seed, launcher
        )

    return make


@pytest.mark.timeout(900 + 60 * KILLS)
def test_every_transaction_is_told_once(campaign: NewCampaign, csms: Any) -> None:
    storm = campaign()
    storm.run(KILLS)
    assert storm.problems == []
    assert csms.objections == []
    assert storm.kills == KILLS
    assert len(storm.facts) >= KILLS // 2, "too little happened to prove anything"


def test_a_transaction_that_was_told_of_is_not_lost(campaign: NewCampaign) -> None:
    """The control of the next test: unbroken, the same story has no problem."""
    storm = campaign()
    storm.charge_offline_and_die()
    storm.finish()
    assert storm.problems == []
    assert len(storm.facts) == 1


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ("lost-commit", "the transaction of TAG1 on connector 1 is lost"),
        ("doubled-start", "the one transaction of TAG1 on connector 1 came 2 times"),
    ],
)
def test_what_is_broken_is_noticed(campaign: NewCampaign, broken: str, problem: str) -> None:
    storm = campaign(broken=broken)
    storm.charge_offline_and_die()
    storm.finish()
    assert problem in storm.problems
