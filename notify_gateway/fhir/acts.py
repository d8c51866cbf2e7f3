# SPDX-License-Identifier: MIT
"""The Communications of a message as acts towards the parent (section 23(2) and (4)) and as the parent's view."""

from __future__ import annotations

from typing import Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.model import ParentAct, ParentActKind, ParentView, VoluntaryOrganisation
from notify_gateway.fhir import names
from notify_gateway.fhir.bundle import Bundle, Located, codes, full_date

_MOST_CAUTIOUS_FIRST: Final = (
    ParentView.OBJECTS,
    ParentView.HAS_CONCERNS,
    ParentView.NOT_REACHED,
    ParentView.AGREES,
    ParentView.IN_WORDS,
)
_KINDS: Final = tuple(ParentActKind)
_CODED: Final = frozenset(set(_MOST_CAUTIOUS_FIRST) - {ParentView.IN_WORDS})


def read_acts(bundle: Bundle, focus: Located) -> tuple[ParentAct, ...]:
    """Return every completed act towards the parent; what was planned, left undone or entered in error is no act."""
    acts: list[ParentAct | None] = []
    for communication in bundle.all("Communication"):
        if communication != focus and communication.resource.get("status") == "completed":
            acts.extend(_read(bundle, communication, kind) for kind in kinds_of(communication))
    return tuple(act for act in acts if act is not None)


def kinds_of(communication: Located) -> list[ParentActKind]:
    """Return the acts that a Communication stands for; one meeting may be several."""
    found = codes(communication.resource.get("category"), names.SECTION_23)
    return [kind for kind in _KINDS if kind in found]


def _read(bundle: Bundle, communication: Located, kind: ParentActKind) -> ParentAct | None:
    resource, at = communication.resource, communication.at
    on = full_date(resource.get("sent"))
    if on is None:
        bundle.fault(Code.ACT_DATE, f"{at}.sent")
    by_parent = kind is ParentActKind.VIEWS
    people = [resource.get("sender")] if by_parent else resource.get("recipient", [])
    if not any(bundle.follow(communication, person, "RelatedPerson") for person in people):
        bundle.fault(Code.ACT_RECIPIENT, f"{at}.{'sender' if by_parent else 'recipient'}")
    view = _coded_view(bundle, communication) if by_parent else None
    return ParentAct(kind, on, at, view) if on is not None else None


def _coded_view(bundle: Bundle, communication: Located) -> ParentView:
    found = codes(communication.resource.get("topic"), names.PARENTAL_VIEW)
    if not found:
        return ParentView.IN_WORDS if "payload" in communication.resource else ParentView.NOT_RECORDED
    if len(found) == 1 and found[0] in _CODED:
        return ParentView(found[0])
    bundle.fault(Code.PARENTAL_VIEW_UNKNOWN, f"{communication.at}.topic")
    return ParentView.NOT_RECORDED


def read_view(bundle: Bundle) -> ParentView:
    """Return the parents' view: of each carer the latest, of several carers the most cautious, so that no objection is outvoted."""
    latest: dict[str, tuple[str, ParentView]] = {}
    for communication in bundle.all("Communication"):
        resource = communication.resource
        if resource.get("status") == "completed" and ParentActKind.VIEWS in kinds_of(communication):
            carer, on = resource.get("sender", {}).get("reference", ""), str(full_date(resource.get("sent")))
            if carer not in latest or latest[carer][0] <= on:
                latest[carer] = on, _coded_view(bundle, communication)
    views = {view for _, view in latest.values()}
    return next((view for view in _MOST_CAUTIOUS_FIRST if view in views), ParentView.NOT_RECORDED)


def read_voluntary_organisation(bundle: Bundle) -> VoluntaryOrganisation:
    """Return the answer to section 23(4): told of one, none thought likely to help (``not-done``), or not recorded."""
    statuses = {
        communication.resource.get("status")
        for communication in bundle.all("Communication")
        if ParentActKind.VOLUNTARY_ORGANISATION_ADVISED in kinds_of(communication)
    }
    if "completed" in statuses:
        return VoluntaryOrganisation.ADVISED
    return VoluntaryOrganisation.NONE_LIKELY if "not-done" in statuses else VoluntaryOrganisation.NOT_RECORDED
