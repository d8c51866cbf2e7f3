# SPDX-License-Identifier: MIT
"""A made-up child whose every detail is a canary, and what the gateway makes of the notification about it."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from notify_gateway.domain.identity import BirthDate, NhsNumber, Postcode, PrivateBytes
from notify_gateway.domain.model import (
    BusinessIdentifier,
    Card,
    Certainty,
    Child,
    Coding,
    Judgement,
    LegalBasis,
    MessageReason,
    OdsCode,
    Opinion,
    OpinionKind,
    OpinionStatus,
    ParentAct,
    ParentActKind,
    ParentView,
    Routing,
    Submission,
    Traces,
    VoluntaryOrganisation,
)
from notify_gateway.privacy.cards import card_plaintext
from notify_gateway.privacy.encoding import to_base64
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPublicKey, RecipientPurpose, SigningKey, SigningPurpose
from notify_gateway.privacy.pseudonyms import PseudonymKeys, authority_domain
from notify_gateway.privacy.sealing import Kind, SealedEnvelope, new_shred_key, seal, strip_outer
from notify_gateway.privacy.view import View, ViewNeed, build_view

STOCKTON = "E06000004"
MIDDLESBROUGH = "E06000002"
NHS_NUMBER = NhsNumber("9990548609")
OTHER_NHS_NUMBER = NhsNumber("9990000018")
REFERENCE = "SEN-7K2M9QXR-C"
NOTIFICATION = UUID("5d3c1c37-3c2b-4c53-9a2c-6f1c76a3f0c1")
DELIVERY = UUID("0b7f6a52-8d4e-4f2e-8f5e-2f6f0d4f7a11")

CANARIES = frozenset(
    {
        "9990548609",
        "Zephyrine",
        "Quillfeather",
        "2022-11-03",
        "TS18 1LD",
        "1 Canary Street",
        "01632 960123",
        "+44 7700 900456",
        "marigold@canary.example",
        "SN-2026-000123",
        "Marigold",
        "408856003",
        "He lines up his toy trains",
    }
)

CARD: dict[str, Any] = {
    "child": {
        "names": [{"name": "Zephyrine Quillfeather", "use": "official"}],
        "nhs_number": "9990548609",
        "birth_date": "2022-11-03",
        "gender": "female",
        "address": {"line": ["1 Canary Street"], "city": "Stockton-on-Tees", "postalCode": "TS18 1LD"},
        "address_restricted": False,
        "languages": [{"language": "English", "preferred": True}],
    },
    "carers": [
        {
            "names": [{"name": "Marigold Quillfeather"}],
            "relationship": ["Mother"],
            "telecoms": [
                {"system": "phone", "value": "+44 7700 900456", "use": "mobile"},
                {"system": "email", "value": "marigold@canary.example"},
            ],
        },
        {
            "names": [{"name": "Basil Quillfeather"}],
            "relationship": ["Father"],
            "telecoms": [{"system": "phone", "value": "01632 960123", "use": "home"}],
            "languages": ["Welsh"],
        },
    ],
    "opinions": [
        {
            "need": "Autistic disorder",
            "codes": [{"system": "http://snomed.info/sct", "code": "408856003", "display": "Autistic disorder"}],
            "certainty": "confirmed",
            "kinds": ["special-educational-need"],
            "recorded_on": "2026-01-08",
        }
    ],
    "parental_words": [{"on": "2026-01-12", "words": "We would welcome help with talking."}],
    "summary": [{"words": "He lines up his toy trains and does not yet answer to his name. Hearing was tested and is good."}],
    "notifier": {"names": [{"name": "Dr Sam Doe"}], "role": ["Consultant"]},
    "sender": {"ods": "RXX", "name": "Example Community NHS Trust"},
    "identifier": {"system": "https://rxx.nhs.uk/Id/send-notification", "value": "SN-2026-000123"},
}

ORIGINAL = PrivateBytes(b'{"resourceType":"Bundle","note":"He lines up his toy trains"}')


def a_submission(**changes: Any) -> Submission:
    submission = Submission(
        message_id="0622c2b2-5e08-523f-95e8-88eabc1b98e2",
        reason=MessageReason.NEW,
        business_identifier=BusinessIdentifier("https://rxx.nhs.uk/Id/send-notification", "SN-2026-000123"),
        version_at=datetime(2026, 1, 14, 10, 15, tzinfo=UTC),
        sent_at=datetime(2026, 1, 14, 10, 15, tzinfo=UTC),
        sender=OdsCode("RXX"),
        receiver=None,
        receiver_reason=None,
        child=Child(
            nhs_number=NHS_NUMBER,
            nhs_number_absent_because=None,
            birth_date=BirthDate(date(2022, 11, 3)),
            postcode=Postcode("TS18 1LD"),
            address_restricted=False,
            at="Bundle.entry[2].resource",
        ),
        opinions=(
            Opinion(
                certainty=Certainty.HAS,
                kinds=frozenset({OpinionKind.SEN}),
                codings=(Coding("http://snomed.info/sct", "408856003"),),
                formed_on=date(2026, 1, 8),
                status=OpinionStatus.HELD,
                at="Bundle.entry[3].resource",
            ),
        ),
        parent_acts=(ParentAct(ParentActKind.INFORMED, date(2026, 1, 9), "Bundle.entry[5].resource"),),
        parent_view=ParentView.AGREES,
        parent_agreed_to_share=True,
        voluntary_organisation=VoluntaryOrganisation.ADVISED,
        card=Card(CARD),
        traces=Traces(CANARIES),
    )
    return replace(submission, **changes)


def a_judgement(**changes: Any) -> Judgement:
    judgement = Judgement(
        legal_basis=LegalBasis.SECTION_23,
        flags=frozenset(),
        informed_on=date(2026, 1, 9),
        discussion_offered_on=date(2026, 1, 12),
        opinion_formed_on=date(2026, 1, 8),
    )
    return replace(judgement, **changes)


def a_need(**changes: Any) -> ViewNeed:
    need = ViewNeed(
        sen_type="ASD",
        area="communication-and-interaction",
        certainty=Certainty.HAS,
        kinds=frozenset({OpinionKind.SEN, OpinionKind.DISABILITY}),
        strength="direct",
        table_version="2026-11-22",
    )
    return replace(need, **changes)


def a_view(
    submission: Submission | None = None, judgement: Judgement | None = None, routing: Routing | None = None, **changes: Any
) -> View:
    settings: dict[str, Any] = {
        "reference": REFERENCE,
        "pseudonym": some_pseudonyms().pseudonym(authority_domain(STOCKTON), NHS_NUMBER),
        "linked": True,
        "needs": (a_need(), a_need(sen_type="SLCN", strength="provisional", certainty=Certainty.PROBABLY_HAS)),
        "sender_ods": "RXX",
    }
    return build_view(
        submission or a_submission(),
        judgement or a_judgement(),
        routing or Routing(STOCKTON, "postcode", "2026-08"),
        **settings | changes,
    )


def some_pseudonyms(*versions: int) -> PseudonymKeys:
    return PseudonymKeys({version: bytes([version, *range(1, 32)]) for version in versions or (1,)})


def a_gateway_key() -> SigningKey:
    return SigningKey.generate(SigningPurpose.GATEWAY)


def a_recipient(**changes: Any) -> RecipientPrivateKey:
    return RecipientPrivateKey.generate(**{"authority": STOCKTON, "purpose": RecipientPurpose.WORKING} | changes)


def sealed(plaintext: bytes, *recipients: RecipientPublicKey, **changes: Any) -> tuple[SealedEnvelope, bytes]:
    """Return an envelope and its inner ciphertext."""
    settings: dict[str, Any] = {
        "kind": "card",
        "authority": STOCKTON,
        "notification_id": NOTIFICATION,
        "view_digest": bytes(32),
        "shred_key": new_shred_key(),
    }
    settings |= changes
    envelope = seal(plaintext, recipients=recipients, **settings)
    return envelope, strip_outer(envelope.stored, settings["shred_key"], settings["notification_id"], settings["kind"])


def a_delivery(
    signer: SigningKey, *recipients: RecipientPublicKey, card: dict[str, Any] | None = None, view: View | None = None
) -> dict[str, Any]:
    """Return the delivery document of a notification, as a receiver parses it."""
    view = view or a_view()
    parts: dict[Kind, bytes] = {"card": card_plaintext(Card(card or CARD), ORIGINAL), "original": ORIGINAL.reveal()}
    envelopes = {}
    for kind, plaintext in parts.items():
        envelope, inner = sealed(plaintext, *recipients, kind=kind, view_digest=view.digest, signer=signer)
        envelopes[kind] = {"header": to_base64(envelope.header), "signature": to_base64(envelope.signature), "sealed": to_base64(inner)}
    document: dict[str, Any] = json.loads(
        json.dumps(
            {
                "format": "notify-gateway/delivery",
                "version": 1,
                "delivery_id": str(DELIVERY),
                "notification_id": str(NOTIFICATION),
                "reference": REFERENCE,
                "authority": STOCKTON,
                "event": "new",
                "view": dict(view.fields),
                "view_digest": view.digest.hex(),
                "envelopes": envelopes,
                "gateway_key": signer.kid,
            }
        )
    )
    return document


def random_root() -> bytes:
    return secrets.token_bytes(32)
