# SPDX-License-Identifier: MIT
"""What must not be overlooked before anybody acts on a notification, the gravest first."""

from __future__ import annotations

from dataclasses import dataclass

from notify_gateway.domain.casework import Decision, Status
from notify_gateway.domain.clock import london_day
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.inbox.listing_presenters import name_of
from notify_gateway.web.wording import day


@dataclass(frozen=True, slots=True)
class Banner:
    """Something not to be overlooked; ``kind`` is ``stop``, ``mind`` or nothing."""

    title: str
    text: str
    kind: str = ""
    address: str = ""
    link: str = ""


def banners(case: Case) -> tuple[Banner, ...]:
    """Return what must not be overlooked, the gravest first."""
    row, here = case.row, f"/notifications/{case.row.reference}"
    found: list[Banner] = []
    if case.erased:
        found.append(
            Banner("Erased", "Who this was about was erased and cannot be read again. What was done stays in the history.", "stop")
        )
    if row.status is Status.WITHDRAWN:
        text = "Do not contact the family because of it. What you did stays in the history."
        found.append(Banner("The trust has withdrawn this notification", text, "stop"))
    if case.parent.do_not_contact_before is not None:
        text = "The trust asks you to wait: it still has something to tell the family itself."
        found.append(Banner(f"Do not contact the family before {day(case.parent.do_not_contact_before)}", text, "stop"))
    if case.asked_not_to_contact:
        text = "They said so to your team. Ask a manager before anybody tries again."
        found.append(Banner("The family asked not to be contacted", text, "stop"))
    elif case.parent.contact_sensitively:
        text = "The parent objects to this notification. The law still required it; make contact with care."
        found.append(Banner("Contact sensitively", text, "mind"))
    for warning in case.warnings:
        on = warning.contacted_on or warning.planned_on
        what = "was contacted" if warning.contacted_on else "is to be contacted"
        title = f"The family {what} about another notification{f' on {day(on)}' if on else ''}"
        text = f"Speak with {name_of(warning.officer)} first, so that they do not hear twice." if warning.officer else ""
        found.append(Banner(title, text, "mind", f"/notifications/{warning.reference}", warning.reference))
    if case.sent_back is not None:
        found.append(_sent_back(case))
    if case.failed_tries >= 3 and case.may_ask:
        text = "The trust may have better contact details."
        found.append(Banner(f"{case.failed_tries} tries without success", text, "", f"{here}/question", "Ask the trust"))
    for other in case.related:
        if other.decision is Decision.OPEN:
            text = f"{other.reference} may be about the same child."
            found.append(Banner("Possible duplicate", text, "", f"/inbox/duplicates/{other.pair}", "Compare the two"))
    return tuple(found)


def _sent_back(case: Case) -> Banner:
    back = case.sent_back
    assert back is not None
    suggested = f" You suggested {back.suggested_name}." if back.suggested_name else ""
    if back.disputed:
        text = "It was sent back twice. Your managers, theirs and the operator settle whose it is; until then nobody sends it back again."
        return Banner("Nobody says that this child is theirs", text, "stop")
    if back.resent_at is not None:
        return Banner("Sent on", f"{back.label}.{suggested} The trust sent it again on {day(london_day(back.resent_at))}.")
    text = f"{back.label}.{suggested} It stays open here until the trust sends it again."
    return Banner("Not in our area", text, "mind")
