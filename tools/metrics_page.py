# SPDX-License-Identifier: MIT
"""The page of metrics, made from the counters and gauges themselves."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics import MetricWrapperBase

from notify_gateway.telemetry import metrics
from notify_gateway.use_cases.measures import GAUGES, Gauge

LABELS = "Labels are codes of closed lists: error codes, channels, kinds, standings, HTTP status, GSS codes of authorities."


def metrics_page(made: str) -> str:
    """Return the tables of metrics; ``made`` says where they come from."""
    lines = [f"# Metrics\n\n{made}{LABELS}"]
    lines += ["\n## Of each process\n", "| metric | type | labels | what it shows |", "|---|---|---|---|"]
    for each in counted():
        kind = str(each._type)
        name = f"{each._name}_total" if kind == "counter" else each._name
        lines.append(_row(name, kind, each._labelnames, each._documentation))
    lines += ["\n## Of the whole service, by the gateway\n", "| metric | type | labels | what it shows |", "|---|---|---|---|"]
    lines += [_row(each.name, "gauge", each.labels, each.help) for each in gauges()]
    return "\n".join(lines) + "\n"


def counted() -> Iterator[MetricWrapperBase]:
    """Yield the counters and histograms that a process has."""
    yield from (each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase))


def gauges() -> tuple[Gauge, ...]:
    """Return the gauges that are read from the database."""
    return GAUGES


def _row(name: str, kind: str, labels: tuple[str, ...], said: str) -> str:
    return f"| `{name}` | {kind} | {', '.join(f'`{each}`' for each in labels)} | {said} |"
