# SPDX-License-Identifier: MIT
"""The project's code systems: enums, tables and the catalogue of errors, word for word as the service uses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from mappings.needs import NeedTables
from notify_gateway.domain.advice import WORDS as ADVICE_WORDS
from notify_gateway.domain.advice import Advice
from notify_gateway.domain.catalogue import all_entries
from notify_gateway.domain.feedback import OUTCOMES, QUESTIONS, SEND_BACK_REASONS, Words
from notify_gateway.domain.lifecycle import TABLE
from notify_gateway.fhir import names
from notify_gateway.fhir.definitions import vocabulary
from notify_gateway.fhir.definitions.canonical import OPEN_GOVERNMENT_LICENCE, VERSION, Concept, Json, canonical, id_of, without_repeats
from notify_gateway.fhir.task import AUTHORITY_OUTCOME, AUTHORITY_QUESTION, SENT_BACK_REASON, TOLD

RECEIVER_REASONS: Final = f"{names.BASE}/CodeSystem/receiver-reason"
BROAD_AREA: Final = f"{names.BASE}/CodeSystem/broad-area-of-need"
ADVICE: Final = f"{names.BASE}/CodeSystem/advice"


def made() -> Iterator[Json]:
    """Yield every code system that the project owns."""
    yield _of_words(names.MESSAGE_EVENT, "Message events", "Events for which a message is sent.", vocabulary.EVENTS)
    yield _of_words(names.MESSAGE_REASON, "Message reasons", "Why a message is sent.", vocabulary.REASONS)
    yield _of_words(names.SECTION_23, "Section 23 communications", "What a Communication of the message is.", vocabulary.COMMUNICATIONS)
    yield _of_words(names.OPINION_CATEGORY, "Opinion categories", "What an opinion is about.", vocabulary.OPINIONS)
    yield _of_words(names.PARENTAL_VIEW, "Parental views", "The parent's view of the notification, coded.", vocabulary.VIEWS)
    yield _of_words(RECEIVER_REASONS, "Receiver reasons", "Why the sender names the authority itself.", vocabulary.RECEIVER_REASONS)
    yield _asq_domains()
    yield _sen_types()
    yield _broad_areas()
    yield _states()
    yield _of_words(names.TASK_OUTPUT, "Task outputs", "The kinds of thing that a Task tells, in its output and its history.", TOLD)
    yield _of_words(AUTHORITY_OUTCOME, "Authority outcomes", "What came of a notification at the authority.", OUTCOMES)
    yield _of_words(SENT_BACK_REASON, "Reasons for sending back", "Why an authority is not the responsible one.", SEND_BACK_REASONS)
    yield _of_words(AUTHORITY_QUESTION, "Authority questions", "What an authority asks the sender; the answer is an update.", QUESTIONS)
    yield _errors()
    yield _advice()


def _of_words(url: str, title: str, description: str, words: Mapping[Any, Words]) -> Json:
    return _system(url, title, description, (Concept(str(code), said.label, said.meaning) for code, said in words.items()))


def _asq_domains() -> Json:
    concepts = (Concept(code, label, f"The domain {label.lower()} of the questionnaire.") for code, label in names.ASQ_3_DOMAINS.items())
    return _system(names.ASQ_3_DOMAIN, "ASQ-3 domains", "The domains of the Ages and Stages Questionnaires, third edition.", concepts)


def _sen_types() -> Json:
    tables = NeedTables.load()
    concepts = []
    for code, rows in sorted(tables.sen_types.items()):
        latest = rows[-1]
        properties = {"broad-area": latest.area} if latest.area else {}
        meaning = f"{latest.label}. {latest.remark}".removesuffix(" ")
        concepts.append(Concept(code, latest.label, meaning, {**properties, **_dates(latest.valid_from, latest.valid_to)}))
    made = _system(
        names.DFE_SEN_TYPE,
        "Types of special educational need",
        "The types that the Department for Education collects in the school census, with the broad area of each.",
        concepts,
        properties={"broad-area": "code", "valid-from": "dateTime", "valid-to": "dateTime"},
        version=tables.version,
    )
    return made | {"copyright": OPEN_GOVERNMENT_LICENCE}


def _broad_areas() -> Json:
    tables = NeedTables.load()
    concepts = (Concept(code, rows[-1].label, f"{rows[-1].label}, as the Code describes it.") for code, rows in tables.areas.items())
    description = "The four broad areas of need (SEND Code of Practice 2015, 6.28 to 6.35)."
    made = _system(BROAD_AREA, "Broad areas of need", description, concepts, version=tables.version)
    return made | {"copyright": OPEN_GOVERNMENT_LICENCE}


def _states() -> Json:
    concepts = (
        Concept(state.value, facts.label, facts.meaning, {"task-status": facts.task_status, "counts-as": facts.counts_as.value})
        for state, facts in TABLE.items()
    )
    properties = {"task-status": "code", "counts-as": "code"}
    return _system(names.TASK_STATE, "Task states", "Where a notification stands.", concepts, properties=properties)


def _errors() -> Json:
    concepts = (
        Concept(
            known.code.value,
            known.title,
            f"{known.why} {known.fix}",
            {
                "http-status": known.status,
                "issue-type": known.issue,
                "http-error-code": known.rec,
                "retry": known.retry,
                "since": known.since,
            },
        )
        for known in all_entries()
    )
    properties = {"http-status": "integer", "issue-type": "code", "http-error-code": "code", "retry": "boolean", "since": "string"}
    description = "Why a request was refused, and what to do. A code keeps its meaning for ever."
    return _system(names.ERROR_CODES, "Errors", description, concepts, properties=properties)


def _advice() -> Json:
    concepts = (
        Concept(advice.value, ADVICE_WORDS[advice].title, f"{ADVICE_WORDS[advice].why} {ADVICE_WORDS[advice].fix}") for advice in Advice
    )
    return _system(ADVICE, "Advice", "What a sender is told of a message that may be accepted as it is.", concepts)


def _dates(valid_from: date | None, valid_to: date | None) -> dict[str, str]:
    dates = {"valid-from": valid_from, "valid-to": valid_to}
    return {name: on.isoformat() for name, on in dates.items() if on is not None}


def _system(
    url: str,
    title: str,
    description: str,
    concepts: Iterable[Concept],
    *,
    properties: Mapping[str, str] | None = None,
    version: str = VERSION,
) -> Json:
    kinds = properties or {}
    listed = without_repeats(concepts)
    system = canonical("CodeSystem", id_of(url), title, description, version=version) | {
        "caseSensitive": True,
        "valueSet": url.replace("/CodeSystem/", "/ValueSet/"),
        "content": "complete",
        "count": len(listed),
    }
    if kinds:
        system["property"] = [{"code": code, "type": kind} for code, kind in kinds.items()]
    return system | {"concept": [_concept(each, kinds) for each in listed]}


def _concept(concept: Concept, kinds: Mapping[str, str]) -> Json:
    made: Json = {"code": concept.code, "display": concept.display, "definition": concept.meaning}
    if concept.properties:
        made["property"] = [
            {"code": code, f"value{kinds[code][0].upper()}{kinds[code][1:]}": value} for code, value in concept.properties.items()
        ]
    return made
