"""GetConfiguration: which keys are reported, in which order and spelling, and what happens to long values."""

import json
from typing import Any

import pytest

from ocpp16.codec import validate
from ocpp16.configuration.configuration import Configuration, KeyValue
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.keys import SECTIONS
from ocpp16.configuration.keys.core import SUPPORTED_FEATURE_PROFILES
from ocpp16.configuration.keys.internal import METER_PUBLIC_KEYS

IDENTITY = {"ChargePointId": "c", "CentralSystemURI": "u", "ChargePointModel": "m", "ChargePointVendor": "v"}
LONG_LIST = ",".join(f"NL*ABC*E{number:08}" for number in range(50))


def load(**sections: dict[str, Any]) -> Configuration:
    document = {"Internal": {**IDENTITY, **sections.pop("Internal", {})}, **sections}
    return Configuration.load(document, custom=CustomKeys())


def one(config: Configuration, name: str) -> KeyValue | None:
    found, unknown = config.report([name])
    assert (len(found), unknown) in ((1, []), (0, [name]))
    return found[0] if found else None


def value(config: Configuration, name: str) -> str | None:
    row = one(config, name)
    assert row is not None
    return row.get("value")


def test_full_read_goes_section_by_section_in_the_order_of_names() -> None:
    found, unknown = load(Custom={"b": "1", "A": "2"}, PnC={}).report()
    names = [row["key"] for row in found]
    assert unknown == []
    assert names[-2:] == ["A", "b"]
    order = [
        key.name
        for section in SECTIONS.values()
        if section.name != "CostAndPrice"
        for key in section.keys.values()
        if key.name in names
    ]
    assert names[:-2] == order
    assert names.index("ISO15118PnCEnabled") > names.index("SecurityProfile") > names.index("HeartbeatInterval")


def test_full_read_is_a_valid_confirmation_whatever_the_values() -> None:
    config = load(
        Internal={"ConnectorEvseIds": LONG_LIST, "HostName": "u" * 600},
        CostAndPrice={"DefaultPrice": {"priceText": "x" * 600}},
    )
    found, _ = config.report(None)
    validate("GetConfiguration", "response", {"configurationKey": found})
    assert json.loads(json.dumps(found)) == found


def test_names_in_any_case_get_the_canonical_spelling_and_repeats_are_repeated() -> None:
    found, unknown = load().report(["heartbeatINTERVAL", "Nope", "HeartbeatInterval", "nope"])
    assert found == [{"key": "HeartbeatInterval", "readonly": False, "value": "86400"}] * 2
    assert unknown == ["Nope", "nope"]


@pytest.mark.parametrize("names", [None, []])
def test_no_names_mean_all(names: list[str] | None) -> None:
    assert len(load().report(names)[0]) > 50


@pytest.mark.parametrize("name", ["AuthorizationKey", "authorizationkey", "IFace", "KeyAccess", "AuthorizationKeyForm"])
def test_keys_that_are_never_reported(name: str) -> None:
    config = load(Internal={"IFace": "eth0"}, Security={"AuthorizationKey": "text:0123456789abcdef"})
    assert one(config, name) is None
    assert name.lower() not in {row["key"].lower() for row in config.report()[0]}


@pytest.mark.parametrize("name", ["WebSocketPingInterval", "LightIntensity", "ICCID", "MinimumStatusDuration"])
def test_optional_keys_are_reported_only_when_configured(name: str) -> None:
    assert one(load(), name) is None
    section = "Internal" if name == "ICCID" else "Core"
    native: Any = "8949" if name == "ICCID" else 0
    assert one(load(**{section: {name: native}}), name) is not None


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ("SmartCharging", "ChargeProfileMaxStackLevel"),
        ("LocalAuthListManagement", "LocalAuthListEnabled"),
        ("Reservation", "ReserveConnectorZeroSupported"),
        ("FirmwareManagement", "SupportedFileTransferProtocols"),
    ],
)
def test_keys_of_a_profile_exist_with_the_profile(profile: str, name: str) -> None:
    sections: dict[str, Any] = {
        "Reservation": {"ReserveConnectorZeroSupported": True},
        "FirmwareManagement": {"SupportedFileTransferProtocols": "HTTP"},
    }
    config = load(**sections)
    assert one(config, name) is not None
    config.built_profiles = frozenset({"Core"})
    assert one(config, name) is None
    assert name not in {row["key"] for row in config.report()[0]}
    assert one(load(Core={"SupportedFeatureProfiles": "Core"}, **sections), name) is None


@pytest.mark.parametrize("section", ["PnC", "CostAndPrice"])
def test_keys_of_an_extension_exist_with_its_section(section: str) -> None:
    name = {"PnC": "ContractValidationOffline", "CostAndPrice": "CustomDisplayCostAndPrice"}[section]
    assert one(load(), name) is None
    assert value(load(**{section: {}}), name) == "false"


def test_a_key_without_value_that_may_be_set_is_known() -> None:
    config = load()
    assert one(config, "cponame") == {"key": "CpoName", "readonly": False}
    assert config.prepare_change("CpoName", "Us").change.status == "Accepted"


def test_texts_on_the_wire() -> None:
    config = load(Core={"NumberOfConnectors": 1}, Custom={"a": True, "b": 5, "c": ["x", None], "d": "ü"})
    assert value(config, "SupportedCiphers13") == "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"
    assert value(config, "SupportedChargingProfilePurposeTypes") == "ChargePointMaxProfile,TxDefaultProfile,TxProfile"
    assert value(config, "SupplyVoltage") == "230"
    assert value(config, "VerifyCsmsCommonName") == "true"
    assert value(config, "AuthorizeConnectorZeroOnConnectorOne") == "true"
    assert [value(config, name) for name in "abcd"] == ["true", "5", '["x",null]', "ü"]
    assert value(load(Core={"NumberOfConnectors": 2}), "AuthorizeConnectorZeroOnConnectorOne") == "false"


@pytest.mark.parametrize(("limit", "answered"), [(2, 2), (0, 5), (100, 5)])
def test_more_names_than_announced_are_not_looked_at(limit: int, answered: int) -> None:
    names = ["HeartbeatInterval", "a", "ResetRetries", "b", "ConnectionTimeOut"]
    found, unknown = load(Core={"GetConfigurationMaxKeys": limit}).report(names)
    assert len(found) + len(unknown) == answered
    assert len(load(Core={"GetConfigurationMaxKeys": limit}).report()[0]) > 50


def test_long_values_are_reported_in_part_with_a_warning_at_load() -> None:
    config = load(
        Internal={"ConnectorEvseIds": LONG_LIST, "HostName": "x" * 501},
        CostAndPrice={"DefaultPrice": {"priceText": "x" * 500}},
    )
    shortened = value(config, "ConnectorEvseIds")
    assert shortened is not None
    assert 480 < len(shortened) <= 500
    assert LONG_LIST.startswith(shortened + ",")
    assert value(config, "HostName") == "x" * 500
    assert value(config, "DefaultPrice") is None
    assert {warning.split(":")[0] for warning in config.warnings} == {
        "Internal.ConnectorEvseIds",
        "Internal.HostName",
        "CostAndPrice.DefaultPrice",
    }


def test_meter_public_keys_are_one_key_each() -> None:
    config = load(Internal={"MeterPublicKeys": ["first", "", "x" * 501]})
    assert one(config, "meterpublickey1") == {"key": "MeterPublicKey1", "readonly": True, "value": "first"}
    assert value(config, "MeterPublicKey2") == ""
    assert value(config, "MeterPublicKey3") is None
    for name in ("MeterPublicKey0", "MeterPublicKey4", "MeterPublicKey", "MeterPublicKeyx", "MeterPublicKeys"):
        assert one(config, name) is None
    names = [row["key"] for row in config.report()[0]]
    assert [name for name in names if name.startswith("MeterPublic")] == [
        "MeterPublicKey1",
        "MeterPublicKey2",
        "MeterPublicKey3",
    ]
    config.set(METER_PUBLIC_KEYS, ("other",))
    assert value(config, "MeterPublicKey1") == "other"
    assert config.lookup("meterPublicKey7") is METER_PUBLIC_KEYS


def test_price_texts_are_one_key_for_each_language() -> None:
    cost = {
        "DefaultPriceText": {"priceTexts": [{"language": "en", "priceText": "dear"}]},
        "SupportedLanguages": "en, nl",
        "CustomMultiLanguageMessages": True,
    }
    config = load(CostAndPrice=cost)
    assert value(config, "defaultpricetext, EN") == '{"priceText":"dear"}'
    assert value(config, "DefaultPriceText,nl") == ""
    assert one(config, "DefaultPriceText,de") is None
    assert one(config, "DefaultPriceText") is None
    single = load(CostAndPrice={**cost, "CustomMultiLanguageMessages": False})
    assert one(single, "DefaultPriceText,en") is None
    assert "DefaultPriceText,en" in {row["key"] for row in single.report()[0]}


def test_access_may_be_another_in_a_deployment() -> None:
    access = {
        "HeartbeatInterval": "RO",
        "StopTransactionOnEVSideDisconnect": "RW",
        "ICCID": "HIDDEN",
        "IMSI": "WO",
        "mine": "RO",
    }
    config = load(Internal={"ICCID": "1", "IMSI": "1", "KeyAccess": access}, Custom={"mine": "x"})
    assert one(config, "HeartbeatInterval") == {"key": "HeartbeatInterval", "readonly": True, "value": "86400"}
    assert one(config, "StopTransactionOnEVSideDisconnect") == {
        "key": "StopTransactionOnEVSideDisconnect",
        "readonly": False,
        "value": "true",
    }
    assert one(config, "ICCID") is None
    assert one(config, "IMSI") is None
    assert one(config, "mine") == {"key": "mine", "readonly": True, "value": "x"}
    assert config[SUPPORTED_FEATURE_PROFILES][0] == "Core"
