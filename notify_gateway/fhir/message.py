# SPDX-License-Identifier: MIT
"""The message ``early-years-send-notification`` read into domain values, with every fault collected on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.model import (
    BusinessIdentifier,
    GssCode,
    MessageReason,
    OdsCode,
    OpinionStatus,
    ReceiverReason,
    Submission,
    Withdrawal,
)
from notify_gateway.fhir import names
from notify_gateway.fhir.acts import read_acts, read_view, read_voluntary_organisation
from notify_gateway.fhir.attachments import read_attachments
from notify_gateway.fhir.bundle import Bundle, Json, Located, codes, extensions, full_date, identifiers, instant
from notify_gateway.fhir.card import make_card, make_traces
from notify_gateway.fhir.child import read_child
from notify_gateway.fhir.developmental import read_observations
from notify_gateway.fhir.involvement import read_involvement
from notify_gateway.fhir.opinions import read_opinions

_ODS: Final = re.compile(r"[A-Z0-9]{3,10}")
_GSS: Final = re.compile(r"[A-Z][0-9]{8}")
MOST_HELD_BACK: Final = timedelta(days=90)
_NEEDED: Final = ("Patient", "Condition", "RelatedPerson", "PractitionerRole", "Organization")
_WITHDRAWN: Final = {"stopped": OpinionStatus.NO_LONGER_HELD, "entered-in-error": OpinionStatus.SENT_IN_ERROR}
_ABOUT_THE_CHILD: Final = (
    ("Condition", "subject"),
    ("Communication", "subject"),
    ("RelatedPerson", "patient"),
    ("Observation", "subject"),
    ("DocumentReference", "subject"),
    ("ServiceRequest", "subject"),
    ("Consent", "patient"),
)
_NOTHING_LIFTED: Final[Mapping[str, bytes]] = MappingProxyType({})


def read_message(document: dict[str, Any], lifted: Mapping[str, bytes] = _NOTHING_LIFTED) -> Submission | Withdrawal:
    """Return what a structurally sound message says; ``lifted`` is the data of its attachments, by mark.

    ``delete``, and ``update`` of a notification that was stopped or entered in error, give a ``Withdrawal``: nothing but its
    sender, order and identifier is looked at. Anything else gives a ``Submission``. Raises ``Refused`` with all issues.
    """
    bundle = Bundle(document)
    header = bundle.all("MessageHeader")[0]
    _read_event(bundle, header)
    reason = _read_reason(bundle, header)
    focus = _read_focus(bundle, header)
    status = focus.resource.get("status") if focus is not None else None
    if reason is MessageReason.DELETE:
        return _read_withdrawal(bundle, header, reason, focus, OpinionStatus.SENT_IN_ERROR)
    if reason is MessageReason.UPDATE and status in _WITHDRAWN:
        return _read_withdrawal(bundle, header, reason, focus, _WITHDRAWN[status])
    return _read_submission(bundle, header, reason, focus, lifted)


def _read_withdrawal(bundle: Bundle, header: Located, reason: MessageReason, focus: Located | None, status: OpinionStatus) -> Withdrawal:
    message_id, version_at = _read_message_id(bundle, header), _read_version(bundle, header)
    identifier = _read_business_identifier(bundle, focus)
    sender, sender_at = _read_sender(bundle, header)
    bundle.refuse_if_faulty()
    return Withdrawal(
        message_id=bundle.sure(message_id),
        reason=reason,
        status=status,
        business_identifier=bundle.sure(identifier),
        version_at=bundle.sure(version_at),
        sender=bundle.sure(sender),
        places={"header": header.at, "focus": bundle.sure(focus).at, "sender": sender_at},
    )


def _read_submission(
    bundle: Bundle, header: Located, reason: MessageReason | None, focus: Located | None, lifted: Mapping[str, bytes]
) -> Submission:
    message_id, version_at = _read_message_id(bundle, header), _read_version(bundle, header)
    identifier = _read_business_identifier(bundle, focus)
    sender, sender_at = _read_sender(bundle, header)
    receiver, receiver_at = _read_receiver(bundle, header)
    receiver_reason = _read_receiver_reason(bundle, header)
    patient = _check_resources(bundle, header)
    focus = bundle.sure(focus)
    sent_at = _read_focus_facts(bundle, focus)
    contact_day = _read_contact_day(bundle, focus, sent_at)
    child = read_child(bundle, patient)
    opinions, acts, view = read_opinions(bundle, focus), read_acts(bundle, focus), read_view(bundle)
    agreed, organisation = _read_agreement(bundle, focus), read_voluntary_organisation(bundle)
    more = {
        "attachments": read_attachments(bundle, lifted),
        "involvement": read_involvement(bundle, focus),
        **read_observations(bundle),
    }
    bundle.refuse_if_faulty()
    child, sender = bundle.sure(child), bundle.sure(sender)
    return Submission(
        message_id=bundle.sure(message_id),
        reason=bundle.sure(reason),
        business_identifier=bundle.sure(identifier),
        version_at=bundle.sure(version_at),
        sent_at=bundle.sure(sent_at),
        sender=sender,
        receiver=receiver,
        receiver_reason=receiver_reason,
        child=child,
        opinions=opinions,
        parent_acts=acts,
        parent_view=view,
        parent_agreed_to_share=agreed,
        voluntary_organisation=organisation,
        do_not_contact_before=contact_day,
        card=make_card(bundle, focus, patient, child, sender, more),
        traces=make_traces(bundle, patient),
        places={
            "header": header.at,
            "focus": focus.at,
            "sender": sender_at,
            "receiver": receiver_at,
            "patient": patient.at,
            "nhs-number": f"{patient.at}.identifier",
            "birth-date": f"{patient.at}.birthDate",
            "postcode": f"{patient.at}.address",
            "sent": f"{focus.at}.sent",
        },
    )


def _read_event(bundle: Bundle, header: Located) -> None:
    event = header.resource.get("eventCoding", {})
    if event.get("system") != names.MESSAGE_EVENT or event.get("code") != names.EVENT:
        bundle.fault(Code.EVENT_UNKNOWN, f"{header.at}.event")
    canonical, _, version = header.resource.get("definition", "").partition("|")
    if canonical != names.DEFINITION or version not in names.DEFINITION_VERSIONS:
        bundle.fault(Code.DEFINITION_UNKNOWN, f"{header.at}.definition")


def _read_reason(bundle: Bundle, header: Located) -> MessageReason | None:
    found = codes(header.resource.get("reason"), names.MESSAGE_REASON)
    if len(found) == 1 and found[0] in set(MessageReason):
        return MessageReason(found[0])
    bundle.fault(Code.REASON_UNKNOWN, f"{header.at}.reason")
    return None


def _read_focus(bundle: Bundle, header: Located) -> Located | None:
    focus = header.resource.get("focus", [])
    if len(focus) > 1:
        bundle.fault(Code.TOO_MANY, f"{header.at}.focus")
    found = bundle.follow(header, focus[0], "Communication") if focus else None
    if found is None or names.AUTHORITY_NOTIFIED not in codes(found.resource.get("category"), names.SECTION_23):
        bundle.fault(Code.FOCUS, f"{header.at}.focus")
        return None
    return found


def _read_message_id(bundle: Bundle, header: Located) -> str | None:
    try:
        return str(UUID(header.resource.get("id", "")))
    except ValueError:
        bundle.fault(Code.MESSAGE_ID, f"{header.at}.id")
        return None


def _read_version(bundle: Bundle, header: Located) -> datetime | None:
    moment = instant(header.resource.get("meta", {}).get("lastUpdated"))
    if moment is None:
        bundle.fault(Code.VERSION_TIME, f"{header.at}.meta.lastUpdated")
    return moment


def _read_business_identifier(bundle: Bundle, focus: Located | None) -> BusinessIdentifier | None:
    if focus is None:
        return None
    found = focus.resource.get("identifier", [])
    if len(found) == 1 and "system" in found[0] and "value" in found[0]:
        return BusinessIdentifier(found[0]["system"], found[0]["value"])
    bundle.fault(Code.BUSINESS_IDENTIFIER, f"{focus.at}.identifier")
    return None


def _organisation(bundle: Bundle, header: Located, reference: Json) -> tuple[Json, str | None]:
    """Return what holds the identifiers of an organisation that is referred to, by entry or by identifier alone, and where."""
    found = bundle.follow(header, reference, "Organization")
    if found is not None:
        return found.resource, found.at
    return {"identifier": [reference["identifier"]] if "identifier" in reference else []}, None


def _read_sender(bundle: Bundle, header: Located) -> tuple[OdsCode | None, str]:
    holder, at = _organisation(bundle, header, header.resource.get("sender", {}))
    at = at or f"{header.at}.sender"
    found = [code.upper() for code in identifiers(holder, names.ODS_SYSTEMS)]
    if len(found) == 1 and _ODS.fullmatch(found[0]):
        return OdsCode(found[0]), f"{at}.identifier"
    bundle.fault(Code.SENDER_ODS, f"{at}.identifier")
    return None, at


def _read_receiver(bundle: Bundle, header: Located) -> tuple[GssCode | OdsCode | None, str]:
    destinations = header.resource.get("destination", [])
    if len(destinations) > 1:
        bundle.fault(Code.TOO_MANY, f"{header.at}.destination")
    if not destinations or "receiver" not in destinations[0]:
        return None, f"{header.at}.destination"
    holder, at = _organisation(bundle, header, destinations[0]["receiver"])
    at = f"{at or f'{header.at}.destination[0].receiver'}.identifier"
    gss, ods = identifiers(holder, {names.GSS}), identifiers(holder, names.ODS_SYSTEMS)
    if len(gss) == 1 and _GSS.fullmatch(gss[0]):
        return GssCode(gss[0]), at
    if not gss and len(ods) == 1 and _ODS.fullmatch(ods[0].upper()):
        return OdsCode(ods[0].upper()), at
    bundle.fault(Code.RECEIVER_NAME, at)
    return None, at


def _read_receiver_reason(bundle: Bundle, header: Located) -> ReceiverReason | None:
    found = extensions(header.resource, names.RECEIVER_REASON)
    if not found:
        return None
    reason = found[0].get("valueCode")
    if len(found) == 1 and reason in set(ReceiverReason):
        return ReceiverReason(reason)
    bundle.fault(Code.RECEIVER_REASON_UNKNOWN, f"{header.at}.extension")
    return None


def _read_agreement(bundle: Bundle, focus: Located) -> bool:
    found = extensions(focus.resource, names.AGREED_TO_SHARE)
    if not found:
        return False
    agreed = found[0].get("valueBoolean")
    if len(found) != 1 or not isinstance(agreed, bool):
        bundle.fault(Code.AGREEMENT_VALUE, f"{focus.at}.extension")
    return agreed is True


def _read_contact_day(bundle: Bundle, focus: Located, sent_at: datetime | None) -> date | None:
    """Return the day before which the family is not to be contacted; one that is far off would keep the authority from its duty."""
    found = extensions(focus.resource, names.DO_NOT_CONTACT_BEFORE)
    if not found:
        return None
    day = full_date(found[0].get("valueDate"))
    if len(found) != 1 or day is None or (sent_at is not None and day > london_day(sent_at) + MOST_HELD_BACK):
        bundle.fault(Code.CONTACT_DAY, f"{focus.at}.extension")
    return day


def _read_focus_facts(bundle: Bundle, focus: Located) -> datetime | None:
    if focus.resource.get("status") != "completed":
        bundle.fault(Code.FOCUS_STATUS, f"{focus.at}.status")
    if bundle.follow(focus, focus.resource.get("sender"), "PractitionerRole") is None:
        bundle.fault(Code.SENDER_ROLE, f"{focus.at}.sender")
    sent_at = instant(focus.resource.get("sent"))
    if sent_at is None:
        bundle.fault(Code.SENT_TIME, f"{focus.at}.sent")
    return sent_at


def _check_resources(bundle: Bundle, header: Located) -> Located:
    """Return the one Patient, after holding the resources against the message definition."""
    for kind in _NEEDED:
        if not bundle.all(kind):
            bundle.fault(Code.TOO_FEW, f"Bundle.entry.resource.ofType({kind})")
    for extra in bundle.all("Patient")[1:]:
        bundle.fault(Code.TOO_MANY, extra.at)
    if "value" not in header.resource["source"].get("contact", {}):
        bundle.fault(Code.SOURCE_CONTACT, f"{header.at}.source.contact")
    for carer in bundle.all("RelatedPerson"):
        if not any("family" in name or "text" in name for name in carer.resource.get("name", ())):
            bundle.fault(Code.CARER_NAME, f"{carer.at}.name")
    _check_subjects(bundle)
    return bundle.sure(next(iter(bundle.all("Patient")), None))


def _check_subjects(bundle: Bundle) -> None:
    """Everything about a child is about the one child of the message; an act may leave it out, since its focus says it."""
    for kind, name in _ABOUT_THE_CHILD:
        for found in bundle.all(kind):
            reference = found.resource.get(name)
            optional = kind == "Communication" and names.AUTHORITY_NOTIFIED not in codes(found.resource.get("category"), names.SECTION_23)
            if (reference is not None or not optional) and bundle.follow(found, reference, "Patient") is None:
                bundle.fault(Code.SUBJECT, f"{found.at}.{name}")
