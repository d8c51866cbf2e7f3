# SPDX-License-Identifier: MIT
"""Errors of bringing on the keys that clients sign in with; seen by those who run the service."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.CLIENT_KEY_FORMAT,
        title="That is no JWK Set",
        why=(
            "Keys come as a JWK Set, or one JWK, of at most 64 KB; each key has a kid of 1 to 128 letters, digits and - . "
            "_ ~ : / @ + =, and no two are the same."
        ),
        fix="Ask for the JWK Set again; notify-gateway trusts keys make-jwks makes one from a public key in PEM form.",
        status=422,
        issue="invalid",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.CLIENT_KEY_PRIVATE,
        title="The file holds a private key",
        why="A private key never leaves its owner. Whoever has seen this file can sign as the trust.",
        fix="Ask the trust to make a new key pair and to send the public key alone; destroy the file.",
        status=422,
        issue="invalid",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.CLIENT_KEY_KIND,
        title="The key is of a kind that is not taken",
        why="Keys are RSA for RS512 and RS384, EC P-384 for ES384 or Ed25519 for EdDSA, and meant for signatures.",
        fix="Make a key of one of these kinds.",
        status=422,
        issue="invalid",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.CLIENT_KEY_WEAK,
        title="The key is too weak, or larger than is sensible",
        why="An RSA key has 2048 to 8192 bits and an odd exponent from 65537.",
        fix="Make an RSA key of 4096 bits, an EC key of P-384 or an Ed25519 key.",
        status=422,
        issue="invalid",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.CLIENT_KEY_TAKEN,
        title="The key or its kid is in use or was used before",
        why="A key belongs to one client and is registered once, and a kid names one key for ever.",
        fix="Make a new key with a new kid.",
        status=409,
        issue="duplicate",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.CLIENT_KEYS_TOO_MANY,
        title="That would be too many keys",
        why="A client has at most two live keys, so that one can take over from the other; a published JWK Set has at most four.",
        fix="Revoke the key that is no longer used, then propose the new one.",
        status=422,
        issue="too-long",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.CLIENT_KEY_UNKNOWN,
        title="The client has no such live key",
        why="Only a key that is registered and not revoked can be revoked.",
        fix="Look the kid up in the list of keys.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.KEYS_ADDRESS_REFUSED,
        title="The service does not fetch keys from there",
        why="Keys are fetched over https on port 443 from public addresses only, without user name or password in the address.",
        fix="Publish the JWK Set at such an address, or give it as a file.",
        status=422,
        issue="invalid",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.KEYS_ADDRESS_FAILED,
        title="The keys could not be fetched",
        why="The address did not answer within five seconds with status 200 and a JWK Set of at most 64 KB. Redirections are not followed.",
        fix="Open the address yourself; then try again, or give the JWK Set as a file.",
        status=422,
        issue="transient",
        rec="REC_UNPROCESSABLE_ENTITY",
        retry=True,
    ),
    Entry(
        code=Code.PROPOSAL_UNKNOWN,
        title="Nothing is waiting for approval",
        why="There is no open proposal for this organisation or key: none was made, or it was decided, replaced, or older than 14 days.",
        fix="Let the first person propose: notify-gateway trusts invite, trusts keys add, authorities propose or authorities key propose.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.SECOND_PERSON_NEEDED,
        title="Whoever proposed it cannot approve it",
        why="Letting a key in, and changing where an authority is reached, takes two people, each with an account of their own here.",
        fix="Let somebody else compare the fingerprint and approve.",
        status=403,
        issue="forbidden",
        rec="REC_FORBIDDEN",
    ),
    Entry(
        code=Code.LASTING_TOKENS_OFF,
        title="Trusts do not get lasting tokens here",
        why="In a live deployment a trust signs in with its own key and gets tokens of ten minutes.",
        fix="Invite the trust with its public key: notify-gateway trusts invite.",
        status=403,
        issue="forbidden",
        rec="REC_FORBIDDEN",
    ),
    Entry(
        code=Code.CLIENT_HAS_KEYS,
        title="The trust can sign in already",
        why="An invitation brings a trust on; it has keys by now.",
        fix="Propose further keys with notify-gateway trusts keys add.",
        status=409,
        issue="duplicate",
        rec="REC_CONFLICT",
    ),
)
