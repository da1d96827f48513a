"""What is logged where, as the LogMessages… and LogRotation… keys say at a start."""

from dataclasses import dataclass

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal
from ocpp16.message_log.rotation import Rotation

FILES = ("log", "html", "jsonl", "security")
"""Sinks that write files in the folder of the log."""


@dataclass(frozen=True, slots=True)
class Options:
    """`sinks` by their names in LogMessagesFormat; `rotation` None: a new set of files for each start.

    `own_secrets`: names of the user's own keys whose values are not logged, in lower case.
    """

    sinks: frozenset[str]
    is_raw: bool
    rotation: Rotation | None
    own_secrets: frozenset[str] = frozenset()

    @classmethod
    def of(cls, configuration: Configuration, *, has_folder: bool) -> "Options":
        """LogMessages gates all sinks but `callback` and `session_logging`, which a host asks for by itself; files need
        a folder."""
        names: tuple[str, ...] = configuration[internal.LOG_MESSAGES_FORMAT]
        sinks = set(names)
        if not configuration[internal.LOG_MESSAGES]:
            sinks &= {"callback", "session_logging"}
        if not has_folder:
            sinks -= set(FILES)
        rotation = None
        if configuration[internal.LOG_ROTATION]:
            rotation = Rotation(
                configuration[internal.LOG_ROTATION_MAXIMUM_FILE_SIZE],
                configuration[internal.LOG_ROTATION_MAXIMUM_FILE_COUNT],
                configuration[internal.LOG_ROTATION_DATE_SUFFIX],
            )
        return cls(frozenset(sinks), configuration[internal.LOG_MESSAGES_RAW], rotation, configuration.own_secrets)

    @property
    def is_wanted(self) -> bool:
        """Is there anything to be told, before any session?"""
        return bool(self.sinks - {"callback", "session_logging"})

    @property
    def wants_frames(self) -> bool:
        """Is each frame to be told, before any session?"""
        return bool(self.sinks - {"callback", "session_logging", "security"})
