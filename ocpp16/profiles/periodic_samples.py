"""Periodic samples of a transaction: each MeterValueSampleInterval from its begin on, and when the host wants one."""

from ocpp16._core.by_number import ByNumber
from ocpp16.configuration.keys import core
from ocpp16.enums import ReadingContext
from ocpp16.profiles.context import Context
from ocpp16.profiles.meter_sampling import MeterSampling
from ocpp16.state.timers import Timer
from ocpp16.state.transaction import Transaction

_PERIODIC = ReadingContext.SAMPLE_PERIODIC


class _Beat:
    """What the timer of a transaction calls: a third of what a bound method with an argument is."""

    __slots__ = ("_samples", "_transaction")

    def __init__(self, samples: "PeriodicSamples", transaction: Transaction) -> None:
        self._samples = samples
        self._transaction = transaction

    def __call__(self) -> None:
        self._samples._sample(self._transaction.connector_id, self._transaction)


class PeriodicSamples:
    """Of all connectors; one timer for each transaction."""

    __slots__ = ("_ctx", "_kept", "_reported", "_revision", "_sampling", "_timers")

    def __init__(self, ctx: Context, sampling: MeterSampling) -> None:
        self._ctx = ctx
        self._sampling = sampling
        self._timers: ByNumber[Timer] = ByNumber()
        self._revision = -1
        """That of the configuration of which the measurands are: they are not looked up for each sample."""
        self._reported: tuple[str, ...] = ()
        self._kept: tuple[str, ...] = ()

    def begin(self, transaction: Transaction) -> None:
        """The first one comes an interval from now."""
        interval = self._ctx.configuration[core.METER_VALUE_SAMPLE_INTERVAL]
        if interval > 0:
            first = self._ctx.clock.monotonic() + interval
            self._timers[transaction.connector_id] = self._ctx.timers.every(interval, _Beat(self, transaction), first)

    def are_taken(self, connector_id: int) -> bool:
        return connector_id in self._timers

    def end(self, connector_id: int) -> bool:
        """There are no more. Returns whether any would have come."""
        timer = self._timers.pop(connector_id)
        if timer is not None:
            timer.cancel()
        return timer is not None

    def take_now(self, connector_id: int) -> bool:
        """One more, between those of the interval. Returns whether a MeterValues is queued."""
        return self._sample(connector_id, self._ctx.transactions.running(connector_id))

    def begin_anew(self) -> None:
        """The interval is another one."""
        self.stop()
        for transaction in self._ctx.transactions.all_running():
            self.begin(transaction)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _sample(self, connector_id: int, transaction: Transaction | None) -> bool:
        revision = self._ctx.configuration.revision
        if revision != self._revision:
            self._reported = self._sampling.measurands(core.METER_VALUES_SAMPLED_DATA)
            self._kept = self._sampling.measurands(core.STOP_TXN_SAMPLED_DATA)
            self._revision = revision
        return self._sampling.take(connector_id, self._reported, self._kept, _PERIODIC, transaction)
