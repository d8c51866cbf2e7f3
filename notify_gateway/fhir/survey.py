# SPDX-License-Identifier: MIT
"""The walk that holds a parsed message against the shapes of FHIR R4: names, JSON types, cardinality, bindings, ext-1, txt-1."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from fhir_core.fhirabstractmodel import FHIRAbstractModel

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue
from notify_gateway.fhir.names import CONTAINED_TYPES, ENTRY_TYPES
from notify_gateway.fhir.parsing import MAX_ISSUES
from notify_gateway.fhir.shapes import Element, resource_model, shape_of

_TAG: Final = re.compile(r"<[\s/]*([^\s/>]+)")
_SIMPLE_TAG: Final = re.compile(
    "a|abbr|b|big|blockquote|br|caption|cite|code|col|colgroup|dd|dfn|div|dl|dt|em|h[1-6]|hr|i|li|ol|p|pre|q|samp|small|span|strong|"
    "sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|ul|var"
)
_ACTIVE: Final = re.compile(r"(?i)\bon\w+\s*=|javascript\s*:|\b(?:src|srcset|action|formaction)\s*=|<!|<\?|expression\s*\(|url\s*\(")


class Link(NamedTuple):
    """A literal reference met on the way: where it stands, where it leads, what it claims, what its element allows."""

    at: str
    entry: int
    reference: str
    claimed: str | None
    targets: frozenset[str]


def link_in(value: dict[str, Any], targets: frozenset[str], at: str = "", entry: int = -1) -> Link | None:
    """Return the literal reference that an object makes, if it makes one; it counts for what it leads to even without its place."""
    reference, claimed = value.get("reference"), value.get("type")
    if type(reference) is not str:
        return None
    return Link(at, entry, reference, claimed if type(claimed) is str else None, targets)


@dataclass(slots=True)
class Survey:
    """What one walk over a message found."""

    issues: list[Issue] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    entry: int = -1

    def fault(self, code: Code, at: str) -> None:
        """Note an issue; past the limit only the fact that there are more."""
        if len(self.issues) < MAX_ISSUES:
            self.issues.append(Issue(code, at))
        elif len(self.issues) == MAX_ISSUES:
            self.issues.append(Issue(Code.TOO_MANY_ISSUES))


def survey(document: dict[str, Any]) -> Survey:
    """Return every departure of ``document`` from the shapes of FHIR R4, and every literal reference in it."""
    found = Survey()
    if document.get("resourceType") == "Bundle":
        _members(found, document, resource_model("Bundle"), "Bundle")
    else:
        found.fault(Code.NOT_A_BUNDLE, "Bundle.resourceType")
    return found


def _members(found: Survey, value: dict[str, Any], model: type[FHIRAbstractModel], at: str) -> None:
    shape = shape_of(model)
    elements = shape.elements
    for key, child in value.items():
        element = elements.get(key)
        if element is None:
            found.fault(Code.ELEMENT_UNKNOWN, at)
        elif element.many:
            _list(found, child, element, f"{at}.{element.name}")
        elif element.model is None:
            if type(child) not in element.json or element.codes or element.pattern:
                _primitive(found, child, element, f"{at}.{key}")
        else:
            _object(found, child, element, f"{at}.{element.name}")
    for name in shape.required:
        if name not in value and f"_{name}" not in value:
            found.fault(Code.ELEMENT_MISSING, f"{at}.{name}")
    if shape.choices:
        present = {key.removeprefix("_") for key in value}
        for stem, names, needed in shape.choices:
            count = len(names & present)
            if count > 1 or (needed and not count):
                found.fault(Code.CHOICE_NOT_ONE, f"{at}.{stem}")
    if "implicitRules" in value:
        found.fault(Code.IMPLICIT_RULES, f"{at}.implicitRules")
    if shape.type_name in RULES:
        holds, code, below = RULES[shape.type_name]
        if not holds(value):
            found.fault(code, at + below)


def _list(found: Survey, value: Any, element: Element, at: str) -> None:
    if type(value) is not list:
        found.fault(Code.JSON_TYPE if value is not None else Code.EMPTY_VALUE, at)
        return
    inside = element.name == "entry"
    for index, item in enumerate(value):
        if inside:
            found.entry = index
        if item is None and element.nullable:
            continue
        if element.model is None:
            _primitive(found, item, element, f"{at}[{index}]")
        else:
            _object(found, item, element, f"{at}[{index}]")
    if element.name == "modifierExtension":
        found.fault(Code.MODIFIER_EXTENSION, at)


def _primitive(found: Survey, value: Any, element: Element, at: str) -> None:
    if type(value) not in element.json:
        found.fault(Code.JSON_TYPE if value is not None else Code.EMPTY_VALUE, at)
    elif element.codes is not None and value not in element.codes:
        found.fault(Code.CODE_NOT_IN_BINDING, at)
    elif element.pattern is not None and element.pattern.fullmatch(value) is None:
        found.fault(Code.VALUE_FORMAT, at)


def _object(found: Survey, value: Any, element: Element, at: str) -> None:
    if type(value) is not dict:
        found.fault(Code.JSON_TYPE if value is not None else Code.EMPTY_VALUE, at)
        return
    model = element.model
    assert model is not None
    if element.name == "resource" or element.name == "contained":
        _resource(found, value, at, contained=element.name == "contained")
        return
    _members(found, value, model, at)
    link = link_in(value, element.targets, at, found.entry)
    if link is not None:
        found.links.append(link)


def _resource(found: Survey, value: dict[str, Any], at: str, *, contained: bool) -> None:
    name = value.get("resourceType")
    if name is None:
        found.fault(Code.RESOURCE_TYPE_MISSING, f"{at}.resourceType")
    elif type(name) is not str:
        found.fault(Code.JSON_TYPE, f"{at}.resourceType")
    elif name not in (CONTAINED_TYPES if contained else ENTRY_TYPES):
        found.fault(Code.RESOURCE_TYPE_NOT_ACCEPTED, f"{at}.resourceType")
    elif contained and "contained" in value:
        found.fault(Code.STRUCTURE, f"{at}.contained")
    else:
        _members(found, value, resource_model(name), at)


def _says_one_thing(extension: dict[str, Any]) -> bool:
    """ext-1: an extension has a value or extensions, not both."""
    has_value = any(key.startswith(("value", "_value")) for key in extension)
    return has_value != ("extension" in extension)


def _is_passive(narrative: dict[str, Any]) -> bool:
    """txt-1: nothing but text and its simple marks; a ``div`` of another type than text is not for this rule to judge."""
    div = narrative.get("div")
    if type(div) is not str:
        return True
    tags = {tag.lower() for tag in _TAG.findall(div)}
    return div.startswith("<div") and all(map(_SIMPLE_TAG.fullmatch, tags)) and _ACTIVE.search(div) is None


RULES: Final[dict[str, tuple[Callable[[dict[str, Any]], bool], Code, str]]] = {
    "Extension": (_says_one_thing, Code.EXTENSION_VALUE, ""),
    "Narrative": (_is_passive, Code.NARRATIVE_ACTIVE, ".div"),
}
"""What must hold of every object of a type, the code of the issue if it does not, and where below the object that stands."""
