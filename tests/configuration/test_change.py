"""ChangeConfiguration and changes by the host: statuses, all or nothing, what is to be stored."""

from typing import Any

import pytest

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.keys.core import (
    HEARTBEAT_INTERVAL,
    METER_VALUES_SAMPLED_DATA,
    NUMBER_OF_CONNECTORS,
    WEB_SOCKET_PING_INTERVAL,
)
from ocpp16.configuration.keys.internal import (
    CENTRAL_SYSTEM_URI,
    CHARGE_POINT_ID,
    CHARGE_POINT_MODEL,
    ENABLE_TLS_KEYLOG,
    ICCID,
    IMSI,
    KEY_ACCESS,
    METER_PUBLIC_KEYS,
    RETRY_BACKOFF_WAIT_MINIMUM,
    SUPPLY_VOLTAGE,
    TRANSACTION_RETENTION_DAYS,
)
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY, SECURITY_PROFILE
from ocpp16.enums import ConfigurationStatus

IDENTITY = {"ChargePointId": "c", "CentralSystemURI": "u", "ChargePointModel": "m", "ChargePointVendor": "v"}
ACCEPTED, REJECTED = ConfigurationStatus.ACCEPTED, ConfigurationStatus.REJECTED
NOT_SUPPORTED, REBOOT = ConfigurationStatus.NOT_SUPPORTED, ConfigurationStatus.REBOOT_REQUIRED
PASSWORD = "0001020304050607" + "ff" * 12


def load(**sections: dict[str, Any]) -> Configuration:
    document = {"Internal": {**IDENTITY, **sections.pop("Internal", {})}, **sections}
    return Configuration.load(document, custom=CustomKeys())


# configuration, key as sent, text, status
STATUSES: list[tuple[dict[str, Any], str, str, ConfigurationStatus]] = [
    ({}, "HeartbeatInterval", "300", ACCEPTED),
    ({}, "HEARTBEATINTERVAL", "0", ACCEPTED),
    ({}, "HeartbeatInterval", "-1", REJECTED),
    ({}, "HeartbeatInterval", "soon", REJECTED),
    ({}, "Nonsense", "1", NOT_SUPPORTED),
    ({}, "", "1", NOT_SUPPORTED),
    ({}, "NumberOfConnectors", "3", REJECTED),
    ({}, "CentralSystemURI", "ws://other/", REJECTED),
    ({}, "ChargePointId", "other", REJECTED),
    ({}, "RetryBackoffWaitMinimum", "5", REJECTED),
    ({}, "ConnectionTimeOut", "86400", ACCEPTED),
    ({}, "ConnectionTimeOut", "86401", REJECTED),
    ({}, "WebSocketPingInterval", "5", NOT_SUPPORTED),
    ({"Core": {"WebSocketPingInterval": 0}}, "WebSocketPingInterval", "5", ACCEPTED),
    ({}, "CpoName", "Us", ACCEPTED),
    ({}, "AuthorizeRemoteTxRequests", "TRUE", ACCEPTED),
    ({}, "AuthorizeRemoteTxRequests", "yes", REJECTED),
    ({}, "DisableSecurityEventNotifications", "true", ACCEPTED),
    ({}, "OcspRequestInterval", "86400", ACCEPTED),
    ({}, "OcspRequestInterval", "86399", REJECTED),
    ({"Internal": {"TransactionRetentionDays": 10}}, "TransactionRetentionDays", "20", NOT_SUPPORTED),
    ({}, "TransactionRetentionDays", "20", NOT_SUPPORTED),
    ({}, "CompositeScheduleDefaultNumberPhases", "2", ACCEPTED),
    ({}, "CompositeScheduleDefaultNumberPhases", "2x", REJECTED),
    ({}, "MeterValuesSampledData", "Voltage , SoC", ACCEPTED),
    ({}, "MeterValuesSampledData", "", ACCEPTED),
    ({}, "MeterValuesSampledData", "RPM", REJECTED),
    ({}, "MeterValuesSampledData", "Voltage.L1", REJECTED),
    ({"Core": {"StopTxnSampledDataMaxLength": 1}}, "StopTxnSampledData", "SoC", ACCEPTED),
    ({"Core": {"StopTxnSampledDataMaxLength": 1}}, "StopTxnSampledData", "SoC,Voltage", REJECTED),
    ({}, "ConnectorPhaseRotation", "0.RST,1.RTS", ACCEPTED),
    ({}, "ConnectorPhaseRotation", "2.RST", REJECTED),
    ({}, "LocalAuthListEnabled", "true", ACCEPTED),
    ({"Core": {"SupportedFeatureProfiles": "Core"}}, "LocalAuthListEnabled", "true", NOT_SUPPORTED),
    ({}, "ISO15118PnCEnabled", "true", NOT_SUPPORTED),
    ({"PnC": {}}, "ISO15118PnCEnabled", "true", ACCEPTED),
    ({}, "KeyAccess", "{}", NOT_SUPPORTED),
    ({}, "IFace", "eth0", NOT_SUPPORTED),
    ({}, "AuthorizationKey", PASSWORD, ACCEPTED),
    ({}, "authorizationkey", PASSWORD, ACCEPTED),
    ({}, "AuthorizationKey", "password-as-text", REJECTED),
    ({"Security": {"AuthorizationKeyForm": "Text"}}, "AuthorizationKey", "password-as-text", ACCEPTED),
    *(({"Security": {"AuthorizationKey": PASSWORD}}, "SecurityProfile", text, REJECTED) for text in "04x"),
    *(({"Security": {"AuthorizationKey": PASSWORD}}, "SecurityProfile", text, ACCEPTED) for text in "123"),
    ({}, "SecurityProfile", "1", REJECTED),
    ({"Security": {"AuthorizationKey": PASSWORD, "SecurityProfile": 2}}, "SecurityProfile", "1", REJECTED),
    ({}, "PreviousSecurityProfile", "1", NOT_SUPPORTED),
    ({}, "PreviousAuthorizationKey", "00" * 16, NOT_SUPPORTED),
    ({"Internal": {"IgnoredProfilePurposesOffline": ""}}, "IgnoredProfilePurposesOffline", " TxProfile ", ACCEPTED),
    ({"Internal": {"ConnectorEvseIds": "1234567"}}, "ConnectorEvseIds", "", ACCEPTED),
    ({"Internal": {"MeterPublicKeys": ["a"]}}, "MeterPublicKey1", "b", REJECTED),
    ({"Internal": {"MeterPublicKeys": ["a"]}}, "MeterPublicKey2", "b", NOT_SUPPORTED),
    ({"Internal": {"MeterPublicKeys": ["a"]}}, "MeterPublicKeys", "b", NOT_SUPPORTED),
    ({"Internal": {"KeyAccess": {"CentralSystemURI": "RW"}}}, "CentralSystemURI", "ws://other/", REBOOT),
    ({"Internal": {"KeyAccess": {"CentralSystemURI": "RW"}}}, "CentralSystemURI", "", REJECTED),
    ({"Internal": {"KeyAccess": {"HeartbeatInterval": "RO"}}}, "HeartbeatInterval", "5", REJECTED),
    ({"Internal": {"KeyAccess": {"HeartbeatInterval": "HIDDEN"}}}, "HeartbeatInterval", "5", NOT_SUPPORTED),
    ({"Internal": {"KeyAccess": {"HeartbeatInterval": "WO"}}}, "HeartbeatInterval", "5", ACCEPTED),
    ({"CostAndPrice": {}}, "DefaultPrice", '{"priceText":"a"}', NOT_SUPPORTED),
    ({"CostAndPrice": {"DefaultPrice": {"priceText": "a"}}}, "DefaultPrice", '{"priceText":"b"}', ACCEPTED),
    ({"CostAndPrice": {"DefaultPrice": {"priceText": "a"}}}, "DefaultPrice", '{"text":"b"}', REJECTED),
    ({"CostAndPrice": {"TimeOffset": "+01:00"}}, "TimeOffset", "+2", REJECTED),
    ({"CostAndPrice": {"TimeOffset": "+01:00"}}, "TimeOffset", "+00000000002:00", REJECTED),
    ({"Custom": {"mine": "x"}}, "MINE", "y", ACCEPTED),
    ({"Custom": {"mine": "x"}}, "mine", "y" * 501, REJECTED),
    ({"Custom": {"mine": "x"}}, "other", "y", NOT_SUPPORTED),
]


@pytest.mark.parametrize(("sections", "name", "text", "status"), STATUSES)
def test_status(sections: dict[str, Any], name: str, text: str, status: ConfigurationStatus) -> None:
    config = load(**sections)
    before = config.report()
    change = config.change(name, text)
    assert change.status == status
    assert change.is_accepted == (status in (ACCEPTED, REBOOT))
    assert bool(change.reason) != change.is_accepted
    if not change.is_accepted:
        assert config.report() == before
        assert config.overrides == {}
        assert config.secrets == {}
        assert change.value is None


def test_an_accepted_change_says_what_to_store() -> None:
    config = load()
    change = config.change("metervaluesSAMPLEDdata", " SoC ,Voltage")
    assert change.key is METER_VALUES_SAMPLED_DATA
    assert (change.wire_name, change.value) == ("MeterValuesSampledData", "SoC,Voltage")
    assert not change.is_secret
    assert config[METER_VALUES_SAMPLED_DATA] == ("SoC", "Voltage")
    assert config.overrides == {"Core": {"MeterValuesSampledData": "SoC,Voltage"}}
    assert config.origin("MeterValuesSampledData") == "runtime"


def test_the_same_value_again_is_unchanged() -> None:
    config = load(Internal={"KeyAccess": {"NumberOfConnectors": "RW"}})
    assert config.change("HeartbeatInterval", "86400").is_unchanged
    assert not config.change("HeartbeatInterval", "5").is_unchanged
    again = config.change("HeartbeatInterval", "+5")
    assert again.is_unchanged
    assert again.value == 5
    # Nothing changes, so nothing has to be restarted for it.
    assert config.change("NumberOfConnectors", "1").status == ACCEPTED
    assert config.change("NumberOfConnectors", "2").status == REBOOT


def test_back_to_the_main_configuration_is_no_override() -> None:
    config = load(Core={"HeartbeatInterval": 300})
    config.change("HeartbeatInterval", "5")
    back = config.change("HeartbeatInterval", "300")
    assert back.value is None
    assert not back.is_unchanged
    assert config.overrides == {}
    assert config.origin("HeartbeatInterval") == "main"


def test_secrets_are_kept_apart_and_follow_the_mode() -> None:
    config = load()
    change = config.change("AuthorizationKey", PASSWORD)
    assert change.is_secret
    assert change.value == f"hex:{PASSWORD}"
    assert config[AUTHORIZATION_KEY] == bytes.fromhex(PASSWORD)
    assert config.overrides == {}
    assert config.secrets == {"Security": {"AuthorizationKey": f"hex:{PASSWORD}"}}
    text = load(Security={"AuthorizationKeyForm": "Text"})
    text.change("AuthorizationKey", PASSWORD)
    assert text[AUTHORIZATION_KEY] == PASSWORD.encode()


def test_objects_are_stored_as_a_difference_that_merges_back() -> None:
    price = {"priceText": "a", "priceTextOffline": "b", "chargingPrice": {"kWhPrice": 1, "flatFee": 2}}
    config = load(CostAndPrice={"DefaultPrice": price})
    change = config.change("DefaultPrice", '{"priceText":"a","chargingPrice":{"kWhPrice":3}}')
    assert change.value == {"priceTextOffline": None, "chargingPrice": {"kWhPrice": 3, "flatFee": None}}


def test_a_language_is_added_and_replaced() -> None:
    cost = {"SupportedLanguages": "en,nl", "CustomMultiLanguageMessages": True}
    config = load(CostAndPrice=cost)
    first = config.change("DefaultPriceText,NL", '{"priceText":"duur"}')
    assert (first.status, first.wire_name) == (ACCEPTED, "DefaultPriceText,nl")
    config.change("DefaultPriceText,en", '{"priceText":"dear","language":"nl"}')
    last = config.change("DefaultPriceText,nl", '{"priceText":"goedkoop"}')
    assert last.value == {
        "priceTexts": [{"priceText": "goedkoop", "language": "nl"}, {"priceText": "dear", "language": "en"}]
    }
    assert config.change("DefaultPriceText,nl", '{"priceText":""}').status == REJECTED
    assert config.change("DefaultPriceText,nl", "[]").status == REJECTED
    assert config.change("DefaultPriceText,de", '{"priceText":"teuer"}').status == NOT_SUPPORTED
    assert config.report(["DefaultPriceText,nl"])[0][0].get("value") == '{"priceText":"goedkoop"}'


def test_one_key_of_many_can_be_made_writable() -> None:
    config = load(Internal={"MeterPublicKeys": ["a", "b"], "KeyAccess": {"MeterPublicKeys": "RW"}})
    change = config.change("meterpublickey2", "c")
    assert (change.key, change.wire_name, change.value) == (METER_PUBLIC_KEYS, "MeterPublicKey2", ["a", "c"])


def test_a_change_that_others_depend_on_is_refused() -> None:
    config = load(Internal={"KeyAccess": {"SupportedMeasurands": "RW"}})
    change = config.change("SupportedMeasurands", "Voltage")
    assert change.status == REJECTED
    assert change.reason == "does not go with MeterValuesAlignedData"
    config.change("MeterValuesAlignedData", "")
    config.change("MeterValuesSampledData", "Voltage")
    assert config.change("SupportedMeasurands", "Voltage").status == REBOOT


def test_the_host_sets_what_the_central_system_may_not() -> None:
    config = load()
    assert config.set(NUMBER_OF_CONNECTORS, 4).status == REBOOT
    assert config.set(WEB_SOCKET_PING_INTERVAL, 30).status == ACCEPTED
    assert config.set(ICCID, "8949").value == "8949"
    assert config.set(METER_PUBLIC_KEYS, ("a", "")).value == ["a", ""]
    assert config.set(SECURITY_PROFILE, 1).reason == "needs an AuthorizationKey"
    assert config.set(AUTHORIZATION_KEY, b"0123456789abcdef").is_secret
    assert config.set(SECURITY_PROFILE, 1).status == ACCEPTED
    assert config.reset(AUTHORIZATION_KEY).status == REJECTED
    assert config.set(SECURITY_PROFILE, 4).status == REJECTED
    assert config.set(SECURITY_PROFILE, 0).status == ACCEPTED
    assert config[NUMBER_OF_CONNECTORS] == 1  # as long as it runs
    assert config.after_reboot()[NUMBER_OF_CONNECTORS] == 4
    assert config[AUTHORIZATION_KEY] == b"0123456789abcdef"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (HEARTBEAT_INTERVAL, -1),
        (HEARTBEAT_INTERVAL, "5"),
        (CHARGE_POINT_MODEL, "x" * 21),
        (METER_VALUES_SAMPLED_DATA, ("RPM",)),
        (METER_VALUES_SAMPLED_DATA, "SoC"),
        (AUTHORIZATION_KEY, b"short"),
        (AUTHORIZATION_KEY, "no bytes"),
        (CHARGE_POINT_ID, None),
        (CHARGE_POINT_ID, "a\nb"),
        (CENTRAL_SYSTEM_URI, "http://csms/"),
        (CENTRAL_SYSTEM_URI, "wss://csms/"),
        (ENABLE_TLS_KEYLOG, True),
        (SUPPLY_VOLTAGE, 10**400),
        (TRANSACTION_RETENTION_DAYS, 20),
    ],
)
def test_what_the_host_sets_is_checked(key: Any, value: Any) -> None:
    config = load()
    before = config[key]
    change = config.set(key, value)
    assert change.status == REJECTED
    assert config[key] == before
    assert config.overrides == config.secrets == {}


def test_the_host_takes_a_change_back() -> None:
    config = load(Internal={"IMSI": "1"})
    config.set(ICCID, "8949")
    config.set(IMSI, "2")
    assert config.set(ICCID, None).status == ACCEPTED
    assert not config.is_present(ICCID)
    assert config.set(IMSI, None).status == REJECTED
    assert config.reset(IMSI).value is None
    assert config[IMSI] == "1"
    assert config.reset(HEARTBEAT_INTERVAL).is_unchanged
    assert config.overrides == {}


def test_a_secret_cannot_be_made_readable_later() -> None:
    config = load(Security={"AuthorizationKey": PASSWORD})
    config.set(KEY_ACCESS, {"AuthorizationKey": "RO"})
    assert config.report(["AuthorizationKey"]) == ([], ["AuthorizationKey"])


def test_backoff_keys_are_what_they_are_reported_to_be() -> None:
    names = ("RetryBackoffRandomRange", "RetryBackoffRepeatTimes", "RetryBackoffWaitMinimum")
    config, opened = load(), load(Internal={"KeyAccess": dict.fromkeys(names, "RW")})
    for name in names:
        assert config.report([name])[0][0]["readonly"] is True
        assert config.change(name, "7").status == REJECTED
        assert opened.report([name])[0][0]["readonly"] is False
        assert opened.change(name, "7").status == ACCEPTED
        assert opened.change(name, "2147483647").status == REJECTED
    assert opened[RETRY_BACKOFF_WAIT_MINIMUM] == 7


def test_a_deployment_may_close_the_security_profile() -> None:
    assert load().report(["SecurityProfile"])[0][0]["readonly"] is False
    assert load(Internal={"KeyAccess": {"SecurityProfile": "RO"}}).change("SecurityProfile", "1").status == REJECTED
    assert load(Internal={"KeyAccess": {"SecurityProfile": "HIDDEN"}}).report(["SecurityProfile"])[0] == []


def test_configurations_do_not_share_changes() -> None:
    one, other = load(), load()
    one.change("HeartbeatInterval", "5")
    assert other[HEARTBEAT_INTERVAL] == 86_400
