"""Keys that can act at a start alone: what each is at first, and what it is changed to."""

from dataclasses import dataclass
from typing import Any

from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import core, cost_and_price, internal, reservation, security, smart_charging
from ocpp16.configuration.keys.firmware_management import SIGNED_FIRMWARE_REQUIRED, SUPPORTED_FILE_TRANSFER_PROTOCOLS
from ocpp16.configuration.keys.local_auth_list_management import LOCAL_AUTH_LIST_MAX_LENGTH, SEND_LOCAL_LIST_MAX_LENGTH

FIRMWARE = {"Core__SupportedFeatureProfiles": "Core,FirmwareManagement"}
MEASURANDS = ["Energy.Active.Import.Register", "Voltage"]


@dataclass(frozen=True, slots=True)
class AtAStart:
    """Parameters: `old` and `new` in the form of a configuration file; `besides` other values it takes."""

    old: Any
    new: Any
    besides: dict[str, Any]


KEYS_OF_A_START: dict[str, AtAStart] = {}
"""By name of the key."""


def at_a_start(key: Key[Any], old: Any, new: Any, **besides: Any) -> None:
    assert key.name not in KEYS_OF_A_START
    KEYS_OF_A_START[key.name] = AtAStart(old, new, besides)


at_a_start(internal.AUTHORIZATION_CACHE_MAX_ENTRIES, 100, 5)
at_a_start(internal.AUTHORIZE_CONNECTOR_ZERO_ON_CONNECTOR_ONE, True, False, Core__NumberOfConnectors=1)
at_a_start(internal.CENTRAL_SYSTEM_URI, "ws://csms.example/ocpp/", "ws://other.example/ocpp/")
at_a_start(internal.ENABLE_TLS_KEYLOG, False, True, Internal__TLSKeylogFile="keys.log")
at_a_start(internal.HOST_NAME, "one.example", "two.example")
at_a_start(internal.IFACE, "eth0", "eth1")
at_a_start(internal.KEY_ACCESS, {"KeyAccess": "RW"}, {"KeyAccess": "RW", "ResetRetries": "RO"})
at_a_start(internal.LOG_MESSAGES, True, False)
at_a_start(internal.LOG_MESSAGES_FORMAT, ["log"], ["html", "security"])
at_a_start(internal.LOG_MESSAGES_RAW, False, True)
at_a_start(internal.LOG_ROTATION, False, True)
at_a_start(internal.LOG_ROTATION_DATE_SUFFIX, False, True)
at_a_start(internal.LOG_ROTATION_MAXIMUM_FILE_COUNT, 0, 3)
at_a_start(internal.LOG_ROTATION_MAXIMUM_FILE_SIZE, 0, 5000)
at_a_start(internal.MAX_COMPOSITE_SCHEDULE_DURATION, 3600, 600)
at_a_start(internal.MAX_MESSAGE_SIZE, 65000, 40000)
at_a_start(internal.MESSAGE_QUEUE_BYTE_LIMIT, 1_000_000, 2_000_000)
at_a_start(internal.MESSAGE_QUEUE_SIZE_THRESHOLD, 500, 50)
at_a_start(internal.MESSAGE_REPLAY_RATE, 0, 50)
at_a_start(internal.MESSAGE_TYPES_DISCARD_FOR_QUEUEING, "", "Heartbeat")
at_a_start(internal.QUEUE_ALL_MESSAGES, False, True)
at_a_start(internal.SCHEMA_VIOLATION_ERRORS, "Specific", "FormationViolation")
at_a_start(internal.STATION_TIMEOUT, 30, 5)
at_a_start(internal.STOP_TIMEOUT, 10, 5)
at_a_start(internal.STORE_TIMEOUT, 30, 5)
at_a_start(
    internal.SUPPORTED_CHARGING_PROFILE_PURPOSE_TYPES, ["TxProfile", "TxDefaultProfile"], ["ChargePointMaxProfile"]
)
at_a_start(internal.SUPPORTED_CIPHERS12, ["AES128-GCM-SHA256"], ["ECDHE-ECDSA-AES128-GCM-SHA256"])
at_a_start(internal.SUPPORTED_CIPHERS13, ["TLS_AES_256_GCM_SHA384"], ["TLS_AES_128_GCM_SHA256"])
at_a_start(internal.SUPPORTED_MEASURANDS, ",".join([*MEASURANDS, "SoC"]), ",".join(MEASURANDS))
at_a_start(internal.TLS_KEYLOG_FILE, "keys.log", "other.log")
at_a_start(internal.TIMESTAMP_FRACTION_DIGITS, 3, 0)
at_a_start(internal.TOLERANCES, "default", "strict")
at_a_start(internal.USE_SSL_DEFAULT_VERIFY_PATHS, False, True)
at_a_start(internal.VERIFY_CSMS_ALLOW_WILDCARDS, False, True)
at_a_start(internal.VERIFY_CSMS_COMMON_NAME, True, False)
at_a_start(internal.VOLATILE_CHARGING_PROFILE_PURPOSES, "", "TxProfile")
at_a_start(internal.WEBSOCKET_PING_PAYLOAD, "hello", "anybody there")
at_a_start(internal.WEBSOCKET_PONG_TIMEOUT, 5, 20)
at_a_start(core.CONNECTOR_PHASE_ROTATION_MAX_LENGTH, 5, 3)
at_a_start(core.GET_CONFIGURATION_MAX_KEYS, 100, 7)
at_a_start(core.METER_VALUES_ALIGNED_DATA_MAX_LENGTH, 5, 3)
at_a_start(core.METER_VALUES_SAMPLED_DATA_MAX_LENGTH, 5, 3)
at_a_start(core.NUMBER_OF_CONNECTORS, 2, 3)
at_a_start(core.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT, True, False)
at_a_start(core.STOP_TXN_ALIGNED_DATA_MAX_LENGTH, 5, 3)
at_a_start(core.STOP_TXN_SAMPLED_DATA_MAX_LENGTH, 5, 3)
at_a_start(core.SUPPORTED_FEATURE_PROFILES, "Core,SmartCharging,Reservation", "Core,SmartCharging")
at_a_start(core.SUPPORTED_FEATURE_PROFILES_MAX_LENGTH, 10, 11)
at_a_start(LOCAL_AUTH_LIST_MAX_LENGTH, 1000, 10)
at_a_start(SEND_LOCAL_LIST_MAX_LENGTH, 250, 10)
at_a_start(reservation.RESERVE_CONNECTOR_ZERO_SUPPORTED, False, True)
at_a_start(smart_charging.CHARGE_PROFILE_MAX_STACK_LEVEL, 99, 5)
at_a_start(smart_charging.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT, "Current,Power", "Power")
at_a_start(smart_charging.CHARGING_SCHEDULE_MAX_PERIODS, 100, 5)
at_a_start(smart_charging.CONNECTOR_SWITCH3_TO1_PHASE_SUPPORTED, False, True)
at_a_start(smart_charging.MAX_CHARGING_PROFILES_INSTALLED, 500, 50)
at_a_start(internal.CENTRAL_SYSTEM_NAME, "one.example", "two.example")
at_a_start(internal.FALLBACK_ATTEMPTS, 3, 5)
at_a_start(internal.FALLBACK_CENTRAL_SYSTEMS, "", "ws://other.example/,ws://third.example/")
at_a_start(internal.FALLBACK_RETURN_INTERVAL, 300, 60)
at_a_start(internal.USE_TPM, False, True)
at_a_start(internal.USE_TPM_SECC_LEAF_CERTIFICATE, False, True)
at_a_start(SIGNED_FIRMWARE_REQUIRED, False, True, **FIRMWARE)
at_a_start(SUPPORTED_FILE_TRANSFER_PROTOCOLS, "FTP", "FTP,HTTPS", **FIRMWARE)
at_a_start(security.ADDITIONAL_ROOT_CERTIFICATE_CHECK, False, True)
at_a_start(security.CERTIFICATE_SIGNED_MAX_CHAIN_SIZE, 10_000, 5_000)
at_a_start(security.CERTIFICATE_STORE_MAX_LENGTH, 10, 20)
at_a_start(security.AUTHORIZATION_KEY_FORM, "Hex", "Text")
at_a_start(cost_and_price.CUSTOM_DISPLAY_COST_AND_PRICE, False, True)
at_a_start(cost_and_price.CUSTOM_MULTI_LANGUAGE_MESSAGES, False, True)
at_a_start(cost_and_price.LANGUAGE, "en", "de")
at_a_start(cost_and_price.NUMBER_OF_DECIMALS_FOR_COST_VALUES, 3, 2)
at_a_start(cost_and_price.SUPPORTED_LANGUAGES, "en", "en,de")
