"""Clock-aligned samples of every connector (OCPP 1.6 ed. 2 §9.1, ClockAlignedDataInterval).

Those of one instant are taken one after another, so that other work goes on between them. No aligned instant comes
twice because the clock was set back by less than an interval (state/alignment.py).
"""

from functools import partial

from ocpp16.configuration.keys import core
from ocpp16.enums import ReadingContext
from ocpp16.profiles.base import Context
from ocpp16.profiles.meter_sampling import MeterSampling
from ocpp16.state.alignment import next_aligned
from ocpp16.state.round import Round
from ocpp16.state.signals import ClockSet
from ocpp16.state.timers import Timer


class AlignedSamples:
    """Of all connectors; one timer for the next instant."""

    __slots__ = ("_ctx", "_instant", "_round", "_sampling", "_timer")

    def __init__(self, ctx: Context, sampling: MeterSampling) -> None:
        self._ctx = ctx
        self._sampling = sampling
        self._timer: Timer | None = None
        self._round = Round(ctx.timers, ctx.clock.monotonic, self._take)
        self._instant: int | None = None
        """The last one, µs."""

    def begin(self) -> None:
        """Wait for the next instant, from now on by the interval and the clock as they are."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        interval = self._ctx.configuration[core.CLOCK_ALIGNED_DATA_INTERVAL]
        if interval > 0:
            clock = self._ctx.clock
            instant = next_aligned(clock.now(), interval, after=self._instant)
            self._timer = self._ctx.timers.at(clock.monotonic_at(instant), partial(self._come, instant))

    def clock_set(self, signal: ClockSet) -> None:
        if signal.is_first and self._instant is not None:
            self._instant += signal.shift
        self.begin()

    def stop(self) -> None:
        self._round.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come(self, instant: int) -> None:
        """The instant is there; what of the one before was not taken yet never will be."""
        self._round.stop()
        self._instant = instant
        self.begin()
        has_main_meter = self._sampling.samples.readings.was_told(0)
        self._round.begin(number for number in self._ctx.connectors if number or has_main_meter)

    def _take(self, connector_id: int) -> None:
        self._sampling.take(
            connector_id,
            self._sampling.measurands(core.METER_VALUES_ALIGNED_DATA),
            self._sampling.measurands(core.STOP_TXN_ALIGNED_DATA),
            ReadingContext.SAMPLE_CLOCK,
            self._ctx.transactions.running(connector_id),
            at=self._instant,
        )
