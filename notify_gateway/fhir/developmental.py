# SPDX-License-Identifier: MIT
"""The Observations of a message: ASQ-3 scores, which are checked, and others, which are passed on in words. For the card alone.

ASQ-3 (Ages and Stages Questionnaires, third edition) has 21 questionnaires by age, each with five domains of 0 to 60 points; it is used
at the mandated review at two to two and a half years. SNOMED CT has one observable for each questionnaire and domain: only the concept
whose meaning is certain is read as such, the domain is named by a code system of this project instead. What is in no code but in words
is passed on in words.
"""

from __future__ import annotations

from typing import Any, Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.fhir import names
from notify_gateway.fhir.bundle import Bundle, Json, Located, codes, extensions, full_date
from notify_gateway.fhir.card import label, notes, present

MONTHS: Final = frozenset({2, 4, 6, 8, 9, 10, 12, 14, 16, 18, 20, 22, 24, 27, 30, 33, 36, 42, 48, 54, 60})
HIGHEST_SCORE: Final = 60
_IN_SNOMED: Final = {"953621000000109": ("fine-motor", 60)}
_SECOND_EDITION: Final = "443222000"
_REPORTED: Final = frozenset({"final", "amended", "corrected"})


def read_observations(bundle: Bundle) -> dict[str, list[dict[str, Any]]]:
    """Return ``asq_3`` (domain, month, score, day) and ``observations`` (what, value, day) for the card, after noting what is wrong.

    What is preliminary, cancelled or entered in error is left out.
    """
    scores, others = [], []
    for observation in bundle.all("Observation"):
        if observation.resource["status"] not in _REPORTED:
            continue
        domains = codes(observation.resource["code"], names.ASQ_3_DOMAIN)
        concepts = codes(observation.resource["code"], names.SNOMED)
        if _SECOND_EDITION in concepts:
            bundle.fault(Code.ASQ_SECOND_EDITION, f"{observation.at}.code")
        elif domains or not _IN_SNOMED.keys().isdisjoint(concepts):
            scores.append(_read_score(bundle, observation, domains, concepts))
        else:
            others.append(_read_other(observation.resource))
    return {"asq_3": scores, "observations": others}


def _read_score(bundle: Bundle, observation: Located, domains: list[str], concepts: list[str]) -> dict[str, Any]:
    resource, at = observation.resource, observation.at
    known = [_IN_SNOMED[concept] for concept in concepts if concept in _IN_SNOMED]
    named = {*domains, *(domain for domain, _ in known)}
    if len(named) != 1 or not named <= names.ASQ_3_DOMAINS.keys():
        bundle.fault(Code.ASQ_DOMAIN, f"{at}.code")
    months = {month for _, month in known} | {item.get("valuePositiveInt") for item in extensions(resource, names.ASQ_3_MONTH)}
    if len(months) != 1 or not months <= MONTHS:
        bundle.fault(Code.ASQ_MONTH, f"{at}.extension")
    score = _score(resource)
    if score is None:
        bundle.fault(Code.ASQ_SCORE, f"{at}.value")
    domain = names.ASQ_3_DOMAINS.get(min(named))
    return present({"domain": domain, "month": next(iter(months), None), "score": score, "on": _day(resource)})


def _score(resource: Json) -> int | str | None:
    """Return the points. Where a question was left out the handbook's adjusted score may be a fraction, which a card holds as text."""
    quantity = resource.get("valueQuantity", {})
    points = resource.get("valueInteger", quantity.get("value"))
    if points is None or "comparator" in quantity or not 0 <= points <= HIGHEST_SCORE:
        return None
    return int(points) if points == int(points) else f"{float(points):.10g}"


def _read_other(resource: Json) -> dict[str, Any]:
    return present({"name": label(resource["code"]), "value": _value(resource), "on": _day(resource), "notes": notes(resource)})


def _value(resource: Json) -> str | bool | int | None:
    for name in ("valueString", "valueInteger", "valueBoolean"):
        if name in resource:
            plain: str | bool | int = resource[name]
            return plain
    if "valueQuantity" in resource:
        quantity = resource["valueQuantity"]
        parts = (quantity.get("comparator"), quantity.get("value"), quantity.get("unit") or quantity.get("code"))
        return " ".join(str(part) for part in parts if part is not None)
    return label(resource.get("valueCodeableConcept", {}))


def _day(resource: Json) -> str | None:
    on = full_date(resource.get("effectiveDateTime")) or full_date(resource.get("effectivePeriod", {}).get("start"))
    return on.isoformat() if on else None
