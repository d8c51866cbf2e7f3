# SPDX-License-Identifier: MIT
"""What stands on sheets of paper. No presenter here holds identity: for that there are lines, for a pen or the officer's browser."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from notify_gateway.domain.casework import STATUSES
from notify_gateway.use_cases.inbox.read import Case, Contact
from notify_gateway.web.inbox import case_presenter as show
from notify_gateway.web.inbox.attempts_presenter import Tried, tried
from notify_gateway.web.inbox.banner_presenter import Banner, banners
from notify_gateway.web.inbox.case_presenter import Ending, Fact
from notify_gateway.web.inbox.history_presenter import Entry
from notify_gateway.web.inbox.listing_presenters import Due, name_of
from notify_gateway.web.wording import day, plural

MOST_TRIED, MOST_ENDINGS, MOST_HISTORY, MOST_BANNERS = 2, 1, 4, 3
MOST_NEEDS, MOST_RELATED = 4, 3
"""As much as goes on one sheet; what is more is counted on it, and stands on the notification's page."""
DENSE_FROM: Final = 7


@dataclass(frozen=True, slots=True)
class Child:
    """The lines for who the child is, and what the officer's browser needs to fill them; ``ready``: it may, now."""

    ready: bool
    address: str = ""
    authority: str = ""
    notification: str = ""
    gateway_public: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One notification on one sheet."""

    reference: str
    authority: str
    needs: str
    status: str
    officer: str
    due: Due | None
    banners: tuple[Banner, ...]
    also: tuple[str, ...]
    """Titles of further banners, which are not to be overlooked either."""
    child: Child
    told: tuple[Fact, ...]
    parent: tuple[Fact, ...]
    tried: tuple[Tried, ...]
    endings: tuple[Ending, ...]
    related: str
    history: tuple[Entry, ...]
    left_out: tuple[str, ...]
    panel: bool

    @property
    def dense(self) -> bool:
        """Tell whether there is so much to say that it is set small."""
        return 2 * len(self.banners) + len(self.told[0].texts) + len(self.tried) + 2 * len(self.endings) >= DENSE_FROM


@dataclass(frozen=True, slots=True)
class Line:
    """A notification in the list on the cover of a pack."""

    number: int
    reference: str
    needs: str
    age: str
    trust: str
    status: str
    officer: str
    due: str


@dataclass(frozen=True, slots=True)
class Cover:
    """The first sheet of a pack."""

    authority: str
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A heading of the parent's copy, with sentences below it and perhaps points."""

    heading: str
    sentences: tuple[str, ...]
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentCopy:
    """What a parent is given."""

    reference: str
    authority: str
    lead: str
    child: Child
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A page that is meant to be printed, and what stands round it on the screen."""

    title: str
    back: str
    back_words: str
    pdf: str
    printed: str
    fills: bool
    """The officer's browser can fill in who the child is: the authority holds its own key."""
    form_token: str = field(default="", repr=False)
    cover: Cover | None = None
    sheets: tuple[Sheet, ...] = ()
    parent: ParentCopy | None = None


def sheet(case: Case, *, authority: str, child: Child, panel: bool = False) -> Sheet:
    """Return the notification as it stands on a sheet: what matters now, and how much else there is."""
    _, history = show.pages_of(case)
    standing = tuple(map(_tried, (each for each in case.contacts if not each.replaced)))
    found, endings = banners(case), show.endings(case)
    quiet = tuple(each for each in history if not each.quiet)
    needs = case.row.needs
    told = show.told(case)
    shortened = (Fact(told[0].label, tuple(each.partition(";")[0] for each in told[0].texts[:MOST_NEEDS])), *told[1:])
    counted = (
        (len(needs) - MOST_NEEDS, "need"),
        (len(standing) - MOST_TRIED, "contact"),
        (len(endings) - MOST_ENDINGS, "outcome"),
        (len(quiet) - MOST_HISTORY, "entry of the history"),
    )
    plurals = {"entry of the history": "entries of the history"}
    return Sheet(
        reference=case.row.reference,
        authority=authority,
        needs=_needs(case),
        status=STATUSES[case.row.status].label,
        officer=name_of(case.row.officer),
        due=show.due_of(case),
        banners=found[:MOST_BANNERS],
        also=tuple(each.title for each in found[MOST_BANNERS:]),
        child=child,
        told=shortened,
        parent=show.parent(case),
        tried=standing[:MOST_TRIED],
        endings=endings[:MOST_ENDINGS],
        related=_related(case),
        history=quiet[:MOST_HISTORY],
        left_out=tuple(plural(number, noun, plurals.get(noun)) for number, noun in counted if number > 0),
        panel=panel,
    )


def cover(cases: tuple[Case, ...], *, authority: str) -> Cover:
    """Return the first sheet of a pack, in the order in which the sheets follow."""
    lines = tuple(_line(number, case) for number, case in enumerate(cases, start=1))
    return Cover(authority, f"{plural(len(cases), 'notification')} for the panel", lines)


def _line(number: int, case: Case) -> Line:
    due = show.due_of(case)
    return Line(
        number=number,
        reference=case.row.reference,
        needs=_needs(case),
        age=case.row.age or "Not kept",
        trust=case.row.trust.name,
        status=STATUSES[case.row.status].label,
        officer=name_of(case.row.officer),
        due=f"{due.step} by {due.on}" if due else "Nothing due",
    )


def _needs(case: Case) -> str:
    labels = list(dict.fromkeys(need.label for need in case.row.needs))
    more = f" and {len(labels) - 2} more" if len(labels) > 2 else ""
    return (", ".join(labels[:2]) + more) or "Need not stated"


def _tried(contact: Contact) -> Tried:
    return replace(tried(contact), told=f"{day(contact.on)}, {contact.by.name}")


def _related(case: Case) -> str:
    others = [each.reference for each in case.related]
    more = f" and {len(others) - MOST_RELATED} more" if len(others) > MOST_RELATED else ""
    return ", ".join(others[:MOST_RELATED]) + more
