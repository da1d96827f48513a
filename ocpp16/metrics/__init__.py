"""Counters, gauges and latencies of charge points as numbers; as Prometheus text in `metrics.prometheus`.

    from ocpp16.metrics import collect

    found = collect(charge_points)
    found.connected, found.counters.calls_sent, found.answer_times.mean

Nothing is kept by charge point or by id: one number stands for all that are asked.
"""

from ocpp16.histogram import BOUNDS
from ocpp16.metrics.collecting import Durations, Metrics, Watch, collect

__all__ = ["BOUNDS", "Durations", "Metrics", "Watch", "collect"]
