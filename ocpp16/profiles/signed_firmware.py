"""SignedUpdateFirmware and SignedFirmwareStatusNotification (security white paper ed. 3, L01); the update itself is
`firmware_updates`.

The signing certificate is proved first, by who keeps the roots of the manufacturer; the station is asked for an update
that can be trusted only. Where nobody keeps any, nothing can be. All that is asked until the answer has StationTimeout
together.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import trio

from ocpp16 import messages
from ocpp16.configuration.keys.internal import STATION_TIMEOUT
from ocpp16.enums import UpdateFirmwareStatusEnumType as Answer
from ocpp16.models import UNSIGNED, FirmwareUpdate
from ocpp16.profiles.base import Context, FeatureProfile, Others, Reply, Taken, on, triggered
from ocpp16.profiles.station_side import member_of
from ocpp16.profiles.transfer_request import attempts, time_of, time_of_any
from ocpp16.security.evse_security import CertificateValidationResult, LeafCertificateType
from ocpp16.state.signals import SecurityEventRaised
from ocpp16.station import SecurityStation
from ocpp16.values import INT32_HIGH, INT32_LOW

_MEANT = {Taken.ALONE: Answer.ACCEPTED, Taken.IN_PLACE: Answer.ACCEPTED_CANCELED, Taken.REFUSED: Answer.REJECTED}


class SignedFirmware(FeatureProfile):
    __slots__ = ("_others",)

    name = ""
    protocol: ClassVar[type | None] = SecurityStation

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others)

    @on("SignedUpdateFirmware")
    async def signed_update_firmware(
        self, request: "messages.SignedUpdateFirmwareRequest"
    ) -> "Reply[messages.SignedUpdateFirmwareResponse]":
        answer = await self._answer(request)
        begins = answer in (Answer.ACCEPTED, Answer.ACCEPTED_CANCELED)
        return Reply({"status": str(answer)}, then=self._others.firmware.begin if begins else None)

    async def _answer(self, request: "messages.SignedUpdateFirmwareRequest") -> Answer:
        firmware, request_id = request["firmware"], request["requestId"]
        # UNSIGNED names updates without an id, to the station; and nothing else could be told back.
        if not firmware["location"] or request_id == UNSIGNED or not INT32_LOW <= request_id <= INT32_HIGH:
            return Answer.REJECTED
        by = trio.current_time() + self.ctx.configuration[STATION_TIMEOUT]
        verdict = CertificateValidationResult.UNKNOWN
        with trio.CancelScope(deadline=by):
            verdict = await self._verdict(firmware["signingCertificate"])
        if verdict is not CertificateValidationResult.VALID:
            self._invalid(str(verdict))
            is_revoked = verdict is CertificateValidationResult.REVOKED
            return Answer.REVOKED_CERTIFICATE if is_revoked else Answer.INVALID_CERTIFICATE
        update = FirmwareUpdate(
            request_id,
            firmware["location"],
            time_of(firmware["retrieveDateTime"]),
            *attempts(request.get("retries"), request.get("retryInterval")),
            time_of_any(firmware.get("installDateTime")),
            firmware["signingCertificate"],
            firmware["signature"],
        )
        answer = Answer.REJECTED
        with trio.CancelScope(deadline=by):
            answer = await self.ctx.station_side.ask(
                self._signed_update_firmware, update, accept=member_of(Answer), safe=Answer.REJECTED
            )
        if answer is Answer.INVALID_CERTIFICATE:
            self._invalid("the station")
        if answer not in (Answer.ACCEPTED, Answer.ACCEPTED_CANCELED):
            return answer
        return _MEANT[await self._others.firmware.take(update, by, cancels=answer is Answer.ACCEPTED_CANCELED)]

    async def _signed_update_firmware(self, update: FirmwareUpdate) -> Any:
        return await self.ctx.station.host.signed_update_firmware(update)

    async def _verdict(self, certificate: str) -> CertificateValidationResult:
        keeper = self._others.evse_security
        if keeper is None:
            self.ctx.log.warning("no signing certificate can be verified: there is no evse_security")
            return CertificateValidationResult.ISSUER_NOT_FOUND
        return await self.ctx.station_side.ask(
            keeper.verify_certificate,
            certificate,
            [LeafCertificateType.MF],
            accept=member_of(CertificateValidationResult),
            safe=CertificateValidationResult.UNKNOWN,
        )

    def _invalid(self, why: str) -> None:
        self.ctx.signals.emit(SecurityEventRaised("InvalidFirmwareSigningCertificate", why, is_critical=False))

    @triggered("SignedFirmwareStatusNotification")
    def _triggered(self, connector_ids: Sequence[int]) -> Callable[[], None]:
        return partial(self._others.firmware.report, is_signed=True)
