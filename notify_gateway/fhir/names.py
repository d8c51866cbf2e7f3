# SPDX-License-Identifier: MIT
"""Names of the wire: the project's canonical base, the code systems that are read, the resources that may travel.

Conventions of the message ``early-years-send-notification``, beyond FHIR R4 and UK Core:

* **Restricted address** (refuge, adoption, withheld): ``Patient.meta.security`` holds ``R`` or ``V`` of v3-Confidentiality. The
  postcode is still used to find the authority; the address is not on the card.
* **Reason for naming the authority**: extension ``receiver-reason`` (valueCode) on the MessageHeader; ``domain.model.ReceiverReason``.
* **Receiver**: the Organization of ``destination.receiver`` is named by its GSS code or its ODS code.
* **Date of the opinion**: extension condition-assertedDate, else ``recordedDate``; instants count as their London day; partial dates
  are refused.
* **Parent's view**: coding of ``parental-view`` in ``Communication.topic`` of a parental-views act, else words (``payload``). Of each
  carer the latest view counts, of several carers the most cautious.
* **Voluntary organisation**: a completed voluntary-organisation-advised act names one; the status ``not-done`` says that none is thought
  likely to help; no such act is "not recorded".
* **Do not contact before**: extension ``do-not-contact-before`` (valueDate) on the focus Communication, at most 90 days after it was sent.
* **Agreement to share** (needed only where section 23 does not bind the sender): extension ``parent-agreed-to-share`` (valueBoolean)
  on the focus; a coded view "agrees" counts as well.
* **Attachments**: a DocumentReference each, with ``content.attachment.data`` (base64) and a ``contentType`` of ``attachments.TYPES``;
  never by ``url``, and in no other resource.
* **Part 2**, a request that a service become involved: one ServiceRequest (``code`` names the service) and one Consent, which is active,
  has scope ``treatment``, permits, is dated, was given by a RelatedPerson (``performer``), and refers to the ServiceRequest by
  ``provision.data``. Without part 2 there is no Consent: the notification needs none.
* **ASQ-3 score**: an Observation whose ``code`` is a domain of ``asq-3-domain``, with the questionnaire's month in the extension
  ``asq-3-questionnaire-month`` (valuePositiveInt) and 0 to 60 points as valueInteger or valueQuantity.
* **NHS number absent**: extension UKCore-NHSNumberUnavailableReason on the Patient, and a local identifier.
* **Verification status** of the NHS number: three code systems in use, all read as 01 to 08.
* **ODS codes**: three identifier systems in use, all read alike.
"""

from __future__ import annotations

from typing import Final

BASE: Final = "https://w3id.org/early-years-send/fhir"

MESSAGE_EVENT: Final = f"{BASE}/CodeSystem/message-event"
MESSAGE_REASON: Final = f"{BASE}/CodeSystem/message-reason"
SECTION_23: Final = f"{BASE}/CodeSystem/section-23-communication"
OPINION_CATEGORY: Final = f"{BASE}/CodeSystem/opinion-category"
DFE_SEN_TYPE: Final = f"{BASE}/CodeSystem/dfe-sen-type"
PARENTAL_VIEW: Final = f"{BASE}/CodeSystem/parental-view"
ASQ_3_DOMAIN: Final = f"{BASE}/CodeSystem/asq-3-domain"
ERROR_CODES: Final = f"{BASE}/CodeSystem/error"
TASK_STATE: Final = f"{BASE}/CodeSystem/task-state"
TASK_OUTPUT: Final = f"{BASE}/CodeSystem/task-output"
REFERENCE_SYSTEM: Final = f"{BASE}/Id/reference"
NOTIFICATION_SYSTEM: Final = f"{BASE}/Id/notification"

RECEIVER_REASON: Final = f"{BASE}/StructureDefinition/receiver-reason"
AGREED_TO_SHARE: Final = f"{BASE}/StructureDefinition/parent-agreed-to-share"
DO_NOT_CONTACT_BEFORE: Final = f"{BASE}/StructureDefinition/do-not-contact-before"
ASQ_3_MONTH: Final = f"{BASE}/StructureDefinition/asq-3-questionnaire-month"

EVENT: Final = "early-years-send-notification"
DEFINITION: Final = f"{BASE}/MessageDefinition/{EVENT}"
DEFINITION_VERSIONS: Final = frozenset({"1.0.0"})

AUTHORITY_NOTIFIED: Final = "authority-notified"

ASQ_3_DOMAINS: Final = {
    "communication": "Communication",
    "gross-motor": "Gross motor",
    "fine-motor": "Fine motor",
    "problem-solving": "Problem solving",
    "personal-social": "Personal-social",
}
"""The codes of ``asq-3-domain`` and what they are called."""

NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
ODS_SYSTEMS: Final = frozenset(
    {
        "https://fhir.nhs.uk/Id/ods-organization-code",
        "https://fhir.nhs.uk/id/ods-organization-code",  # as BaRS spells it
        "https://fhir.hl7.org.uk/Id/ODS-code",  # retired, still sent
    }
)
GSS: Final = "http://statistics.data.gov.uk/id/statistical-geography"
SNOMED: Final = "http://snomed.info/sct"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
RESTRICTED: Final = frozenset({"R", "V"})
VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
HTTP_ERROR_CODES: Final = "https://fhir.nhs.uk/Codesystem/http-error-codes"

ASSERTED_DATE: Final = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
UK_CORE: Final = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
NUMBER_STATUS: Final = f"{UK_CORE}NHSNumberVerificationStatus"
NUMBER_UNAVAILABLE: Final = f"{UK_CORE}NHSNumberUnavailableReason"

VERIFICATION_STATUS_SYSTEMS: Final = frozenset(
    {
        "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland",
        "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus",
    }
)
VERIFICATION_STATUSES: Final = {
    "number-present-and-verified": "01",
    "number-present-but-not-traced": "02",
    "trace-required": "03",
    "trace-attempted-no-match-or-multiple-match-found": "04",
    "trace-needs-to-be-resolved": "05",
    "trace-in-progress": "06",
    "number-not-present-and-trace-not-required": "07",
    "trace-postponed": "08",
} | {f"0{n}": f"0{n}" for n in range(1, 9)}

CONTAINED_TYPES: Final = frozenset(
    {
        "Communication",
        "Condition",
        "Encounter",
        "HealthcareService",
        "Location",
        "Observation",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "RelatedPerson",
    }
)
ENTRY_TYPES: Final = CONTAINED_TYPES | {"MessageHeader", "DocumentReference", "ServiceRequest", "Consent"}
