# SPDX-License-Identifier: MIT
"""Errors of routing: which authority is responsible (section 24; the service's decisions table)."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.POSTCODE_MISSING,
        title="There is no home postcode and no named authority",
        why="The responsible authority is found from where the child lives.",
        fix="Send the home postcode, or name the authority as receiver and give the reason.",
        status=422,
        issue="business-rule",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.POSTCODE_NOT_ENGLISH_AUTHORITY,
        title="The home postcode leads to no English authority",
        why="The postcode is not in the table in use, or lies in no authority's area.",
        fix="Check the postcode, or name the authority as receiver and give the reason.",
        status=422,
        issue="business-rule",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.LIVES_IN_WALES,
        title="The child lives in Wales",
        why="Wales has its own duty: Additional Learning Needs and Education Tribunal (Wales) Act 2018, section 64.",
        fix="Notify the Welsh local authority, if that is in the child's best interests, by its own route.",
        status=422,
        issue="business-rule",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.LIVES_IN_SCOTLAND,
        title="The child lives in Scotland",
        why="Scotland has its own law: Education (Additional Support for Learning) (Scotland) Act 2004.",
        fix="Bring the child to the attention of the Scottish education authority by its own route.",
        status=422,
        issue="business-rule",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.LIVES_IN_NORTHERN_IRELAND,
        title="The child lives in Northern Ireland",
        why="Northern Ireland has its own law: Education (Northern Ireland) Order 1996.",
        fix="Bring the child to the attention of the Education Authority by its own route.",
        status=422,
        issue="business-rule",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.LIVES_IN_CROWN_DEPENDENCY,
        title="The child lives in the Isle of Man or the Channel Islands",
        why="The islands have education law of their own.",
        fix="Bring the child to the attention of the island's education department.",
        status=422,
        issue="business-rule",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.RECEIVER_DISAGREES,
        title="The named authority is not the one of the home postcode",
        why="The child's home decides; another authority may be named only with a reason.",
        fix="Correct the receiver or the postcode, or give the receiver-reason that applies.",
        status=422,
        issue="business-rule",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.RECEIVER_UNKNOWN,
        title="The named receiver is no responsible authority in England",
        why="A receiver is one of the authorities responsible for special educational needs on the day.",
        fix="Name the authority by its present GSS or ODS code; a district is not one.",
        status=422,
        issue="not-found",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.REASON_REQUIRED,
        title="The reason for naming the authority is missing",
        why="Without a usable home postcode the sender names the authority, and says why.",
        fix="Add the extension receiver-reason to the MessageHeader.",
        status=422,
        issue="required",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
)
