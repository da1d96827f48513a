"""A load test that runs, as Prometheus reads it: by the door of `ocpp16.metrics`.

Labels are actions, outcomes, rules of the protocol and nothing else: the number of series does not grow with the charge
points. Actions are those that our charge points call; should there ever be more than `MOST_ACTIONS`, the rest counts as
one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from ocpp16.fleet import by_rule
from ocpp16.histogram import BOUNDS
from ocpp16.load.histograms import counts_within
from ocpp16.load.results import ActionResult, Results
from ocpp16.rpc.violations import RULES

try:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError:
    raise ImportError('Prometheus text needs an extra: pip install "ocpp16[load]"') from None

__all__ = ["BOUNDS", "MOST_ACTIONS", "LoadCollector"]

MOST_ACTIONS: Final = 64
OTHERS: Final = "others"

OUTCOMES: Final = {"result": "results", "error": "errors", "timeout": "timeouts", "lost": "lost"}
"""Label → field of `ActionResult`."""


class LoadCollector(Collector):
    """For `serve_collector`. `results` gives what is known now; it is called at each scrape."""

    def __init__(self, results: Callable[[], Results]) -> None:
        self._results = results

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry needs no names, and there may be no results yet."""
        return ()

    def collect(self) -> Iterable[Metric]:
        return list(_families(self._results()))


def _families(results: Results) -> Iterator[Metric]:
    last = results.seconds[-1] if results.seconds else None
    for name, help_text, value in (
        ("charge_points", "Charge points of the test", results.charge_points),
        ("charge_points_connected", "Those with an open WebSocket", last.connected if last else 0),
        ("charge_points_registered", "Those that are accepted by the Central System", last.registered if last else 0),
        ("calls_in_flight", "Calls that wait for their answer", last.in_flight if last else 0),
        ("loop_delay_seconds", "How late a task of the tool woke up, at worst of the last second", _delay(results)),
        ("processes", "Processes of the test that are alive", sum(one.is_alive for one in results.processes)),
    ):
        yield GaugeMetricFamily(f"ocpp16_load_{name}", help_text, value=value)
    late = sum(second.span for second in results.seconds if second.is_late)
    for name, help_text, value in (
        ("late_seconds", "Seconds in which the tool itself was late", late),
        ("transactions_started", "StartTransaction answered", results.transactions.started),
        ("transactions_stopped", "StopTransaction answered", results.transactions.stopped),
    ):
        yield CounterMetricFamily(f"ocpp16_load_{name}", help_text, value=value)
    broken = CounterMetricFamily(
        "ocpp16_load_protocol_violations", "What the Central System did against the protocol", labels=["rule"]
    )
    rules = by_rule(results.violations)
    for rule in RULES:
        broken.add_metric([rule], rules.get(rule, 0))
    yield broken
    yield from _calls(results.actions)


def _delay(results: Results) -> float:
    return results.seconds[-1].loop_delay if results.seconds else 0.0


def _calls(actions: Mapping[str, ActionResult]) -> Iterator[Metric]:
    calls = CounterMetricFamily("ocpp16_load_calls", "Calls that ended, by outcome", labels=["action", "outcome"])
    times = HistogramMetricFamily("ocpp16_load_call_seconds", "From when a call was due to its end", labels=["action"])
    named = sorted(actions)
    for name in named[:MOST_ACTIONS]:
        _add(calls, times, name, [actions[name]])
    if rest := [actions[name] for name in named[MOST_ACTIONS:]]:
        _add(calls, times, OTHERS, rest)
    yield calls
    yield times


def _add(calls: CounterMetricFamily, times: HistogramMetricFamily, name: str, actions: Iterable[ActionResult]) -> None:
    sums = dict.fromkeys(OUTCOMES, 0)
    within = [0] * (len(BOUNDS) + 1)
    seconds = 0.0
    for action in actions:
        for outcome, field in OUTCOMES.items():
            sums[outcome] += getattr(action, field)
        counts = counts_within(action.due.histogram, BOUNDS)
        within = [mine + theirs for mine, theirs in zip(within, counts, strict=True)]
        seconds += (action.due.mean or 0.0) * counts[-1]
    for outcome, count in sums.items():
        calls.add_metric([name, outcome], count)
    buckets = list(zip((*map(str, BOUNDS), "+Inf"), within, strict=True))
    times.add_metric([name], buckets, sum_value=seconds)
