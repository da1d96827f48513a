"""GetConfiguration and ChangeConfiguration."""

from collections.abc import Callable

import pytest
from outside import Outside

Begin = Callable[..., Outside]

CORE_KEYS = {
    # §9.1, those that are required
    "AuthorizeRemoteTxRequests",
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "GetConfigurationMaxKeys",
    "HeartbeatInterval",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "MeterValuesAlignedData",
    "MeterValuesSampledData",
    "MeterValueSampleInterval",
    "NumberOfConnectors",
    "ResetRetries",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnSampledData",
    "SupportedFeatureProfiles",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect",
    # §9.2 to §9.4
    "LocalAuthListEnabled",
    "LocalAuthListMaxLength",
    "SendLocalListMaxLength",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
}


def value(one: Outside, key: str) -> str:
    (found,) = one.call("GetConfiguration", key=[key])["configurationKey"]
    text: str = found["value"]
    return text


def test_tc_019_1_all_keys(idle: Outside) -> None:
    """Without a list: every key, each once, with its access."""
    got = idle.call("GetConfiguration")
    names = [one["key"] for one in got["configurationKey"]]
    assert len(names) == len(set(names))
    assert set(names) >= CORE_KEYS
    assert "unknownKey" not in got
    assert "AuthorizationKey" not in names


def test_tc_019_2_some_keys(idle: Outside) -> None:
    """With a list: those, and the others as unknown."""
    got = idle.call("GetConfiguration", key=["SupportedFeatureProfiles", "NoSuchKey"])
    (found,) = got["configurationKey"]
    assert (found["key"], found["readonly"]) == ("SupportedFeatureProfiles", True)
    assert set(found["value"].split(",")) >= {"Core", "Reservation", "SmartCharging", "RemoteTrigger"}
    assert got["unknownKey"] == ["NoSuchKey"]


def test_a_key_in_any_case(idle: Outside) -> None:
    """Keys are CiStrings."""
    (found,) = idle.call("GetConfiguration", key=["nUMBERoFcONNECTORS"])["configurationKey"]
    assert found["value"] == "2"


def test_an_empty_list_of_keys_is_none(idle: Outside) -> None:
    """As without a list."""
    assert len(idle.call("GetConfiguration", key=[])["configurationKey"]) >= len(CORE_KEYS)


def test_the_password_is_never_told(begin: Begin) -> None:
    """AuthorizationKey is write-only: unknown to GetConfiguration."""
    one = begin()
    got = one.call("GetConfiguration", key=["AuthorizationKey"])
    assert got.get("configurationKey", []) == []
    assert got["unknownKey"] == ["AuthorizationKey"]


@pytest.mark.parametrize(
    ("key", "new"),
    [
        ("MeterValueSampleInterval", "77"),
        ("ConnectionTimeOut", "0"),
        ("HeartbeatInterval", "86400"),
        ("LocalPreAuthorize", "true"),
        ("AllowOfflineTxForUnknownId", "TRUE"),
        ("StopTxnSampledData", ""),
        ("MeterValuesSampledData", "SoC,Voltage"),
        ("TransactionMessageAttempts", "9"),
        ("ConnectorPhaseRotation", "0.RST,1.RST,2.RTS"),
        ("TransactionMessageRetryInterval", "0"),
        ("LocalAuthListEnabled", "false"),
    ],
)
def test_tc_021_set_a_key(idle: Outside, key: str, new: str) -> None:
    """Accepted, told so afterwards, put back."""
    old = value(idle, key)
    assert idle.ask("ChangeConfiguration", key=key, value=new) == "Accepted"
    assert value(idle, key).lower() == new.lower()
    assert idle.ask("ChangeConfiguration", key=key, value=old) == "Accepted"


def test_a_set_key_survives_a_power_cut(begin: Begin) -> None:
    """Accepted means stored."""
    one = begin()
    assert one.ask("ChangeConfiguration", key="ConnectionTimeOut", value="123") == "Accepted"
    one.power_cut()
    one.power_up()
    one.booted()
    assert value(one, "ConnectionTimeOut") == "123"


def test_tc_040_1_set_an_unknown_key(idle: Outside) -> None:
    """NotSupported."""
    assert idle.ask("ChangeConfiguration", key="NoSuchKey", value="1") == "NotSupported"


@pytest.mark.parametrize(
    ("key", "new"),
    [
        ("MeterValueSampleInterval", "-1"),
        ("MeterValueSampleInterval", "soon"),
        ("HeartbeatInterval", "1.5"),
        ("ConnectionTimeOut", ""),
        ("LocalPreAuthorize", "yes"),
        ("MeterValuesSampledData", "Hunger"),
        ("StopTxnAlignedData", "SoC,Hunger"),
        ("TransactionMessageAttempts", "99999999999999999999"),
    ],
)
def test_tc_040_2_set_a_bad_value(idle: Outside, key: str, new: str) -> None:
    """Rejected, and the old value stays."""
    old = value(idle, key)
    assert idle.ask("ChangeConfiguration", key=key, value=new) == "Rejected"
    assert value(idle, key) == old


@pytest.mark.parametrize("key", ["NumberOfConnectors", "SupportedFeatureProfiles", "GetConfigurationMaxKeys"])
def test_set_a_key_that_is_read_only(idle: Outside, key: str) -> None:
    """Rejected."""
    assert idle.ask("ChangeConfiguration", key=key, value="1") == "Rejected"


def test_a_shorter_sample_interval_holds_for_what_runs(begin: Begin) -> None:
    """MeterValueSampleInterval is changed while it charges: the readings come at the new one."""
    one = begin()
    number = one.charge()
    one.settle()
    assert one.calls("MeterValues") == []
    assert one.ask("ChangeConfiguration", key="MeterValueSampleInterval", value="1") == "Accepted"
    one.expect("MeterValues", transactionId=number)
    one.expect("MeterValues", transactionId=number)


def test_a_new_connection_timeout_holds_for_the_next_card(begin: Begin) -> None:
    """ConnectionTimeOut is changed: the next card that nobody follows times out by it."""
    one = begin(Core={"ConnectionTimeOut": 1000})
    assert one.ask("ChangeConfiguration", key="ConnectionTimeOut", value="1") == "Accepted"
    one.card("CARD", 1)
    one.status(1, "Preparing")
    one.status(1, "Available")
