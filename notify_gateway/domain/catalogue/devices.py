# SPDX-License-Identifier: MIT
"""Errors of keys that an authority holds in its people's browsers; seen by officers and managers."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.WORKING_KEYS_TOO_MANY,
        title="The authority has as many working keys as it may have",
        why="Every notification is sealed to every live key, so their number is bounded: 12 working keys of one authority at once.",
        fix="End a device that is no longer used, then enrol the new one.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.RECOVERY_KEY_MISSING,
        title="There is no recovery key yet",
        why="Browsers lose what they hold. Without a recovery key that is kept offline, what is sealed could be closed for ever.",
        fix="Make one with notify-gateway authority key make --purpose recovery, have it registered, and come back.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.DEVICE_UNKNOWN,
        title="There is no such device",
        why="No device of your authority has this id or key.",
        fix="Look at the list of your devices.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.DEVICE_DETAILS,
        title="The device cannot be enrolled so",
        why="A device has a name of 1 to 60 letters, digits and simple signs, and an X25519 key that it made or took over itself.",
        fix="Give another name; if that is right, make a new key on this device.",
        status=422,
        issue="invalid",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.DEVICE_NOT_LIVE,
        title="This device may not open anything",
        why="Its key waits for a second person, or the device was ended.",
        fix="Ask a manager: a second person approves the key, or the device is enrolled anew.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.NOT_FOR_THIS_DEVICE,
        title="This was sealed before the device was enrolled",
        why="What is sealed is opened by the keys that were live when it came, and by no later one.",
        fix="Open it on a device that was enrolled then, or with the recovery key: notify-gateway authority open.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.CUSTODY_MANAGED,
        title="The service keeps the key of this authority",
        why="In managed custody the opener opens; there is nothing that a browser would have a key for.",
        fix="Show who the child is on the notification's page, or have the operator change your custody.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.DRILL_ANSWER,
        title="That is not the answer of this drill",
        why="A drill is passed by the words that only the recovery key can read out of its file, within seven days and five attempts.",
        fix="Read the words again with notify-gateway authority drill, or begin a new drill.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.NOTE_UNUSABLE,
        title="The note cannot be kept so",
        why="A note has at most 2,000 characters and is sealed to every live key of the authority, for this notification alone.",
        fix="Shorten it, or load the page anew, so that it is sealed to the keys of today.",
        status=422,
        issue="invalid",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
)
