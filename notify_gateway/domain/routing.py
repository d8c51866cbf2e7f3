# SPDX-License-Identifier: MIT
"""Which authority is responsible (Children and Families Act 2014 s.24): the home decides, or the sender does and says why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, Protocol

from mappings.authorities import Authority
from mappings.postcodes import PostcodeArea
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.model import GssCode, Routing, Submission

ENGLAND: Final = "England"

OTHER_REGIMES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "Wales": Code.LIVES_IN_WALES,
        "Scotland": Code.LIVES_IN_SCOTLAND,
        "Northern Ireland": Code.LIVES_IN_NORTHERN_IRELAND,
        "Channel Islands": Code.LIVES_IN_CROWN_DEPENDENCY,
        "Isle of Man": Code.LIVES_IN_CROWN_DEPENDENCY,
    }
)


class AuthorityDirectory(Protocol):
    """The look-ups that routing needs; ``mappings.authorities.Directory`` is one."""

    def by_gss(self, code: str, on: date) -> Authority | None:
        """Return the authority that has the GSS code on the day."""
        ...

    def by_ods(self, code: str, on: date) -> Authority | None:
        """Return the authority that has the ODS code on the day."""
        ...

    def responsible_for(self, district_code: str, on: date) -> Authority | None:
        """Return the authority responsible for a district on the day."""
        ...


def route(submission: Submission, area: PostcodeArea | None, directory: AuthorityDirectory, on: date, *, edition: str = "") -> Routing:
    """Return the one authority that a submission goes to on the London day ``on``.

    ``area`` is the postcode table's answer for the home postcode, ``None`` if there is none; ``edition`` names the table for the case
    without an answer. A home in another country of these islands is refused even if an authority is named, unless the sender
    gives a reason. Raises ``Refused`` with every issue.
    """
    named, issues = _named(submission, directory, on)
    home = directory.responsible_for(area.district, on) if area is not None and area.country == ENGLAND else None
    edition = area.edition if area is not None else edition
    at_postcode, at_receiver = submission.places.get("postcode"), submission.places.get("receiver")
    if issues:
        raise Refused(*issues)
    if home is not None and (named is None or named.gss == home.gss):
        return Routing(home.gss, "postcode", edition)
    if named is not None and submission.receiver_reason is not None:
        return Routing(named.gss, "override" if home is not None else "named", edition)
    if area is not None and area.country in OTHER_REGIMES:
        raise Refused.because(OTHER_REGIMES[area.country], at_postcode)
    if home is not None:
        raise Refused.because(Code.RECEIVER_DISAGREES, at_receiver)
    if named is not None:
        raise Refused.because(Code.REASON_REQUIRED, submission.places.get("header"))
    if submission.child.postcode is None:
        raise Refused.because(Code.POSTCODE_MISSING, at_postcode)
    raise Refused.because(Code.POSTCODE_NOT_ENGLISH_AUTHORITY, at_postcode)


def _named(submission: Submission, directory: AuthorityDirectory, on: date) -> tuple[Authority | None, tuple[Issue, ...]]:
    receiver = submission.receiver
    if receiver is None:
        return None, ()
    named = directory.by_gss(receiver.value, on) if isinstance(receiver, GssCode) else directory.by_ods(receiver.value, on)
    return named, () if named is not None else (Issue(Code.RECEIVER_UNKNOWN, submission.places.get("receiver")),)
