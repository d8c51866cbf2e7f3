# SPDX-License-Identifier: MIT
"""What a notification says, as frozen values: the law's words, free of FHIR and of storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from notify_gateway.domain.identity import BirthDate, NhsNumber, Postcode, Private


class MessageReason(StrEnum):
    """Why the message was sent (FHIR MessageHeader.reason, NEMS new/update/delete)."""

    NEW = "new"
    UPDATE = "update"
    DELETE = "delete"


class Certainty(StrEnum):
    """Section 23(1): the body is of the opinion that the child has, or probably has."""

    HAS = "has"
    PROBABLY_HAS = "probably-has"


class OpinionKind(StrEnum):
    """Section 23(1): special educational needs or a disability."""

    SEN = "special-educational-need"
    DISABILITY = "disability"


class OpinionStatus(StrEnum):
    """Whether the opinion stands."""

    HELD = "held"
    NO_LONGER_HELD = "no-longer-held"
    SENT_IN_ERROR = "sent-in-error"


class ParentActKind(StrEnum):
    """Acts towards the parent (section 23(2) and (4))."""

    INFORMED = "parent-informed"
    DISCUSSION_OFFERED = "discussion-offered"
    VOLUNTARY_ORGANISATION_ADVISED = "voluntary-organisation-advised"
    VIEWS = "parental-views"


class ParentView(StrEnum):
    """The parent's view, coded; never a condition of notifying."""

    AGREES = "agrees"
    HAS_CONCERNS = "has-concerns"
    OBJECTS = "objects"
    NOT_REACHED = "not-reached"
    IN_WORDS = "in-words"
    NOT_RECORDED = "not-recorded"


class LegalBasis(StrEnum):
    """Section 23 binds ICBs, NHS trusts and foundation trusts; anybody else notifies voluntarily."""

    SECTION_23 = "section-23"
    VOLUNTARY = "voluntary"


class OrganisationType(StrEnum):
    """What kind of body a sender is; the first three are bound by section 23."""

    ICB = "integrated-care-board"
    NHS_TRUST = "nhs-trust"
    FOUNDATION_TRUST = "nhs-foundation-trust"
    OTHER = "other"

    @property
    def legal_basis(self) -> LegalBasis:
        """Return the legal basis on which such a body notifies."""
        return LegalBasis.VOLUNTARY if self is OrganisationType.OTHER else LegalBasis.SECTION_23


class ReceiverReason(StrEnum):
    """Why the sender names the authority itself instead of leaving it to the home postcode."""

    NO_FIXED_ADDRESS = "no-fixed-address"
    TWO_HOMES = "two-homes"
    REFUGE = "refuge"
    TEMPORARY_ADDRESS = "temporary-address"
    LONG_STAY = "long-stay"
    ARMED_FORCES = "armed-forces"
    BOUNDARY = "boundary"
    NEW_POSTCODE = "new-postcode"
    MOVED = "moved"


class VoluntaryOrganisation(StrEnum):
    """Section 23(4): whether the parent was told of a voluntary organisation that is likely to help."""

    ADVISED = "advised"
    NONE_LIKELY = "none-likely"
    NOT_RECORDED = "not-recorded"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code in a code system."""

    system: str
    code: str


@dataclass(frozen=True, slots=True)
class OdsCode:
    """An organisation, or an authority, by its ODS code."""

    value: str


@dataclass(frozen=True, slots=True)
class GssCode:
    """A local authority by its GSS code."""

    value: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """One opinion on the child. ``at`` is the FHIRPath of the Condition that states it."""

    certainty: Certainty
    kinds: frozenset[OpinionKind]
    codings: tuple[Coding, ...]
    formed_on: date
    status: OpinionStatus
    at: str


@dataclass(frozen=True, slots=True)
class ParentAct:
    """One completed act towards the parent. ``at`` is the FHIRPath of the Communication that states it."""

    kind: ParentActKind
    on: date
    at: str
    view: ParentView | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """Who the notification is about, as far as rules need it; the card holds the rest."""

    nhs_number: NhsNumber | None
    nhs_number_absent_because: str | None
    birth_date: BirthDate
    postcode: Postcode | None
    address_restricted: bool
    at: str


class Card(Private[Mapping[str, Any]]):
    """What an officer needs to know the child and reach the family; the home address is left out where it is restricted.

    JSON values only, absent facts left out: ``child`` (names, birth_date, nhs_number and its status, gender, address, telecoms, languages,
    gp, identifiers), ``carers`` (names, relationship, telecoms, address), ``parental_words``, ``summary``, ``opinions``, ``notifier``,
    ``sender``, ``settings``, ``identifier``, and what went with the notification: ``involvement`` (part 2), ``asq_3``, ``observations``,
    ``attachments`` (what there is, not the files). Made by ``fhir.card``.
    """

    __slots__ = ()


class Traces(Private[frozenset[str]]):
    """Every string of the message that identifies the child, for the tripwire over the outgoing view."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class BusinessIdentifier:
    """The trust's own identifier of the notification; it persists over new, update and delete."""

    system: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """A whole message, read."""

    message_id: str
    reason: MessageReason
    business_identifier: BusinessIdentifier
    version_at: datetime
    sent_at: datetime
    sender: OdsCode
    receiver: GssCode | OdsCode | None
    receiver_reason: ReceiverReason | None
    child: Child
    opinions: tuple[Opinion, ...]
    parent_acts: tuple[ParentAct, ...]
    parent_view: ParentView
    parent_agreed_to_share: bool
    voluntary_organisation: VoluntaryOrganisation
    card: Card
    traces: Traces
    do_not_contact_before: date | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    """FHIRPath of: ``header``, ``focus``, ``sent``, ``patient``, ``nhs-number``, ``birth-date``, ``postcode``, ``sender``, ``receiver``."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A message that takes a notification back: read for structure, sender and identifier only, never refused for its content."""

    message_id: str
    reason: MessageReason
    status: OpinionStatus
    """``sent-in-error`` or ``no-longer-held``."""
    business_identifier: BusinessIdentifier
    version_at: datetime
    sender: OdsCode
    places: Mapping[str, str] = field(default_factory=dict)
    """FHIRPath of: ``header``, ``focus``, ``sender``."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the law makes of a submission that may be accepted."""

    legal_basis: LegalBasis
    flags: frozenset[str]
    informed_on: date | None
    discussion_offered_on: date | None
    opinion_formed_on: date | None


@dataclass(frozen=True, slots=True)
class Routing:
    """Which authority a notification goes to, and how that was found."""

    authority: str
    how: str
    """``postcode``, ``named`` (no usable postcode) or ``override`` (postcode and name disagree)."""
    edition: str
    """The edition of the postcode table that was asked."""
