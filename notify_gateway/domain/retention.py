# SPDX-License-Identifier: MIT
"""Why something is erased, and why something must not be: codes, for words may name people."""

from __future__ import annotations

from enum import StrEnum


class ErasureReason(StrEnum):
    """Why something is erased."""

    RETENTION_ENDED = "retention-ended"
    SUBJECT_REQUEST = "subject-request"
    SENT_IN_ERROR = "sent-in-error"
    COURT_ORDER = "court-order"


class HoldReason(StrEnum):
    """Why something has to be kept."""

    LITIGATION = "litigation"
    INQUIRY = "inquiry"
    SAFEGUARDING_REVIEW = "safeguarding-review"
    SUBJECT_ACCESS = "subject-access"
