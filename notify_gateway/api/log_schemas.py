# SPDX-License-Identifier: MIT
"""JSON Schemas of what is public of the audit log."""

from __future__ import annotations

from notify_gateway.api.schemas import BASE64, INSTANT, Schema, list_of, maybe, record, text

LOG_SCHEMAS: dict[str, Schema] = {
    "LogKeys": record(
        "The public keys to verify with.",
        log=text("vkey of the log"),
        log_keys=list_of(
            record("A key that signs the log, or has.", verifier=text("vkey"), since=maybe(INSTANT), until=maybe(INSTANT)), minItems=1
        ),
        promises=text("vkey of the promises"),
        gateway=record(kid=text(), ed25519=BASE64, fingerprint=text()),
        gateway_keys=list_of(
            record(
                "A key of the gateway: it signs, has signed, or will.",
                kid=text(),
                ed25519=BASE64,
                fingerprint=text(),
                promises=text("vkey of its promises"),
                since=maybe(INSTANT),
                until=maybe(INSTANT),
            ),
            minItems=1,
        ),
    ),
    "ClosedLogs": record(
        "The logs that were closed; each one's first entry commits to the one before.",
        logs=list_of(
            record(
                "A closed log.",
                number={"type": "integer", "minimum": 0},
                origin=text(),
                size={"type": "integer", "minimum": 0},
                root=text("Hex"),
                closed_at=INSTANT,
                followed_by=text("Origin of the next log"),
                entries_deleted_at=maybe(INSTANT),
                verifiers=list_of(text("vkey of the log")),
                promises=list_of(text("vkey of its promises")),
            )
        ),
    ),
    "EntryDetails": record(
        "What entries about a notification commit to.",
        details=list_of(
            record(
                "An entry that commits to a detail.",
                log=maybe({"type": "integer", "minimum": 0}),
                index={"type": "integer", "minimum": 0},
                event=text("Tag of the event"),
                actor=text(),
                at=INSTANT,
                leaf=BASE64,
                receipt=maybe(text("C2SP tlog-proof")),
                salt=maybe(text("Hex; null once the detail was erased")),
                words=maybe(text("null once the detail was erased")),
                altered={"type": "boolean", "description": "What is kept is not what the entry commits to."},
            )
        ),
    ),
}
