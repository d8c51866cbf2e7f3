# SPDX-License-Identifier: MIT
"""The project's own extensions as StructureDefinitions (differentials on Extension)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from notify_gateway.fhir import names
from notify_gateway.fhir.definitions.canonical import Json, canonical, id_of, url_of
from notify_gateway.fhir.outcome import ERROR_PAGE
from notify_gateway.fhir.task import TASK_HISTORY

ACCEPTANCE: Final = f"{names.BASE}/StructureDefinition/acceptance"
DRY_RUN: Final = f"{names.BASE}/StructureDefinition/dry-run"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an extension: its name, the type of its value (or its own parts), how often it may come, and its value set."""

    name: str
    meaning: str
    type: str = ""
    least: int = 1
    most: str = "1"
    bound_to: str | None = None
    parts: tuple[Part, ...] = ()


_ACCEPTANCE_PARTS = (
    Part("reference", "The reference of the notification, safe to say on the telephone.", "string"),
    Part("authority", "The responsible authority, by GSS code.", "code"),
    Part("leaf", "The entry of the audit log, word for word.", "base64Binary"),
    Part("promise", "The signed promise that the entry will be in the log.", "string"),
    Part("receipt", "The proof that the entry is in the log, where it was waited for.", "string", least=0),
)
_HISTORY_PARTS = (
    Part("what", "What happened.", "code", bound_to="task-output"),
    Part("at", "When the service learnt it.", "instant"),
    Part("event", "Of which kind of message it was.", "code", bound_to="message-reason"),
    Part("authority", "At which authority, by GSS code.", "code"),
    Part("on", "The day on which the authority says that it was.", "date", least=0),
    Part("code", "The outcome, the question, or the reason for sending back.", "Coding", least=0),
    Part("suggested-authority", "The authority that is thought responsible, by GSS code.", "code", least=0),
)
_LAYER_PARTS = (
    Part("name", "What was looked at: json, fhir, message, law or routing.", "code"),
    Part("verdict", "How it came out.", "code"),
    Part("count", "How many faults there are.", "unsignedInt"),
)
_DRY_RUN_PARTS = (
    Part("verdict", "Whether the message would be accepted.", "code"),
    Part("event", "What the message is: new, update or delete.", "code", least=0, bound_to="message-reason"),
    Part("layer", "What was looked at, in order.", most="*", parts=_LAYER_PARTS),
    Part("authority", "Where it would go, by GSS code.", "code", least=0),
    Part("authority-name", "What that authority is called.", "string", least=0),
    Part("routed-by", "How that was found.", "code", least=0),
    Part("postcodes-edition", "The edition of the postcode table.", "string"),
    Part("authorities-version", "The version of the table of authorities.", "string"),
    Part("needs-version", "The version of the tables of needs.", "string"),
)


def made() -> Iterator[Json]:
    """Yield every extension that the project defines."""
    yield _simple(
        names.RECEIVER_REASON,
        "Reason for naming the authority",
        "Why the sender names the authority itself instead of leaving it to the home postcode.",
        "MessageHeader",
        Part("", "The reason.", "code", bound_to="receiver-reason"),
    )
    yield _simple(
        names.AGREED_TO_SHARE,
        "Parent agreed to share",
        "Whether the parent agreed that the authority is told; asked for only where section 23 does not bind the sender.",
        "Communication",
        Part("", "Whether the parent agreed.", "boolean"),
    )
    yield _simple(
        names.DO_NOT_CONTACT_BEFORE,
        "Do not contact before",
        "The day before which the authority is not to contact the family, say because a clinician is to speak with them first.",
        "Communication",
        Part("", "The day, at most 90 days after the notification was sent.", "date"),
    )
    yield _simple(
        names.ASQ_3_MONTH,
        "ASQ-3 questionnaire",
        "Which questionnaire of ASQ-3 was used, by the month that it is named after.",
        "Observation",
        Part("", "The month.", "positiveInt"),
    )
    yield _simple(
        ERROR_PAGE,
        "Page of an error",
        "The page that explains an error, below the address of the service.",
        "OperationOutcome.issue",
        Part("", "The address of the page.", "uri"),
    )
    yield _complex(ACCEPTANCE, "Acceptance", "What a sender keeps of an acceptance.", "OperationOutcome", _ACCEPTANCE_PARTS)
    yield _complex(DRY_RUN, "Dry run", "How far a message came that was tried and not sent.", "OperationOutcome", _DRY_RUN_PARTS)
    yield _complex(TASK_HISTORY, "Task history", "One thing that happened to a notification.", "Task", _HISTORY_PARTS, most="*")


def _simple(url: str, title: str, description: str, context: str, value: Part) -> Json:
    elements = [_root("Extension", description, "1"), {"id": "Extension.extension", "path": "Extension.extension", "max": "0"}]
    return _definition(url, title, description, context, [*elements, _url("Extension", url), _value("Extension", "Extension", value)])


def _complex(url: str, title: str, description: str, context: str, parts: Sequence[Part], *, most: str = "1") -> Json:
    elements = [
        _root("Extension", description, most),
        *_sliced("Extension", "Extension", parts),
        _url("Extension", url),
        _no_value("Extension"),
    ]
    return _definition(url, title, description, context, elements)


def _definition(url: str, title: str, description: str, context: str, elements: list[Json]) -> Json:
    return canonical("StructureDefinition", id_of(url), title, description) | {
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": context}],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def _sliced(at: str, path: str, parts: Sequence[Part]) -> Iterator[Json]:
    for part in parts:
        slice_at, slice_path = f"{at}.extension:{part.name}", f"{path}.extension"
        yield {
            "id": slice_at,
            "path": slice_path,
            "sliceName": part.name,
            "short": part.meaning,
            "min": part.least,
            "max": part.most,
        }
        if part.parts:
            yield from _sliced(slice_at, slice_path, part.parts)
            yield _url(slice_at, part.name, slice_path)
            yield _no_value(slice_at, slice_path)
        else:
            yield {"id": f"{slice_at}.extension", "path": f"{slice_path}.extension", "max": "0"}
            yield _url(slice_at, part.name, slice_path)
            yield _value(slice_at, slice_path, part)


def _root(at: str, description: str, most: str) -> Json:
    return {"id": at, "path": at, "short": description, "min": 0, "max": most}


def _url(at: str, url: str, path: str | None = None) -> Json:
    return {"id": f"{at}.url", "path": f"{path or at}.url", "fixedUri": url}


def _no_value(at: str, path: str | None = None) -> Json:
    return {"id": f"{at}.value[x]", "path": f"{path or at}.value[x]", "max": "0"}


def _value(at: str, path: str, part: Part) -> Json:
    element: Json = {"id": f"{at}.value[x]", "path": f"{path}.value[x]", "min": 1, "type": [{"code": part.type}]}
    if part.bound_to is not None:
        element["binding"] = {"strength": "required", "valueSet": url_of("ValueSet", part.bound_to)}
    return element
