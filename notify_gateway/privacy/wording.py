# SPDX-License-Identifier: MIT
"""The words of the sheet: what each code of a view and each name of a card is called to people."""

from __future__ import annotations

from typing import Final

EVENTS: Final = {
    "new": "New notification",
    "update": "Update: replaces what you were told before",
    "delete": "Withdrawn by the trust",
}
BANNERS: Final = {
    "address-restricted": (
        "Restricted address",
        "The home address is withheld. Do not ask for it, write it down or pass on where the family lives.",
    ),
    "contact-sensitively": (
        "Contact sensitively",
        "The parent objects to this notification. The law still required it; make contact with care.",
    ),
    "came-of-age-since": ("Of compulsory school age by now", "The child was below it when the opinion was formed."),
    "unlinked": ("No NHS number", "This notification cannot be joined to others about the same child."),
    "receiver-named-by-sender": ("You were named by the trust", "The home postcode did not decide which authority this is for."),
    "receiver-overrides-postcode": (
        "You were named by the trust",
        "The home postcode points to another authority; the trust gave a reason.",
    ),
    "voluntary-notification": ("Voluntary", "The sender is not bound by section 23; the parent agreed to this."),
    "voluntary-organisation-not-recorded": ("Not recorded", "Whether the parent was told of a voluntary organisation that may help."),
}
CERTAINTY: Final = {"has": "The child has", "probably-has": "The child probably has"}
KINDS: Final = {"special-educational-need": "special educational needs", "disability": "a disability"}
STRENGTHS: Final = {
    "stated": "stated by the trust",
    "direct": "from the trust's clinical code",
    "provisional": "a provisional reading of the trust's clinical code",
    "risk": "the clinical code names a risk, not a need",
    "contradiction": "the clinical code does not fit a need",
}
PARENT_VIEWS: Final = {
    "agrees": "Agrees",
    "has-concerns": "Has concerns",
    "objects": "Objects",
    "not-reached": "Could not be reached",
    "in-words": "Given in the parent's own words",
    "not-recorded": "Not recorded",
}
HEADINGS: Final = {
    "child": "Who the child is",
    "carers": "Who to contact",
    "summary": "In the trust's own words",
    "settings": "Nursery or school",
    "involvement": "Part 2: a service is asked to become involved",
    "asq_3": "Developmental scores (ASQ-3)",
    "observations": "Other observations",
    "attachments": "Letters and reports sent with it",
}
LABELS: Final = {
    "names": "Name",
    "name": "Name",
    "relationship": "Relationship",
    "birth_date": "Date of birth",
    "nhs_number": "NHS number",
    "nhs_number_status": "NHS number status code",
    "nhs_number_absent_because": "No NHS number because",
    "gender": "Gender",
    "role": "Role",
    "telecoms": "Telephone, e-mail",
    "address": "Address",
    "address_restricted": "Address restricted",
    "languages": "Language",
    "interpreter_required": "Interpreter needed",
    "gp": "GP practice",
    "urn": "School number",
    "identifiers": "Other numbers",
    "service": "Service",
    "reasons": "Because of",
    "priority": "Priority",
    "requested_on": "Requested",
    "agreed_by": "Agreed by",
    "agreed_on": "Agreed on",
}
NOT_SCANNED: Final = (
    "Attachments are not scanned",
    "Nobody could look through sealed files for harmful software. Have yours scan them before you open them. They may hold what this sheet "
    "leaves out, such as a restricted address.",
)
ITS_OWN_AGREEMENT: Final = "The agreement is to this request. The notification needed none and is not part of it."
