# SPDX-License-Identifier: MIT
"""The Conditions of a message as opinions in the sense of section 23(1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from mappings.verhoeff import is_valid as is_snomed_identifier
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.model import Certainty, Coding, Opinion, OpinionKind, OpinionStatus
from notify_gateway.fhir import names
from notify_gateway.fhir.bundle import Bundle, Located, codes, codings, extensions, full_date

_CERTAINTIES: Final = {"confirmed": Certainty.HAS, "provisional": Certainty.PROBABLY_HAS}
_NOT_HELD: Final = frozenset({"refuted", "entered-in-error"})
_HAS_FORM: Final[Mapping[str, Callable[[str], object]]] = {
    names.DFE_SEN_TYPE: re.compile(r"[A-Z]{2,5}").fullmatch,
    names.SNOMED: is_snomed_identifier,
}


def read_opinions(bundle: Bundle, focus: Located) -> tuple[Opinion, ...]:
    """Return the opinions that are held; one that was refuted or entered in error is no longer part of the notification."""
    notified = {bundle.follow(focus, reference, "Condition") for reference in focus.resource.get("reasonReference", ())}
    opinions = []
    for condition in bundle.all("Condition"):
        if condition not in notified:
            bundle.fault(Code.OPINION_NOT_REFERENCED, f"{focus.at}.reasonReference")
        statuses = codes(condition.resource.get("verificationStatus"), names.VERIFICATION)
        if len(statuses) == 1 and statuses[0] in _NOT_HELD:
            continue
        opinions.append(_read(bundle, condition, statuses))
    if bundle.all("Condition") and not opinions:
        bundle.fault(Code.OPINION_NONE_HELD, f"{focus.at}.reasonReference")
    return tuple(opinion for opinion in opinions if opinion is not None)


def _read(bundle: Bundle, condition: Located, statuses: list[str]) -> Opinion | None:
    certainty = _CERTAINTIES.get(statuses[0]) if len(statuses) == 1 else None
    if certainty is None:
        bundle.fault(Code.OPINION_CERTAINTY, f"{condition.at}.verificationStatus")
    kinds = frozenset(codes(condition.resource.get("category"), names.OPINION_CATEGORY))
    if not kinds or kinds - set(OpinionKind):
        bundle.fault(Code.OPINION_KIND, f"{condition.at}.category")
        kinds = frozenset()
    needs = _read_needs(bundle, condition)
    formed_on = _read_date(bundle, condition)
    if certainty is None or formed_on is None:
        return None
    return Opinion(certainty, frozenset(map(OpinionKind, kinds)), needs, formed_on, OpinionStatus.HELD, condition.at)


def _read_needs(bundle: Bundle, condition: Located) -> tuple[Coding, ...]:
    """Only codes with the form of their system are read: what stands in a code may reach the view, so words must not."""
    found = []
    for coding in codings(condition.resource.get("code")):
        system, code = coding.get("system", ""), coding.get("code", "")
        has_form = _HAS_FORM.get(system)
        if has_form is not None and has_form(code):
            found.append(Coding(system, code))
        elif has_form is not None:
            bundle.fault(Code.OPINION_CODE, f"{condition.at}.code")
    if not found:
        bundle.fault(Code.OPINION_CODE, f"{condition.at}.code")
    return tuple(dict.fromkeys(found))


def _read_date(bundle: Bundle, condition: Located) -> date | None:
    asserted = extensions(condition.resource, names.ASSERTED_DATE)
    text, name = condition.resource.get("recordedDate"), "recordedDate"
    if asserted:
        text, name = asserted[0].get("valueDateTime"), "extension"
    formed_on = full_date(text)
    if formed_on is None or len(asserted) > 1:
        bundle.fault(Code.OPINION_DATE, f"{condition.at}.{name}")
    return formed_on
