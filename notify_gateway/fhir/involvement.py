# SPDX-License-Identifier: MIT
"""Part 2 of a message: the request that a service become involved (ServiceRequest), with the parent's own agreement to that (Consent).

The notification itself needs no consent (section 23), so nothing here can be read as one to it: a Consent stands only beside a request,
must say by its data that it is about that request and no more, and what is wrong with part 2 is answered with "send it without".
"""

from __future__ import annotations

from typing import Any, Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.fhir import names
from notify_gateway.fhir.bundle import Bundle, Located, codes, full_date
from notify_gateway.fhir.card import coded, label, notes, person_name, present

_ASKS: Final = frozenset({"proposal", "plan", "order"})


def read_involvement(bundle: Bundle, focus: Located) -> dict[str, Any]:
    """Return what the card says of part 2, empty if there is none, after noting whatever keeps it from being passed on."""
    requests, consents = bundle.all("ServiceRequest"), bundle.all("Consent")
    for extra in (*requests[1:], *consents[1:]):
        bundle.fault(Code.TOO_MANY, extra.at)
    if not requests:
        for consent in consents:
            bundle.fault(Code.CONSENT_ALONE, consent.at)
        return {}
    request = requests[0]
    if not consents:
        bundle.fault(Code.INVOLVEMENT_NOT_AGREED, request.at)
        return {}
    consent = consents[0]
    _check_request(bundle, request)
    _check_agreement(bundle, consent, focus)
    _check_bounds(bundle, consent, request)
    return _for_the_card(bundle, request, consent)


def _check_request(bundle: Bundle, request: Located) -> None:
    if request.resource["status"] != "active":
        bundle.fault(Code.INVOLVEMENT_REQUEST, f"{request.at}.status")
    if request.resource["intent"] not in _ASKS:
        bundle.fault(Code.INVOLVEMENT_REQUEST, f"{request.at}.intent")
    if request.resource.get("doNotPerform"):
        bundle.fault(Code.INVOLVEMENT_REQUEST, f"{request.at}.doNotPerform")
    if label(request.resource.get("code", {})) is None:
        bundle.fault(Code.INVOLVEMENT_REQUEST, f"{request.at}.code")


def _check_agreement(bundle: Bundle, consent: Located, focus: Located) -> None:
    """Somebody who cares for the child has said yes, on a day that is not after the notification, and it still holds on that day."""
    resource, at = consent.resource, consent.at
    provision = resource.get("provision", {})
    sent_on = full_date(focus.resource.get("sent"))
    agreed_on = full_date(resource.get("dateTime"))
    period = provision.get("period", {})
    begins, ends = full_date(period.get("start")), full_date(period.get("end"))
    if resource["status"] != "active":
        bundle.fault(Code.INVOLVEMENT_NOT_AGREED, f"{at}.status")
    if provision.get("type") != "permit":
        bundle.fault(Code.INVOLVEMENT_NOT_AGREED, f"{at}.provision.type")
    if not any(bundle.follow(consent, person, "RelatedPerson") for person in resource.get("performer", ())):
        bundle.fault(Code.INVOLVEMENT_NOT_AGREED, f"{at}.performer")
    if agreed_on is None or (sent_on is not None and agreed_on > sent_on):
        bundle.fault(Code.INVOLVEMENT_NOT_AGREED, f"{at}.dateTime")
    if any(name in period and day is None for name, day in (("start", begins), ("end", ends))) or (
        sent_on is not None and ((begins is not None and begins > sent_on) or (ends is not None and ends < sent_on))
    ):
        bundle.fault(Code.INVOLVEMENT_NOT_AGREED, f"{at}.provision.period")


def _check_bounds(bundle: Bundle, consent: Located, request: Located) -> None:
    """The agreement is to this request and to nothing else, without exceptions that would have to be weighed."""
    resource, at = consent.resource, consent.at
    provision = resource.get("provision", {})
    if codes(resource["scope"], names.CONSENT_SCOPE) != ["treatment"]:
        bundle.fault(Code.INVOLVEMENT_BOUNDS, f"{at}.scope")
    data = provision.get("data", ())
    if not data or any(bundle.follow(consent, item["reference"], "ServiceRequest") is not request for item in data):
        bundle.fault(Code.INVOLVEMENT_BOUNDS, f"{at}.provision.data")
    if "provision" in provision:
        bundle.fault(Code.INVOLVEMENT_BOUNDS, f"{at}.provision.provision")
    if "sourceAttachment" in resource:
        bundle.fault(Code.ATTACHMENT_ELSEWHERE, f"{at}.source")


def _for_the_card(bundle: Bundle, request: Located, consent: Located) -> dict[str, Any]:
    asked_on, agreed_on = full_date(request.resource.get("authoredOn")), full_date(consent.resource.get("dateTime"))
    people = (bundle.follow(consent, person, "RelatedPerson") for person in consent.resource.get("performer", ()))
    return present(
        {
            "service": label(request.resource.get("code", {})),
            "codes": coded(request.resource.get("code", {})),
            "reasons": [label(reason) for reason in request.resource.get("reasonCode", ())],
            "priority": request.resource.get("priority"),
            "requested_on": asked_on.isoformat() if asked_on else None,
            "summary": notes(request.resource),
            "agreed_by": [person_name(name) for person in people if person for name in person.resource.get("name", ())[:1]],
            "agreed_on": agreed_on.isoformat() if agreed_on else None,
        }
    )
