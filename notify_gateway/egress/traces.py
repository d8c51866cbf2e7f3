# SPDX-License-Identifier: MIT
"""Spans on their way to the operator's collector: OTLP over HTTP, in its JSON form. Loaded only where traces are on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import Tracer

from audit.cosigning import Unreachable
from notify_gateway import __version__
from notify_gateway.egress.post import PostClient
from notify_gateway.telemetry.tracing import ATTRIBUTES

LOG = structlog.get_logger(__name__)


class CollectorExporter(SpanExporter):
    """Posts spans to one address; what cannot be posted is dropped, and told once until it works again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = PostClient("application/json")
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Post the spans; nothing waits for this but the thread that collects them."""
        try:
            status = self._client.ask(self._url, orjson.dumps(document(spans))).status
            failed = None if 200 <= status < 300 else f"http-{status}"
        except Unreachable:
            failed = "unreachable"
        if failed is not None and not self._away:
            LOG.warning("traces-not-taken", code=failed, count=len(spans))
        self._away = failed is not None
        return SpanExportResult.SUCCESS if failed is None else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Give the connection back."""
        self._client.close()


def tracer_to(processor: SpanProcessor, process: str) -> Tracer:
    """Return a tracer of this service whose spans go to ``processor``; no provider is made known to libraries."""
    resource = Resource({"service.name": "notify-gateway", "service.version": __version__, "service.instance.id": process})
    provider = TracerProvider(resource=resource, sampler=ParentBased(ALWAYS_ON))
    provider.add_span_processor(processor)
    return provider.get_tracer("notify_gateway", __version__)


def tracer_to_collector(url: str, process: str) -> Tracer:
    """Return a tracer whose spans go to the collector at ``url`` from a thread of their own; at most 2,048 wait, more are dropped."""
    processor = BatchSpanProcessor(CollectorExporter(url), max_queue_size=2048, schedule_delay_millis=2000, max_export_batch_size=256)
    return tracer_to(processor, process)


def document(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """Return the spans as an ExportTraceServiceRequest (OTLP 1, JSON): names, times, status and the attributes that are ours, no more."""
    resource = spans[0].resource.attributes if spans else {}
    scope = {"name": "notify_gateway", "version": __version__}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [_attribute(name, value) for name, value in resource.items()]},
                "scopeSpans": [{"scope": scope, "spans": [_span(each) for each in spans]}],
            }
        ]
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    own = {name: value for name, value in (span.attributes or {}).items() if name in ATTRIBUTES}
    return {
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        **({"parentSpanId": f"{span.parent.span_id:016x}"} if span.parent else {}),
        "name": span.name,
        "kind": 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": [_attribute(name, value) for name, value in own.items()],
        "status": {"code": span.status.status_code.value},
    }


def _attribute(name: str, value: object) -> dict[str, Any]:
    return {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}}
