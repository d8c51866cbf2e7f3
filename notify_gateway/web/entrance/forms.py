# SPDX-License-Identifier: MIT
"""Forms as browsers send them: bounded, in order, and from a page of this very site alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from notify_gateway.api.http import header, read_body, require_content_type
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed, Refused

FORM: Final = "application/x-www-form-urlencoded"
MOST_BODY: Final = 64 * 1024
MOST_FIELDS: Final = 250
FORM_TOKEN: Final = "form_token"  # noqa: S105 - the name of a field, no secret
KEPT: Final = "kept_form"
"""Marks a form that was kept while its owner signed in again."""


class Form(Mapping[str, str]):
    """The fields of a form: a mapping of each name to its last value, and ``lists`` with all values of each. Shows nothing of itself."""

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self.pairs = pairs
        self._last = dict(pairs)

    def __getitem__(self, name: str) -> str:
        return self._last[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def __repr__(self) -> str:
        return f"Form({len(self)} fields)"

    def lists(self, name: str) -> tuple[str, ...]:
        """Return all values of a field, in order; none where it was not sent."""
        return tuple(value for each, value in self.pairs if each == name)


def form_lists(fields: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return all values of a field that may be sent several times, such as tick boxes, in order."""
    if isinstance(fields, Form):
        return fields.lists(name)
    return (fields[name],) if name in fields else ()


async def read_form(request: Request) -> Form:
    """Return a form; raises ``NotAllowed`` unless a page of this very site sent it, ``Refused`` when it is none or too large."""
    require_same_site(request)
    require_content_type(request, FORM)
    body = await read_body(request, MOST_BODY)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None
    return Form(tuple(pairs))


def require_same_site(request: Request) -> None:
    """Raise ``NotAllowed`` unless the browser says that the form came from here; one that says nothing must name us as the origin."""
    site = header(request, "sec-fetch-site")
    if site is None:
        origin = urlsplit(header(request, "origin") or "")
        if origin.netloc and origin.netloc == header(request, "host") and origin.scheme == request.url.scheme:
            return
    if site != "same-origin":
        raise NotAllowed(Issue(Code.FORM_NOT_OURS))
