"""What `open_charge_point` is given: all that cannot be meant is told before anything is opened, by its name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocpp16.charge_point.open import open_charge_point, open_charge_points
from ocpp16.configuration.configuration import Configuration
from ocpp16.errors import ConfigurationError
from ocpp16.security.certificate_paths import PATHS as SECURITY_PATHS
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.store.memory import MemoryStore
from ocpp16.testing.stations import RecordingStation

PATHS = [
    "user_config_path",
    "database_path",
    "share_path",
    "custom_schema_path",
    "certificates_path",
    "message_log_path",
]


class BytesPath:
    def __fspath__(self) -> bytes:
        return b"x"


class BrokenPath:
    def __fspath__(self) -> str:
        raise ZeroDivisionError


NO_PATHS: list[Any] = [
    5,
    True,
    b"x",
    [],
    "",
    "\0",
    "a\0b",
    "\ud800",
    Path("a\0b"),
    "x" * 5000,
    BytesPath(),
    BrokenPath(),
    object(),
]


class Deaf:
    def notify(self, event: Any) -> None: ...


class Misspelt:
    async def notifie(self, event: Any) -> None: ...


class Hidden:
    @property
    def notify(self) -> Any:
        raise ZeroDivisionError


class ReadOnly:
    is_volatile = True

    def load(self, charge_point_id: str, table: Any, key: Any = ()) -> list[Any]:
        return []

    def close(self) -> None: ...


class Undecided:
    def load(self, *arguments: Any) -> list[Any]:
        return []

    def apply(self, *arguments: Any) -> dict[str, Any]:
        return {}

    def close(self) -> None: ...


def no_arguments() -> None: ...


class Broken(dict[str, str]):
    def __iter__(self) -> Any:
        raise ZeroDivisionError


WRONG: dict[str, list[Any]] = {
    **dict.fromkeys(PATHS, NO_PATHS),
    "config": [5, None, [], *NO_PATHS],
    "security_configuration": [
        *("x", 5, []),
        *({path: value} for path in SECURITY_PATHS for value in (5, "\0", BrokenPath())),
        {"private_key_password": 5},
        {"other": "x"},
        {5: "x"},
        Broken(),
    ],
    "store": [5, "cp.db", MemoryStore, ReadOnly(), Undecided(), object()],
    "observer": [5, object(), Deaf(), Misspelt(), Hidden(), Deaf],
    "connector": [5, "x", no_arguments],
    "tolerances": [5, "default", b"default", [5], ["unknown"], ["\ud800"]],
    "seed": ["x", 1.5, [], True],
    "trace_messages": ["x", 1, None],
}


async def refusal(document: Any, /, **arguments: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refused:
        async with open_charge_point(**{"config": document, "station": RecordingStation(), **arguments}):
            pass
    return refused.value.problems


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values], ids=lambda part: None
)
async def test_what_an_argument_cannot_mean_is_refused_by_its_name(make_config: Any, name: str, value: Any) -> None:
    problems = await refusal(make_config(), **{name: value})
    assert problems
    for problem in problems:
        assert problem.startswith(name)
        assert problem.isprintable()


def is_folder(path: Path) -> None:
    path.mkdir()


def is_pipe(path: Path) -> None:
    os.mkfifo(path)


def is_file(path: Path) -> None:
    path.write_text("kept")


def is_missing(path: Path) -> None: ...


def is_in_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("kept")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("config", is_folder),
        ("user_config_path", is_folder),
        ("user_config_path", is_pipe),
        ("user_config_path", is_in_a_file),
        ("custom_schema_path", is_folder),
        ("database_path", is_file),
        ("message_log_path", is_file),
        ("message_log_path", is_in_a_file),
        ("database_path", is_pipe),
        ("database_path", is_in_a_file),
        ("share_path", is_file),
        ("share_path", is_missing),
    ],
)
async def test_another_thing_than_is_asked_for_stays_as_it_is(
    make_config: Any, tmp_path: Path, name: str, what: Callable[[Path], None]
) -> None:
    path = tmp_path / "folder" / "it"
    path.parent.mkdir()
    what(path)
    (problem,) = await refusal(make_config(), **{name: path})
    assert problem.startswith(f"{name} must be ")
    assert (path.is_dir(), path.is_fifo()) == (what is is_folder, what is is_pipe)


async def test_a_database_that_is_named_is_a_file(make_config: Any, tmp_path: Path) -> None:
    (tmp_path / "it.db").mkdir()
    assert (await refusal(make_config(), database_path=tmp_path / "it.db"))[0].startswith("database_path must be ")
    async with open_charge_point(make_config(), RecordingStation(), database_path=tmp_path / "other.db"):
        assert (tmp_path / "other.db").is_file()


async def test_all_that_is_wrong_is_told_at_once(make_config: Any) -> None:
    class Station(RecordingStation):
        async def attach(self, charge_point: Any) -> None: ...

    problems = await refusal(make_config(), station=Station(), observer=5, seed="x", database_path="\0", tolerances=5)
    assert [problem.split(" ")[0] for problem in problems] == [
        "database_path",
        "observer",
        "tolerances",
        "seed",
        "Station.attach",
    ]


async def test_what_can_be_meant_is_taken(make_config: Any, tmp_path: Path) -> None:
    class Observer:
        async def notify(self, event: Any, *more: Any) -> None: ...

    class Caller:
        async def __call__(self, endpoint: Any) -> Any: ...

    async with open_charge_point(
        make_config(),
        RecordingStation(),
        user_config_path=tmp_path / "changes.json",
        store=MemoryStore(),
        certificates_path=tmp_path / "certs",
        security_configuration={
            **dict.fromkeys(SECURITY_PATHS, ""),
            "csms_ca_bundle": tmp_path / "roots.pem",
            "mf_ca_bundle": None,
            "private_key_password": "Secret",
        },
        observer=Observer(),
        connector=Caller(),
        tolerances=(name for name in ["strict"]),
        seed=-1,
        anchor=1e300,
    ):
        pass


async def test_a_name_of_a_path_that_is_not_known_is_told_with_what_was_meant(make_config: Any) -> None:
    given = {"csms_ca_bundel": "x", "Private_Key_Password": "Secret", "elsewhere": "x"}
    assert await refusal(make_config(), security_configuration=given) == (
        "security_configuration.csms_ca_bundel is no path of certificates; did you mean csms_ca_bundle?",
        "security_configuration.Private_Key_Password is no path of certificates; did you mean private_key_password?",
        "security_configuration.elsewhere is no path of certificates",
    )


async def test_paths_that_nobody_would_read_are_refused(make_config: Any, tmp_path: Path) -> None:
    given = {"mf_ca_bundle": str(tmp_path / "mf.pem"), "csms_ca_bundle": ""}
    assert await refusal(make_config(), security_configuration=given) == (
        "security_configuration has mf_ca_bundle, and no place for the rest: give csms_ca_bundle or certificates_path",
    )
    keeper = FileEvseSecurity(tmp_path / "certs", now=lambda: 0.0)
    assert await refusal(make_config(), security_configuration=given, evse_security=keeper) == (
        "security_configuration is for the files of the built-in EvseSecurity, and evse_security takes its place",
    )
    async with open_charge_point(
        make_config(), RecordingStation(), security_configuration=given, certificates_path=tmp_path / "certs"
    ):
        pass


async def test_certificates_that_nobody_would_read_are_refused(make_config: Any, tmp_path: Path) -> None:
    keeper = FileEvseSecurity(tmp_path / "certs", now=lambda: 0.0)
    assert await refusal(make_config(), certificates_path=tmp_path, evse_security=keeper) == (
        "certificates_path is given, and evse_security takes its place: give one of them",
    )


async def test_a_database_that_nobody_would_write_is_refused(make_config: Any, tmp_path: Path) -> None:
    told = ("database_path is given, and store takes its place: give one of them",)
    assert await refusal(make_config(), database_path=tmp_path, store=MemoryStore()) == told
    with pytest.raises(ConfigurationError, match="database_path is given"):
        async with open_charge_points(database_path=tmp_path, store=MemoryStore()):
            pass


async def test_a_file_is_no_folder_of_certificates(make_config: Any, tmp_path: Path) -> None:
    (tmp_path / "certs").write_text("")
    (told,) = await refusal(make_config(), certificates_path=tmp_path / "certs")
    assert told.startswith("certificates_path must be the path of a folder")


async def test_a_password_is_not_told(make_config: Any) -> None:
    assert await refusal(make_config(), security_configuration={"private_key_password": 271828}) == (
        "security_configuration.private_key_password must be text, not int",
    )


async def test_a_configuration_that_is_made_already_takes_no_schema_any_more(make_config: Any, tmp_path: Path) -> None:
    (tmp_path / "Custom.json").write_text("{}")
    configuration = Configuration.load(make_config())
    with pytest.raises(ConfigurationError, match=r"custom_schema_path: .*Configuration\.load takes it"):
        async with open_charge_point(configuration, RecordingStation(), custom_schema_path=tmp_path / "Custom.json"):
            pass


async def test_what_wss_trusts_is_asked_for_by_name(make_config: Any) -> None:
    document = make_config(
        Internal__CentralSystemURI="wss://x/",
        Security__SecurityProfile=2,
        Security__AuthorizationKey="0123456789abcdef",
    )
    with pytest.raises(ConfigurationError, match=r"certificates_path, .* ca/csms .* UseSslDefaultVerifyPaths"):
        async with open_charge_point(document, RecordingStation()):
            pass


@pytest.mark.parametrize("is_kept", [True, False])
async def test_changes_that_nothing_keeps_are_said_once(
    open_bench: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, is_kept: bool
) -> None:
    async with open_bench(database_path=tmp_path if is_kept else None) as bench:
        for value in ("77", "78"):
            assert await bench.charge_point.configuration.set("HeartbeatInterval", value) == "Accepted"
    told = [record for record in caplog.records if "end with the block" in record.getMessage()]
    assert len(told) == (0 if is_kept else 1)
