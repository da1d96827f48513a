"""Signed values of the meter: which go where, and in which form (application note *Signed Meter Values in OCPP*).

Rules of this file:
1. The meter signs, whoever asks for it; here is only decided what is told. The keys say it, one row for each place:

   | reading | in | asked for by |
   |---|---|---|
   | begin, end | transactionData | SampledDataSignReadings |
   | begin | a MeterValues behind StartTransaction | … and SampledDataSignStartedReadings |
   | periodic | its MeterValues | … and SampledDataSignUpdatedReadings |
   | clock-aligned | transactionData; its MeterValues where no transaction runs | AlignedDataSignReadings |
   | clock-aligned | its MeterValues in a transaction | … and AlignedDataSignUpdatedReadings |

2. A signed value is told whole or not at all. One so large that not two fit into a StopTransaction is refused where it
   comes in; one of a sample is left out then, which is logged once.
3. As text of the meter it is a sampled value without measurand, as libocpp sends it. In the form of the note it is JSON
   text of SignedMeterValueType, and the measurand is that of the register that was signed.
4. OncePerTransaction: the begin brings the public key; where there was none, the first value after it does, and after
   a restart possibly once more.
"""

from collections.abc import Mapping
from typing import Final

from orjson import dumps

from ocpp16.configuration.configuration import Key
from ocpp16.configuration.keys import internal
from ocpp16.configuration.keys import signed_meter_values as keys
from ocpp16.enums import Measurand, ReadingContext, ValueFormat
from ocpp16.models import SignedMeterValue
from ocpp16.profiles.context import Context
from ocpp16.signed_meter_value import signed
from ocpp16.state.transaction import Transaction

SampledValue = dict[str, str]

_NONE: Final[frozenset[int]] = frozenset()

OVERHEAD: Final = 400
"""Bytes of a StopTransaction frame without its data, generously."""
_ENTRY_OVERHEAD: Final = 260
"""Bytes of an entry with one signed value, without that, generously."""
_C = ReadingContext
_IN_METER_VALUES: Final[Mapping[tuple[ReadingContext, bool], tuple[Key[bool], ...]]] = {
    (_C.TRANSACTION_BEGIN, True): (keys.SAMPLED_DATA_SIGN_READINGS, keys.SAMPLED_DATA_SIGN_STARTED_READINGS),
    (_C.SAMPLE_PERIODIC, True): (keys.SAMPLED_DATA_SIGN_READINGS, keys.SAMPLED_DATA_SIGN_UPDATED_READINGS),
    (_C.SAMPLE_CLOCK, True): (keys.ALIGNED_DATA_SIGN_READINGS, keys.ALIGNED_DATA_SIGN_UPDATED_READINGS),
    (_C.SAMPLE_CLOCK, False): (keys.ALIGNED_DATA_SIGN_READINGS,),
}
"""Context of a reading, and whether a transaction runs → the keys that must all be true; no row: never."""
_IN_TRANSACTION_DATA: Final[Mapping[ReadingContext, tuple[Key[bool], ...]]] = {
    _C.TRANSACTION_BEGIN: (keys.SAMPLED_DATA_SIGN_READINGS,),
    _C.TRANSACTION_END: (keys.SAMPLED_DATA_SIGN_READINGS,),
    _C.SAMPLE_CLOCK: (keys.ALIGNED_DATA_SIGN_READINGS,),
}


class SignedReadings:
    """Of all connectors of a charge point."""

    __slots__ = ("_ctx", "_with_key")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._with_key: frozenset[int] = _NONE
        """Keys of the transactions of which a signed value brought the public key."""

    def checked(self, connector_id: int, value: object, name: str) -> SignedMeterValue:
        """`value`, if it is what a meter signed, of which two, of begin and end, fit into one StopTransaction. Raises
        ValueError that names it."""
        given = signed(value, name)
        size, most = self._size(connector_id, given), self._most
        if size > most:
            raise ValueError(f"{name} must be text of {most} bytes at most as JSON (MaxMessageSize), not of {size}")
        return given

    def to_report(
        self, connector_id: int, given: SignedMeterValue, context: ReadingContext, transaction: Transaction | None
    ) -> SampledValue | None:
        """For the MeterValues of this reading; None: not asked for."""
        asked = _IN_METER_VALUES.get((context, transaction is not None))
        return self._told(connector_id, given, context, transaction) if self._are_true(asked) else None

    def to_keep(
        self, transaction: Transaction, given: SignedMeterValue | None, context: ReadingContext
    ) -> SampledValue | None:
        """For transactionData; None: there is none, or it is not asked for."""
        if given is None or not self._are_true(_IN_TRANSACTION_DATA.get(context)):
            return None
        return self._told(transaction.connector_id, given, context, transaction)

    def resume(self, transaction: Transaction) -> None:
        """Its begin was signed, and told before a restart."""
        self._with_key |= {transaction.key}

    def end(self, transaction: Transaction) -> None:
        if transaction.key in self._with_key:
            self._with_key -= {transaction.key}

    def _are_true(self, asked: tuple[Key[bool], ...] | None) -> bool:
        return asked is not None and all(self._ctx.configuration[key] for key in asked)

    def _told(
        self, connector_id: int, given: SignedMeterValue, context: ReadingContext, transaction: Transaction | None
    ) -> SampledValue | None:
        size, most = self._size(connector_id, given), self._most
        if size > most:
            self._ctx.log.warning(
                "connector %d: a signed value of %d bytes is left out, and others like it will be: two must fit into "
                "MaxMessageSize",
                connector_id,
                size,
                about=("signed value too large", connector_id),
            )
            return None
        public_key = ""
        which = self._ctx.configuration[keys.PUBLIC_KEY_WITH_SIGNED_METER_VALUE]
        if which == "EveryMeterValue" or (which == "OncePerTransaction" and self._is_first(context, transaction)):
            public_key = self._public_key(connector_id, given)
        return self._dressed(given, context, public_key)

    def _is_first(self, context: ReadingContext, transaction: Transaction | None) -> bool:
        """Is it the one that brings the key? That of the begin is one value, wherever it is told."""
        if transaction is None:
            return True
        if context is _C.TRANSACTION_BEGIN:
            self._with_key |= {transaction.key}
            return True
        if transaction.key in self._with_key:
            return False
        self._with_key |= {transaction.key}
        return True

    def _dressed(self, given: SignedMeterValue, context: ReadingContext, public_key: str) -> SampledValue:
        form = str(ValueFormat.SIGNED_DATA)
        if not self._is_of_the_note:
            return {"value": given.signed_meter_data, "context": str(context), "format": form}
        from ocpp16.metering.signed_data import note_text  # only where it is asked for

        return {
            "value": note_text(given.signed_meter_data, given.signing_method, given.encoding_method, public_key),
            "context": str(context),
            "format": form,
            "measurand": str(Measurand.ENERGY_ACTIVE_IMPORT_REGISTER),
        }

    @property
    def _is_of_the_note(self) -> bool:
        return self._ctx.configuration[keys.SIGNED_METER_VALUE_FORM] != "Text"

    def _public_key(self, connector_id: int, given: SignedMeterValue) -> str:
        if given.public_key:
            return given.public_key
        known = self._ctx.configuration[internal.METER_PUBLIC_KEYS] or ()
        return known[connector_id - 1] if 0 < connector_id <= len(known) else ""

    def _size(self, connector_id: int, given: SignedMeterValue) -> int:
        """Bytes of the text in a message, as JSON, the public key included."""
        if not self._is_of_the_note:
            return len(dumps(given.signed_meter_data))
        value = self._dressed(given, _C.TRANSACTION_BEGIN, self._public_key(connector_id, given))
        return len(dumps(value["value"]))

    @property
    def _most(self) -> int:
        return (self._ctx.configuration[internal.MAX_MESSAGE_SIZE] - OVERHEAD) // 2 - _ENTRY_OVERHEAD
