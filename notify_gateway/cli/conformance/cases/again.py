# SPDX-License-Identifier: MIT
"""Messages that come again, late, or about what is held already: duplicates, conflicts, versions, withdrawals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Case, Message, Post
from notify_gateway.cli.conformance.changes import Drop, Instant, Put
from notify_gateway.domain.catalogue import Code

GROUP: Final = "again"
_NEW = Post(202)
_OTHER_NUMBER = Put("patient.identifier[0].value", "9990000018")


def cases() -> Iterator[Case]:
    """Give the sequences."""
    yield Case(GROUP, "the same message twice", "BaRS: 409 duplicate is a success", (_NEW, Post(409, Code.DUPLICATE, message=Message.SAME)))
    yield Case(
        GROUP,
        "the same message under the same request id",
        "BaRS transactional integrity",
        (_NEW, Post(409, Code.DUPLICATE, message=Message.SAME, same_request=True)),
    )
    yield Case(
        GROUP,
        "other bytes under a known message id",
        "NEMS: a message id is never used again",
        (_NEW, Post(409, Code.MESSAGE_CONFLICT, (Put("patient.gender", "unknown"),), Message.ALTERED)),
    )
    yield Case(
        GROUP,
        "another message under a known request id",
        "BaRS transactional integrity",
        (_NEW, Post(409, Code.REQUEST_ID_REUSED, same_request=True)),
    )
    yield Case(
        GROUP,
        "new under a known identifier",
        "an update replaces, a new one does not",
        (_NEW, Post(409, Code.USE_UPDATE, message=Message.SAME_IDENTIFIER)),
    )
    yield Case(
        GROUP,
        "refused, mended and sent again under its ids",
        "only an acceptance is remembered",
        (
            Post(422, Code.PARENT_NOT_INFORMED, (Put("informed.status", "preparation"),)),
            Post(202, changes=(Put("informed.status", "completed"),), message=Message.ALTERED, same_request=True),
        ),
    )
    yield Case(GROUP, "an update", "NEMS: the whole message again", (_NEW, Post(202, message=Message.UPDATE)))
    yield Case(GROUP, "an update of what is not known", "treated as new", (Post(202, changes=(_reason("update"),)),))
    yield Case(
        GROUP,
        "an update that is older than what is held",
        "NEMS: ordered by MessageHeader.meta.lastUpdated",
        (_NEW, Post(409, Code.OLDER_THAN_HELD, (Put("header.meta.lastUpdated", Instant(-30)),), Message.UPDATE)),
    )
    yield Case(
        GROUP,
        "an update that came before the one that it follows",
        "out of order",
        (
            _NEW,
            Post(202, changes=(Put("header.meta.lastUpdated", Instant(0)), _later(2)), message=Message.UPDATE),
            Post(409, Code.OLDER_THAN_HELD, (_later(-3),), Message.UPDATE),
        ),
    )
    yield Case(
        GROUP,
        "an update about another child",
        "withdraw, and send a new one",
        (_NEW, Post(422, Code.UPDATE_OTHER_CHILD, (_OTHER_NUMBER,), Message.UPDATE)),
    )
    yield Case(GROUP, "a withdrawal", "sent in error", (_NEW, Post(202, message=Message.DELETE)))
    yield Case(
        GROUP,
        "a withdrawal is never refused for its content",
        "design: structure, sender and identifier alone",
        (_NEW, Post(202, changes=(Drop("patient.birthDate"), Drop("opinion.code"), Drop("informed.sent")), message=Message.DELETE)),
    )
    yield Case(GROUP, "a withdrawal of what is not known", "404", (Post(404, Code.DELETE_UNKNOWN, (_reason("delete"),)),))
    yield Case(
        GROUP,
        "a new one after its withdrawal",
        "a late, older message does not undo a withdrawal",
        (
            Post(404, Code.DELETE_UNKNOWN, (_reason("delete"), Put("header.meta.lastUpdated", Instant(1)))),
            Post(409, Code.WITHDRAWN_BEFORE, message=Message.SAME_IDENTIFIER),
        ),
    )


def _reason(code: str) -> Put:
    return Put("header.reason.coding[0].code", code)


def _later(days: int) -> Put:
    return Put("header.meta.lastUpdated", Instant(days))
