"""SecurityProfile and AuthorizationKey: changed while the charge point runs, on trial, with a way back (security white
paper ed. 3, A01, A03, A05).

A change is on disk, with what there was before, when it is answered; then the connection is closed and opened anew.
What is new stays if the Central System accepts a BootNotification on a connection that was opened with it. If it does
not, what there was before has its turn, and so on, one after the other, until one of the two is accepted: a Central
System may know the new key already, or not yet, and a station that tries only one of them may be locked out for good. A
power cut changes nothing of it: whoever finds the Previous… keys set goes on with the trial. Where another change comes
while the boot with the new ones is Pending, they are what to go back to: a Central System that lets them in, and sets
things up, may have forgotten what there was before.

States, and what leads out of them:

| | attempts failed, or ended without an answer | connected, boot Accepted | connected, boot Rejected |
|---|---|---|---|
| no trial | – | – | – |
| new on trial | the previous one is tried | new stays | as an attempt that was refused |
| previous on trial | the new one is tried | the previous one is back | as an attempt that was refused |

A network that is down says nothing about a key: where the new one was never refused, and the previous one reaches the
Central System, the new one is tried once more before it is given up.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ocpp16.configuration.changes import Prepared
from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import internal
from ocpp16.configuration.keys.security import (
    AUTHORIZATION_KEY,
    PREVIOUS_AUTHORIZATION_KEY,
    PREVIOUS_SECURITY_PROFILE,
    SECURITY_PROFILE,
)
from ocpp16.enums import ConfigurationStatus, RegistrationStatus
from ocpp16.errors import StoreError
from ocpp16.patience import of_others
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.base import Context, FeatureProfile, hears
from ocpp16.profiles.configuration_changes import ConfigurationChanges
from ocpp16.security.evse_security import CaCertificateType, LeafCertificateStatus, LeafCertificateType
from ocpp16.state.signals import AttemptFailed, Connected, Disconnected, RegistrationChanged, SecurityEventRaised
from ocpp16.state.timers import Timer

REFUSALS = 2
"""Attempts that the Central System refused, or ended, after which the other credentials have their turn."""
FAILURES = 4
"""Attempts that failed in any way, after which they have it."""
TURNS = 6
"""With several addresses, turns last 0, 1, 2 … 5 attempts longer, and so on: with turns of one length, each of the two
could come to its own half of the addresses for ever, in step with FallbackAttempts."""
ANSWER_TIMEOUT = 90.0
"""Seconds within which a BootNotification on trial is answered, or the attempt counts as refused."""
AFTER_REJECTION = 60.0
"""Seconds from a BootNotification on trial that was Rejected to the next connection."""
SETTLE_AGAIN = 60.0
"""Seconds until the outcome of a trial is stored anew, where that failed."""


class Credentials(NamedTuple):
    """With what to connect: the security profile, and the key of profiles 1 and 2."""

    security_profile: int
    key: bytes | None


class SecurityProfile(FeatureProfile):
    """`reconnect` closes the connection and opens another, with what `credentials` gives by then; `send_boot` queues a
    BootNotification."""

    __slots__ = (
        "_accepted",
        "_again_timer",
        "_answer_timer",
        "_changes",
        "_failures",
        "_has_another_chance",
        "_is_settling",
        "_let_in",
        "_longer",
        "_offered",
        "_opened_with",
        "_reconnect",
        "_refusals",
        "_security",
        "_send_boot",
        "_tried_with",
        "_uses_previous",
        "_was_refused",
    )

    name = ""

    def __init__(
        self,
        ctx: Context,
        *,
        changes: ConfigurationChanges,
        security: AskedSecurity | None,
        reconnect: Callable[[], None],
        send_boot: Callable[[], None],
    ) -> None:
        super().__init__(ctx)
        self._changes = changes
        self._security = security
        self._reconnect = reconnect
        self._send_boot = send_boot
        self._answer_timer: Timer | None = None
        self._again_timer: Timer | None = None
        self._is_settling = False
        self._opened_with: Credentials | None = None
        """The connection there is; None: there is none."""
        self._offered: Credentials | None = None
        """At the latest attempt."""
        self._begin_trial()

    def _begin_trial(self) -> None:
        self._uses_previous = False
        self._failures = self._refusals = self._longer = 0
        self._was_refused = False
        """The Central System was reached with the new ones, and did not take them."""
        self._accepted: Credentials | None = None
        """With these a BootNotification was accepted; that is not stored yet."""
        self._let_in: Credentials | None = None
        """With these, which are new, a BootNotification was answered Pending, and they were not refused since."""
        self._tried_with: Credentials | None = None
        """The connection that was opened for the trial; None: there is none."""
        self._has_another_chance = True
        """They have not been tried once more yet, after the previous ones reached the Central System."""

    def stop(self) -> None:
        self._stop_timer()

    # What is in force

    @property
    def is_on_trial(self) -> bool:
        configuration = self.ctx.configuration
        return (
            configuration[PREVIOUS_SECURITY_PROFILE] is not None
            or configuration[PREVIOUS_AUTHORIZATION_KEY] is not None
        )

    def credentials(self) -> Credentials:
        """Those to connect with now; who asks for them does."""
        self._offered = self._present
        return self._offered

    @property
    def _present(self) -> Credentials:
        return self._one_of_two(is_previous=self._uses_previous)

    def _one_of_two(self, *, is_previous: bool) -> Credentials:
        configuration = self.ctx.configuration
        profile, key = configuration[SECURITY_PROFILE], configuration[AUTHORIZATION_KEY]
        if is_previous:
            previous = configuration[PREVIOUS_SECURITY_PROFILE]
            profile = profile if previous is None else previous
            key = configuration[PREVIOUS_AUTHORIZATION_KEY] or key
        return _used(profile, key)

    # Changing it

    async def change(self, name: str, value: str) -> tuple[ConfigurationStatus, Callable[[], None] | None]:
        """ChangeConfiguration of one of the two keys: the answer, and what is to happen once it has been given.

        Raises StoreError if it could not be kept; then it is as it was.
        """
        configuration = self.ctx.configuration
        if configuration.lookup(name) is SECURITY_PROFILE and (missing := await self._missing(value)):
            self.ctx.log.warning("SecurityProfile is not changed: %s", missing)
            return ConfigurationStatus.REJECTED, None
        before: Credentials | None = None

        def prepare() -> Prepared:
            nonlocal before  # what there is when its turn has come
            before = self._in_force()
            return configuration.prepare_change(name, value)

        change = await self._changes.carry_out(prepare, partial(self._kept_back, name))
        if not change.is_accepted or self._in_force() == before:
            return change.status, None
        self._begin_trial()
        return change.status, self._reconnect

    def _in_force(self) -> Credentials:
        """What counts for a connection: a key that is not used is none."""
        configuration = self.ctx.configuration
        return _used(configuration[SECURITY_PROFILE], configuration[AUTHORIZATION_KEY])

    def _kept_back(self, name: str) -> dict[Key[Any], Any]:
        """What there was before, unless there is something already that was accepted once."""
        configuration = self.ctx.configuration
        is_profile = configuration.lookup(name) is SECURITY_PROFILE
        taken = self._taken(is_profile=is_profile)
        if taken is not None:
            kept = self._outcome()
            kept.pop(SECURITY_PROFILE if is_profile else AUTHORIZATION_KEY, None)
            if is_profile:
                kept[PREVIOUS_SECURITY_PROFILE] = taken.security_profile
            elif taken.key is not None:
                kept[PREVIOUS_AUTHORIZATION_KEY] = taken.key
            return kept
        profile, key = configuration[SECURITY_PROFILE], configuration[AUTHORIZATION_KEY]
        previous = configuration[PREVIOUS_SECURITY_PROFILE]
        if is_profile:
            return {} if previous is not None else {PREVIOUS_SECURITY_PROFILE: profile}
        # A profile on trial may need no key where the one to go back to does.
        if key is None or configuration[PREVIOUS_AUTHORIZATION_KEY] is not None or not {profile, previous} & _WITH_KEY:
            return {}
        return {PREVIOUS_AUTHORIZATION_KEY: key}

    def _taken(self, *, is_profile: bool) -> Credentials | None:
        """What the Central System took on this trial: it may have forgotten what there was before. None: nothing yet,
        or what is changed now is a key that was no part of it."""
        if self._is_proved:
            return self._accepted
        known = self._let_in
        return known if known is not None and known == self._present and (is_profile or known.key) else None

    async def _missing(self, value: str) -> str:
        """What a security profile needs besides a password, and is not here; empty: nothing."""
        try:
            wanted = SECURITY_PROFILE.parse_text(value)
        except ValueError:
            return ""  # the check of the key says it
        if wanted >= 2 and not self.ctx.configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS]:
            has_root = self._security is not None and await self._security.is_ca_certificate_installed(
                CaCertificateType.CSMS
            )
            if not has_root:
                return "no root certificate of the Central System is installed that is valid now"
        if wanted == 3:
            status = LeafCertificateStatus.NOT_FOUND
            if self._security is not None:
                status = (await self._security.get_leaf_certificate_info(LeafCertificateType.CSMS)).status
            if status is not LeafCertificateStatus.ACCEPTED:
                return f"there is no client certificate to use ({status})"
        return ""

    # The trial

    @hears(AttemptFailed)
    def _attempt_failed(self, signal: AttemptFailed) -> None:
        self._failed(is_refusal=signal.is_refusal)

    @hears(Connected)
    def _connected(self, signal: Connected) -> None:
        self._opened_with = self._offered
        if not self.is_on_trial:
            return
        if self._uses_previous and not self._was_refused and self._has_another_chance:
            # The network is there again, or was only there for the previous one: now it will be seen.
            self._has_another_chance = False
            self._uses_previous = False
            self._failures = FAILURES - 1
            self.ctx.log.info("what is new of SecurityProfile or AuthorizationKey is tried once more")
            self._reconnect()
            return
        self._tried_with = self._opened_with
        self._send_boot()
        self._stop_timer()
        self._answer_timer = self.ctx.timers.at(
            self.ctx.clock.monotonic() + of_others(ANSWER_TIMEOUT), self._not_answered
        )

    @hears(Disconnected)
    def _disconnected(self, signal: Disconnected) -> None:
        was_unanswered = self._answer_timer is not None and self._is_tried
        self._opened_with = self._tried_with = None
        self._stop_timer()
        if was_unanswered:
            self._failed(is_refusal=True)

    @hears(RegistrationChanged)
    def _boot_answered(self, signal: RegistrationChanged) -> None:
        if not self.is_on_trial:
            return
        if signal.status is RegistrationStatus.ACCEPTED and self._tried_with == self._one_of_two(
            is_previous=not self._uses_previous
        ):
            self._uses_previous = not self._uses_previous  # it was Rejected before, so that its turn was over
        if not self._is_tried:
            return
        self._stop_timer()
        if signal.status is RegistrationStatus.ACCEPTED:
            self._settle(self._present)
        elif signal.status is RegistrationStatus.PENDING:
            self._let_in = None if self._uses_previous else self._present
        elif signal.status is RegistrationStatus.REJECTED:
            self._failed(is_refusal=True)
            # Not at once: a Central System that rejects whatever is tried would be asked without a pause.
            self._again_timer = self.ctx.timers.at(self.ctx.clock.monotonic() + AFTER_REJECTION, self._reconnect)

    @property
    def _is_tried(self) -> bool:
        """The connection there is was opened with what is to be tried: not where another change came since."""
        return self._opened_with == self._present

    @property
    def _is_proved(self) -> bool:
        """What is on trial was accepted, and only that is not stored yet."""
        return self.is_on_trial and self._accepted == self._present

    def _not_answered(self) -> None:
        self._answer_timer = None
        if self._is_tried:
            self._failed(is_refusal=True)
        self._reconnect()

    def _stop_timer(self) -> None:
        for timer in (self._answer_timer, self._again_timer):
            if timer is not None:
                timer.cancel()
        self._answer_timer = self._again_timer = None

    def _failed(self, *, is_refusal: bool) -> None:
        if not self.is_on_trial or self._is_proved:
            return
        self._failures += 1
        self._refusals += is_refusal
        if is_refusal and not self._uses_previous:
            self._was_refused = True
            self._let_in = None
        if self._refusals < REFUSALS + self._longer and self._failures < FAILURES + self._longer:
            return
        self._failures = self._refusals = 0
        self._uses_previous = not self._uses_previous
        if not self._uses_previous and self.ctx.configuration[internal.FALLBACK_CENTRAL_SYSTEMS]:
            self._longer = (self._longer + 1) % TURNS
        self.ctx.log.warning(
            "SecurityProfile or AuthorizationKey on trial: the %s one is tried now",
            "previous" if self._uses_previous else "new",
        )

    def _settle(self, accepted: Credentials) -> None:
        self._accepted = accepted
        self._store_soon()

    def _store_soon(self) -> None:
        if self._is_proved and not self._is_settling:
            self._is_settling = True
            self.ctx.spawn(self._store_outcome)

    async def _store_outcome(self) -> None:
        """One of the two was accepted: the other one is forgotten; nothing, if another change came before."""
        is_settled = is_back = False

        def outcome() -> dict[Key[Any], Any]:
            nonlocal is_settled, is_back
            is_settled, is_back = self._is_proved, self._uses_previous
            return self._outcome() if is_settled else {}

        try:
            await self._changes.set_all(outcome)
        except StoreError as error:
            self.ctx.log.warning("the outcome of the trial of SecurityProfile or AuthorizationKey: %s", error)
            self.ctx.timers.at(self.ctx.clock.monotonic() + SETTLE_AGAIN, self._store_soon)
            return
        finally:
            self._is_settling = False
        if not is_settled:
            self._store_soon()  # another one was accepted meanwhile
            return
        self._begin_trial()
        what = "taken back, for the Central System did not take it" if is_back else "in force"
        self.ctx.log.info("the change of SecurityProfile or AuthorizationKey is %s", what)
        self.ctx.signals.emit(
            SecurityEventRaised("ReconfigurationOfSecurityParameters", f"SecurityProfile or AuthorizationKey: {what}")
        )

    def _outcome(self) -> dict[Key[Any], Any]:
        """What is in force from now on, and nothing before it."""
        configuration = self.ctx.configuration
        values: dict[Key[Any], Any] = {}
        for key, previous in _PREVIOUS.items():
            if configuration[previous] is not None:
                values[previous] = None
                if self._uses_previous:
                    values[key] = configuration[previous]
        return values


_WITH_KEY = frozenset({1, 2})


def _used(profile: int, key: bytes | None) -> Credentials:
    """A key that the profile does not use is none."""
    return Credentials(profile, key if profile in _WITH_KEY else None)


_PREVIOUS: dict[Key[Any], Key[Any]] = {
    SECURITY_PROFILE: PREVIOUS_SECURITY_PROFILE,
    AUTHORIZATION_KEY: PREVIOUS_AUTHORIZATION_KEY,
}
