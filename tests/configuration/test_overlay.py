"""The overlay: merged over the main configuration, and never able to stop a start."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.file import difference, merged
from ocpp16.configuration.keys import BY_NAME
from ocpp16.configuration.keys.core import HEARTBEAT_INTERVAL, METER_VALUES_SAMPLED_DATA, WEB_SOCKET_PING_INTERVAL
from ocpp16.configuration.keys.cost_and_price import DEFAULT_PRICE
from ocpp16.configuration.keys.internal import CHARGE_POINT_ID, SUPPORTED_CIPHERS13, SUPPORTED_MEASURANDS
from ocpp16.configuration.keys.pnc import ISO15118_PNC_ENABLED
from ocpp16.configuration.keys.reservation import RESERVE_CONNECTOR_ZERO_SUPPORTED
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY

IDENTITY = {"ChargePointId": "c", "CentralSystemURI": "u", "ChargePointModel": "m", "ChargePointVendor": "v"}
NO_CUSTOM = CustomKeys()


def document(**sections: dict[str, Any]) -> dict[str, Any]:
    return {"Internal": {**IDENTITY, **sections.pop("Internal", {})}, **sections}


def load(main: dict[str, Any], overlay: Any) -> Configuration:
    return Configuration.load(main, overlay=overlay, custom=NO_CUSTOM)


def test_overlay_replaces_scalars_and_arrays_and_adds_keys() -> None:
    config = load(
        document(Core={"HeartbeatInterval": 300}, Internal={"SupportedCiphers13": ["TLS_AES_128_GCM_SHA256"]}),
        {
            "Core": {"HeartbeatInterval": 5, "WebSocketPingInterval": 7},
            "Internal": {"SupportedCiphers13": ["TLS_A", "TLS_B"]},
            "PnC": {"ISO15118PnCEnabled": True},
        },
    )
    assert config[HEARTBEAT_INTERVAL] == 5
    assert config[WEB_SOCKET_PING_INTERVAL] == 7
    assert config[SUPPORTED_CIPHERS13] == ("TLS_A", "TLS_B")
    assert config.is_present(ISO15118_PNC_ENABLED)
    assert config.origin("HeartbeatInterval") == "overlay"
    assert config.warnings == []
    config.change("HeartbeatInterval", "6")
    assert config.origin("HeartbeatInterval") == "runtime"
    assert config.origin("WebSocketPingInterval") == "overlay"


def test_null_removes_a_key_or_a_section() -> None:
    main = document(Core={"HeartbeatInterval": 300, "WebSocketPingInterval": 7}, PnC={"ISO15118PnCEnabled": True})
    config = load(main, {"Core": {"HeartbeatInterval": None, "WebSocketPingInterval": None}, "PnC": None})
    assert config[HEARTBEAT_INTERVAL] == 86_400
    assert config.report(["HeartbeatInterval"])[0][0].get("value") == "86400"
    assert not config.is_present(WEB_SOCKET_PING_INTERVAL)
    assert not config.is_present(ISO15118_PNC_ENABLED)
    assert config.overrides["PnC"] is None
    assert config.overrides["Core"] == {"HeartbeatInterval": None, "WebSocketPingInterval": None}
    assert config.change("WebSocketPingInterval", "5").status == "NotSupported"
    assert config.change("HeartbeatInterval", "300").value is None
    assert "HeartbeatInterval" not in config.overrides["Core"]


@pytest.mark.parametrize(
    "overlay",
    [
        {"PnC": {}},
        {"PnC": {"ISO15118PnCEnabled": False}},
        {"CostAndPrice": None},
        {"CostAndPrice": {"DefaultPrice": None}},
        {"CostAndPrice": {"DefaultPrice": {"priceTextOffline": None}}},
        {"Custom": {"mine": "x", "more": "y"}},
        {"Custom": None},
    ],
)
def test_overrides_are_the_overlay_in_other_words(overlay: dict[str, Any]) -> None:
    main = document(
        CostAndPrice={"DefaultPrice": {"priceText": "a", "priceTextOffline": "b"}}, Custom={"mine": "a", "other": "b"}
    )
    config = load(main, overlay)
    assert config.warnings == []
    assert load(main, config.overrides).report() == config.report() != load(main, {}).report()


def test_a_required_key_cannot_be_removed() -> None:
    config = load(document(), {"Internal": {"ChargePointId": None}})
    assert config[CHARGE_POINT_ID] == "c"
    assert len(config.warnings) == 1


def test_a_part_of_an_object_holds_without_the_object_it_was_made_of() -> None:
    """The key was taken out of the main configuration; what the Central System changed is there all the same."""
    prices = {"priceText": "a", "priceTextOffline": "b"}
    config = load(document(CostAndPrice={"CustomDisplayCostAndPrice": True, "DefaultPrice": prices}), {})
    assert config.change("DefaultPrice", '{"priceText":"c"}').is_accepted
    later = load(document(CostAndPrice={"CustomDisplayCostAndPrice": True}), config.overrides)
    assert later.warnings == []
    assert later[DEFAULT_PRICE] == {"priceText": "c"}


def test_objects_are_merged() -> None:
    main = document(CostAndPrice={"DefaultPrice": {"priceText": "a", "priceTextOffline": "b"}})
    config = load(main, {"CostAndPrice": {"DefaultPrice": {"priceText": "c"}}})
    assert config[DEFAULT_PRICE] == {"priceText": "c", "priceTextOffline": "b"}


# overlay, what the warning begins with
BAD: list[tuple[Any, str]] = [
    ({"Core": {"HeartbeatInterval": -5}}, "overlay: Core.HeartbeatInterval = -5: must be at least 0"),
    ({"Core": {"HeartbeatInterval": "5"}}, 'overlay: Core.HeartbeatInterval = "5": must be an integer'),
    ({"Core": {"Nonsense": 1}}, "overlay: Core.Nonsense: is not a key"),
    ({"Cor": {"HeartbeatInterval": 5}}, "overlay: Cor: is not a section; did you mean Core?"),
    ({"Core": 5}, "overlay: Core: must be an object"),
    ({"Core": {"MeterValuesSampledData": "RPM"}}, "overlay: Core.MeterValuesSampledData: RPM is not in"),
    ({"Core": {"SupportedFeatureProfiles": "SmartCharging"}}, "overlay: Core.SupportedFeatureProfiles: must name Core"),
    ({"Core": {"ConnectorPhaseRotation": "9.RST"}}, "overlay: Core.ConnectorPhaseRotation: names connector 9"),
    ({"Internal": {"SupportedMeasurands": "RPM"}}, "overlay: Internal.SupportedMeasurands: does not go with"),
    ({"Internal": {"KeyAccess": {"AuthorizationKey": "RO"}}}, "overlay: Internal.KeyAccess"),
    ({"Internal": {"KeyAccess": {"Heartbeat": "RO"}}}, "overlay: Internal.KeyAccess"),
    ({"Security": {"AuthorizationKey": "geheim"}}, "overlay: Security.AuthorizationKey = (secret): must have"),
    ({"Security": {"SecurityProfile": 1}}, "overlay: Security.SecurityProfile: needs an AuthorizationKey"),
    ({"Internal": {"CentralSystemURI": "wss://u"}}, "overlay: Internal.CentralSystemURI: must be ws://"),
    ({"Internal": {"EnableTLSKeylog": True}}, "overlay: Internal.EnableTLSKeylog: needs TLSKeylogFile"),
    (
        {"Internal": {"CentralSystemURI": "ws://a:b@u"}},
        'overlay: Internal.CentralSystemURI = "ws://…@u": must not hold',
    ),
    ([], "overlay: must be an object of sections"),
    (None, "overlay: must be an object of sections"),
]


@pytest.mark.parametrize(("overlay", "warning"), BAD)
def test_a_bad_entry_is_ignored_with_a_warning_and_the_good_ones_hold(overlay: Any, warning: str) -> None:
    config = load(document(), overlay)
    assert len(config.warnings) == 1
    assert config.warnings[0].startswith(warning)
    assert config.warnings[0].endswith("ignored")
    assert config.overrides == {}
    if isinstance(overlay, dict):
        both = load(document(), {**overlay, "Reservation": {"ReserveConnectorZeroSupported": True}})
        assert both[RESERVE_CONNECTOR_ZERO_SUPPORTED] is True
        assert both.overrides == {"Reservation": {"ReserveConnectorZeroSupported": True}}


def test_an_overlay_that_no_longer_fits_the_main_configuration_gives_way() -> None:
    overlay = {"Core": {"MeterValuesSampledData": "SoC,Voltage"}}
    config = load(document(Internal={"SupportedMeasurands": "Energy.Active.Import.Register,SoC"}), overlay)
    assert config[METER_VALUES_SAMPLED_DATA] == ("Energy.Active.Import.Register",)
    limited = load(document(Core={"MeterValuesSampledDataMaxLength": 1}), overlay)
    assert limited[METER_VALUES_SAMPLED_DATA] == ("Energy.Active.Import.Register",)


def test_entries_that_go_together_are_taken_together() -> None:
    overlay = {
        "Core": {"MeterValuesSampledData": "RPM", "MeterValuesAlignedData": "RPM"},
        "Internal": {"SupportedMeasurands": "RPM"},
    }
    config = load(document(), overlay)
    assert config[SUPPORTED_MEASURANDS] == config[METER_VALUES_SAMPLED_DATA] == ("RPM",)
    assert config.warnings == []


def test_secrets_come_with_the_overlay() -> None:
    config = load(document(), {"Security": {"AuthorizationKey": "hex:" + "00" * 16, "SecurityProfile": 1}})
    assert config[AUTHORIZATION_KEY] == b"\0" * 16
    assert config.overrides == {"Security": {"SecurityProfile": 1}}
    assert config.secrets == {"Security": {"AuthorizationKey": "hex:" + "00" * 16}}
    assert config.warnings == []


# --- what was accepted passes the next start

WORDS = st.sampled_from(
    [
        *("true", "FALSE", "0", "1", "+2", "3", "48.5", "230", "86400", "2147483647", "Hex", "Text", "Specific", "DE"),
        *(
            "SoC",
            "Voltage",
            "Voltage,SoC,",
            " RPM ",
            "Energy.Active.Import.Register",
            "TxProfile",
            "ChargePointMaxProfile,TxProfile",
            "default,+number_text",
        ),
        *("0.RST", "1.TSR,0.Unknown", "Core", "Core,SmartCharging", "Current", "Power,Current", "NL*ABC*E1,NL*ABC*E22"),
        *("+01:00", "-2:30", "2030-01-31T02:00:00Z", "a:b", "ws://other/", "cp002", "password-as-text", "00" * 16),
        *(
            '{"priceText":"c"}',
            '{"priceText":"c","chargingPrice":{"kWhPrice":0.1}}',
            '{"x":{"y":[null]}}',
            "[]",
            "null",
        ),
    ]
)
TEXTS = st.one_of(WORDS, st.integers().map(str), st.text(max_size=30), st.lists(WORDS, max_size=3).map(",".join))
NAMES = [
    *(key.name for key in BY_NAME.values()),
    *("MeterPublicKey1", "MeterPublicKey2", "DefaultPriceText,en", "DefaultPriceText,nl", "mine", "other"),
]
MAIN = document(
    Internal={
        "MeterPublicKeys": ["a", "b"],
        "IgnoredProfilePurposesOffline": "TxProfile",
        "ConnectorEvseIds": "NL*ABC*E1",
        "KeyAccess": {
            key.name: "RW"
            for key in BY_NAME.values()
            if not key.is_secret and key.name not in ("KeyAccess", "ChargePointId")
        },
    },
    Core={"MeterValuesSampledDataMaxLength": 2, "WebSocketPingInterval": 0, "LightIntensity": 50},
    CostAndPrice={
        "DefaultPrice": {"priceText": "a", "priceTextOffline": "b", "chargingPrice": {"flatFee": 1}},
        "DefaultPriceText": {"priceTexts": [{"language": "en", "priceText": "a"}]},
        "CustomMultiLanguageMessages": True,
        "SupportedLanguages": "en,nl",
        "TimeOffset": "+01:00",
        "NextTimeOffsetTransitionDateTime": "2026-01-01T00:00:00Z",
    },
    PnC={"CertSigningWaitMinimum": 1},
    Custom={"mine": "x", "other": 5},
)


@settings(derandomize=True, deadline=None, database=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=8))
def test_whatever_is_accepted_is_the_same_after_the_next_start(changes: list[tuple[str, str]]) -> None:
    config = load(MAIN, {})
    accepted = [(name, text) for name, text in changes if config.change(name, text).is_accepted]
    overlay = merged(config.overrides, config.secrets)
    rebooted = config.after_reboot()
    assert merged(rebooted.overrides, rebooted.secrets) == overlay
    again = load(MAIN, overlay)
    assert [warning for warning in again.warnings if warning.startswith("overlay:")] == []
    for key in [*BY_NAME.values(), *(key for name in ("mine", "other") if (key := again.lookup(name)))]:
        same = rebooted.lookup(key.name)
        assert same is not None
        assert again[key] == rebooted[same], (key, accepted)
    assert again.report() == rebooted.report()
    # The same as one file: what a checker of configurations would be shown. A second overlay finds nothing to do.
    whole = load(merged(MAIN, overlay), {})
    assert whole.report() == rebooted.report()
    assert whole.overrides == whole.secrets == {}


@settings(derandomize=True, deadline=None, database=None)
@given(st.sampled_from(NAMES), WORDS)
def test_the_change_alone_is_enough_to_store(name: str, text: str) -> None:
    config = load(MAIN, {})
    change = config.change(name, text)
    if change.is_accepted and change.key is not None and change.value is not None:
        again = load(MAIN, {change.key.section: {change.key.name: change.value}})
        assert again.report() == config.after_reboot().report()


def test_every_key_was_accepted_at_least_once_by_those_texts() -> None:
    """Guards the two properties above against holding for nothing."""
    texts = [*WORDS.elements]  # type: ignore[attr-defined]
    never = set()
    for name in NAMES:
        config = load(MAIN, {})
        if not any(config.change(name, text).is_accepted for text in texts):
            never.add(name)
    hidden_or_many = {"KeyAccess", "MeterPublicKeys", "DefaultPriceText"}
    never.discard("ChargePointId")  # cannot be made writable
    absent = {name for name in NAMES if (key := BY_NAME.get(name.lower())) and not load(MAIN, {}).is_present(key)}
    assert never - absent == hidden_or_many


JSON_OBJECTS = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=3) | st.lists(inner, max_size=2),
)


@settings(derandomize=True, deadline=None, database=None)
@given(JSON_OBJECTS, JSON_OBJECTS)
def test_a_difference_merges_to_what_was_wanted(main: Any, wanted: Any) -> None:
    assert merged(main, difference(main, wanted)) == wanted
