"""The gate: what is worse than recorded fails by its name, what is better asks to be recorded."""

import json
from pathlib import Path
from typing import Any

import gate
import pytest

RECORDED = {"receive Heartbeat": 5000.0, "MeterValues": 150_000.0}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """The gate with these counts, against what is recorded; gives exit code and text."""
    baseline = tmp_path / "baseline.json"
    monkeypatch.setattr(gate, "BASELINE", baseline)

    def run(found: dict[str, float], recorded: dict[str, float] | None, *options: str) -> tuple[int, str]:
        if recorded is not None:
            baseline.write_text(json.dumps({gate.key(): {"with": gate._versions(), "instructions": recorded}}))
        monkeypatch.setattr(gate, "measure", lambda: {"instructions": found})
        monkeypatch.setattr("sys.argv", ["gate.py", *options])
        return int(gate.main()), capsys.readouterr().out

    return run


def test_the_same_passes(run: Any) -> None:
    code, said = run(RECORDED, RECORDED)
    assert code == 0
    assert "WORSE" not in said
    assert "record " not in said


@pytest.mark.parametrize(("factor", "fails"), [(1.029, False), (1.031, True), (2.0, True)])
def test_worse_fails_by_its_name(run: Any, factor: float, fails: bool) -> None:
    code, said = run({**RECORDED, "MeterValues": 150_000 * factor}, RECORDED)
    assert code == fails
    assert [line for line in said.splitlines() if line.startswith("WORSE")] == [
        f"WORSE   MeterValues: {150_000 * factor:,.0f} instructions, recorded 150,000 ({factor - 1:+.1%})"
    ] * fails
    assert "receive Heartbeat: " not in said


@pytest.mark.parametrize(("factor", "asks"), [(0.971, False), (0.969, True)])
def test_better_asks_to_be_recorded(run: Any, factor: float, asks: bool) -> None:
    code, said = run({**RECORDED, "MeterValues": 150_000 * factor}, RECORDED)
    assert code == 0
    assert ("record  MeterValues" in said and "gate.py --record" in said) == asks


def test_what_comes_and_goes_asks_to_be_recorded(run: Any) -> None:
    code, said = run({"receive Heartbeat": 5000.0, "boot": 1.0}, RECORDED)
    assert code == 0
    assert "record  boot: 1 instructions, not recorded yet" in said
    assert "record  MeterValues: recorded, and not measured any more" in said


def test_an_unknown_key_prints_and_passes(run: Any) -> None:
    code, said = run(RECORDED, None)
    assert code == 0
    assert "150,000" in said
    assert f"nothing is recorded for {gate.key()}" in said


def test_what_is_recorded_is_compared_with(run: Any) -> None:
    assert run(RECORDED, None, "--record")[0] == 0
    assert run(RECORDED, None)[0] == 0
    assert run({name: 2 * count for name, count in RECORDED.items()}, None)[0] == 1
    assert run({name: 2 * count for name, count in RECORDED.items()}, None, "--record")[0] == 0
    assert run({name: 2 * count for name, count in RECORDED.items()}, None)[0] == 0


def test_what_was_recorded_with_other_packages_is_told_and_not_held_against_us(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(RECORDED, None, "--record")
    monkeypatch.setattr(gate, "_versions", lambda: {"trio": "99"})
    code, said = run({name: 2 * count for name, count in RECORDED.items()}, None)
    assert code == 0
    assert "WORSE   MeterValues" in said
    assert "recorded with others" in said


def test_without_valgrind_the_reason_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert gate._missing() == "valgrind is not installed"
