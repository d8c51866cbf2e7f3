# SPDX-License-Identifier: MIT
"""Time-stamp tokens (RFC 3161) over the text of a checkpoint: what to ask for, what to take in, and what proves it to anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.x509 import Certificate, ObjectIdentifier
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    TimeStampTokenInfo,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.note import Checkpoint, split_note

_SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")


class TokenRefused(Exception):
    """The answer is no token over this checkpoint. Its text says why in words of ours; it holds nothing of the answer."""


@dataclass(frozen=True, slots=True)
class Query:
    """A request for a token, in DER; with the SHA-256 of what it is over, all that it discloses, and its nonce."""

    body: bytes
    digest: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Proven:
    """A checkpoint that existed at an instant, as an authority says."""

    checkpoint: Checkpoint
    at: datetime


def query_for(note: str) -> Query:
    """Return the request for a token over the text of a checkpoint, without its signatures: cosignatures may come later."""
    text = _text(note)
    request = (
        TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True).cert_request(cert_request=True).build()
    )
    if request.nonce is None:
        raise TokenRefused("the request has no nonce")
    return Query(request.as_bytes(), sha256(text).digest(), request.nonce)


def require_ours(query: Query, reply: bytes) -> None:
    """The reply grants what the query asked for, over the same bytes and with its nonce; raises ``TokenRefused``.

    Who has signed it is not looked at: whoever relies on the token chooses whom to trust.
    """
    _, told = _granted(reply)
    _require_over(told, query.digest)
    if told.nonce != query.nonce:
        raise TokenRefused("the token answers another request")


def verify_token(note: str, reply: bytes, authorities: Sequence[Certificate]) -> Proven:
    """Return since when, at the latest, the checkpoint has existed, as the authority says behind which one of the certificates stands.

    Raises ``TokenRefused``; ``NoteRefused`` where the file is no checkpoint. Who signed the checkpoint is not looked at.
    """
    text = _text(note)
    checkpoint = Checkpoint.from_text(text.decode())
    response, told = _granted(reply)
    _require_over(told, sha256(text).digest())
    builder = VerifierBuilder(roots=list(authorities))
    try:
        builder.build().verify_message(response, text)
    except (VerificationError, ValueError):
        raise TokenRefused("the token was altered, or none of the given certificates stands behind it") from None
    return Proven(checkpoint, told.gen_time)


def _text(note: str) -> bytes:
    return split_note(note)[0].encode()


def _granted(reply: bytes) -> tuple[TimeStampResponse, TimeStampTokenInfo]:
    try:
        response = decode_timestamp_response(reply)
        if response.status != PKIStatus.GRANTED:
            raise TokenRefused("the authority did not grant a token")
        return response, response.tst_info
    except ValueError:
        raise TokenRefused("the answer is no time-stamp reply") from None


def _require_over(told: TimeStampTokenInfo, digest: bytes) -> None:
    if told.message_imprint.hash_algorithm != _SHA256 or told.message_imprint.message != digest:
        raise TokenRefused("the token is over other bytes than this checkpoint's text")
