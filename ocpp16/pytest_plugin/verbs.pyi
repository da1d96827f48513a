"""The verbs of a `ChargePoint` of the plugin, for type checkers; at run time they are made of the table of commands.

tests/types compares them. Texts of an enumeration are its values or its members; those that ask the Central System give
their result, or in a loop what is to be awaited, which no type can say.
"""

from collections.abc import Mapping
from typing import Any

class Verbs:
    def plug_in(
        self,
        connector: int,
        plug_after: float = 1.0,
        draw_after: float = 1.0,
        current: float = 32.0,
        phases: int = 1,
        draw_for: float = 200.0,
        diode_fault_after: float | None = None,
        contract: str | None = None,
        emaid: str | None = None,
        installs: bool = False,
        external_payment: bool = False,
        mac: str = "",
        car: str | Mapping[str, Any] | None = None,
        soc: float | None = None,
        target: float | None = None,
        stay_after_full: float | None = None,
    ) -> None:
        """A car comes to a connector: plugs in, draws once it is offered current, leaves."""

    def unplug(self, connector: int) -> None:
        """The car is unplugged now."""

    def pause_drawing(self, connector: int) -> None:
        """The car ceases to draw."""

    def resume_drawing(self, connector: int, current: float | None = None, phases: int | None = None) -> None:
        """The car draws again, with another current or other phases if given."""

    def present_id_tag(self, id_tag: str, connectors: list[int] | None = None) -> None:
        """A card is held before the reader, which serves these connectors (none given: all)."""

    def raise_fault(self, connector: int, error: str, fault: bool = True) -> None:
        """A board error; fault makes the connector Faulted."""

    def clear_fault(self, connector: int, error: str) -> None:
        """The board error is gone."""

    def disconnect(self) -> None:
        """Close the connection and stay away; the station works on offline."""

    def connect(self) -> None:
        """Connect at once."""

    def drop(self) -> bool:
        """Break the connection off without a goodbye; it comes back as after any loss (false: there is none)."""

    def stop(self) -> Any:
        """End transactions and connection in order."""

    def restart(self) -> Any:
        """Start again after a stop."""

    def meter_reading(self, connector: int, measurement: Mapping[str, Any]) -> None:
        """What the meter of a connector shows, when the host supplies the readings."""

    def meter_public_key(self, connector: int) -> dict[str, str]:
        """Serial number and public key of the meter of a connector, where the meters sign."""

    def security_event(
        self,
        type: str,  # noqa: A002 - as the command has it
        tech_info: str | None = None,
        critical: bool | None = None,
        timestamp: str | None = None,
    ) -> None:
        """Report a security event."""

    def get_configuration(self, keys: list[str] = ...) -> Any:
        """The configuration keys asked for (none given: all)."""

    def change_configuration(self, key: str, value: str) -> str:
        """Change a configuration key, as ChangeConfiguration does."""

    def reset_configuration(self, key: str) -> str:
        """Give a configuration key the value of the configuration file again, or its default."""

    def configuration_origins(self, keys: list[str] = ...) -> dict[str, str]:
        """Where the values of these keys come from (none given: of all that have not their defaults)."""

    def change_availability(self, connector: int, kind: str) -> str:
        """Take a connector (0: all) out of service or back, as ChangeAvailability does."""

    def data_transfer(self, vendor_id: str, message_id: str | None = None, data: str | None = None) -> Any:
        """Send a DataTransfer and wait for the answer."""

    def heartbeat(self) -> bool:
        """Send a Heartbeat now; false if nobody is there to answer it."""

    def sample(self, connector: int) -> bool:
        """Take a sample of a connector (0: the main meter) now, as the periodic ones are; false if none is sent."""

    def composite_schedule(self, connector: int, duration: int, unit: str = "A") -> dict[str, Any]:
        """The limits of a connector (0: of all together) from now on."""

    def set_charging_profile(self, connector: int, profile: Mapping[str, Any]) -> str:
        """Install a charging profile, as SetChargingProfile does."""

    def clear_charging_profiles(
        self,
        profile_id: int | None = None,
        connector: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> int:
        """Remove charging profiles, as ClearChargingProfile does (nothing given: all)."""

    def charging_profiles(self) -> list[dict[str, Any]]:
        """The installed charging profiles."""

    def charging_limit(self, connector: int) -> dict[str, Any]:
        """What a connector (0: all together) may draw now, and until when."""

    def explain_limit(self, connector: int) -> dict[str, Any]:
        """Why that is the limit: profile, stack level, conversion, sharing."""

    def reserve(
        self,
        connector: int,
        id_tag: str,
        seconds: int = 3600,
        reservation_id: int = 1,
        parent_id_tag: str | None = None,
    ) -> str:
        """Keep a connector (0: any one) for an id tag for so many seconds, as ReserveNow does."""

    def cancel_reservation(self, reservation_id: int) -> bool:
        """End a reservation, as CancelReservation does; false if there is none of this id."""

    def reservations(self) -> list[dict[str, Any]]:
        """The reservations that are kept."""

    def firmware_status(self, status: str, request_id: int | None = None) -> None:
        """Tell how far an update of the firmware is, in place of the station (no id: that under way; -1: unsigned)."""

    def log_status(self, status: str, request_id: int = -1) -> None:
        """Tell how far an upload is, in place of the station (id -1: diagnostics)."""

    def display(self, connector: int, language: str | None = None) -> dict[str, Any]:
        """What a driver at a connector reads of prices and costs."""

    def maintenance(self) -> dict[str, Any]:
        """The update and the uploads that are under way."""

    def overrule(self, question: str, answer: Any, times: int = 1) -> None:
        """The station's next answers to a question are this one."""

    def dead_letters(self) -> list[dict[str, Any]]:
        """The messages that were given up, oldest first."""

    def resend_dead_letters(self, sequences: list[int] | None = None) -> int:
        """Queue given-up messages again, behind all that waits (nothing given: all)."""

    def discard_dead_letters(self, sequences: list[int] | None = None) -> int:
        """Delete given-up messages for good (nothing given: all)."""

    def authorize(self, id_tag: str) -> Any:
        """Ask whether an id tag may charge, as for a card, and begin nothing."""

    def authorize_contract(self, contract: str, emaid: str | None = None) -> Any:
        """Ask whether the contract in a file (PEM) may charge, as for a car, and begin nothing."""

    def why(self) -> list[dict[str, Any]]:
        """The latest decisions on id tags: who decided, by which rule and key."""

    def local_list(self, most: int = 100) -> dict[str, Any]:
        """The local authorization list as the Central System sent it, so many entries of it."""

    def cache(self, most: int = 100) -> dict[str, Any]:
        """The authorization cache, what was not used for longest first, so many entries of it."""

    def clear_cache(self) -> str:
        """Empty the authorization cache, as ClearCache does."""

    def transactions(self) -> list[dict[str, Any]]:
        """The transactions that run."""

    def queue(self, most: int = 100) -> dict[str, Any]:
        """The messages that wait to be sent or for their answer, the oldest first, so many of them."""

    def status(self) -> dict[str, Any]:
        """Connectors, queue, connection and registration."""
