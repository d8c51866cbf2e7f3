# SPDX-License-Identifier: MIT
"""Notifications that break section 23's order, or that no authority in England is responsible for."""

from __future__ import annotations

from notify_gateway.domain.catalogue import Code
from tests.fhir.spoiling import (
    CONDITION,
    FOCUS,
    HEADER,
    INFORMED,
    OFFERED,
    PATIENT,
    RECEIVER,
    SECRET,
    Case,
    at,
    built,
    edited,
    put,
)

LAW = [
    Case("the parent was not informed", built(lambda m: m.without("parent-informed")), Code.PARENT_NOT_INFORMED, at(FOCUS)),
    Case("the parent is to be informed", edited(put(f"{INFORMED}.status", "preparation")), Code.PARENT_NOT_INFORMED, at(FOCUS)),
    Case("the parent was not reached", edited(put(f"{INFORMED}.status", "not-done")), Code.PARENT_NOT_INFORMED, at(FOCUS)),
    Case("informed in error", edited(put(f"{INFORMED}.status", "entered-in-error")), Code.PARENT_NOT_INFORMED, at(FOCUS)),
    Case(
        "another system's informed",
        edited(put(f"{INFORMED}.category[0].coding[0].system", "https://example.org/x")),
        Code.PARENT_NOT_INFORMED,
        at(FOCUS),
    ),
    Case("no discussion offered", built(lambda m: m.without("discussion-offered")), Code.DISCUSSION_NOT_OFFERED, at(FOCUS)),
    Case("a discussion planned", edited(put(f"{OFFERED}.status", "in-progress")), Code.DISCUSSION_NOT_OFFERED, at(FOCUS)),
    Case("informed before the opinion", built(lambda m: m.informed_on("2026-01-08")), Code.INFORMED_BEFORE_OPINION, at(INFORMED)),
    Case("informed the year before", built(lambda m: m.informed_on("2025-01-08T09:00:00Z")), Code.INFORMED_BEFORE_OPINION, at(INFORMED)),
    Case("offered before the opinion", built(lambda m: m.offered_on("2026-01-08")), Code.OFFERED_BEFORE_OPINION, at(OFFERED)),
    Case("informed after the notification", built(lambda m: m.informed_on("2026-01-15")), Code.INFORMED_AFTER_NOTIFICATION, at(INFORMED)),
    Case("offered after the notification", built(lambda m: m.offered_on("2026-01-15")), Code.OFFERED_AFTER_NOTIFICATION, at(OFFERED)),
    Case("informed in the future", built(lambda m: m.informed_on("2099-01-15")), Code.INFORMED_AFTER_NOTIFICATION, at(INFORMED)),
    Case("an opinion of the future", built(lambda m: m.opinion_on("2099-01-01")), Code.OPINION_IN_FUTURE, at(CONDITION)),
    Case("an opinion after the notification", built(lambda m: m.opinion_on("2026-01-15")), Code.OPINION_AFTER_NOTIFICATION, at(CONDITION)),
    Case("an opinion before birth", built(lambda m: m.opinion_on("2022-11-02")), Code.OPINION_BEFORE_BIRTH, at(CONDITION)),
    Case("a child of compulsory school age", built(lambda m: m.for_child(born="2019-01-01")), Code.COMPULSORY_SCHOOL_AGE, at(CONDITION)),
    Case(
        "of age on the prescribed day itself",
        built(lambda m: m.for_child(born="2020-08-31").opinion_on("2025-08-31")),
        Code.COMPULSORY_SCHOOL_AGE,
        at(CONDITION),
    ),
    Case("an adult", built(lambda m: m.for_child(born="1980-02-29")), Code.COMPULSORY_SCHOOL_AGE, at(CONDITION)),
    Case("a child not yet born", built(lambda m: m.for_child(born="2099-01-01")), Code.BIRTH_IN_FUTURE, at(f"{PATIENT}.birthDate")),
    Case("born in the year 9999", built(lambda m: m.for_child(born="9999-12-31")), Code.BIRTH_IN_FUTURE, at(f"{PATIENT}.birthDate")),
    Case(
        "born and judged in the year 9999",
        built(lambda m: m.for_child(born="9999-12-30").opinion_on("9999-12-30")),
        Code.OPINION_IN_FUTURE,
        at(CONDITION),
    ),
    Case("sent in the future", built(lambda m: m.sent_at("2099-01-14T10:15:00Z")), Code.NOTIFICATION_IN_FUTURE, at(f"{FOCUS}.sent")),
    Case("sent before all else", built(lambda m: m.sent_at("2025-01-14T10:15:00Z")), Code.OPINION_AFTER_NOTIFICATION, at(CONDITION)),
    Case(
        "informed on the next day in London",
        built(lambda m: m.sent_at("2026-06-30T22:30:00Z").informed_on("2026-06-30T23:30:00Z")),
        Code.INFORMED_AFTER_NOTIFICATION,
        at(INFORMED),
    ),
]


ROUTING = [
    Case(
        "a home in Wales",
        built(lambda m: m.for_child(postcode="CF10 3ND").without("receiver")),
        Code.LIVES_IN_WALES,
        at(f"{PATIENT}.address"),
    ),
    Case(
        "a home in Wales and an English authority",
        built(lambda m: m.for_child(postcode="CF10 3ND")),
        Code.LIVES_IN_WALES,
        at(f"{PATIENT}.address"),
    ),
    Case(
        "a home in Scotland",
        built(lambda m: m.for_child(postcode="eh991sp").without("receiver")),
        Code.LIVES_IN_SCOTLAND,
        at(f"{PATIENT}.address"),
    ),
    Case(
        "a home in Northern Ireland",
        built(lambda m: m.for_child(postcode="BT1 5GS").without("receiver")),
        Code.LIVES_IN_NORTHERN_IRELAND,
        at(f"{PATIENT}.address"),
    ),
    Case(
        "no postcode and no authority",
        built(lambda m: m.without("postcode").without("receiver")),
        Code.POSTCODE_MISSING,
        at(f"{PATIENT}.address"),
    ),
    Case("no postcode and no reason", built(lambda m: m.without("postcode")), Code.REASON_REQUIRED, at(HEADER)),
    Case("an unknown postcode and no reason", built(lambda m: m.for_child(postcode="ZZ99 3VZ")), Code.REASON_REQUIRED, at(HEADER)),
    Case(
        "an unknown postcode and no authority",
        built(lambda m: m.for_child(postcode="ZZ99 3VZ").without("receiver")),
        Code.POSTCODE_NOT_ENGLISH_AUTHORITY,
        at(f"{PATIENT}.address"),
    ),
    Case(
        "no postcode at all but words",
        built(lambda m: m.for_child(postcode=SECRET).without("receiver")),
        Code.POSTCODE_NOT_ENGLISH_AUTHORITY,
        at(f"{PATIENT}.address"),
    ),
    Case(
        "another authority than the home's",
        built(lambda m: m.to_authority("E06000002")),
        Code.RECEIVER_DISAGREES,
        at(f"{RECEIVER}.identifier"),
    ),
    Case(
        "an authority that does not exist",
        built(lambda m: m.to_authority("E06999999")),
        Code.RECEIVER_UNKNOWN,
        at(f"{RECEIVER}.identifier"),
    ),
    Case("a Welsh authority", built(lambda m: m.to_authority("W06000015")), Code.RECEIVER_UNKNOWN, at(f"{RECEIVER}.identifier")),
    Case(
        "an authority by an unknown ODS code",
        built(lambda m: m.to_authority("ZZZ99", "https://fhir.nhs.uk/Id/ods-organization-code")),
        Code.RECEIVER_UNKNOWN,
        at(f"{RECEIVER}.identifier"),
    ),
    Case(
        "an authority that does not exist, with a reason",
        built(lambda m: m.to_authority("E06999999").because("moved")),
        Code.RECEIVER_UNKNOWN,
        at(f"{RECEIVER}.identifier"),
    ),
]
