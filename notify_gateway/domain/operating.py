# SPDX-License-Identifier: MIT
"""Words of those who operate the service: where waiting work stands, and the coded reasons for what they do to it."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """How a delivery that has not arrived waits."""

    WAITING = "waiting"
    """Due, or soon to be; nothing has gone wrong with it."""
    UNDER_WAY = "under-way"
    """A worker holds it at this moment."""
    FAILING = "failing"
    """The last attempt failed; it is tried again by itself."""
    PARKED = "parked"
    """It is tried no more until somebody acts."""
    OFFERED = "offered"
    """Handed over, or laid out to be fetched; the authority has not confirmed it."""


class RetryReason(StrEnum):
    """Why deliveries are queued anew."""

    RECEIVER_MENDED = "receiver-mended"
    ROUTE_CORRECTED = "route-corrected"
    FAULT_MENDED = "fault-mended"
    AUTHORITY_ASKED = "authority-asked"
    TRIAL = "trial"


class ParkReason(StrEnum):
    """Why a delivery is held back by a person."""

    UNDER_INQUIRY = "under-inquiry"
    AUTHORITY_ASKED = "authority-asked"
    TRUST_ASKED = "trust-asked"
    SUSPECTED_FAULT = "suspected-fault"


class GiveUpReason(StrEnum):
    """Why a delivery is given up; the trust sees that it failed, and sends again or tells the authority itself."""

    AUTHORITY_UNABLE = "authority-unable"
    DAMAGED = "damaged"
    TOLD_ANOTHER_WAY = "told-another-way"
    TRUST_SENDS_AGAIN = "trust-sends-again"


class DowntimeReason(StrEnum):
    """Why an authority's system is away by plan."""

    MAINTENANCE = "maintenance"
    UPGRADE = "upgrade"
    MIGRATION = "migration"
    CLOSURE = "closure"


class NotRetried(StrEnum):
    """Why a delivery that was asked for is not queued anew."""

    UNKNOWN = "unknown"
    UNDER_WAY = "under-way"
    ENDED = "ended"
    """It has arrived, or was cancelled, superseded, sent back or given up."""
    HANDED_OVER = "handed-over"
    """It lies with the authority, which has not confirmed it."""
    NOTHING_WRONG = "nothing-wrong"
    """It waits in good order and goes by itself."""
    BEHIND_ANOTHER = "behind-another"
    """An earlier delivery of the same notification is still open, and goes first."""
