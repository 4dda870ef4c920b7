"""Metrics for Prometheus, read from the database and the CA clients when somebody asks; docs/metrics.md lists them."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.model.clock import Clock
from services.ports import Storage

Traffic = Mapping[str, Callable[[], Mapping[str, int]]]
"""For each CA by name: what returns its counts of exchanges by result."""


class CertdeskCollector(Collector):
    """Gives certdesk's own metrics at each scrape."""

    def __init__(self, storage: Storage, traffic: Traffic, clock: Clock) -> None:
        self._storage, self._traffic, self._clock = storage, traffic, clock

    def collect(self) -> Iterable[Metric]:
        """Yield each metric with its present values."""
        with self._storage.read() as tx:
            waiting, due = tx.outbox.waiting(), tx.certificates.next_due()
        now = self._clock()
        beat = self._storage.last_heartbeat()
        yield GaugeMetricFamily("certdesk_messages_waiting", "Messages owed to Slack", waiting)
        late = max(0.0, (now - due).total_seconds()) if due else 0.0
        yield GaugeMetricFamily("certdesk_queue_delay_seconds", "How long the longest due step waits", late)
        age = (now - beat).total_seconds() if beat else float("inf")
        yield GaugeMetricFamily("certdesk_worker_silent_seconds", "Time since any worker was last alive", age)
        requests = CounterMetricFamily("certdesk_acme_requests", "Exchanges with a CA", labels=("ca", "kind"))
        for ca, counts in self._traffic.items():
            for kind, count in counts().items():
                requests.add_metric((ca, kind), count)
        yield requests


def registry(storage: Storage, traffic: Traffic, clock: Clock) -> CollectorRegistry:
    """Return a registry with certdesk's metrics and those of the process."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    GCCollector(registry=made)
    made.register(CertdeskCollector(storage, traffic, clock))
    return made
