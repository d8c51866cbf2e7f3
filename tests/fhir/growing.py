# SPDX-License-Identifier: MIT
"""Resources grown at random from the shapes of FHIR R4, of values that are right and, here and there, of values that are nearly right."""

from __future__ import annotations

from random import Random
from typing import Any

from notify_gateway.fhir.names import ENTRY_TYPES
from notify_gateway.fhir.shapes import Element, Shape, resource_model, shape_of

UUID4 = "c757873d-ec9a-4326-a141-556f43239520"
DAYS = ["2024-02-29", "2000-02-29", "1905-08-23", "9999-12-31", "0001-01-01"]
MOMENTS = [
    "2015-02-07T13:28:17.239+02:00", "2017-01-01T00:00:00Z", "2026-01-14T10:15:00.1234567+00:00", "2016-12-31T23:59:60Z",
    "2024-02-29T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
]  # fmt: skip

RIGHT: dict[str, list[Any]] = {
    "String": ["a", " a ", "Zoë-Маша 子 🙂", "a\nb", "0", "\u200b", "x" * 5000],
    "Markdown": ["**a**", " ", "a\r\n\tb"],
    "Code": ["a", "a b", "R", "é", "a\u00a0b", "a\tb"],
    "Id": ["a", "A-1.b", "x" * 64],
    "Uri": ["a", "urn:uuid:" + UUID4, "http://example.org/é#a", "%", "\u200b"],
    "Canonical": ["https://example.org/a|1.0", "#a"],
    "Url": ["https://example.org/a", "mailto:a@example.org", "Patient/1", "a:", "code", "http://[", "//", "http://a:99999"],
    "Oid": ["urn:oid:1.2.3.4.5", "urn:oid:2.0"],
    "UuidVersion": ["urn:uuid:" + UUID4, UUID4, UUID4.upper(), "{" + UUID4 + "}", UUID4.replace("-", "")],
    "Base64Binary": ["YQ==", "YWJj", "YWJj\nYWJj", "YW Jj"],
    "Date": [*DAYS, "2018", "1973-06"],
    "DateTime": [*DAYS, *MOMENTS, "2018", "1973-06"],
    "Instant": MOMENTS,
    "Time": ["10:15:00", "23:59:60", "00:00:00.000", "10:15:00.1234567"],
    "Decimal": [0, 1, -1, 1.5, -0.0, 1e-7, 1e22, 10**17, 5e-324, 1.7976931348623157e308],
    "Integer": [0, 1, -(2**31), 2**31 - 1],
    "UnsignedInt": [0, 2**31 - 1],
    "PositiveInt": [1, 2**31 - 1],
    "bool": [True, False],
    "str": ["a"],
    "Xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>'],
}  # fmt: skip
"""Values of each primitive type, all or nearly all of which the type takes."""

NEARLY: list[Any] = [
    None, "", " ", "\t", "a  b", " a", "a ", "a\u0085b", "\u00a0", "\u2028", "a\x1cb", "\x1c", "a\n", "\x00", "\ud800", "a/b", "x" * 65,
    "x" * 256, "true", "5", "1.5", "2022-02-30", "2023-02-29", "1900-02-29", "2022-04-31", "2022-13", "2022-13-01", "2022-00-01",
    "2022-01-00", "0000", "0000-01-01", "1000", "0100", "22-01-01", "2022-1-1", "20220101", "2022-W01-1", "2022-01-01\n", " 2022-01-01",
    "٢٠٢٢-01-01", "2022-01-01T10:15:00", "2022-01-01T10:15Z", "2022-01-01T24:00:00Z", "2022-01-01T10:15:60Z", "2022-01-01T10:15:61Z",
    "2022-02-30T10:15:60Z", "2022-02-30T10:15:00Z", "2022-01-01T10:15:00z", "2022-01-01t10:15:00Z", "2022-01-01 10:15:00Z",
    "2022-01-01T10:15:00+14:30", "2022-01-01T10:15:00+15:00", "2022-01-01T10:15:00+0100", "2022-01-01T10:15:00.Z",
    "2022-01-01T10:15:00,5Z", "0000-01-01T00:00:00Z", "10:15", "24:00:00", "10:15:00Z", "10:60:00", "1e5", 1640995200, 0, 1, -1, 2**31,
    -(2**31) - 1, 2**63, 10**30, 10**400, 1.0, 0.5, float("nan"), float("inf"), True, "***", "YQ", "YQ=", "=YQ=", "YWJj=", "YQ==\x1c",
    "YQ==\u00a0", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1", "urn:uuid:x", "00000000-0000-1000-8000-000000000000", "http://a b",
    "http://", "/", "", "#", "boolean", '{"text": "a"}', [], {}, [[]], [{}], {"id": "a"}, {"reference": "#a"}, {"coding": []},
    {"url": "a"}, "Patient", "message",
]  # fmt: skip
"""Values that are on or beyond an edge of some primitive type."""

VALUES: list[Any] = [value for values in RIGHT.values() for value in values] + NEARLY


def kind_of(element: Element) -> str:
    """Return the name of the element's primitive type, as the models call it."""
    marks = getattr(element.primitive, "__metadata__", ())
    return type(marks[-1]).__name__ if marks else element.primitive.__name__


class Grower:
    """Grows what the shapes describe; about one value in ``1 / slips`` is wrong in some way."""

    def __init__(self, random: Random, slips: float) -> None:
        self._random, self._slips = random, slips

    def bundle(self) -> dict[str, Any]:
        """Return a Bundle of one to three resources of any types that may travel."""
        entries = [{"fullUrl": f"urn:uuid:{UUID4}", "resource": self.resource()} for _ in range(self._random.randint(1, 3))]
        document = {"resourceType": "Bundle", "type": "message", "entry": entries}
        if self._often(0.3):
            document |= self._object(shape_of(resource_model("Bundle")), 3)
        return document

    def resource(self) -> dict[str, Any]:
        name = self._random.choice(sorted(ENTRY_TYPES))
        return self._object(shape_of(resource_model(name)), 0)

    def _often(self, share: float) -> bool:
        return self._random.random() < share

    def _object(self, shape: Shape, depth: int) -> dict[str, Any]:
        grown: dict[str, Any] = {"resourceType": shape.type_name} if "resourceType" in shape.elements else {}
        names = set(self._chosen(shape, depth))
        if shape.type_name == "Extension":
            names -= {"extension"}
            if self._often(0.1) or not any(name.startswith("value") for name in names):
                names = {name for name in names if not name.startswith("value") or self._often(self._slips)} | {"extension"}
        for name in names:
            value = self._value(shape.elements[name], depth)
            if not self._often(self._slips / 4):
                grown[name] = value
        if self._often(self._slips):
            grown[self._random.choice([*shape.elements, "famly", "resourceType"])] = self._random.choice(VALUES)
        return grown

    def _chosen(self, shape: Shape, depth: int) -> list[str]:
        in_choices = {name for _, names, _ in shape.choices for name in names}
        usual = [name for name in shape.elements if name not in in_choices and (name[0] != "_" or self._often(self._slips / 4))]
        unusual = {"resourceType", "contained", "modifierExtension", "implicitRules", "outcome"}
        share = 0.25 / (1 + depth) if depth < 4 else 0
        chosen = [name for name in usual if self._often(share if name not in unusual else self._slips / 10)]
        for _, names, needed in shape.choices:
            if needed or self._often(max(share, 0.5 if shape.type_name == "Extension" else 0)):
                plain = [name for name in sorted(names) if depth < 4 or shape.elements[name].model is None] or sorted(names)
                chosen += self._random.sample(plain, 2 if self._often(self._slips) and len(plain) > 1 else 1)
        return [*shape.required, *chosen]

    def _value(self, element: Element, depth: int) -> Any:
        if self._often(self._slips):
            return self._random.choice(VALUES)
        many = element.many != self._often(self._slips / 2)
        return [self._one(element, depth) for _ in range(self._random.randint(1, 2))] if many else self._one(element, depth)

    def _one(self, element: Element, depth: int) -> Any:
        if element.model is not None:
            return self.resource() if element.name == "resource" else self._object(shape_of(element.model), depth + 1)
        if element.codes:
            return self._random.choice(sorted(element.codes))
        return self._random.choice(RIGHT[kind_of(element)])
