"""The enumerations of OCPP 1.6 edition 2 and of the security white paper, and the two of libocpp that its API needs.

A member's value is the text on the wire, and a member is that text: `Reason.LOCAL == "Local"`, and it can stand in
a payload as it is. Values of Plug & Charge and of pricing come with their features, and so does the rest of the white
paper. A test compares every class here with the enumerations of `share/message_schemas`.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Code of a CALLERROR (OCPP-J 1.6 table 7). Two of them are spelt oddly; they stay so on a 1.6 connection."""

    NOT_IMPLEMENTED = "NotImplemented"
    """The action is not known here."""
    NOT_SUPPORTED = "NotSupported"
    """It is known, and not supported."""
    INTERNAL_ERROR = "InternalError"
    """Whoever was asked failed."""
    PROTOCOL_ERROR = "ProtocolError"
    """The payload is incomplete."""
    SECURITY_ERROR = "SecurityError"
    """It must not be done, for the sake of security."""
    FORMATION_VIOLATION = "FormationViolation"
    """The message is no JSON, or not built as its action is."""
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    """A member has a value that it must not have."""
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    """A member is missing, or there too often."""
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    """A member is of another type."""
    GENERIC_ERROR = "GenericError"
    """None of the others."""


class AuthorizationStatus(StrEnum):
    """What the Central System says of an id tag."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"


class AvailabilityStatus(StrEnum):
    """The answer to ChangeAvailability. Scheduled: once the transaction is over."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    SCHEDULED = "Scheduled"


class AvailabilityType(StrEnum):
    """In or out of service, as commanded."""

    INOPERATIVE = "Inoperative"
    OPERATIVE = "Operative"


class CancelReservationStatus(StrEnum):
    """The answer to CancelReservation. Rejected: there is none of this id."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class ChargePointErrorCode(StrEnum):
    """What is wrong, as StatusNotification says it."""

    CONNECTOR_LOCK_FAILURE = "ConnectorLockFailure"
    EV_COMMUNICATION_ERROR = "EVCommunicationError"
    GROUND_FAILURE = "GroundFailure"
    HIGH_TEMPERATURE = "HighTemperature"
    INTERNAL_ERROR = "InternalError"
    LOCAL_LIST_CONFLICT = "LocalListConflict"
    NO_ERROR = "NoError"
    OTHER_ERROR = "OtherError"
    OVER_CURRENT_FAILURE = "OverCurrentFailure"
    OVER_VOLTAGE = "OverVoltage"
    POWER_METER_FAILURE = "PowerMeterFailure"
    POWER_SWITCH_FAILURE = "PowerSwitchFailure"
    READER_FAILURE = "ReaderFailure"
    RESET_FAILURE = "ResetFailure"
    UNDER_VOLTAGE = "UnderVoltage"
    WEAK_SIGNAL = "WeakSignal"


class ChargePointStatus(StrEnum):
    """The state of a connector, or of the charge point itself (connector 0), as StatusNotification says it."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class ChargingProfileKindType(StrEnum):
    """What the periods of a charging profile count from: a time, one that recurs, or the start of the transaction."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class ChargingProfilePurposeType(StrEnum):
    """What a charging profile limits: the charge point, any transaction, or one transaction."""

    CHARGE_POINT_MAX_PROFILE = "ChargePointMaxProfile"
    TX_DEFAULT_PROFILE = "TxDefaultProfile"
    TX_PROFILE = "TxProfile"


class ChargingProfileStatus(StrEnum):
    """The answer to SetChargingProfile."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_SUPPORTED = "NotSupported"


class ChargingRateUnitType(StrEnum):
    """The unit of a limit: A per phase, or W over all phases."""

    W = "W"
    A = "A"


class ClearCacheStatus(StrEnum):
    """The answer to ClearCache."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class ClearChargingProfileStatus(StrEnum):
    """The answer to ClearChargingProfile. Unknown: none matched."""

    ACCEPTED = "Accepted"
    UNKNOWN = "Unknown"


class ConfigurationStatus(StrEnum):
    """The answer to ChangeConfiguration."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    REBOOT_REQUIRED = "RebootRequired"
    NOT_SUPPORTED = "NotSupported"


class DataTransferStatus(StrEnum):
    """The answer to DataTransfer, either way."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_MESSAGE_ID = "UnknownMessageId"
    UNKNOWN_VENDOR_ID = "UnknownVendorId"


class DiagnosticsStatus(StrEnum):
    """How far an upload of diagnostics is."""

    IDLE = "Idle"
    UPLOADED = "Uploaded"
    UPLOAD_FAILED = "UploadFailed"
    UPLOADING = "Uploading"


class FirmwareStatus(StrEnum):
    """How far an update of the firmware is."""

    DOWNLOADED = "Downloaded"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOADING = "Downloading"
    IDLE = "Idle"
    INSTALLATION_FAILED = "InstallationFailed"
    INSTALLING = "Installing"
    INSTALLED = "Installed"


class FirmwareStatusEnumType(StrEnum):
    """How far an update of signed firmware is."""

    DOWNLOADED = "Downloaded"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOADING = "Downloading"
    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    DOWNLOAD_PAUSED = "DownloadPaused"
    IDLE = "Idle"
    INSTALLATION_FAILED = "InstallationFailed"
    INSTALLING = "Installing"
    INSTALLED = "Installed"
    INSTALL_REBOOTING = "InstallRebooting"
    INSTALL_SCHEDULED = "InstallScheduled"
    INSTALL_VERIFICATION_FAILED = "InstallVerificationFailed"
    INVALID_SIGNATURE = "InvalidSignature"
    SIGNATURE_VERIFIED = "SignatureVerified"


class GetCompositeScheduleStatus(StrEnum):
    """The answer to GetCompositeSchedule."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class Location(StrEnum):
    """Where a value was measured."""

    BODY = "Body"
    CABLE = "Cable"
    EV = "EV"
    INLET = "Inlet"
    OUTLET = "Outlet"


class LogEnumType(StrEnum):
    """Which log GetLog asks for."""

    DIAGNOSTICS_LOG = "DiagnosticsLog"
    SECURITY_LOG = "SecurityLog"


class LogStatusEnumType(StrEnum):
    """The answer to GetLog. AcceptedCanceled: an upload that was under way is given up for it."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    ACCEPTED_CANCELED = "AcceptedCanceled"


class Measurand(StrEnum):
    """What was measured."""

    CURRENT_EXPORT = "Current.Export"
    CURRENT_IMPORT = "Current.Import"
    CURRENT_OFFERED = "Current.Offered"
    ENERGY_ACTIVE_EXPORT_REGISTER = "Energy.Active.Export.Register"
    ENERGY_ACTIVE_IMPORT_REGISTER = "Energy.Active.Import.Register"
    ENERGY_REACTIVE_EXPORT_REGISTER = "Energy.Reactive.Export.Register"
    ENERGY_REACTIVE_IMPORT_REGISTER = "Energy.Reactive.Import.Register"
    ENERGY_ACTIVE_EXPORT_INTERVAL = "Energy.Active.Export.Interval"
    ENERGY_ACTIVE_IMPORT_INTERVAL = "Energy.Active.Import.Interval"
    ENERGY_REACTIVE_EXPORT_INTERVAL = "Energy.Reactive.Export.Interval"
    ENERGY_REACTIVE_IMPORT_INTERVAL = "Energy.Reactive.Import.Interval"
    FREQUENCY = "Frequency"
    POWER_ACTIVE_EXPORT = "Power.Active.Export"
    POWER_ACTIVE_IMPORT = "Power.Active.Import"
    POWER_FACTOR = "Power.Factor"
    POWER_OFFERED = "Power.Offered"
    POWER_REACTIVE_EXPORT = "Power.Reactive.Export"
    POWER_REACTIVE_IMPORT = "Power.Reactive.Import"
    RPM = "RPM"
    SOC = "SoC"
    TEMPERATURE = "Temperature"
    VOLTAGE = "Voltage"


class MessageTrigger(StrEnum):
    """Which message TriggerMessage asks for."""

    BOOT_NOTIFICATION = "BootNotification"
    DIAGNOSTICS_STATUS_NOTIFICATION = "DiagnosticsStatusNotification"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    HEARTBEAT = "Heartbeat"
    METER_VALUES = "MeterValues"
    STATUS_NOTIFICATION = "StatusNotification"


class Phase(StrEnum):
    """Of which phase a value is, or between which two; none: of all together."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    N = "N"
    L1_N = "L1-N"
    L2_N = "L2-N"
    L3_N = "L3-N"
    L1_L2 = "L1-L2"
    L2_L3 = "L2-L3"
    L3_L1 = "L3-L1"


class ReadingContext(StrEnum):
    """On what occasion a value was read."""

    INTERRUPTION_BEGIN = "Interruption.Begin"
    INTERRUPTION_END = "Interruption.End"
    OTHER = "Other"
    SAMPLE_CLOCK = "Sample.Clock"
    SAMPLE_PERIODIC = "Sample.Periodic"
    TRANSACTION_BEGIN = "Transaction.Begin"
    TRANSACTION_END = "Transaction.End"
    TRIGGER = "Trigger"


class Reason(StrEnum):
    """Why a transaction stopped."""

    DE_AUTHORIZED = "DeAuthorized"
    EMERGENCY_STOP = "EmergencyStop"
    EV_DISCONNECTED = "EVDisconnected"
    HARD_RESET = "HardReset"
    LOCAL = "Local"
    OTHER = "Other"
    POWER_LOSS = "PowerLoss"
    REBOOT = "Reboot"
    REMOTE = "Remote"
    SOFT_RESET = "SoftReset"
    UNLOCK_COMMAND = "UnlockCommand"


class RecurrencyKindType(StrEnum):
    """How often a recurring charging profile begins anew."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


class RegistrationStatus(StrEnum):
    """What the Central System says to BootNotification."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class RemoteStartStopStatus(StrEnum):
    """The answer to RemoteStartTransaction and RemoteStopTransaction: will it be tried?"""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class ReservationStatus(StrEnum):
    """The answer to ReserveNow."""

    ACCEPTED = "Accepted"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"


class ReservationCheckStatus(StrEnum):
    """May an id tag have a connector, as far as reservations go (libocpp)?"""

    NOT_RESERVED = "NotReserved"
    """There is no reservation: yes."""
    RESERVED_FOR_TOKEN = "ReservedForToken"  # noqa: S105 - an id tag
    """For this one, or for its parent: yes."""
    RESERVED_FOR_OTHER_TOKEN = "ReservedForOtherToken"  # noqa: S105
    """For another one: no."""
    RESERVED_FOR_OTHER_TOKEN_AND_HAS_PARENT_TOKEN = "ReservedForOtherTokenAndHasParentToken"  # noqa: S105
    """The parent id decides, and is not known."""


class ReservationEndReason(StrEnum):
    """How a reservation ended; told to the observer."""

    USED = "used"
    """Whom it was made for came."""
    CANCELLED = "cancelled"
    """By CancelReservation, or by the station."""
    EXPIRED = "expired"
    """Its time was over."""
    REPLACED = "replaced"
    """Another one came with its reservation id."""


class ResetStatus(StrEnum):
    """The answer to Reset."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class ResetType(StrEnum):
    """Hard: as if the power was switched off and on. Soft: transactions are stopped in order first."""

    HARD = "Hard"
    SOFT = "Soft"


class TriggerMessageStatus(StrEnum):
    """The answer to TriggerMessage and ExtendedTriggerMessage."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_IMPLEMENTED = "NotImplemented"


class UnitOfMeasure(StrEnum):
    """The unit of a sampled value."""

    WH = "Wh"
    KWH = "kWh"
    VARH = "varh"
    KVARH = "kvarh"
    W = "W"
    KW = "kW"
    VA = "VA"
    KVA = "kVA"
    VAR = "var"
    KVAR = "kvar"
    A = "A"
    V = "V"
    CELSIUS = "Celsius"
    CELCIUS = "Celcius"
    FAHRENHEIT = "Fahrenheit"
    K = "K"
    PERCENT = "Percent"


class UnlockStatus(StrEnum):
    """The answer to UnlockConnector."""

    UNLOCKED = "Unlocked"
    UNLOCK_FAILED = "UnlockFailed"
    NOT_SUPPORTED = "NotSupported"


class UpdateStatus(StrEnum):
    """The answer to SendLocalList."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    NOT_SUPPORTED = "NotSupported"
    VERSION_MISMATCH = "VersionMismatch"


class UpdateType(StrEnum):
    """Of SendLocalList: a part of the list, or all of it."""

    DIFFERENTIAL = "Differential"
    FULL = "Full"


class UpdateFirmwareStatusEnumType(StrEnum):
    """The answer to SignedUpdateFirmware."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    ACCEPTED_CANCELED = "AcceptedCanceled"
    INVALID_CERTIFICATE = "InvalidCertificate"
    REVOKED_CERTIFICATE = "RevokedCertificate"


class UploadLogStatusEnumType(StrEnum):
    """How far the upload of a log is."""

    BAD_MESSAGE = "BadMessage"
    IDLE = "Idle"
    NOT_SUPPORTED_OPERATION = "NotSupportedOperation"
    PERMISSION_DENIED = "PermissionDenied"
    UPLOADED = "Uploaded"
    UPLOAD_FAILURE = "UploadFailure"
    UPLOADING = "Uploading"


class ValueFormat(StrEnum):
    """Of a sampled value: a number as text, or signed binary data in hexadecimal."""

    RAW = "Raw"
    SIGNED_DATA = "SignedData"


class BootReason(StrEnum):
    """Why the charge point starts (libocpp's BootReasonEnum); not on the wire, but it chooses the security event."""

    APPLICATION_RESET = "ApplicationReset"
    """The program was begun anew by itself."""
    FIRMWARE_UPDATE = "FirmwareUpdate"
    """Another firmware was installed. Security event FirmwareUpdated."""
    LOCAL_RESET = "LocalReset"
    """Somebody reset it at the station."""
    POWER_UP = "PowerUp"
    """Its power came."""
    REMOTE_RESET = "RemoteReset"
    """The Central System reset it. Security event ResetOrReboot."""
    SCHEDULED_RESET = "ScheduledReset"
    """A reset that was put off until it was idle. Security event ResetOrReboot."""
    TRIGGERED = "Triggered"
    """The Central System asks for BootNotification, and nothing has started."""
    UNKNOWN = "Unknown"
    """Nobody knows."""
    WATCHDOG = "Watchdog"
    """A watchdog began it anew."""


class SessionStartedReason(StrEnum):
    """What the first interaction of a session was (libocpp); reported as StatusNotification.info."""

    EV_CONNECTED = "EVConnected"
    """A car was plugged in."""
    AUTHORIZED = "Authorized"
    """A card was accepted."""
