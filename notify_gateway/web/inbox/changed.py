# SPDX-License-Identifier: MIT
"""When somebody else was quicker, and there is no form to send again: what they did, and the way to the notification as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request, Response

from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.entrance.door import Visit
from notify_gateway.web.forms import Form
from notify_gateway.web.inbox.case_presenter import Head, head
from notify_gateway.web.pages import show_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What changed meanwhile."""

    head: Head
    changes: tuple[str, ...]


def show_changed(request: Request, visit: Visit, case: Case, form: Form) -> Response:
    """Return the page that says what changed since the page was shown."""
    presenter = Changed(head=head(case), changes=form.changes)
    return show_page(request, "inbox/changed.html", presenter, visit=visit, status=409, area="inbox")
