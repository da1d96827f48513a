"""Configuration: loading the main configuration, and every problem of it at once."""

import copy
import sys
from typing import Any

import pytest

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.keys import BY_NAME, SECTIONS
from ocpp16.configuration.keys.core import (
    HEARTBEAT_INTERVAL,
    LIGHT_INTENSITY,
    METER_VALUES_SAMPLED_DATA,
    MINIMUM_STATUS_DURATION,
    STOP_TXN_SAMPLED_DATA,
    WEB_SOCKET_PING_INTERVAL,
)
from ocpp16.configuration.keys.internal import (
    CHARGE_POINT_ID,
    COMPOSITE_SCHEDULE_DEFAULT_LIMIT_AMPS,
    LOG_MESSAGES_FORMAT,
    MESSAGE_QUEUE_SIZE_THRESHOLD,
    MESSAGE_TYPES_DISCARD_FOR_QUEUEING,
    SUPPORTED_CHARGING_PROFILE_PURPOSE_TYPES,
    SUPPORTED_CIPHERS13,
    USE_SSL_DEFAULT_VERIFY_PATHS,
)
from ocpp16.configuration.keys.pnc import ISO15118_PNC_ENABLED
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY, SECURITY_PROFILE
from ocpp16.configuration.lists import TextList
from ocpp16.errors import ConfigurationError
from ocpp16.messages.actions import ACTIONS

IDENTITY = {
    "ChargePointId": "cp001",
    "CentralSystemURI": "ws://csms.example/ocpp/",
    "ChargePointModel": "M1",
    "ChargePointVendor": "V1",
}
NO_CUSTOM = CustomKeys()


def document(**sections: dict[str, Any]) -> dict[str, Any]:
    """The smallest configuration plus the given sections."""
    made: dict[str, Any] = {"Internal": dict(IDENTITY)}
    for name, keys in sections.items():
        made.setdefault(name, {}).update(keys)
    return made


def load(overlay: dict[str, Any] | None = None, **sections: dict[str, Any]) -> Configuration:
    return Configuration.load(document(**sections), overlay=overlay or {}, custom=NO_CUSTOM)


def problems(given: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        Configuration.load(given, custom=NO_CUSTOM)
    return caught.value.problems


def test_four_keys_are_enough_and_the_rest_has_defaults() -> None:
    config = load()
    interval: int = config[HEARTBEAT_INTERVAL]
    measurands: tuple[str, ...] = config[METER_VALUES_SAMPLED_DATA]
    assert config[CHARGE_POINT_ID] == "cp001"
    assert interval == 86_400
    assert measurands == ("Energy.Active.Import.Register",)
    assert config[USE_SSL_DEFAULT_VERIFY_PATHS] is False
    assert config[LOG_MESSAGES_FORMAT] == ("log", "html", "session_logging", "security")
    assert config[SUPPORTED_CIPHERS13] == ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256")
    assert config.warnings == []


def test_every_key_without_configuration_has_a_value_of_its_kind_or_none() -> None:
    config = load()
    for key in BY_NAME.values():
        value = config[key]
        if value is None:
            assert key.is_optional
        else:
            assert key.parse_json(key.to_json(value)) == value


def test_fallbacks_are_used_but_the_key_is_not_present() -> None:
    config = load()
    assert config[WEB_SOCKET_PING_INTERVAL] == 0
    assert not config.is_present(WEB_SOCKET_PING_INTERVAL)
    assert config[MINIMUM_STATUS_DURATION] == 0
    assert not config.is_present(MINIMUM_STATUS_DURATION)
    assert config[MESSAGE_QUEUE_SIZE_THRESHOLD] is None
    assert config[LIGHT_INTENSITY] is None
    # The fallback written down is presence.
    assert load(Core={"MinimumStatusDuration": 0}).is_present(MINIMUM_STATUS_DURATION)


def test_keys_of_a_section_that_switches_a_feature_on() -> None:
    assert not load().is_present(ISO15118_PNC_ENABLED)
    config = load(PnC={})
    assert config.is_present(ISO15118_PNC_ENABLED)
    assert config[ISO15118_PNC_ENABLED] is False


def test_native_values_become_python_values() -> None:
    config = load(
        Core={"MeterValuesSampledData": " Voltage , SoC,,", "HeartbeatInterval": 30.0},
        Internal={"CompositeScheduleDefaultLimitAmps": 16.0, "LogMessagesFormat": ["html"]},
    )
    assert config[METER_VALUES_SAMPLED_DATA] == ("Voltage", "SoC")
    assert config[HEARTBEAT_INTERVAL] == 30
    assert type(config[HEARTBEAT_INTERVAL]) is int
    assert config[COMPOSITE_SCHEDULE_DEFAULT_LIMIT_AMPS] == 16
    assert config[LOG_MESSAGES_FORMAT] == ("html",)


def test_all_problems_are_told_at_once_each_with_section_key_value_and_reason() -> None:
    told = problems(
        {
            "Internl": {},
            "Internal": {
                "ChargePointId": 5,
                "CentralSystemURI": "csms",
                "ChargePointModel": "x" * 21,
                "HeartbeatInterval": 3,
            },
            "Core": {
                "HeartbeatIntervall": 3,
                "localPreAuthorize": True,
                "LightIntensity": 101,
                "LocalAuthorizeOffline": "true",
                "MeterValuesSampledData": "Voltage.L1",
                "StopTxnSampledData": "RPM",
                "SupportedFeatureProfiles": "SmartCharging",
            },
            "Reservation": 7,
        }
    )
    assert told == (
        "Internl: is not a section; did you mean Internal?",
        "Internal.ChargePointId = 5: must be text",
        'Internal.ChargePointModel = "xxxxxxxxxxxxxxxxxxxxx": has 21 characters, at most 20 are allowed',
        "Internal.HeartbeatInterval: is not a key of this section; HeartbeatInterval belongs into section Core",
        "Core.HeartbeatIntervall: is not a key of this section; did you mean HeartbeatInterval?",
        "Core.localPreAuthorize: is not a key of this section; it is spelt LocalPreAuthorize",
        "Core.LightIntensity = 101: must be at most 100",
        'Core.LocalAuthorizeOffline = "true": must be true or false',
        (
            'Core.MeterValuesSampledData = "Voltage.L1": item 1 names a phase; '
            "name the measurand alone, all its phases are sampled"
        ),
        "Reservation: must be an object of keys",
        "Internal.ChargePointVendor: is required and missing",
        'Core.StopTxnSampledData = "RPM": RPM is not in SupportedMeasurands',
        'Core.SupportedFeatureProfiles = "SmartCharging": must name Core',
    )


@pytest.mark.parametrize("given", [None, [], "text", 5])
def test_something_else_than_an_object(given: Any) -> None:
    assert problems(given) == ("the configuration must be an object of sections",)


def test_a_key_in_the_place_of_a_section() -> None:
    assert "HeartbeatInterval: is not a section but a key of section Core" in problems(
        {**document(), "HeartbeatInterval": 5}
    )


def test_a_long_value_is_shown_in_part() -> None:
    (told,) = problems(document(Internal={"ChargePointModel": "x" * 1000}))
    assert len(told) < 200


def test_open_sections_ignore_what_they_do_not_know_but_say_so() -> None:
    config = load(Security={"SecurityProfil": 2})
    assert config.warnings == [
        "Security.SecurityProfil: is not a key of this section; did you mean SecurityProfile?; ignored"
    ]
    assert config[SECURITY_PROFILE] == 0


def test_unknown_items_that_other_software_skips_are_skipped_with_a_warning() -> None:
    config = load(Internal={"SupportedChargingProfilePurposeTypes": ["TxProfile", "parch\nment"]})
    assert config[SUPPORTED_CHARGING_PROFILE_PURPOSE_TYPES] == ("TxProfile",)
    assert config.warnings == ["Internal.SupportedChargingProfilePurposeTypes: not known and left out: parch\\nment"]


def test_what_is_no_action_of_a_charge_point_is_warned_of_and_the_others_hold() -> None:
    """libocpp reads no further than the first name that it does not know."""
    config = load(Internal={"MessageTypesDiscardForQueueing": "Heartbeat, Hartbeat,Reset,StatusNotification"})
    assert config[MESSAGE_TYPES_DISCARD_FOR_QUEUEING] == ("Heartbeat", "StatusNotification")
    assert config.warnings == ["Internal.MessageTypesDiscardForQueueing: not known and left out: Hartbeat, Reset"]


def test_every_action_of_a_charge_point_can_be_named() -> None:
    kind = MESSAGE_TYPES_DISCARD_FOR_QUEUEING.kind
    assert isinstance(kind, TextList)
    assert set(kind.choices) == {name for name, action in ACTIONS.items() if action.initiator != "CentralSystem"}


@pytest.mark.parametrize(
    "core",
    [
        {"MeterValuesSampledData": "Voltage,SoC", "MeterValuesSampledDataMaxLength": 1},
        {"ConnectorPhaseRotation": "0.RST,3.RST", "NumberOfConnectors": 2},
    ],
)
def test_what_other_software_does_not_enforce_in_the_file_is_a_warning(core: dict[str, Any]) -> None:
    (warning,) = load(Core=core).warnings
    assert warning.startswith(f"Core.{next(iter(core))} = ")


def test_a_short_password_is_warned_of() -> None:
    (short,) = load(Security={"SecurityProfile": 1, "AuthorizationKey": "abcdefgh"}).warnings
    assert "8 bytes" in short
    assert "abcdefgh" not in short


def test_a_bad_secret_is_not_shown() -> None:
    assert problems(document(Security={"AuthorizationKey": "geheim"})) == (
        "Security.AuthorizationKey = (secret): must have 8 to 100 bytes",
    )


def test_secrets_are_in_no_repr() -> None:
    config = load(Security={"AuthorizationKey": "hex:" + "41" * 16})
    assert config[AUTHORIZATION_KEY] == b"A" * 16
    change = config.change("AuthorizationKey", "42" * 20)
    assert config[AUTHORIZATION_KEY] == b"B" * 20
    for text in (repr(config), repr(change), repr(change.key)):
        assert "4242" not in text
        assert "BBBB" not in text
        assert "4141" not in text


def test_the_document_is_not_changed_nor_kept() -> None:
    given = document(CostAndPrice={"DefaultPrice": {"priceText": "a"}})
    before = copy.deepcopy(given)
    config = Configuration.load(given, custom=NO_CUSTOM)
    config.change("DefaultPrice", '{"priceText": "b"}')
    assert given == before
    given["CostAndPrice"]["DefaultPrice"]["priceText"] = "c"
    assert config.report(["DefaultPrice"])[0][0]["value"] == '{"priceText":"b"}'


def test_only_what_differs_from_the_defaults_is_held() -> None:
    whole = {
        section.name: {
            key.name: key.to_json(key.default)
            for key in section.keys.values()
            if key.default is not None and not key.is_optional
        }
        for section in SECTIONS.values()
    }
    whole["Internal"].update(IDENTITY)
    config = Configuration.load(whole, custom=NO_CUSTOM)
    slots = [getattr(config, name) for kind in type(config).__mro__ for name in getattr(kind, "__slots__", ())]
    assert sum(map(sys.getsizeof, slots)) + sys.getsizeof(config) < 1200
    assert config.origin("HeartbeatInterval") == "default"
    assert config.origin("chargepointid") == "main"


def test_origin_of_an_unknown_key() -> None:
    with pytest.raises(KeyError):
        load().origin("Nothing")


def test_the_profiles_reported_are_those_listed_and_built() -> None:
    config = load(Core={"SupportedFeatureProfiles": "Core,SmartCharging,Reservation"}, PnC={})
    assert config.text("SupportedFeatureProfiles") == "Core,SmartCharging,Reservation"
    config.built_profiles = frozenset({"Core", "Reservation"})
    assert config.report(["SupportedFeatureProfiles"])[0][0]["value"] == "Core,Reservation"
    warning = "configured but not built, and not reported: SmartCharging, PnC"
    assert config.warnings == [warning]
    config.built_profiles = frozenset({"Core", "Reservation"})
    assert config.warnings == [warning]
    assert not config.is_present(ISO15118_PNC_ENABLED)


def test_nobody_is_warned_of_what_nobody_wrote() -> None:
    config = load()
    config.built_profiles = frozenset({"Core"})
    assert config.warnings == []


def test_lists_may_be_empty() -> None:
    assert load(Core={"StopTxnSampledData": ""})[STOP_TXN_SAMPLED_DATA] == ()
