# SPDX-License-Identifier: MIT
"""Bytes to JSON, safely: one parse within limits, nothing ambiguous, nothing that a database or a page could choke on (RFC 8259)."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import orjson

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.fhir.shapes import fhirpath

MAX_BYTES: Final = 256 * 1024
"""Messages without attachments: 27 KB is the largest that was seen in public examples."""
MAX_DEPTH: Final = 32
"""Real messages are at most 15 deep."""
MAX_NODES: Final = 10_000
"""The 12-entry example has 429; this bounds what the models may cost."""
MAX_ISSUES: Final = 50

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LONGEST_INTEGER: Final = 18
_SHORT_INTEGER: Final = 10 ** (_LONGEST_INTEGER - 1)
_ESCAPED_COLON: Final = b"\\u003"

Link = tuple[Any, str | int] | None
"""A path as a chain of (the path so far, next key or index): made on the way, spelt out only for an issue."""


class _Repeated(dict[str, Any]):
    """An object in which a property stood twice."""


def parse(body: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the JSON object in ``body``, free of duplicate keys, endless numbers, control characters and empty values.

    Names of properties are not looked at here: the structure step knows FHIR's own and lets no other pass.

    Raises ``Refused`` with every issue found, up to a limit. Costs time linear in the size of ``body``.
    """
    if len(body) > max_bytes:
        raise Refused.because(Code.BODY_TOO_LARGE)
    document = _parse_ordinary(body)
    if document is not None:
        return document
    # Something is unusual or wrong: the exact way finds out what and where.
    document = _decode(body)
    if not isinstance(document, dict):
        raise Refused.because(Code.NOT_A_BUNDLE)
    issues = _inspect(document)
    if issues:
        raise Refused(*issues)
    return document


def _parse_ordinary(body: bytes) -> dict[str, Any] | None:
    """Return the object in ``body`` if it is surely free of all that ``parse`` refuses; ``None`` says nothing.

    A colon in JSON stands after a name or in a text. If the body has no more of them than the names and texts that were kept, no
    name was given twice. (A colon in a name, or written as an escape, would spoil the count: the first only costs the exact way.)
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    counted = _count(document) if type(document) is dict else None
    if counted is None or _ESCAPED_COLON in body:
        return None
    names, texts = counted
    everything = "".join(texts)
    if not all(texts) or any(map(str.isspace, texts)) or body.count(b":") != names + everything.count(":"):
        return None
    return document if everything.isprintable() or _FORBIDDEN.search(everything) is None else None


def _count(document: dict[str, Any]) -> tuple[int, list[str]] | None:
    """Return how many members all objects have, and all texts; ``None`` beyond a limit, or if something needs a closer look."""
    names = nodes = 0
    texts: list[str] = []
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        below = []
        for value in level:
            if not value:
                return None
            nodes += len(value)
            if type(value) is dict:
                names += len(value)
                children = value.values()
            else:
                children = value
            for child in children:
                kind = type(child)
                if kind is str:
                    texts.append(child)
                elif kind is dict or kind is list:
                    below.append(child)
                elif kind is float or (kind is int and not -_SHORT_INTEGER < child < _SHORT_INTEGER):
                    return None
        if nodes > MAX_NODES:
            return None
        if not below:
            return names, texts
        level = below
    return None


def _decode(body: bytes) -> Any:
    if not body.strip():
        raise Refused.because(Code.BODY_EMPTY)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused.because(Code.NOT_UTF8) from None
    if text.startswith("\ufeff"):
        raise Refused.because(Code.NOT_UTF8)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_constant=_not_a_number)
    except RecursionError:
        raise Refused.because(Code.TOO_DEEP) from None
    except ValueError:
        raise Refused.because(Code.NOT_JSON) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _Repeated(members)


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else math.nan


def _not_a_number(_name: str) -> float:
    return math.nan


def _inspect(document: dict[str, Any]) -> list[Issue]:
    issues: list[Issue] = []
    waiting: list[tuple[Any, int, Link]] = [(document, 1, None)]
    nodes = 0
    while waiting:
        value, depth, link = waiting.pop()
        nodes += len(value)
        if nodes > MAX_NODES:
            return [Issue(Code.TOO_MANY_NODES)]
        if depth > MAX_DEPTH:
            return [Issue(Code.TOO_DEEP, _spell(link))]
        if not value or type(value) is _Repeated:
            issues.append(Issue(Code.DUPLICATE_KEY if value else Code.EMPTY_VALUE, _spell(link)))
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            kind = type(child)
            if kind is str:
                if child and child.isprintable() and not child.isspace():
                    continue
                code = _fault_of_text(child)
            elif kind is dict or kind is list or kind is _Repeated:
                waiting.append((child, depth + 1, (link, key)))
                continue
            else:
                code = Code.NUMBER_NOT_ALLOWED if kind is float and not math.isfinite(child) else None
            if code is not None:
                issues.append(Issue(code, _spell((link, key))))
        if len(issues) >= MAX_ISSUES:
            return [*issues[:MAX_ISSUES], Issue(Code.TOO_MANY_ISSUES)]
    return issues


def _fault_of_text(text: str) -> Code | None:
    if not text or text.isspace():
        return Code.EMPTY_VALUE
    return Code.CHARACTER_NOT_ALLOWED if _FORBIDDEN.search(text) else None


def _spell(link: Link) -> str:
    parts: list[str | int] = []
    while link is not None:
        link, part = link
        parts.append(part)
    return fhirpath(reversed(parts))
