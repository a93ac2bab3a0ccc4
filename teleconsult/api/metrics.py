"""`/metrics` for Prometheus: what this process has seen, and how things stand in the database at this very moment.

What lives in the database is read from it at each scrape, so every process tells the same. What only a process can know
(answers to webhooks and how long they took) is counted in the process; with several web processes on one port, the
library's shared files add them up (PROMETHEUS_MULTIPROC_DIR, set by `teleconsult serve`). No label names anybody.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from teleconsult.api import answers
from teleconsult.api.insiders import insider
from teleconsult.billing import pulse
from teleconsult.errors import NotFound

HEADERS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store"}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

disable_created_metrics()  # a series more for each counter, which says when this process began to count

_seen = CollectorRegistry()
"""What this process counts."""

WEBHOOK_ANSWERS = Counter(
    "teleconsult_webhook_answers",
    "Answers to deliveries of Stripe's webhook, by HTTP status and what came of them",
    ["status", "outcome"],
    registry=_seen,
)
WEBHOOK_SECONDS = Histogram(
    "teleconsult_webhook_seconds", "How long a delivery waited for its answer", buckets=SECONDS, registry=_seen
)
WEBHOOK_SECRETS = Counter(
    "teleconsult_webhook_secret",
    "Deliveries by the place of the secret in STRIPE_WEBHOOK_SECRET that had signed them: 0 is the first",
    ["secret"],
    registry=_seen,
)

AGES = {
    "teleconsult_oldest_job_age_seconds": ("oldest_job_age", "How long the oldest job has been due"),
    "teleconsult_worker_age_seconds": ("worker_age", "How long ago a worker gave a sign of life"),
    "teleconsult_last_event_age_seconds": ("last_event_age", "How long ago an event of Stripe's reached us"),
    "teleconsult_stuck_payment_age_seconds": ("stuck_age", "How far the worst payment is past its time"),
}
COUNTS = {
    "teleconsult_stuck_payments": ("stuck_payments", "Payments past their time"),
    "teleconsult_quarantine": ("quarantined", "Payments and events that wait for a person"),
    "teleconsult_swept_payments": ("swept", "Payments of the last day that no event told of"),
}
GROUPS = {
    "teleconsult_jobs": (pulse.jobs_by_status, "Jobs that are not history, by status"),
    "teleconsult_payments_waiting": (pulse.waiting_payments, "Payments that are not over, by state"),
    "teleconsult_payments_last_day": (pulse.payments_last_day, "Payments begun in the last 24 hours, by state"),
}
NAMES = (
    "teleconsult_webhook_answers_total",
    "teleconsult_webhook_seconds",
    "teleconsult_webhook_secret_total",
    "teleconsult_database_up",
    *AGES,
    *COUNTS,
    *GROUPS,
)
"""All there are, as a dashboard knows them."""


class _Standing(Collector):
    """The figures of the database. One that can't be read now is left out, and `teleconsult_database_up` is 0."""

    def collect(self) -> Iterable[Metric]:
        try:
            found = [*_figures()]
        except (SQLAlchemyError, RuntimeError):
            found = []
        yield _gauge("teleconsult_database_up", "Whether the figures could be read", int(bool(found)))
        yield from found


def _figures() -> Generator[Metric]:
    now = pulse.read()
    for name, (field, help_) in {**AGES, **COUNTS}.items():
        value = getattr(now, field)
        if value is not None:
            yield _gauge(name, help_, value)
    for name, (read, help_) in GROUPS.items():
        yield _labelled(name, help_, read())


def _gauge(name: str, help_: str, value: int) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _labelled(name: str, help_: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=["state"])
    for state, value in values.items():
        family.add_metric([state], value)
    return family


def scrape() -> bytes:
    """Everything, in Prometheus's text format."""
    standing = CollectorRegistry()
    standing.register(_Standing())
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(_seen) + generate_latest(standing)
    every_process = CollectorRegistry()
    MultiProcessCollector(every_process)
    return generate_latest(every_process) + generate_latest(standing)


async def metrics(request: Request) -> Response:
    """For those who may know: on this machine, or with METRICS_TOKEN. For others there is nothing here."""
    if not insider(request):
        return answers.refused(NotFound())
    return Response(await asyncio.to_thread(scrape), headers=HEADERS)


routes = [Route("/metrics", metrics, methods=["GET"])]
