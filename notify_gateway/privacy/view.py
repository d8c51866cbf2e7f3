# SPDX-License-Identifier: MIT
"""The pseudonymised view: the allow-listed, coded facts that may leave the perimeter, as published in ``view.schema.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256

from notify_gateway.domain.clock import london_day
from notify_gateway.domain.identity import BirthDate
from notify_gateway.domain.model import Certainty, Judgement, LegalBasis, OpinionKind, Routing, Submission
from notify_gateway.privacy.disclosure import Standing, leaves
from notify_gateway.privacy.encoding import Json, canonical_json

FORMAT = "notify-gateway/view"
VERSION = 1

_TERMS = ("spring", "summer", "autumn")


class ViewFlag(StrEnum):
    """What the view adds to the flags of the judgement (``domain.section23.Flag``)."""

    RECEIVER_NAMED_BY_SENDER = "receiver-named-by-sender"
    RECEIVER_OVERRIDES_POSTCODE = "receiver-overrides-postcode"
    UNLINKED = "unlinked"
    VOLUNTARY_NOTIFICATION = "voluntary-notification"


@dataclass(frozen=True, slots=True)
class ViewNeed:
    """One need as the code tables translate it. The trust's own code is not in the view: a rare one can point at a child."""

    sen_type: str | None
    area: str | None
    certainty: Certainty
    kinds: frozenset[OpinionKind]
    strength: str | None
    table_version: str | None

    def document(self) -> dict[str, Json]:
        """Return the need as it stands in the view."""
        return {
            "sen_type": self.sen_type,
            "area": self.area,
            "certainty": self.certainty.value,
            "kinds": sorted(kind.value for kind in self.kinds),
            "strength": self.strength,
            "table_version": self.table_version,
        }


@dataclass(frozen=True, slots=True)
class View:
    """The view as canonical JSON, with its SHA-256 and the same fields as a mapping."""

    content: bytes
    digest: bytes
    fields: Mapping[str, Json]


def build_view(
    submission: Submission,
    judgement: Judgement,
    routing: Routing,
    *,
    reference: str,
    pseudonym: str,
    linked: bool,
    needs: Iterable[ViewNeed],
    sender_ods: str,
    sender_service: str | None = None,
) -> View:
    """Return the view of a notification that has been judged and routed.

    Each field is taken by name; nothing is copied over or redacted. Raises ``ValueError``, which names fields and no values, if the
    result is not what the published schema allows: an unforeseen flag, a table code of another shape.
    """
    sent_on = london_day(submission.sent_at)
    fields: dict[str, Json] = {
        "format": FORMAT,
        "version": VERSION,
        "reference": reference,
        "child": pseudonym,
        "authority": routing.authority,
        "sender": sender_ods,
        "sender_service": sender_service,
        "needs": [need.document() for need in needs],
        "opinion_formed_on": _iso(judgement.opinion_formed_on),
        "parent_informed_on": _iso(judgement.informed_on),
        "discussion_offered_on": _iso(judgement.discussion_offered_on),
        "sent_on": _iso(sent_on),
        "term_cohort": term_cohort(submission.child.birth_date, judgement.opinion_formed_on or sent_on),
        "parent_view": submission.parent_view.value,
        "voluntary_organisation": submission.voluntary_organisation.value,
        "do_not_contact_before": _iso(submission.do_not_contact_before),
        "flags": sorted({str(flag) for flag in judgement.flags} | _flags(judgement, routing, linked=linked)),
    }
    beyond = sorted({leaf.path for leaf in leaves(fields) if leaf.standing is Standing.OPEN})
    if beyond:
        raise ValueError(f"not allowed in the view: {', '.join(beyond)}")
    content = canonical_json(fields)
    return View(content, sha256(content).digest(), fields)


def term_cohort(birth_date: BirthDate, on: date) -> str | None:
    """Return the coarse age on a day, such as ``turns-3-2026-spring``; ``None`` outside the cohorts that turn 0 to 5.

    It names the first term, from the term of ``on`` onwards, in which the birthday falls, and the age turned in it. Whole terms are
    compared, not days: "the next birthday" beside the date of the opinion would betray the birthday of a child who has it that week.
    The terms (1 January, 1 April, 1 September) end on the prescribed days of compulsory school age, so every child below it has one.
    """
    born = birth_date.reveal()
    age = -((_term(born) - _term(on)) // 3)
    if not 0 <= age <= 5:
        return None
    year, term = divmod(_term(born) + 3 * age, 3)
    return f"turns-{age}-{year:04}-{_TERMS[term]}"


def age_in_months(birth_date: BirthDate, on: date) -> int:
    """Return the whole months lived on a day; kept apart from the view, for the authority alone."""
    born = birth_date.reveal()
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def _term(day: date) -> int:
    """Count terms, three to a year: spring to 31 March, summer to 31 August, autumn to 31 December."""
    return day.year * 3 + (day.month > 3) + (day.month > 8)


def _flags(judgement: Judgement, routing: Routing, *, linked: bool) -> set[str]:
    flags = {
        ViewFlag.RECEIVER_NAMED_BY_SENDER: routing.how == "named",
        ViewFlag.RECEIVER_OVERRIDES_POSTCODE: routing.how == "override",
        ViewFlag.UNLINKED: not linked,
        ViewFlag.VOLUNTARY_NOTIFICATION: judgement.legal_basis is LegalBasis.VOLUNTARY,
    }
    return {flag.value for flag, raised in flags.items() if raised}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
