"""What the charge point of a long run is configured with, and which keys are changed meanwhile."""

from collections.abc import Mapping
from random import Random
from typing import Any

from patience import PATIENCE

IDENTITY = "cp001"
CONNECTORS = (1, 2)
LIST_LENGTH = 400
LOG_SIZE, LOG_COUNT = 100_000, 4

BASE: Mapping[str, Mapping[str, Any]] = {
    "Internal": {
        "ChargePointId": IDENTITY,
        "ChargePointModel": "Model",
        "ChargePointVendor": "Vendor",
        "RetryBackoffWaitMinimum": 0,
        "RetryBackoffRandomRange": 1,
        "RetryBackoffRepeatTimes": 0,
        "WebsocketPongTimeout": 1,
        "StationTimeout": int(PATIENCE),
        "StoreTimeout": int(PATIENCE),
        "StopTimeout": 1,
        "LogMessages": True,
        "LogMessagesRaw": True,
        "LogMessagesFormat": ["log", "html", "jsonl", "session_logging", "security"],
        "LogRotation": True,
        "LogRotationMaximumFileSize": LOG_SIZE,
        "LogRotationMaximumFileCount": LOG_COUNT,
    },
    "Core": {
        "NumberOfConnectors": len(CONNECTORS),
        "SupportedFeatureProfiles": "Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
        "AllowOfflineTxForUnknownId": True,
        "AuthorizationCacheEnabled": True,
        "MeterValueSampleInterval": 1,
        "ConnectionTimeOut": 5,
        "LightIntensity": 50,
        "MaxEnergyOnInvalidId": 10,
        "MinimumStatusDuration": 0,
        "StopTxnSampledData": "Energy.Active.Import.Register",
        "TransactionMessageRetryInterval": 1,
        "WebSocketPingInterval": 1,
    },
    "LocalAuthListManagement": {
        "LocalAuthListEnabled": True,
        "LocalAuthListMaxLength": LIST_LENGTH,
        "SendLocalListMaxLength": LIST_LENGTH,
    },
    "Reservation": {"ReserveConnectorZeroSupported": True},
    "Security": {"SecurityProfile": 0},
}

KEYS: dict[str, tuple[str, ...]] = {
    "AllowOfflineTxForUnknownId": ("true", "true", "false"),
    "AuthorizationCacheEnabled": ("true", "true", "false"),
    "AuthorizeRemoteTxRequests": ("true", "false"),
    "ClockAlignedDataInterval": ("0", "2", "5"),
    "CompositeScheduleDefaultLimitAmps": ("32", "48"),
    "ConnectionTimeOut": ("1", "5", "0"),
    "ConnectorPhaseRotation": ("0.RST,1.RST,2.RTS", "0.RST"),
    "LightIntensity": ("0", "50", "100"),
    "LocalAuthorizeOffline": ("true", "false"),
    "LocalPreAuthorize": ("true", "false"),
    "MaxEnergyOnInvalidId": ("0", "10", "1000"),
    "MeterValueSampleInterval": ("1", "2", "0"),
    "MeterValuesAlignedData": ("Energy.Active.Import.Register", "Voltage,Current.Import"),
    "MeterValuesSampledData": ("Energy.Active.Import.Register", "Energy.Active.Import.Register,Power.Active.Import"),
    "MinimumStatusDuration": ("0", "1"),
    "ResetRetries": ("0", "1", "2"),
    "StopTransactionOnInvalidId": ("true", "false"),
    "StopTxnAlignedData": ("", "Energy.Active.Import.Register"),
    "StopTxnSampledData": ("", "Energy.Active.Import.Register", "Voltage"),
    "SupplyVoltage": ("230", "120"),
    "TransactionMessageAttempts": ("3", "4"),
    "TransactionMessageRetryInterval": ("0", "1"),
    "UnlockConnectorOnEVSideDisconnect": ("true", "false"),
    "WaitForStopTransactionsOnResetTimeout": ("1", "60"),
    "WebSocketPingInterval": ("1", "2"),
}
"""Keys that are changed, and to what; not HeartbeatInterval, which each BootNotification.conf sets."""


AHEAD = (0, 0, 3 * 86_400, -2 * 86_400, -100)
"""Seconds by which the clock of the Central System may be ahead, by the seed: the charge point follows it."""


def varied(random: Random, url: str) -> dict[str, dict[str, Any]]:
    """The configuration of one charge point, which stays as it is."""
    of_this_one: Mapping[str, Mapping[str, Any]] = {
        "Internal": {
            **random.choice(({}, {"MessageQueueSizeThreshold": 20})),
            "CentralSystemURI": url,
            "LogRotationDateSuffix": random.random() < 0.3,
            "MessageReplayRate": random.choice((0, 0, 20)),
            "QueueAllMessages": random.random() < 0.3,
            "TimestampFractionDigits": random.choice((0, 3)),
        },
        "Core": {"StopTransactionOnEVSideDisconnect": random.random() < 0.7},
    }
    return {section: {**keys, **of_this_one.get(section, {})} for section, keys in BASE.items()}
