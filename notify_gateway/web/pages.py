# SPDX-License-Identifier: MIT
"""Pages for people who sign in: one frame around all of them, one frozen presenter for each, and headers that keep copies from being made.

Our templates are strict: a name that they misspell is an error. Those of GOV.UK Frontend ask for parameters that nobody gave, so they, and
they alone, are rendered leniently. Nothing is loaded from another site, and no script runs but our own files and what bears the nonce.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, Template

from notify_gateway.api.service import service
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.policy import Act, may
from notify_gateway.domain.staff import Person, Role
from notify_gateway.settings import Deployment
from notify_gateway.web.wording import day, instant, moment, plural

if TYPE_CHECKING:
    from collections.abc import MutableMapping

HTML: Final = "text/html; charset=utf-8"
FRONTEND: Final = "govuk_frontend_jinja"
FOLDERS: Final = ("entrance", "inbox", "devices", "paper", "layout.html", "parts")
"""Templates of these pages; those before them have an environment of their own (``web/rendering.py``)."""
ROLES: Final = {
    Role.OFFICER: "Officer",
    Role.MANAGER: "Manager",
    Role.IG_OFFICER: "Information governance officer",
    Role.STRATEGIC_LEAD: "Strategic lead",
    Role.TRUST_ENGINEER: "Trust engineer",
    Role.OPERATOR: "Operator",
}


NAVIGATION: Final = (
    ("Inbox", "inbox", "/inbox"),
    ("Late", "late", "/inbox/overdue"),
    ("Possible duplicates", "duplicates", "/inbox/duplicates"),
    ("Team and settings", "team", "/team"),
)
"""What the pages of an authority's people are called, the area that a page names itself by, and where each begins."""
OWN: Final = ("Your account", "account", "/account")
"""The page that everybody has who is signed in."""


class Presenter(Protocol):
    """All that a template shows, as a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Visiting(Protocol):
    """As much of a visit as a page needs."""

    @property
    def person(self) -> Person:
        """Who is signed in."""
        ...

    @property
    def form_token(self) -> str:
        """What each form of the session bears."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in, as the top of the page says it."""

    name: str
    roles: str
    organisation: str
    form_token: str = field(repr=False)
    is_manager: bool
    pages: tuple[tuple[str, str, str], ...] = (*NAVIGATION, OWN)

    @property
    def home(self) -> str:
        """Return where the person begins."""
        return self.pages[0][2]


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds a page."""

    made_up: bool
    nonce: str
    account: Account | None
    area: str
    faulty: bool
    printed_at: str


class _Strict(Environment):
    """Our templates; what they take from GOV.UK Frontend comes from the lenient environment, and stays lenient while it renders."""

    def get_template(self, name: str | Template, parent: str | None = None, globals: MutableMapping[str, Any] | None = None) -> Template:
        """Return a template, one of GOV.UK Frontend from its own environment."""
        if isinstance(name, str) and name.startswith(f"{FRONTEND}/"):
            return _frontend().get_template(name, parent, globals)
        return super().get_template(name, parent, globals)


@cache
def _frontend() -> Environment:
    # Some of its templates call others by macro with keys left out: the default kind of undefined is what it was written for.
    return Environment(loader=PrefixLoader({FRONTEND: PackageLoader(FRONTEND)}), autoescape=True)


@cache
def environment() -> Environment:
    """Return the templates."""
    made = _Strict(
        loader=PackageLoader("notify_gateway.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(day=day, instant=instant, moment=moment, plural=plural)
    made.globals.update(static=static)
    return made


def warm_up() -> int:
    """Load every template of these pages, so that no visitor waits for one; return how many there are."""
    ours = [name for name in environment().list_templates(["html"]) if name.startswith(FOLDERS)]
    theirs = _frontend().list_templates(["html"])
    for name in (*ours, *theirs):
        environment().get_template(name)
    return len(ours) + len(theirs)


@cache
def static(name: str) -> str:
    """Return the address of a file of ours, which changes with its content so that browsers may keep it."""
    content = resources.files("notify_gateway.web").joinpath("static", *name.split("/")).read_bytes()
    return f"/static/{name}?v={sha256(content).hexdigest()[:12]}"


def show_page(
    request: Request, template: str, presenter: Presenter, *, visit: Visiting | None = None, status: int = 200, area: str = ""
) -> Response:
    """Return a page: the presenter within the frame. ``area`` is the entry of the navigation that it belongs to."""
    frame = frame_of(request, visit, area=area, faulty=status == 422)
    return Response(render(template, presenter, frame), status, {"Content-Security-Policy": policy(frame.nonce)}, media_type=HTML)


def render(template: str, presenter: Presenter, frame: Frame) -> bytes:
    """Return the page as bytes."""
    values = {"page": presenter, "frame": frame, "cspNonce": frame.nonce, "htmlLang": "en-GB", "themeColor": "#0b4f52"}
    return environment().get_template(template).render(values).encode()


def frame_of(request: Request, visit: Visiting | None, *, area: str, faulty: bool = False) -> Frame:
    """Return what surrounds the page for this visitor."""
    gateway = service(request).gateway
    now = gateway.clock.now()
    account = None
    if visit is not None:
        person = visit.person
        authority = gateway.directory.by_gss(person.organisation, london_day(now))
        account = Account(
            name=person.name,
            roles=" and ".join(ROLES[role] for role in Role if role in person.roles),
            organisation=authority.name if authority else person.organisation,
            form_token=visit.form_token,
            is_manager=Role.MANAGER in person.roles,
            pages=(*NAVIGATION, OWN) if may(person, Act.READ_INBOX) else (OWN,),
        )
    made_up = gateway.settings.deployment is not Deployment.LIVE
    return Frame(made_up, secrets.token_urlsafe(16), account, area, faulty, instant(now))


def policy(nonce: str) -> str:
    """Return the content security policy of a page whose one inline script bears the nonce."""
    return (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"script-src 'self' 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
