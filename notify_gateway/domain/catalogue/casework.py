# SPDX-License-Identifier: MIT
"""Errors of the inbox: each is shown to an officer on a page, beside what they typed."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry


def _entry(code: Code, title: str, why: str, fix: str, status: int = 409) -> Entry:
    kind = {404: ("not-found", "REC_NOT_FOUND"), 409: ("conflict", "REC_CONFLICT"), 422: ("value", "REC_UNPROCESSABLE_ENTITY")}[status]
    return Entry(code=code, title=title, why=why, fix=fix, status=status, issue=kind[0], rec=kind[1])


ENTRIES = (
    _entry(
        Code.CASE_UNKNOWN,
        "There is no such notification in your inbox",
        "Your authority has received no notification of this reference.",
        "Check the reference; its last character is a check character.",
        404,
    ),
    _entry(
        Code.CASE_CHANGED,
        "Somebody changed this while you were working on it",
        "What you sent was filled in before a colleague, or the trust, changed the notification, so nothing of it was done.",
        "Read what changed, and send your form again if it is still right.",
    ),
    _entry(
        Code.CASE_WITHDRAWN,
        "The trust has withdrawn this notification",
        "What was taken back is not worked on.",
        "Close it. If the family is in touch with you already, tell the trust.",
    ),
    _entry(
        Code.CASE_STATE,
        "This cannot be done with the notification as it stands",
        "A notification is acknowledged, then worked on, then has its outcome; one that is finished is taken up again first.",
        "Open the notification: its page offers what can be done next.",
    ),
    _entry(
        Code.CASE_DISPUTED,
        "It is being settled whose notification this is",
        "It was sent back twice, and would go round and round. The operator of the service and the managers of the authorities are told.",
        "Keep it until they have settled it; ask your manager.",
    ),
    _entry(
        Code.CONTACT_RELATED,
        "The family was, or will be, contacted about another notification",
        "Another notification is about the same child, and a family should not be contacted twice by accident.",
        "Read the other notification, speak with its officer, then confirm that you have seen it.",
    ),
    _entry(
        Code.CONTACT_TOO_EARLY,
        "The trust asked not to contact the family yet",
        "The trust named a day before which the family is not to be contacted.",
        "Contact the family on that day or later. If it cannot wait, speak with the trust.",
    ),
    _entry(
        Code.UNDO_TOO_LATE,
        "This can no longer be taken back",
        "An assignment can be taken back for ten minutes, a contact corrected for a day, a decision on duplicates for thirty days; each "
        "only while nothing followed.",
        "Do what is right now as a new step; both stay in the history.",
    ),
    _entry(
        Code.CASE_CHOICE,
        "One of the answers is not among those that can be chosen",
        "Everything that is recorded of a notification is chosen from lists, so that no name finds its way in.",
        "Choose from the list.",
        422,
    ),
    _entry(
        Code.CASE_DAY,
        "The day cannot be right",
        "A contact is not before the notification nor in the future; a review, a next try and a later day are not in the past.",
        "Check the day.",
        422,
    ),
    _entry(
        Code.COLLEAGUE_UNKNOWN,
        "There is no such colleague",
        "Work goes to officers and managers of your own authority who still have access.",
        "Choose from the team.",
        404,
    ),
    _entry(
        Code.INBOX_RULES,
        "The rules cannot be like this",
        "Days are 1 to 120, showing who a child is lasts 5 to 60 minutes, an e-mail address and words are short and plain.",
        "Change what is marked.",
        422,
    ),
)
