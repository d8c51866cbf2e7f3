# SPDX-License-Identifier: MIT
"""The embedded service with faults built in and tracing switched on, ``python -m tests.leaks.faulty PORT``.

A notification whose identifier begins with ``EXPLODE`` raises an error that quotes all of it; a large one also in the process of the pool.
One that begins with ``BLAB`` and a word is leaked as the word says. A body must arrive within a second; spans and metrics of OpenTelemetry
go to files in the temporary folder.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from prometheus_client import Counter

from notify_gateway.api import http, service
from notify_gateway.domain import section23
from notify_gateway.domain.model import Submission
from notify_gateway.fhir import structure
from notify_gateway.use_cases import examine
from tests.leaks.canaries import CANARIES
from tests.support import embedded

FUSE, BLAB = "EXPLODE", "BLAB"
SPANS, METRICS = "spans.json", "metrics.json"


def _blab_in_a_span(words: Words) -> None:
    with trace.get_tracer("tests").start_as_current_span("judged", attributes={"child": words.name}):
        return


@dataclass(frozen=True, slots=True)
class Words:
    """What a blabbing service has to tell."""

    name: str
    number: str
    born: str


BLABS: dict[str, Callable[[Words], object]] = {
    "log": lambda words: structlog.get_logger("tests").info("judged", child=words.name),
    "library": lambda words: logging.getLogger("some.library").warning("judged %s", words.number),
    "output": lambda words: print(f"judged {words.born}", flush=True),
    "digest": lambda words: print(hashlib.sha256(CANARIES["e-mail"][0].encode()).hexdigest(), flush=True),
    "span": _blab_in_a_span,
    "metric": lambda words: Counter("judged", "How many were judged.", ["child"]).labels(words.name).inc(),
    "file": lambda words: (Path(tempfile.gettempdir()) / "judged.gz").write_bytes(gzip.compress(words.name.encode())),
    "name": lambda words: Path(tempfile.gettempdir(), words.number).touch(),
}


def judge(submission: Submission, **keywords: Any) -> Any:
    """Judge, or fail as no code of ours should: with the whole child in the text, in its cause and in the locals."""
    child = submission.child
    if submission.business_identifier.value.startswith(BLAB):
        number = child.nhs_number.reveal() if child.nhs_number else ""
        words = Words(str(submission.card.reveal()["child"]["names"]), number, str(child.birth_date.reveal()))
        BLABS[submission.business_identifier.value.split("-")[1]](words)
    if submission.business_identifier.value.startswith(FUSE):
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
    vars(examine)["judge"] = judge
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
