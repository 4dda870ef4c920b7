"""Metrics for Prometheus, read from the database and the CA clients when somebody asks; docs/metrics.md lists them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.model.alerts import Severity
from services.model.clock import Clock
from services.ports import Storage, Transaction

MOST_ALERTS = 10_000
"""Open alerts that are counted, the gravest first."""

Traffic = Mapping[str, Callable[[], Mapping[str, int]]]
"""For each CA by name: what returns its counts of exchanges by result."""


Counts = Callable[[], Mapping[str, int]]
"""Returns how often, by kind (`bot.slack.soundness`)."""


class CertdeskCollector(Collector):
    """Gives certdesk's own metrics at each scrape."""

    def __init__(self, storage: Storage, traffic: Traffic, clock: Clock, unsound: Counts = dict) -> None:
        self._storage, self._traffic, self._clock, self._unsound = storage, traffic, clock, unsound

    def collect(self) -> Iterable[Metric]:
        """Yield each metric with its present values."""
        now = self._clock()
        with self._storage.read() as tx:
            yield from _queues(tx, now)
            yield from _alerts(tx)
        beat = self._storage.last_heartbeat()
        age = (now - beat).total_seconds() if beat else float("inf")
        yield GaugeMetricFamily("certdesk_worker_silent_seconds", "Time since any worker was last alive", age)
        requests = CounterMetricFamily("certdesk_acme_requests", "Exchanges with a CA", labels=("ca", "kind"))
        for ca, counts in self._traffic.items():
            for kind, count in counts().items():
                requests.add_metric((ca, kind), count)
        yield requests
        trimmed = CounterMetricFamily(
            "certdesk_slack_unsound", "What broke a limit of Slack's and was trimmed", labels=("kind",)
        )
        for kind, count in self._unsound().items():
            trimmed.add_metric((kind,), count)
        yield trimmed


def _queues(tx: Transaction, now: datetime) -> Iterator[Metric]:
    """Yield how long what is due has been waiting, queue by queue."""
    waiting, step, watch = tx.outbox.waiting(), tx.certificates.next_due(), tx.watches.next_due()
    yield GaugeMetricFamily("certdesk_messages_waiting", "Messages owed to Slack and webhooks", waiting)
    late = _late(step, now)
    yield GaugeMetricFamily("certdesk_queue_delay_seconds", "How long the longest due step waits", late)
    late = _late(watch, now)
    yield GaugeMetricFamily("certdesk_watch_delay_seconds", "How long the longest due check waits", late)
    delay = GaugeMetricFamily(
        "certdesk_outbox_delay_seconds", "How long the longest due message waits", labels=("via",)
    )
    failing = GaugeMetricFamily("certdesk_messages_failing", "Messages that have failed", labels=("via",))
    for via in ("slack", "webhook"):
        delay.add_metric((via,), _late(tx.outbox.oldest(via), now))
        failing.add_metric((via,), tx.outbox.struggling(via))
    yield delay
    yield failing


def _alerts(tx: Transaction) -> Iterator[Metric]:
    counts = Counter(alert.severity for alert in tx.alerts.listing(MOST_ALERTS))
    alerts = GaugeMetricFamily("certdesk_alerts_open", "Open alerts", labels=("severity",))
    for severity in Severity:
        alerts.add_metric((severity.name.lower(),), counts[severity])
    yield alerts
    breakers = sum(breaker.open for breaker in tx.breakers.all())
    yield GaugeMetricFamily("certdesk_breakers_open", "Shared things whose failures halt attempts", breakers)


def _late(due: datetime | None, now: datetime) -> float:
    return max(0.0, (now - due).total_seconds()) if due else 0.0


def registry(storage: Storage, traffic: Traffic, clock: Clock, unsound: Counts = dict) -> CollectorRegistry:
    """Return a registry with certdesk's metrics and those of the process."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    GCCollector(registry=made)
    made.register(CertdeskCollector(storage, traffic, clock, unsound))
    return made
