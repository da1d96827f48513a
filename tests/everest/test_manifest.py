"""The manifest is that of EVerest's own OCPP 1.6 module, and the folder is laid with care."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from everest_interfaces import interfaces, needs_interfaces

from ocpp16.cli import main
from ocpp16.everest import lay
from ocpp16.everest.laying import MARK, ForeignFile
from ocpp16.everest.manifest import PROVIDES, REQUIRES, manifest_text

CONFIG = {
    "ChargePointConfigPath": ("string", "ocpp-config.json"),
    "UserConfigPath": ("string", "user_config.json"),
    "DatabasePath": ("string", "/tmp/ocpp_1_6_charge_point"),
    "EnableExternalWebsocketControl": ("boolean", False),
    "PublishChargingScheduleIntervalS": ("integer", 30),
    "PublishChargingScheduleDurationS": ("integer", 600),
    "MessageLogPath": ("string", "/tmp/everest_ocpp_logs"),
    "MessageQueueResumeDelay": ("integer", 0),
    "RequestCompositeScheduleUnit": ("string", "A"),
    "DelayOcppStart": ("integer", 0),
    "ResetStopDelay": ("integer", 0),
}
PROVIDED = {
    "main": "ocpp_1_6_charge_point",
    "auth_validator": "auth_token_validator",
    "auth_provider": "auth_token_provider",
    "data_transfer": "ocpp_data_transfer",
    "ocpp_generic": "ocpp",
    "session_cost": "session_cost",
}
REQUIRED = {
    "charger_information": ("charger_information", 0, 1),
    "evse_manager": ("evse_manager", 1, 128),
    "evse_energy_sink": ("external_energy_limits", 0, 129),
    "reservation": ("reservation", 1, 1),
    "auth": ("auth", 1, 1),
    "system": ("system", 1, 1),
    "security": ("evse_security", 1, 1),
    "data_transfer": ("ocpp_data_transfer", 0, 1),
    "display_message": ("display_message", 0, 1),
    "extensions_15118": ("iso15118_extensions", 0, 128),
}


def test_the_manifest_is_that_of_the_module_it_replaces() -> None:
    manifest = yaml.safe_load(manifest_text())
    assert {name: (it["type"], it["default"]) for name, it in manifest["config"].items()} == CONFIG
    assert {name: it["interface"] for name, it in manifest["provides"].items()} == PROVIDED
    bounds = {
        name: (it["interface"], it["min_connections"], it["max_connections"])
        for name, it in manifest["requires"].items()
    }
    assert bounds == REQUIRED
    assert manifest["enable_external_mqtt"] is True
    assert manifest["enable_global_errors"] is True
    assert manifest["metadata"]["license"].startswith("https://")
    assert manifest["metadata"]["authors"]
    described = [manifest, *manifest["config"].values(), *manifest["provides"].values()]
    assert all(it["description"] for it in described)


@needs_interfaces
def test_its_interfaces_are_there() -> None:
    known = set(interfaces().interfaces)
    assert {interface for interface, _ in PROVIDES.values()} <= known
    assert {requirement.interface for requirement in REQUIRES.values()} <= known


def test_a_folder_is_laid_and_laid_again(tmp_path: Path) -> None:
    folder = tmp_path / "modules" / "OCPP16"
    assert [it.outcome for it in lay(folder)] == ["written", "written"]
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.yaml", "module.py"]
    assert [it.outcome for it in lay(folder)] == ["unchanged", "unchanged"]
    (folder / "module.py").write_text(MARK + "of an older version\n")
    assert [it.outcome for it in lay(folder)] == ["unchanged", "written over"]


def test_foreign_files_stay_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text("of somebody else\n")
    with pytest.raises(ForeignFile, match=r"manifest\.yaml"):
        lay(tmp_path)
    assert (tmp_path / "manifest.yaml").read_text() == "of somebody else\n"
    assert not (tmp_path / "module.py").exists()
    assert [it.outcome for it in lay(tmp_path, is_forced=True)] == ["written over", "written"]


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "OCPP16"
    assert main(["everest-module", str(folder)]) == 0
    out = capsys.readouterr().out
    assert f"written: {folder / 'manifest.yaml'}" in out
    assert "module: OCPP16" in out
    (folder / "module.py").write_text("mine\n")
    assert main(["everest-module", str(folder)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["everest-module", "--force", str(folder)]) == 0
    assert "written over" in capsys.readouterr().out
    assert main(["everest-module", str(folder / "module.py" / "below")]) == 2
    assert "ocpp16:" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["OCPP", "index.js"])
def test_where_the_manager_would_start_something_else_nothing_is_laid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    """As in the folder of EVerest's own module, whose executable has the name of the folder."""
    folder = tmp_path / "OCPP"
    folder.mkdir()
    (folder / other).write_text("#!/bin/sh\n")
    assert main(["everest-module", "--force", str(folder)]) == 2
    assert f"{folder / other} lies there: EVerest's manager would start it" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == [other]


def test_what_lies_there_and_is_no_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "OCPP16" / "module.py").mkdir(parents=True)
    assert main(["everest-module", "--force", str(tmp_path / "OCPP16")]) == 2
    assert f"{tmp_path / 'OCPP16' / 'module.py'}: Is a directory" in capsys.readouterr().err


def test_a_folder_that_can_be_no_name_of_a_module(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in ("OCPP 1.6", "1.6", "/"):
        assert main(["everest-module", str(tmp_path / wrong)]) == 2
        assert "is the name of the module" in capsys.readouterr().err
    (tmp_path / "OCPP16").mkdir()
    monkeypatch.chdir(tmp_path / "OCPP16")
    assert main(["everest-module", "."]) == 0
    assert "module: OCPP16\n" in capsys.readouterr().out
    assert (tmp_path / "OCPP16" / "module.py").exists()


def test_module_py_says_what_is_missing(tmp_path: Path) -> None:
    lay(tmp_path)
    program = [sys.executable, str(tmp_path / "module.py")]
    without = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert without.returncode == 1
    assert "there is no everest.framework" in without.stderr
    assert "Traceback" not in without.stderr
    bare = subprocess.run([sys.executable, "-S", "-I", program[1]], capture_output=True, text=True, timeout=120)
    assert bare.returncode == 1
    assert "pip install ocpp16" in bare.stderr


def test_the_help_tells_where_it_goes() -> None:
    from ocpp16.cli.everest_module import everest_module

    assert "libexec/everest/modules/NAME" in CliRunner().invoke(everest_module, ["--help"]).output
