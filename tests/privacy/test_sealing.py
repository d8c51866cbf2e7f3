# SPDX-License-Identifier: MIT
"""Sealed envelopes: every live key opens, nothing else does, and nothing can be moved from one place to another."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from json import dumps
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

from notify_gateway.privacy import sealing
from notify_gateway.privacy.encoding import parse_canonical, sha256_hex
from notify_gateway.privacy.keys import RecipientPublicKey, RecipientPurpose, SigningKey, Suite, VerifyingKey
from notify_gateway.privacy.sealing import CannotOpen, Header, Why, open_envelope, pad, parse_header, strip_outer, unpad, wrap_info
from tests.privacy.builders import MIDDLESBROUGH, NOTIFICATION, STOCKTON, a_gateway_key, a_recipient, sealed

GATEWAY = a_gateway_key()
SECRET = b'{"child":"Zephyrine"}'
SUITES = list(Suite)


def why(*arguments: Any, **keywords: Any) -> Why:
    with pytest.raises(CannotOpen) as caught:
        open_envelope(*arguments, **keywords)
    return caught.value.why


def signed(header: bytes, key: SigningKey = GATEWAY) -> bytes:
    return key.sign(sealing._SIGNED + header)


@pytest.mark.parametrize("suite", SUITES)
def test_every_live_key_opens_alone(suite: Suite) -> None:
    keys = [a_recipient(suite=suite, purpose=purpose) for purpose in (RecipientPurpose.WORKING, RecipientPurpose.RECOVERY)]
    envelope, inner = sealed(SECRET, *(key.public() for key in keys), signer=GATEWAY)
    for key in keys:
        assert open_envelope(envelope.header, envelope.signature, inner, private_key=key, gateway_public=GATEWAY.public()) == SECRET


def test_keys_of_both_suites_stand_side_by_side() -> None:
    keys = [a_recipient(suite=suite) for suite in SUITES]
    envelope, inner = sealed(SECRET, *(key.public() for key in keys), signer=GATEWAY)
    for key in keys:
        assert open_envelope(envelope.header, envelope.signature, inner, private_key=key, gateway_public=GATEWAY.public()) == SECRET


def test_a_retired_key_and_another_authoritys_key_do_not_open() -> None:
    envelope, inner = sealed(SECRET, a_recipient().public(), signer=GATEWAY)
    for key in (a_recipient(), a_recipient(authority=MIDDLESBROUGH)):
        reason = why(envelope.header, envelope.signature, inner, private_key=key, gateway_public=GATEWAY.public())
        assert reason is Why.NOT_FOR_THIS_KEY


def test_a_key_that_borrows_the_name_of_a_live_one_does_not_open() -> None:
    live = a_recipient()
    envelope, inner = sealed(SECRET, live.public(), signer=GATEWAY)
    borrowed = a_recipient(kid=live.kid)
    assert why(envelope.header, envelope.signature, inner, private_key=borrowed, gateway_public=GATEWAY.public()) is Why.CANNOT_UNWRAP


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    "change",
    [
        {"authority": MIDDLESBROUGH},
        {"notification_id": uuid4()},
        {"kind": "original"},
        {"view_digest": "ab" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_no_bound_field_can_be_swapped_even_by_whoever_holds_the_gateway_key(suite: Suite, change: dict[str, Any]) -> None:
    key = a_recipient(suite=suite)
    envelope, inner = sealed(SECRET, key.public(), signer=GATEWAY)
    forged = replace(parse_header(envelope.header), **change).to_bytes()
    assert why(forged, signed(forged), inner, private_key=key, gateway_public=GATEWAY.public()) is Why.CANNOT_UNWRAP


def test_a_wrapped_key_cannot_be_passed_to_another_key_id() -> None:
    key = a_recipient()
    envelope, inner = sealed(SECRET, key.public(), signer=GATEWAY)
    header = parse_header(envelope.header)
    forged = replace(header, keys=(replace(header.keys[0], kid="another"),)).to_bytes()
    other = replace(key, kid="another")
    assert why(forged, signed(forged), inner, private_key=other, gateway_public=GATEWAY.public()) is Why.CANNOT_UNWRAP


def test_a_content_key_cannot_open_content_bound_elsewhere() -> None:
    here, there = sealing._bound(STOCKTON, NOTIFICATION, "card", "0" * 64), sealing._bound(STOCKTON, NOTIFICATION, "original", "0" * 64)
    key = secrets.token_bytes(32)
    with pytest.raises(CannotOpen):
        sealing._decrypt(key, sealing._encrypt(key, SECRET, here), there, Why.CHANGED_CONTENT)


def test_a_wrong_signature_is_refused_before_a_byte_is_parsed_or_decrypted() -> None:
    envelope, inner = sealed(SECRET, a_recipient().public(), signer=a_gateway_key())
    for header in (envelope.header, b"not json", b""):
        reason = why(header, envelope.signature, b"", private_key=a_recipient(), gateway_public=GATEWAY.public())
        assert reason is Why.BAD_SIGNATURE
    assert inner


def test_a_signature_made_for_something_else_is_refused() -> None:
    envelope, inner = sealed(SECRET, a_recipient().public(), signer=GATEWAY)
    bare = GATEWAY.sign(envelope.header)
    assert why(envelope.header, bare, inner, private_key=a_recipient(), gateway_public=GATEWAY.public()) is Why.BAD_SIGNATURE


def test_one_changed_bit_anywhere_is_refused() -> None:
    key = a_recipient()
    envelope, inner = sealed(SECRET, key.public(), signer=GATEWAY)
    parts = [envelope.header, envelope.signature, inner]
    for place, part in enumerate(parts):
        for position in range(0, len(part), 41):
            changed = part[:position] + bytes([part[position] ^ 1]) + part[position + 1 :]
            with pytest.raises(CannotOpen):
                open_envelope(
                    *(changed if at == place else whole for at, whole in enumerate(parts)), private_key=key, gateway_public=GATEWAY.public()
                )


def test_the_header_holds_only_what_prepare_knows() -> None:
    key = a_recipient()
    envelope, inner = sealed(SECRET, key.public(), signer=GATEWAY)
    header = parse_canonical(envelope.header)
    assert header.keys() == {"format", "version", "kind", "authority", "notification_id", "view_digest", "inner_digest", "keys"}
    assert (header["kind"], header["authority"], header["notification_id"]) == ("card", STOCKTON, str(NOTIFICATION))
    assert header["inner_digest"] == sha256_hex(inner)


def test_the_outer_layer_comes_off_only_with_its_own_key_and_place() -> None:
    shred_key = sealing.new_shred_key()
    envelope, inner = sealed(SECRET, a_recipient().public(), signer=GATEWAY, shred_key=shred_key)
    assert strip_outer(envelope.stored, shred_key, NOTIFICATION, "card") == inner
    for arguments in (
        (sealing.new_shred_key(), NOTIFICATION, "card"),
        (shred_key, uuid4(), "card"),
        (shred_key, NOTIFICATION, "original"),
    ):
        with pytest.raises(CannotOpen, match="erased"):
            strip_outer(envelope.stored, *arguments)
    with pytest.raises(CannotOpen, match="erased"):
        strip_outer(b"", shred_key, NOTIFICATION, "card")


def test_without_the_shred_key_even_the_recipient_cannot_open_what_is_stored() -> None:
    key = a_recipient()
    envelope, _ = sealed(SECRET, key.public(), signer=GATEWAY)
    reason = why(envelope.header, envelope.signature, envelope.stored, private_key=key, gateway_public=GATEWAY.public())
    assert reason is Why.CHANGED_CONTENT


def test_sealing_twice_gives_nothing_in_common() -> None:
    key = a_recipient().public()
    (one, inner), (other, another) = (sealed(SECRET, key, signer=GATEWAY) for _ in range(2))
    assert inner != another
    assert one.stored != other.stored
    assert parse_header(one.header).keys[0].wrapped != parse_header(other.header).keys[0].wrapped


def test_lengths_take_few_values() -> None:
    key = a_recipient().public()
    lengths = {len(sealed(bytes(size), key, signer=GATEWAY)[0].stored) for size in range(1, 3000, 97)}
    assert lengths == {1024 + 56, 2048 + 56, 3072 + 56}


def test_a_recipient_is_required() -> None:
    with pytest.raises(ValueError, match="without a recipient"):
        sealed(SECRET, signer=GATEWAY)


def test_a_key_of_another_authority_is_not_sealed_to() -> None:
    with pytest.raises(ValueError, match="another authority"):
        sealed(SECRET, a_recipient().public(), a_recipient(authority=MIDDLESBROUGH).public(), signer=GATEWAY)


def test_a_key_is_named_once() -> None:
    key = a_recipient().public()
    with pytest.raises(ValueError, match="twice"):
        sealed(SECRET, key, key, signer=GATEWAY)


def test_a_digest_of_another_length_is_not_bound() -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        sealed(SECRET, a_recipient().public(), signer=GATEWAY, view_digest=b"short")


def test_a_point_of_low_order_is_not_sealed_to() -> None:
    with pytest.raises(ValueError, match="shared key"):
        sealed(SECRET, RecipientPublicKey("bad", STOCKTON, Suite.X25519, bytes(32), RecipientPurpose.WORKING), signer=GATEWAY)


def test_public_keys_are_parsed_once() -> None:
    key = a_recipient().public()
    assert key.handle() is replace(key, kid="renamed").handle()


INTEROP = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)


def test_another_implementation_opens_what_we_wrap() -> None:
    key = a_recipient()
    envelope, inner = sealed(SECRET, key.public(), signer=GATEWAY)
    header = parse_header(envelope.header)
    bound = sealing._bound(header.authority, header.notification_id, header.kind, header.view_digest)
    wrapped = header.keys[0].wrapped
    private = KEMKey.from_pyca_cryptography_key(key.handle())
    content_key = INTEROP.create_recipient_context(wrapped[:32], private, info=wrap_info(bound, key.kid)).open(wrapped[32:])
    assert unpad(sealing._decrypt(content_key, inner, bound, Why.CHANGED_CONTENT)) == SECRET


def test_we_open_what_another_implementation_wraps() -> None:
    key = a_recipient()
    bound = sealing._bound(STOCKTON, NOTIFICATION, "card", "0" * 64)
    content_key = secrets.token_bytes(32)
    inner = sealing._encrypt(content_key, pad(SECRET), bound)
    enc, context = INTEROP.create_sender_context(KEMKey.from_pyca_cryptography_key(key.public().handle()), info=wrap_info(bound, key.kid))
    wrapped = sealing.WrappedKey(key.kid, "X25519", enc + context.seal(content_key))
    header = Header("card", STOCKTON, NOTIFICATION, "0" * 64, sha256_hex(inner), (wrapped,)).to_bytes()
    assert open_envelope(header, signed(header), inner, private_key=key, gateway_public=GATEWAY.public()) == SECRET


@given(st.binary(max_size=5000))
def test_padding_gives_back_what_it_was_given_in_whole_buckets(plaintext: bytes) -> None:
    padded = pad(plaintext)
    assert len(padded) % 1024 == 0
    assert len(padded) - len(plaintext) < 1024 + 4
    assert unpad(padded) == plaintext


@given(st.binary(max_size=2100))
def test_any_bytes_unpad_or_say_why_not(padded: bytes) -> None:
    with suppress(CannotOpen):
        assert pad(unpad(padded)) == padded


@given(st.binary(max_size=1020), st.integers(0, 1023))
def test_no_bit_of_the_padding_is_free(plaintext: bytes, position: int) -> None:
    padded = pad(plaintext)
    changed = padded[:position] + bytes([padded[position] ^ 0x80]) + padded[position + 1 :]
    with suppress(CannotOpen):
        assert unpad(changed) != plaintext


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=400) | json_values.map(lambda value: repr(value).encode()) | st.integers(1, 20).map(lambda n: b"[" * n * 1000))
def test_any_bytes_as_a_header_are_refused_as_ours(data: bytes) -> None:
    with pytest.raises(CannotOpen, match="bad-header"):
        parse_header(data)


@settings(max_examples=200)
@given(st.sampled_from(sorted(parse_canonical(sealed(SECRET, a_recipient().public(), signer=GATEWAY)[0].header))), json_values)
def test_any_value_in_a_header_field_is_read_exactly_or_refused(name: str, value: Any) -> None:
    fields = parse_canonical(sealed(SECRET, a_recipient().public(), signer=GATEWAY)[0].header)
    data = dumps({**fields, name: value}, sort_keys=True, separators=(",", ":")).encode()
    with suppress(CannotOpen):
        assert parse_header(data).to_bytes() == data


def test_a_second_spelling_of_a_header_is_refused() -> None:
    header = sealed(SECRET, a_recipient().public(), signer=GATEWAY)[0].header
    for other in (header + b" ", header.replace(b'"kind"', b'"kind" '), header[:-1] + b',"kind":"card"}'):
        with pytest.raises(CannotOpen):
            parse_header(other)


def test_a_verifying_key_refuses_by_raising() -> None:
    with pytest.raises(ValueError, match="not this key's"):
        VerifyingKey.verify(GATEWAY.public(), bytes(64), b"data")
