# SPDX-License-Identifier: MIT
"""Bringing a trust on with a key of its own, by the commands that two people type."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cli.conftest import Call
from tests.support.signing import TrustKey, jwks

KEY, NEXT = TrustKey("rxx-1", "RSA"), TrustKey("rxx-2", "P-384")
INVITE = ("trusts", "invite", "rxx", "--name", "Example Community NHS Trust", "--type", "nhs-trust")


def test_the_proposer_cannot_approve_and_the_fingerprint_is_not_handed_to_the_second_person(ready: Call, folder: Path) -> None:
    (folder / "rxx.json").write_bytes(jwks(KEY))
    invited = ready(*INVITE, "--jwks", "rxx.json")
    assert " ".join(KEY.fingerprint[start : start + 4] for start in range(0, 64, 4)) in invited.out
    assert "trusts approve RXX --fingerprint" in invited.words
    listed = ready("trusts", "keys", "list")
    assert "waits for approval" in listed.words
    assert KEY.fingerprint[:4] not in listed.out
    alone = ready("trusts", "approve", "RXX", "--fingerprint", KEY.fingerprint)
    assert (alone.status, alone.err.splitlines()[0].split()[0]) == (1, "NG-7311")


def test_a_trust_gets_a_key_a_second_one_and_loses_the_first(ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "rxx.json").write_bytes(jwks(KEY))
    invited = ready(*INVITE, "--jwks", "rxx.json", "--json").json
    # One process cannot be two accounts: this is the second one.
    monkeypatch.setattr("notify_gateway.cli.trusts.operator", lambda: "operator:somebody-else")
    wrong = ready("trusts", "approve", "RXX", "--fingerprint", NEXT.fingerprint)
    assert "NG-7207" in wrong.err
    approved = ready("trusts", "approve", "RXX", "--fingerprint", invited["keys"][0]["fingerprint"], "--json").json
    assert approved["client_id"] == invited["client_id"]
    (folder / "next.json").write_bytes(jwks(NEXT))
    assert ready("trusts", "keys", "add", "RXX", "--jwks", "next.json").status == 0
    assert ready("trusts", "approve", "RXX", "--fingerprint", NEXT.fingerprint).status == 0
    assert ready("trusts", "keys", "revoke", "RXX", "rxx-1").status == 0
    (trust,) = ready("trusts", "keys", "list", "RXX", "--json").json["trusts"]
    assert [key["standing"].split()[0] for key in trust["keys"]] == ["revoked", "live"]
    assert "NG-7307" in ready("trusts", "keys", "forget-address", "RXX").err


def test_a_jwk_set_and_its_fingerprint_are_made_without_the_service(call: Call, folder: Path) -> None:
    for key in (KEY, NEXT, TrustKey("rxx-3")):
        public = key.native.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / "public.pem").write_bytes(public)
        made = call("trusts", "keys", "make-jwks", "public.pem", "--kid", key.kid)
        assert json.loads(made.out)["keys"][0]["kid"] == key.kid
        (folder / "set.json").write_text(made.out)
        (told,) = call("trusts", "keys", "fingerprint", "set.json", "--json").json
        assert told["fingerprint"].replace(" ", "") == key.fingerprint


def test_a_file_that_should_not_be_is_told_so_and_neither_file_nor_address_is_asked_for(ready: Call, folder: Path) -> None:
    (folder / "private.pem").write_bytes(NEXT.private_pem)
    assert "no public key" in ready("trusts", "keys", "make-jwks", "private.pem", "--kid", "x").err
    (folder / "private.json").write_text(json.dumps({"keys": [{**NEXT.jwk, "d": "c2VjcmV0"}]}))
    refused = ready(*INVITE, "--jwks", "private.json")
    assert "NG-7302" in refused.err
    assert "c2VjcmV0" not in refused.err
    assert "either --jwks FILE or --jwks-url" in ready(*INVITE).words
