"""Metrics as Prometheus has them, by prometheus-client: the extra `metrics`.

Names and units follow Prometheus' conventions. Labels are the status of a connector and the name of a repair, never
anything that a charge point or a Central System can choose: the number of series does not grow with the fleet.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from ocpp16.charge_point.snapshot import AnyChargePoint
from ocpp16.histogram import BOUNDS
from ocpp16.metrics.collecting import Durations, Metrics, Watch

try:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError:
    raise ImportError('Prometheus text needs an extra: pip install "ocpp16[metrics]"') from None

__all__ = ["CONTENT_TYPE", "ChargePointCollector", "Collector", "exposition"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Of what `exposition` gives."""

COUNTERS: Final = {
    "invalid_frames": ("invalid_frames", "Frames of Central Systems that cannot be used"),
    "unknown_ids": ("unknown_answers", "Answers to nothing that was asked"),
    "duplicate_calls": ("duplicate_calls", "CALLs that came again while they were in work"),
    "calls_sent": ("calls_sent", "CALLs written"),
    "calls_answered": ("calls_answered", "Confirmations received"),
    "calls_received": ("calls_received", "CALLs of Central Systems"),
    "retries": ("call_retries", "CALLs that were written again"),
    "timeouts": ("call_timeouts", "CALLs without an answer in time"),
    "call_errors": ("call_errors", "CALLERRORs received"),
    "dead_letters": ("messages_given_up", "Messages that became dead letters"),
    "dropped": ("messages_dropped", "Messages not sent: offline, not accepted, or too many of them"),
    "connects": ("connections", "Connections made"),
    "connection_failures": ("connection_failures", "Connections that could not be made"),
    "store_failures": ("store_failures", "Outages of the disk"),
    "internal_errors": ("internal_errors", "Exceptions that were caught so that the rest goes on"),
    "times_ignored": ("times_ignored", "Times of Central Systems that cannot be"),
    "readings_refused": ("readings_refused", "Readings of meters that cannot be"),
    "readings_clamped": ("readings_clamped", "Readings ahead of the clock, taken as of now"),
    "set_aside": ("messages_set_aside", "Messages that wait apart because they hold up others"),
    "dead_letters_dropped": ("dead_letters_dropped", "Dead letters that were too many"),
    "messages_not_logged": ("messages_not_logged", "Entries that the message log had no room for"),
    "observer_events_dropped": ("observer_events_dropped", "Events that observers were too slow for"),
}
"""Field of `Counters` → name between `ocpp16_` and `_total`, and what it counts."""

GAUGES: Final = {
    "charge_points": ("charge_points", "Charge points that are open"),
    "running": ("charge_points_running", "Those that are started"),
    "connected": ("charge_points_connected", "Those with an open WebSocket"),
    "registered": ("charge_points_registered", "Those that are accepted by the Central System"),
    "queue_depth": ("queued_messages", "Messages that wait to be sent or for their answer"),
    "dead_letters": ("dead_letters", "Messages that were given up and are kept"),
    "running_transactions": ("transactions_running", "Transactions that run"),
}
"""Field of `Metrics` → name after `ocpp16_`, and what it is."""


class ChargePointCollector(Collector):
    """For a registry of prometheus-client, as `registry.register(ChargePointCollector(charge_points))`.

    charge_points: as of `Watch`. The registry is to be asked in the thread of the charge points: in another one, such
    as that of prometheus_client.start_http_server, it raises RuntimeError, but for those of `ocpp16.blocking` and
    `ocpp16.aio`.
    """

    def __init__(self, charge_points: Iterable[AnyChargePoint]) -> None:
        self._watch = Watch(charge_points)

    def describe(self) -> Iterable[Metric]:
        """What is collected, without asking anybody."""
        return list(_families(Watch(()).collect()))

    def collect(self) -> Iterable[Metric]:
        return list(_families(self._watch.collect()))


def exposition(collector: Collector) -> bytes:
    """The text of what it collects now, of the type `CONTENT_TYPE`."""
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


def _families(found: Metrics) -> Iterator[Metric]:
    for field, (name, help_text) in GAUGES.items():
        yield GaugeMetricFamily(f"ocpp16_{name}", help_text, value=getattr(found, field))
    connectors = GaugeMetricFamily("ocpp16_connectors", "Connectors by status", labels=["status"])
    for status, number in found.connectors.items():
        connectors.add_metric([status.value], number)
    yield connectors
    for field, (name, help_text) in COUNTERS.items():
        yield CounterMetricFamily(f"ocpp16_{name}", help_text, value=getattr(found.counters, field))
    repairs = CounterMetricFamily("ocpp16_repairs", "What was mended of frames, by name", labels=["repair"])
    for repair, number in sorted(found.counters.repairs.items()):
        repairs.add_metric([repair], number)
    yield repairs
    yield _histogram("call_answer_seconds", "From the writing of a CALL to its answer", found.answer_times)
    yield _histogram("commit_seconds", "Commits to the disk", found.commit_times)


def _histogram(name: str, help_text: str, durations: Durations) -> Metric:
    buckets, so_far = [], 0
    for bound, number in zip((*map(str, BOUNDS), "+Inf"), durations.counts, strict=True):
        so_far += number
        buckets.append((bound, so_far))
    return HistogramMetricFamily(f"ocpp16_{name}", help_text, buckets=buckets, sum_value=durations.seconds)
