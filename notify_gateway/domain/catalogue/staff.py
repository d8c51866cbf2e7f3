# SPDX-License-Identifier: MIT
"""Errors of people's sign-in. Each is shown to a person on a page, and tells whom to ask."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry


def _entry(code: Code, title: str, why: str, fix: str, status: int = 403, *, issue: str = "login", rec: str = "SEND_FORBIDDEN") -> Entry:
    return Entry(code=code, title=title, why=why, fix=fix, status=status, issue=issue, rec=rec, retry=status == 503)


ENTRIES = (
    _entry(
        Code.STAFF_SIGN_IN_STALE,
        "This sign-in is not under way",
        "A sign-in is begun here, ends within ten minutes in the same browser, and is good for one use.",
        "Begin again at /sign-in.",
    ),
    _entry(
        Code.STAFF_SIGN_IN_BROKEN_OFF,
        "Your organisation’s sign-in did not let you in",
        "The identity provider ended the sign-in without saying who you are; perhaps it was cancelled.",
        "Begin again at /sign-in. If it happens again, ask your organisation’s service desk.",
    ),
    _entry(
        Code.STAFF_TOKEN_REFUSED,
        "What the identity provider said cannot be believed",
        "Its answer must be signed by a key that it publishes, come from the provider that was asked, be meant for this service and for "
        "this sign-in, and be fresh.",
        "Begin again at /sign-in. If it happens again, tell the service desk: notify-gateway doctor says what is wrong with a provider.",
    ),
    _entry(
        Code.STAFF_TENANT,
        "Your organisation is not one that signs in here",
        "Each identity provider is let in for tenants that were named beforehand; an e-mail address proves nothing.",
        "Sign in with your work account of the organisation that is on the service.",
    ),
    _entry(
        Code.STAFF_GROUPS_MISSING,
        "Your account is in too many groups for them to be named",
        "The identity provider leaves the groups out where somebody is in more than about 200, so nobody can tell what you may do.",
        "Ask your organisation’s service desk to send app roles, or only the groups that are assigned to this application.",
    ),
    _entry(
        Code.STAFF_NO_ROLE,
        "Your account has no role here",
        "What you may do follows from your groups or roles at your organisation, and none of yours is known here.",
        "Ask your manager to have you put into the right group. At NHS CIS2, choose the right role when you are asked.",
    ),
    _entry(
        Code.STAFF_TWO_ORGANISATIONS,
        "Your account acts for more than one organisation",
        "Nobody acts for two organisations at once, and the sign-in did not say for which one you come.",
        "At NHS CIS2, choose one role when you are asked; elsewhere, use the account of one organisation.",
    ),
    _entry(
        Code.STAFF_ASSURANCE,
        "You were not signed in strongly enough",
        "This service asks for a second factor, and the identity provider does not say that there was one, or when it was.",
        "Sign in again with your smartcard, security key or authenticator.",
    ),
    _entry(
        Code.STAFF_CLOSED,
        "Your access to this service is closed",
        "Somebody who may do so has closed it.",
        "Ask your manager, or the service desk.",
    ),
    _entry(
        Code.STAFF_STEP_UP,
        "Prove once more that it is you",
        "This act cannot be undone, or shows more than most, so it is open for ten minutes after you signed in anew.",
        "Sign in once more; what you typed is kept.",
    ),
    _entry(
        Code.STAFF_PROVIDER_AWAY,
        "Your organisation’s sign-in does not answer",
        "The identity provider did not answer in time, or not in the way that OpenID Connect lays down.",
        "Wait a minute and begin again at /sign-in.",
        503,
        issue="transient",
        rec="SEND_SERVICE_UNAVAILABLE",
    ),
    _entry(
        Code.STAFF_UNKNOWN,
        "There is no such member of staff",
        "Nobody of that id has signed in or was entered.",
        "Find the id with notify-gateway staff list.",
        404,
        issue="not-found",
        rec="SEND_NOT_FOUND",
    ),
)
