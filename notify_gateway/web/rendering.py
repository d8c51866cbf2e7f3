# SPDX-License-Identifier: MIT
"""Pages made on the server from templates of our own: everything escaped, a name that a template misspells is an error, no script."""

from __future__ import annotations

import re
from functools import cache

from fastapi import Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_CODED = re.compile(r"`([^`]+)`")
_ERROR = re.compile(r"\bNG-[1-9]\d{3}\b")
HTML = "text/html; charset=utf-8"


@cache
def environment() -> Environment:
    """Return the templates."""
    made = Environment(
        loader=PackageLoader("notify_gateway.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["marked"] = marked
    return made


def marked(text: str) -> Markup:
    """Return words of ours with what stands in backticks set as code and each error's code led to its page; all else is escaped."""
    safe = _CODED.sub(r"<code>\1</code>", str(escape(text)))
    return Markup(_ERROR.sub(r'<a href="/errors/\g<0>">\g<0></a>', safe))  # noqa: S704 - escaped above


def render(template: str, **values: object) -> bytes:
    """Return a page."""
    return environment().get_template(template).render(values).encode()


def show(template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page as a response."""
    return Response(render(template, **values), status, media_type=HTML)
