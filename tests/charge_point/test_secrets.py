"""Secrets are written into one file of mode 0600 and told nowhere else: no log, event, error or answer has them."""

import gc
import json
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY
from ocpp16.enums import SessionStartedReason
from ocpp16.errors import ConfigurationError
from ocpp16.security.basic_auth import authorization_header
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.stations import RecordingStation, UpdatableStation

IN_FILE = "marker-in-the-file"
ON_WIRE = "6d61726b6572206f6e207468652077697265"  # "marker on the wire", for AuthorizationKey
OWN_ON_WIRE = "marker-of-an-own-key"
BY_HOST = "marker-by-the-host"
MARKERS = (IN_FILE, ON_WIRE, "marker on the wire", OWN_ON_WIRE, BY_HOST, IN_FILE.encode().hex())
SCHEMA = {
    "properties": {
        "ServicePin": {"type": "string", "minLength": 4, "maxLength": 30, "writeOnly": True},
        "Pin": {"type": "string", "maxLength": 30, "writeOnly": True},
    }
}


def told(text: object) -> list[str]:
    """The markers in it."""
    return [marker for marker in MARKERS if marker in str(text)]


def texts_below(folder: Path) -> dict[Path, str]:
    return {path: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}


async def test_secrets_are_in_their_file_and_nowhere_else(
    open_bench: Any, make_config: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    schema, user_config, logs = tmp_path / "Own.json", tmp_path / "user_config.json", tmp_path / "logs"
    schema.write_text(json.dumps(SCHEMA))
    formats = ["log", "jsonl", "html", "security", "session_logging", "console_detailed", "callback"]
    document = make_config(
        Internal__LogMessagesFormat=formats,
        Internal__LogMessagesRaw=True,
        Security__AuthorizationKey=f"text:{IN_FILE}",
        Custom__ServicePin=IN_FILE,
        Custom__Pin=IN_FILE,
    )
    caplog.set_level(logging.DEBUG)
    async with open_bench(
        document=document,
        user_config_path=user_config,
        custom_schema_path=schema,
        message_log_path=logs,
        trace_messages=True,
    ) as bench:
        point = bench.charge_point
        point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, logs / "session")
        changes = [("AuthorizationKey", ON_WIRE), ("ServicePin", OWN_ON_WIRE), ("PIN", OWN_ON_WIRE)]
        for key, value in changes:
            answer = await bench.call("ChangeConfiguration", {"key": key, "value": value})
            assert answer["status"] == "Accepted"
        # Of a wrong shape, unreadable, refused, too long.
        for key, value in changes:
            row = {"key": key, "value": value}
            await bench.csms.send_text("cp001", json.dumps([2, "a", "ChangeConfiguration", {**row, "more": value}]))
            await bench.csms.send_text("cp001", f'[2, "b", "ChangeConfiguration", {json.dumps(row)}')
            await bench.csms.send_text("cp001", json.dumps([2, "c", "ChangeConfiguration", {**row, "value": [value]}]))
            await bench.csms.send_text(
                "cp001", json.dumps([2, "d", "ChangeConfiguration", {"key": key, "value": value * 40}])
            )
        await trio.sleep(1)
        assert str(await point.configuration.set("ServicePin", BY_HOST)) == "Accepted"
        answers = [await bench.call("GetConfiguration", {"key": [key for key, _ in changes]})]
        answers += [await bench.call("GetConfiguration", {}), point.configuration.get()]
        answers += [point.configuration.text(key) for key, _ in changes]
        answers += [point.configuration.problem(key, value * 40) for key, value in changes]
        point.on_session_stopped(1, "s1")
        bench.csms.violations.clear()  # what was sent above in no shape
        seen = repr(bench.events.seen)
        shown = [repr(one) for one in gc.get_objects() if isinstance(one, Configuration | CustomKeys)]
    assert told(answers) == []
    assert told(seen) == []
    assert told(shown) == []
    assert told(caplog.text) == []
    assert told([vars(record) for record in caplog.records]) == []
    secret_file = tmp_path / "user_config.json.secrets"
    written = texts_below(tmp_path)
    assert len(written) > 6
    assert {path: told(text) for path, text in written.items() if told(text)}.keys() == {secret_file}
    assert secret_file.stat().st_mode & 0o777 == 0o600


async def test_no_database_has_them(open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path) -> None:
    """Where the changed keys are in it, since there is no other file; and while an update with a password waits."""
    schema, folder = tmp_path / "Own.json", tmp_path / "database"
    schema.write_text(json.dumps(SCHEMA))
    document = make_config(
        Security__SecurityProfile=1, Security__AuthorizationKey=f"text:{IN_FILE}", Custom__ServicePin=IN_FILE
    )
    options: dict[str, Any] = {"document": document, "custom_schema_path": schema, "database_path": folder}
    location = f"ftp://user:{OWN_ON_WIRE}@files.example/fw"
    async with until_power_fails(
        csms=CentralSystem(keys={"cp001": IN_FILE.encode()}), station=UpdatableStation(), **options
    ) as bench:
        bench.csms._keys["cp001"] = bytes.fromhex(ON_WIRE)
        request = {"location": location, "retrieveDate": "2099-01-01T00:00:00Z"}
        await bench.call("UpdateFirmware", request)
        for key, value in (("ServicePin", OWN_ON_WIRE), ("AuthorizationKey", ON_WIRE)):
            assert await bench.call("ChangeConfiguration", {"key": key, "value": value}) == {"status": "Accepted"}
        await trio.sleep(600)
    assert {path.suffix for path in folder.iterdir()} >= {".db", ".key"}
    assert {path: told(text) for path, text in texts_below(folder).items() if told(text)} == {}
    csms = CentralSystem(keys={"cp001": bytes.fromhex(ON_WIRE)})
    async with open_bench(csms=csms, station=UpdatableStation(), **options) as bench:
        point = bench.charge_point
        assert point.configuration[AUTHORIZATION_KEY] == bytes.fromhex(ON_WIRE)
        assert point.for_station.maintenance()["firmware"] is not None
        await point.stored()
    assert {path: told(text) for path, text in texts_below(folder).items() if told(text)} == {}


@pytest.mark.parametrize("name", ["user_config.json.secrets.tmp", "user_config.json.tmp", "user_config.json.bak.tmp"])
async def test_what_a_power_cut_left_of_a_write_is_removed(open_bench: Any, tmp_path: Path, name: str) -> None:
    """A key that was never in force, or is not any more, shall not lie about."""
    (tmp_path / name).write_text(BY_HOST)
    async with open_bench(user_config_path=tmp_path / "user_config.json"):
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("Security__AuthorizationKey", wrong)
            for wrong in ([IN_FILE], {"a": IN_FILE}, f"hex:{IN_FILE}", IN_FILE * 40)
        ),
        *(("Custom__ServicePin", wrong) for wrong in ([IN_FILE], {"a": IN_FILE}, IN_FILE * 40, f"{IN_FILE}\ud800")),
    ],
)
async def test_a_wrong_secret_in_a_file_is_not_told(
    make_config: Any, tmp_path: Path, key: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    schema = tmp_path / "Own.json"
    schema.write_text(json.dumps(SCHEMA))
    with pytest.raises(ConfigurationError) as caught:
        async with open_charge_point(make_config(**{key: value}), RecordingStation(), custom_schema_path=schema):
            pass
    assert key.replace("__", ".") in str(caught.value)
    assert told("".join(traceback.format_exception(caught.value))) == []
    assert told(repr(caught.value)) == []
    assert told(caplog.text) == []


@pytest.mark.parametrize("section", [{"AuthorizationKey": f"hex:{IN_FILE}"}, {"ServicePin": [IN_FILE]}])
async def test_a_wrong_secret_in_the_overlay_is_not_told(
    open_bench: Any, make_config: Any, tmp_path: Path, section: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "Own.json").write_text(json.dumps(SCHEMA))
    overlay = {"Security" if "AuthorizationKey" in section else "Custom": section}
    (tmp_path / "user_config.json.secrets").write_text(json.dumps(overlay))
    async with open_bench(
        document=make_config(),
        user_config_path=tmp_path / "user_config.json",
        custom_schema_path=tmp_path / "Own.json",
    ) as bench:
        await trio.sleep(1)
        assert told(repr(bench.events.seen)) == []
    assert next(iter(section)) in caplog.text
    assert told(caplog.text) == []


@pytest.mark.parametrize("form", ["Authorization: {}", "you are {}", "{bare}", "user {plain}"])
async def test_one_that_says_back_what_it_was_told(open_bench: Any, make_config: Any, caplog: Any, form: str) -> None:
    """A refusal with the credentials of the refused in it is shown without them."""
    key = b"correct horse batt"
    header = authorization_header("cp001", key)
    told = form.format(header, bare=header.split()[1], plain=key.decode())
    document = make_config(Security__SecurityProfile=1, Security__AuthorizationKey=f"hex:{key.hex()}")
    csms = CentralSystem()
    csms.refuse_handshake(401, f"before {told} after", times=3)
    with caplog.at_level(0):
        async with open_bench(csms=csms, document=document) as bench:
            await trio.sleep(60)
            seen = f"{bench.events.seen} {caplog.text}"
    assert "before" in seen or "names a secret" in seen
    assert header.split()[1] not in seen
    assert key.decode() not in seen
