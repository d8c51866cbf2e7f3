# SPDX-License-Identifier: MIT
"""The embedded service with faults built in and tracing switched on, ``python -m tests.leaks.faulty PORT``.

A notification whose identifier begins with ``EXPLODE`` raises an error that quotes all of it; a large one also in the process of the pool;
a body must arrive within a second; spans and metrics of OpenTelemetry go to files in the temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from notify_gateway.api import http, service
from notify_gateway.domain import section23
from notify_gateway.domain.model import Submission
from notify_gateway.fhir import structure
from notify_gateway.use_cases import prepare
from tests.support import embedded

FUSE = "EXPLODE"
SPANS, METRICS = "spans.json", "metrics.json"


def judge(submission: Submission, **keywords: Any) -> Any:
    """Judge, or fail as no code of ours should: with the whole child in the text, in its cause and in the locals."""
    if submission.business_identifier.value.startswith(FUSE):
        child = submission.child
        number = child.nhs_number.reveal() if child.nhs_number else ""
        try:
            raise ValueError(f"born {child.birth_date.reveal()!r} {child.birth_date.reveal()} {number}")
        except ValueError as cause:
            raise RuntimeError(f"cannot judge {submission.card.reveal()}") from cause
    return section23.judge(submission, **keywords)


def check_structure(document: dict[str, Any]) -> None:
    """Check, or fail in the pool's process with the document in the text."""
    if FUSE in str(document["entry"][1]):
        raise RuntimeError(f"cannot check {document}")
    structure.check_structure(document)


def main(port: int) -> None:
    """Serve until SIGTERM."""
    vars(prepare)["judge"] = judge
    vars(service)["check_structure"] = check_structure
    http.BODY_WITHIN = 1.0
    temporary = Path(tempfile.gettempdir())
    with (temporary / SPANS).open("a") as spans, (temporary / METRICS).open("a") as measured:
        traces = TracerProvider()
        traces.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=spans)))
        trace.set_tracer_provider(traces)
        reader = PeriodicExportingMetricReader(ConsoleMetricExporter(out=measured), export_interval_millis=500)
        metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
        with trace.get_tracer("tests").start_as_current_span("tracing is on"):
            metrics.get_meter("tests").create_counter("metrics-are-on").add(1)
        embedded.main(port)


if __name__ == "__main__":
    main(int(sys.argv[1]))
