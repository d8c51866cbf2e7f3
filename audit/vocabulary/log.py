# SPDX-License-Identifier: MIT
"""Events of the log itself, and of the settings and tables that the service runs by."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

TYPES = (
    EventType("config:changed", Klass.CHANGE, "{actor} changed the setting {subject}.", (), ("after", "authority", "before", "reason")),
    EventType(
        "log:opened",
        Klass.CHANGE,
        "{actor} opened the log {subject}.",
        (),
        ("gap_from", "gap_to", "guard", "previous", "previous_root", "previous_size", "reason"),
    ),
    EventType("log:quiet", Klass.CHANGE, "Nothing happened in the log {subject} for a day; recorded by {actor}."),
    EventType("log:viewed", Klass.DISCLOSE, "{actor} read what the log says of notification {subject}."),
    EventType(
        "log:searched",
        Klass.DISCLOSE,
        "{actor} searched the log {subject} by {parameters} and was shown {count} entries.",
        ("count", "parameters"),
    ),
    EventType(
        "log_entries:viewed",
        Klass.DISCLOSE,
        "{actor} read entries {first} to {last} of the log {subject}.",
        ("first", "last"),
    ),
    EventType(
        "log_entries:deleted",
        Klass.CHANGE,
        "{actor} deleted the entries of the closed log {subject}, {count} of {size}, under case {case}; their hashes are kept.",
        ("case", "count", "size"),
        ("root",),
    ),
    EventType(
        "export:attempted",
        Klass.DISCLOSE,
        "{actor} began export {export} of the log {subject}.",
        ("export",),
        ("authority", "organisation", "reason"),
        settled_by=("log:exported", "export:failed", "export:unsettled"),
    ),
    EventType("log:exported", Klass.DISCLOSE, "{actor} exported the log {subject}.", (), ("authority", "count", "export", "organisation")),
    EventType(
        "export:failed",
        Klass.CHANGE,
        "Export {export} of the log {subject} by {actor} broke off.",
        ("export",),
        ("authority", "count", "organisation"),
    ),
    EventType(
        "export:unsettled",
        Klass.CHANGE,
        "How export {export} of the log {subject} ended is not known; recorded by {actor}.",
        ("export",),
        ("authority", "organisation"),
    ),
    EventType(
        "backup:attempted",
        Klass.DISCLOSE,
        "{actor} began backup {subject} of both databases.",
        settled_by=("backup:made", "backup:failed", "backup:unsettled"),
    ),
    EventType(
        "backup:made",
        Klass.DISCLOSE,
        "{actor} made backup {subject} of both databases; {size} entries of the log are in it.",
        ("size",),
        ("digest", "root"),
    ),
    EventType("backup:failed", Klass.CHANGE, "Backup {subject} by {actor} broke off, and nothing of it was kept."),
    EventType("backup:unsettled", Klass.CHANGE, "How backup {subject} ended is not known yet; recorded by {actor}."),
    EventType(
        "postcodes:switched",
        Klass.CHANGE,
        "{actor} switched the postcode table to edition {subject}.",
        (),
        ("count", "digest", "previous"),
    ),
)
