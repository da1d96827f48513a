"""What can never work is refused at the start, all of it at once; what is odd never ends in another error."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocpp16 import spelling
from ocpp16.codec import validate
from ocpp16.configuration import loading
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.keys import BY_NAME, SECTIONS
from ocpp16.configuration.keys.core import HEARTBEAT_INTERVAL, NUMBER_OF_CONNECTORS
from ocpp16.configuration.keys.cost_and_price import DEFAULT_PRICE_TEXT
from ocpp16.configuration.keys.internal import CENTRAL_SYSTEM_URI, CHARGE_POINT_ID, TLS_KEYLOG_FILE
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY, SECURITY_PROFILE
from ocpp16.errors import ConfigurationError

IDENTITY = {"ChargePointId": "c", "CentralSystemURI": "u", "ChargePointModel": "m", "ChargePointVendor": "v"}
KEY = "text:0123456789abcdef"
NO_CUSTOM = CustomKeys()


def document(**sections: dict[str, Any]) -> dict[str, Any]:
    return {"Internal": {**IDENTITY, **sections.pop("Internal", {})}, **sections}


def load(given: Any, overlay: Any = None, *, is_complete: bool = True) -> Configuration:
    return Configuration.load(given, overlay=overlay or {}, custom=NO_CUSTOM, is_complete=is_complete)


def problems(given: Any, overlay: Any = None) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(given, overlay)
    return caught.value.problems


# --- keys that go together


def internal(**keys: Any) -> dict[str, Any]:
    return document(Internal=keys)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            internal(CentralSystemURI="http://csms/"),
            'Internal.CentralSystemURI = "http://csms/": must begin with ws:// or wss:// or with the host',
        ),
        (
            internal(CentralSystemURI="ws://user:geheim@csms/"),
            'Internal.CentralSystemURI = "ws://…@csms/": must not hold credentials, the password is AuthorizationKey',
        ),
        (internal(ChargePointId="a\nb"), 'Internal.ChargePointId = "a\\nb": has a control character'),
        (internal(HostName="a\r\nEvil: b"), "Internal.HostName = "),
        (internal(EnableTLSKeylog=True), "Internal.EnableTLSKeylog = true: needs TLSKeylogFile"),
        (internal(TLSKeylogFile=""), 'Internal.TLSKeylogFile = "": must not be empty'),
        (
            document(
                Internal={"CentralSystemURI": "wss://csms/"}, Security={"SecurityProfile": 1, "AuthorizationKey": KEY}
            ),
            (
                'Internal.CentralSystemURI = "wss://csms/": must be ws:// with SecurityProfile 1; '
                "wss:// needs SecurityProfile 2 (an AuthorizationKey) or 3 (a certificate)"
            ),
        ),
        (
            document(
                Internal={"CentralSystemURI": "ws://csms/"}, Security={"SecurityProfile": 2, "AuthorizationKey": KEY}
            ),
            (
                'Internal.CentralSystemURI = "ws://csms/": must be wss:// with SecurityProfile 2; '
                "ws:// needs SecurityProfile 0 or 1 (an AuthorizationKey)"
            ),
        ),
        (
            document(Internal={"ChargePointId": "a:b"}, Security={"SecurityProfile": 1, "AuthorizationKey": KEY}),
            'Internal.ChargePointId = "a:b": must not have a colon with SecurityProfile 1',
        ),
        (document(Security={"SecurityProfile": 1}), "Security.SecurityProfile = 1: needs an AuthorizationKey"),
        (document(Security={"SecurityProfile": 2}), "Security.SecurityProfile = 2: needs an AuthorizationKey"),
        (document(Core={"NumberOfConnectors": 1001}), "Core.NumberOfConnectors = 1001: must be at most 1000"),
        (document(Core={"NumberOfConnectors": 10**9}), "Core.NumberOfConnectors = 1000000000: must be at most 1000"),
        (document(Core={"ConnectorPhaseRotation": "1.RST,1.RTS"}), "Core.ConnectorPhaseRotation = "),
        (internal(Tolerances="number_texts"), "Internal.Tolerances = "),
        (internal(RetryBackoffWaitMinimum=86_401), "Internal.RetryBackoffWaitMinimum = 86401: must be at most 86400"),
    ],
)
def test_what_never_works_is_refused(given: Any, problem: str) -> None:
    (told,) = problems(given)
    assert told.startswith(problem)
    assert "geheim" not in told


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("CentralSystemURI", ["wss://cp:hidden-one@csms/"]),
        ("CentralSystemURI", {"uri": "cp:hidden-one@csms"}),
        ("FallbackCentralSystems", ["wss://cp:hidden-one@csms/", "ws://other"]),
        ("FallbackCentralSystems", "wss://cp:hidden,one@csms/,ws://cp:hidden-one@other"),
    ],
)
def test_no_password_of_an_address_is_shown_whatever_is_wrong_with_it(name: str, given: Any) -> None:
    told = "".join(problems(document(Internal={name: given})))
    assert name in told
    assert "hidden" not in told


def test_all_of_it_at_once() -> None:
    told = problems(
        document(
            Internal={"CentralSystemURI": "ws://csms/", "ChargePointId": "a:b", "EnableTLSKeylog": True},
            Core={"NumberOfConnectors": 20_000},
            Security={"SecurityProfile": 2},
        )
    )
    assert [problem.partition(" = ")[0] for problem in told] == [
        "Core.NumberOfConnectors",
        "Internal.CentralSystemURI",
        "Internal.ChargePointId",
        "Security.SecurityProfile",
        "Internal.EnableTLSKeylog",
    ]


def test_what_works_together() -> None:
    config = load(
        document(
            Internal={"CentralSystemURI": "wss://csms/", "EnableTLSKeylog": True, "TLSKeylogFile": "keys.log"},
            Security={"SecurityProfile": 2, "AuthorizationKey": KEY},
        )
    )
    assert config.warnings == []
    assert config[TLS_KEYLOG_FILE] == "keys.log"
    assert load(document())[TLS_KEYLOG_FILE] is None
    assert load(internal(CentralSystemURI=" ws://csms/ "))[CENTRAL_SYSTEM_URI] == "ws://csms/"
    assert load(internal(ChargePointId="a:b"))[CHARGE_POINT_ID] == "a:b"


# --- layers that come one after another


def test_the_password_may_come_with_the_overlay() -> None:
    given = document(Security={"SecurityProfile": 1})
    config = load(given, {"Security": {"AuthorizationKey": KEY}})
    assert config[AUTHORIZATION_KEY] == b"0123456789abcdef"
    assert config.warnings == []
    assert problems(given, {"Security": {"AuthorizationKey": "short"}}) == (
        "Security.SecurityProfile = 1: needs an AuthorizationKey",
    )


def test_a_profile_without_its_password_is_no_reason_not_to_start_when_the_overlay_brought_it() -> None:
    config = load(document(), {"Security": {"SecurityProfile": 1}})
    assert config[SECURITY_PROFILE] == 0
    assert len(config.warnings) == 1


def test_what_is_still_to_come_is_not_missed_yet() -> None:
    given = document(Security={"SecurityProfile": 1})
    config = load(given, is_complete=False)
    assert config[SECURITY_PROFILE] == 1
    whole = config.with_changes({"Security": {"AuthorizationKey": KEY}})
    assert whole[AUTHORIZATION_KEY] == b"0123456789abcdef"
    assert config[AUTHORIZATION_KEY] is None
    with pytest.raises(ConfigurationError, match="needs an AuthorizationKey"):
        config.with_changes({})
    with pytest.raises(ConfigurationError, match=r"Internal\.EnableTLSKeylog"):
        load(internal(EnableTLSKeylog=True), is_complete=False)


def test_changes_that_lie_elsewhere_come_over_those_that_are_there() -> None:
    given = document(
        Core={"HeartbeatInterval": 300, "WebSocketPingInterval": 7},
        CostAndPrice={"DefaultPrice": {"priceText": "a", "priceTextOffline": "b"}},
        Custom={"mine": "x"},
    )
    config = load(given, {"Core": {"HeartbeatInterval": 5}, "Security": {"AuthorizationKey": KEY}})
    config.built_profiles = frozenset({"Core"})
    config.change("mine", "y")
    stored = {"Core": {"HeartbeatInterval": 6, "WebSocketPingInterval": None}, "Custom": {"other": "z"}}
    changed = config.with_changes(stored)
    assert changed[HEARTBEAT_INTERVAL] == 6
    assert changed.text("WebSocketPingInterval") is None
    assert (changed.text("mine"), changed.text("other")) == ("y", "z")
    assert changed[AUTHORIZATION_KEY] == b"0123456789abcdef"
    assert changed.built_profiles == frozenset({"Core"})
    assert changed.overrides == {
        "Core": {"HeartbeatInterval": 6, "WebSocketPingInterval": None},
        "Custom": {"mine": "y", "other": "z"},
    }
    assert changed.reset(HEARTBEAT_INTERVAL).is_accepted
    assert changed[HEARTBEAT_INTERVAL] == 300
    assert (config[HEARTBEAT_INTERVAL], config.text("mine")) == (5, "y")
    bad = config.with_changes({"Core": {"HeartbeatInterval": -1}})
    assert bad[HEARTBEAT_INTERVAL] == 5 or bad[HEARTBEAT_INTERVAL] == 300
    assert any(warning.startswith("overlay: Core.HeartbeatInterval") for warning in bad.warnings)


def test_a_configuration_without_changes_is_the_same() -> None:
    config = load(document(CostAndPrice={}, Custom={"n": 5}), {"PnC": {}})
    again = config.with_changes({})
    assert again.report() == config.report()
    assert again.overrides == config.overrides
    assert again.warnings == config.warnings


# --- odd values of every key

ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**400, 0.5, 1e308),
    *(float("nan"), float("inf"), float("-inf"), "", " ", "0", "null", "\x00", "\r\n", "\ud800", "\u202e", "ü" * 300),
    *("x" * 100_000, [], [None], [[]], [""], ["\ud800"], ["a"] * 2000, {}, {"": {}}, {"a": None}, {"\ud800": 1}),
    *({"priceTexts": []}, {"priceTexts": [{}]}, {"priceTexts": {}}, {"priceText": ""}, {"HeartbeatInterval": "RW"}),
    {"priceTexts": [{"language": "x" * 40, "priceText": "a"}]},
]
JSON = st.recursive(
    st.sampled_from(ODD)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.text(alphabet=st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([(key.section, key.name) for key in BY_NAME.values()] + [("Custom", "mine")])


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = {"a": [value]}
    return value


def check_report(config: Configuration) -> None:
    found, _ = config.report()
    validate("GetConfiguration", "response", {"configurationKey": found})


@settings(derandomize=True, deadline=None, database=None, max_examples=600)
@given(NAMES, JSON)
@example(("CostAndPrice", "DefaultPriceText"), {})
def test_every_key_takes_every_value_or_says_why_not(name: tuple[str, str], value: Any) -> None:
    check_value(*name, value)


@pytest.mark.parametrize("levels", [10, 100, 330, 500, 20_000])
@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("Custom", "mine"),
        ("CostAndPrice", "DefaultPrice"),
        ("CostAndPrice", "DefaultPriceText"),
        ("Internal", "KeyAccess"),
        ("Internal", "SupportedCiphers13"),
        ("Core", "HeartbeatInterval"),
    ],
)
def test_values_nested_deep(section: str, key: str, levels: int) -> None:
    check_value(section, key, nested(levels))
    check_value(section, key, [nested(levels)])
    both = document(CostAndPrice={"DefaultPrice": {"priceText": "a"}})
    load(both, {"CostAndPrice": {"DefaultPrice": {"more": nested(levels)}}})


def check_value(section: str, key: str, value: Any) -> None:
    main = document(**{section: {key: value}})
    refused: tuple[str, ...] = ()
    try:
        check_report(load(main))
    except ConfigurationError as error:
        refused = error.problems
    assert all(problem.isprintable() and len(problem) < 700 for problem in refused)
    assert not refused or any(key in problem for problem in refused)
    # The same in an overlay never stops a start.
    config = load(document(), {section: {key: value}})
    check_report(config)
    assert all(warning.isprintable() for warning in config.warnings)
    again = load(document(), config.overrides)
    assert again.report() == config.report()


@settings(derandomize=True, deadline=None, database=None, max_examples=300)
@given(
    st.dictionaries(st.sampled_from([*SECTIONS, "Custom", "x", "\ud800", ""]) | st.text(max_size=3), JSON, max_size=4)
)
def test_every_object_is_taken_or_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        load(given)  # the required keys are never all there
    config = load(document(), given)
    check_report(config)


@pytest.mark.parametrize("name", ["", " a", "a\nb", "\ud800", "\u202e", "x" * 51, 5, None, ("a",)])
def test_names_of_others(name: Any) -> None:
    for main in (document(Custom={name: 1}), {**document(), name: {}}, document(Core={name: 1})):
        for problem in problems(main):
            assert problem.isprintable()
    overlays: list[dict[Any, Any]] = [{"Custom": {name: 1}}, {name: {}}, {"Core": {name: 1}}]
    for overlay in overlays:
        (warning,) = load(document(), overlay).warnings
        assert warning.isprintable()


def test_names_that_one_of_ours_hides() -> None:
    config = load(document(Custom={"meterpublickey1": "x", "DefaultPriceText,en": "y", "Mine": "z"}))
    assert [row["key"] for row in config.report()[0] if row.get("value") in ("x", "y", "z")] == ["Mine"]
    assert len(config.warnings) == 2


@pytest.mark.parametrize("value", [{}, {"priceTexts": []}])
def test_price_texts_without_texts_are_a_family_without_entries(value: Any) -> None:
    cost = {"DefaultPriceText": value, "SupportedLanguages": "en", "CustomMultiLanguageMessages": True}
    config = load(document(CostAndPrice=cost))
    assert config[DEFAULT_PRICE_TEXT] == value
    assert config.report(["DefaultPriceText,en"])[0] == [{"key": "DefaultPriceText,en", "readonly": False, "value": ""}]
    assert config.change("DefaultPriceText,en", '{"priceText":"dear"}').is_accepted
    assert config.text("DefaultPriceText,en") == '{"priceText":"dear"}'


def test_the_most_connectors_there_are() -> None:
    assert load(document(Core={"NumberOfConnectors": 1000}))[NUMBER_OF_CONNECTORS] == 1000


MANY = {f"NumberOfConector{number}": number for number in range(50_000)}


@pytest.mark.parametrize(
    "given",
    [
        document(Core=MANY),
        {**document(), **MANY},
        document(Internal={"KeyAccess": dict.fromkeys(MANY, "RO")}),
    ],
    ids=["keys", "sections", "entries of KeyAccess"],
)
def test_of_a_file_of_other_things_the_first_problems_are_told(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for = count_of_hints(monkeypatch)
    with pytest.raises(ConfigurationError) as caught:
        load(given)
    problems = caught.value.problems
    assert len(problems) == 201
    assert problems[-1] == "and more that is not told"
    assert len(looked_for) <= 210


def test_entries_of_an_overlay_behind_many_that_are_wrong_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for = count_of_hints(monkeypatch)
    config = load(document(), {"Core": {**MANY, "HeartbeatInterval": 77}})
    assert config[HEARTBEAT_INTERVAL] == 77
    assert len(config.warnings) == 201
    assert len(looked_for) <= 210


def count_of_hints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that a likely one is looked for: that takes longest."""
    names: list[str] = []
    match = spelling.did_you_mean

    def counted(name: str, candidates: Any) -> str:
        names.append(name)
        return match(name, candidates)

    monkeypatch.setattr(loading, "did_you_mean", counted)
    return names
