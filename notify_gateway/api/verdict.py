# SPDX-License-Identifier: MIT
"""The answer to a dry run as FHIR: how far the message came, what is wrong and what could be better, for people and for machines."""

from __future__ import annotations

from typing import Any

from notify_gateway.domain.advice import WORDS, Remark
from notify_gateway.fhir import names
from notify_gateway.fhir.outcome import operation_outcome
from notify_gateway.use_cases.dry_run import Destination, LayerReport, Report, Verdict
from notify_gateway.use_cases.examine import Layer

DRY_RUN = f"{names.BASE}/StructureDefinition/dry-run"
ADVICE = f"{names.BASE}/CodeSystem/advice"

ACCEPTED, REFUSED = "would-be-accepted", "would-be-refused"

_HOW = {
    "postcode": "by its home postcode",
    "named": "as the sender names it, for there is no postcode to go by",
    "override": "as the sender names it, against the home postcode",
}
_LIMITS = (
    "Judged by the steps of $process-message. What is held is not looked at, so duplicates, conflicts and the order of versions "
    "only show when the message is sent. Nothing was kept."
)


def validation_outcome(report: Report) -> dict[str, Any]:
    """Return an OperationOutcome: a line for each layer, the verdict, every fault, every remark.

    Its ``dry-run`` extension says the same for machines: ``verdict``, ``event``, a ``layer`` each with name, verdict and count,
    ``authority`` with its name and how it was found, the edition of the postcodes and the versions of the tables.
    """
    return {
        "resourceType": "OperationOutcome",
        "extension": [{"url": DRY_RUN, "extension": _for_machines(report)}],
        "issue": [
            *(_told(_line(layer, report.destination), _why(layer)) for layer in report.layers),
            _told(_sentence(report), _LIMITS),
            *operation_outcome(report.issues)["issue"],
            *map(_remark, report.remarks),
        ],
    }


def _sentence(report: Report) -> str:
    faults = len(report.issues)
    return f"Verdict: would be refused, {_count(faults)}" if faults else "Verdict: would be accepted"


def _line(layer: LayerReport, destination: Destination | None) -> str:
    match layer.verdict:
        case Verdict.FAULTS:
            said = _count(len(layer.issues))
        case Verdict.NOT_JUDGED:
            said = f"not judged, because {layer.because}"
        case Verdict.PASSED:
            said = "passed"
    if layer.layer is Layer.ROUTING and destination is not None:
        goes = f"would go to {destination.name} ({destination.authority}), {_HOW[destination.how]}"
        said = goes if layer.verdict is Verdict.PASSED else f"{goes}, but: {said}"
    return f"{layer.layer.value}: {said}"


def _why(layer: LayerReport) -> str | None:
    return None if layer.verdict is not Verdict.FAULTS else "The faults are listed below, each with its place and how to mend it."


def _told(text: str, diagnostics: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"severity": "information", "code": "informational", "details": {"text": text}}
    return told if diagnostics is None else told | {"diagnostics": diagnostics}


def _remark(remark: Remark) -> dict[str, Any]:
    words = WORDS[remark.advice]
    told = {
        "severity": words.severity.value,
        "code": "informational",
        "details": {"coding": [{"system": ADVICE, "code": remark.advice.value, "display": words.title}]},
        "diagnostics": f"{words.title}. {words.why} {words.fix}",
    }
    return told if remark.expression is None else told | {"expression": [remark.expression]}


def _for_machines(report: Report) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"url": "verdict", "valueCode": REFUSED if report.issues else ACCEPTED}]
    if report.event is not None:
        parts.append({"url": "event", "valueCode": report.event})
    for layer in report.layers:
        named = [
            {"url": "name", "valueCode": layer.layer.name.lower()},
            {"url": "verdict", "valueCode": layer.verdict.value},
            {"url": "count", "valueUnsignedInt": len(layer.issues)},
        ]
        parts.append({"url": "layer", "extension": named})
    if report.destination is not None:
        parts += [
            {"url": "authority", "valueCode": report.destination.authority},
            {"url": "authority-name", "valueString": report.destination.name},
            {"url": "routed-by", "valueCode": report.destination.how},
        ]
    edition = report.destination.edition if report.destination is not None else report.postcodes_edition
    return [
        *parts,
        {"url": "postcodes-edition", "valueString": edition},
        {"url": "authorities-version", "valueString": report.authorities_version},
        {"url": "needs-version", "valueString": report.needs_version},
    ]


def _count(faults: int) -> str:
    return "1 fault" if faults == 1 else f"{faults} faults"
