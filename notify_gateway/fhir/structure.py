# SPDX-License-Identifier: MIT
"""Structure of a message: accepted at once if plain and whole; else our walk, the R4B models inside a guard, and the invariants."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.fhir.invariants import broken_invariants
from notify_gateway.fhir.names import ENTRY_TYPES
from notify_gateway.fhir.parsing import MAX_ISSUES
from notify_gateway.fhir.plain import links_if_plain, plain_judge
from notify_gateway.fhir.shapes import element_names, fhirpath, resource_model, shape_of
from notify_gateway.fhir.survey import survey

SMALL_MESSAGE: Final = 32 * 1024
"""Bytes up to which a message, its attachments aside, is checked in so little time that it may be done where others wait."""
_MISSING: Final = frozenset({"missing", "model_field_validation.missing"})
_UNKNOWN: Final = frozenset({"extra_forbidden"})


def check_structure(document: dict[str, Any]) -> None:
    """Return only if ``document`` is a FHIR R4 message Bundle whose parts hang together.

    Raises ``Refused`` with all issues of the first stage that fails: shapes, models, invariants. No other exception leaves.
    """
    links = links_if_plain(document)
    if links is not None and not broken_invariants(document, links):
        return
    # From here on time buys words: the exact walk, the models and the invariants are the authors of every issue.
    found = survey(document)
    if found.issues:
        raise Refused(*found.issues)
    validate_with_models(document)
    issues = broken_invariants(document, found.links)
    if issues:
        raise Refused(*issues[:MAX_ISSUES])


def validate_with_models(document: dict[str, Any]) -> None:
    """Hold ``document`` against ``fhir.resources.R4B``; raises ``Refused``, whatever the models raise, and never with a value."""
    try:
        resource_model("Bundle").model_validate(document)
    except ValidationError as error:
        details = error.errors(include_input=False, include_context=False, include_url=False)
        issues = tuple(dict.fromkeys(Issue(_code_for(detail["type"]), fhirpath(detail["loc"])) for detail in details))
        raise Refused(*issues[:MAX_ISSUES]) from None
    except RecursionError:
        raise Refused.because(Code.TOO_DEEP) from None
    except Exception:
        # The models are known to raise KeyError, TypeError and AttributeError on some inputs; none may become a 500 or carry a value.
        raise Refused.because(Code.STRUCTURE) from None


def _code_for(kind: str) -> Code:
    if kind in _MISSING:
        return Code.ELEMENT_MISSING
    return Code.ELEMENT_UNKNOWN if kind in _UNKNOWN else Code.VALUE_FORMAT


def warm_up() -> None:
    """Import and build every model and shape that a message may need, so that no request pays for it (about half a second)."""
    element_names()
    plain_judge()
    for name in sorted(ENTRY_TYPES | {"Bundle"}):
        model = resource_model(name)
        shape_of(model)
        try:
            model.model_validate({"resourceType": name})
        except ValidationError:
            continue
