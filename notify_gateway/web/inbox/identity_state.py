# SPDX-License-Identifier: MIT
"""In which state the panel of the child's identity is for this visitor, now. The server decides; nothing is opened here."""

from __future__ import annotations

from notify_gateway.domain.casework import Status
from notify_gateway.use_cases import reveal_to_staff
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.entrance.door import Visit
from notify_gateway.web.forms import Form, new_form
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.identity_presenter import Identity, Shown, until

CLOSED = frozenset({Status.WITHDRAWN, Status.SENT_BACK})


def identity_of(gateway: Gateway, visit: Visit, case: Case, form: Form | None = None) -> Identity:
    """Return the panel: hidden, ready to be looked at again, opened in the browser, or gone."""
    receiver = gateway.receivers.get().get(visit.person.organisation)
    shown, until_when = Shown.HIDDEN, ""
    if case.erased or case.row.status in CLOSED:
        shown = Shown.GONE
    elif receiver is not None and receiver.custody != "managed":
        shown = Shown.BROWSER
    else:
        held = reveal_to_staff.running(gateway, by=visit.person, notification_id=case.notification_id, kind="card")
        if held is not None:
            shown, until_when = Shown.READY, until(held.expires_at)
    return Identity(
        shown=shown,
        address=f"/notifications/{case.row.reference}/identity",
        card=f"/notifications/{case.row.reference}/card",
        reasons=words.options(words.REVEALING),
        form=form or new_form(visit.form_token),
        until=until_when,
        gone=_gone(case) if shown is Shown.GONE else "",
    )


def _gone(case: Case) -> str:
    if case.erased:
        return "It was erased and cannot be read again."
    if case.row.status is Status.WITHDRAWN:
        return "The trust has withdrawn the notification, so there is no reason left to see who it was about."
    return "You have said that the child is not in your area, so there is no reason left to see who it is."
