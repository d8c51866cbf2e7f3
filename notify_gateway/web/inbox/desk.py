# SPDX-License-Identifier: MIT
"""What all pages about one notification share: finding it, doing an act on it, and what is shown when somebody else was quicker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from fastapi import Request, Response

from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotifyError, Refused
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox import read
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.entrance.door import Visit
from notify_gateway.web.forms import Form, Reading
from notify_gateway.web.inbox.history_presenter import changes_since

T = TypeVar("T")
Faults = Mapping[Code, tuple[str, str]]
"""Which field a refusal of the act belongs to, and what is to be said there."""

NO_DAY: Final = "Enter a day from the notification's own to today"


def gateway_of(request: Request) -> Gateway:
    """Return what acts need."""
    return service(request).gateway


async def find(request: Request, visit: Visit, reference: str) -> Case:
    """Return the notification as the visitor's authority knows it; raises ``NotFound`` where it has none of that reference."""
    return await asyncio.to_thread(read.show_case, gateway_of(request), visit.person, reference)


async def perform(
    request: Request, visit: Visit, reference: str, reading: Reading, act: Callable[[], T], faults: Faults | None = None
) -> T | tuple[Case, Form]:
    """Do the act and return what it came to; or, where it was not done, the case as it is now and the form to be shown again.

    The form then says what is wrong, or what others did since it was first shown; in the latter case it is good for the case as it is now.
    Raises whatever else the act raises.
    """
    if not reading.faults:
        try:
            return await asyncio.to_thread(act)
        except Conflict as error:
            if error.issues[0].code == Code.CASE_CHANGED:
                case = await find(request, visit, reference)
                changes = changes_since(case, reading.version()) or ("Something changed on the notification",)
                return case, reading.again(visit.form_token, version=case.row.version, changes=changes)
            _note(reading, error, faults or {})
        except Refused as error:
            _note(reading, error, faults or {})
    return await find(request, visit, reference), reading.again(visit.form_token)


def status_of(form: Form) -> int:
    """Return with which status a form is shown."""
    return 422 if form.faults else 409 if form.changes else 200


def see(address: str) -> Response:
    """Return the way to where the result is shown."""
    return Response(status_code=303, headers={"Location": address})


def see_case(reference: str, done: str) -> Response:
    """Return the way to the notification, which says what was done."""
    return see(f"/notifications/{reference}?done={done}")


def _note(reading: Reading, error: NotifyError, faults: Faults) -> None:
    known = {code.value: fault for code, fault in faults.items()}
    found = known.get(error.issues[0].code)
    if found is None:
        raise error
    reading.wrong(*found)
