# SPDX-License-Identifier: MIT
"""Keys, trusts and authorities: brought on by commands, each step in the log, no secret printed but a token once."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from audit.events import read_leaf
from notify_gateway.privacy.keys import RecipientPrivateKey, load
from notify_gateway.settings import Settings
from notify_gateway.store.engine import open_engine
from notify_gateway.store.tables import audit_tables, tokens
from tests.cli.conftest import Call

STOCKTON = "E06000004"
REGISTER = ("authorities", "register", STOCKTON, "--custody", "authority-held", "--channel", "pull")


def _events() -> list[str]:
    engine = open_engine(Settings().main_url)
    pending = audit_tables.pending.c
    with engine.begin() as connection:
        leaves = connection.scalars(select(pending.leaf).order_by(pending.created_at)).all()
    engine.dispose()
    return [read_leaf(leaf).tag for leaf in leaves]


def _key(call: Call, purpose: str, *more: object) -> dict[str, str]:
    made = call("authority", "key", "make", "--authority", STOCKTON, "--purpose", purpose, "--out", purpose, "--json", *more)
    assert made.status == 0, made.err
    result: dict[str, str] = made.json
    return result


def test_keys_are_made_once_and_shown_without_secrets(call: Call, folder: Path) -> None:
    first, again = call("keys", "make", "--json").json, call("keys", "make", "--json").json
    assert len(first["made"]) == 7
    assert again == {**first, "made": []}
    assert call("keys", "show", "--json").json == {name: first[name] for name in ("gateway", "log")}
    secret = json.loads((folder / "var/keys/gateway.key.json").read_text())["ed25519"]
    words = call("keys", "show").out
    assert first["gateway"]["fingerprint"] in words
    assert first["log"]["verifier"] in words
    assert secret not in words
    assert stat.S_IMODE((folder / "var").stat().st_mode) == 0o700


def test_showing_keys_that_are_not_there_says_how_to_mend_it(call: Call, folder: Path) -> None:
    result = call("keys", "show")
    assert result.status == 1
    assert "Traceback" not in result.err
    assert "Fix:" in result.err


def test_a_trust_is_registered_gets_a_token_and_loses_it(ready: Call) -> None:
    registered = ready("trusts", "register", "rxx", "--name", "Example Community NHS Trust", "--type", "nhs-trust", "--json")
    assert registered.json == {"ods": "RXX", "name": "Example Community NHS Trust", "type": "nhs-trust"}
    issued = ready("trusts", "token", "RXX", "--days", "3")
    token = issued.out.splitlines()[0]
    assert token.startswith("ng_trust_")
    assert "only time" in issued.err
    (listed,) = ready("trusts", "list", "--json").json
    (held,) = listed["tokens"]
    assert held["standing"].startswith("valid until")
    assert token not in ready("trusts", "list").out
    assert ready("trusts", "revoke", held["token_id"]).status == 0
    assert ready("trusts", "list", "--json").json[0]["tokens"][0]["standing"].startswith("revoked")
    assert _events()[-3:] == ["client:registered", "token:issued", "token:revoked"]


def test_a_token_is_kept_as_a_digest_only(ready: Call) -> None:
    ready("trusts", "register", "RXX", "--name", "A", "--type", "other")
    token = ready("trusts", "token", "RXX", "--json").json["token"]
    engine = open_engine(Settings().main_url)
    with engine.begin() as connection:
        row = connection.execute(select(tokens)).one()
    engine.dispose()
    assert token.encode() not in row.token_hash
    for file in Path("var").rglob("*"):
        assert not file.is_file() or token.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("trusts", "token", "RZZ"), "NG-7202"),
        (("trusts", "revoke", "0f9e2a52-34ce-4ad6-9ee4-50a4b0a2a7c1"), "NG-7203"),
        (("authorities", "token", STOCKTON), "NG-7202"),
        (("authorities", "register", "E06999999", "--custody", "managed", "--channel", "pull"), "NG-5008"),
        (("authorities", "register", STOCKTON, "--custody", "managed", "--channel", "webhook"), "NG-7206"),
        (("authorities", "key", "retire", "nobody"), "NG-7205"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_errors_of_the_catalogue_are_told_with_code_why_and_fix(arguments: tuple[str, ...], code: str, ready: Call) -> None:
    result = ready(*arguments)
    assert result.status == 1
    assert result.out == ""
    lines = result.err.splitlines()
    assert lines[0].startswith(f"{code}  ")
    assert lines[1].startswith("Why: ")
    assert lines[2].startswith("Fix: ")
    told = json.loads(ready(*arguments, "--json").err)["errors"][0]
    assert told["code"] == code
    assert set(told) == {"code", "title", "why", "fix"}


def test_registering_a_trust_twice_is_refused(ready: Call) -> None:
    register = ("trusts", "register", "RXX", "--name", "A", "--type", "nhs-trust")
    assert ready(*register).status == 0
    assert ready(*register).err.startswith("NG-7201")


@pytest.mark.parametrize("ods", ["R X", "RXX;drop", "", "R" * 30])
def test_what_is_no_ods_code_is_refused(ods: str, ready: Call) -> None:
    result = ready("trusts", "register", ods, "--name", "A", "--type", "other")
    assert result.status == 1
    assert "ODS code" in result.err


def test_a_name_with_control_characters_is_refused(ready: Call) -> None:
    assert ready("trusts", "register", "RXX", "--name", "A\x1b[2J", "--type", "other").status == 1


def test_an_authority_is_told_what_keys_it_still_needs(ready: Call) -> None:
    registered = ready(*REGISTER)
    assert "Still missing: working key, recovery key." in registered.words
    assert f"authority key make --authority {STOCKTON} --purpose working" in registered.words
    working, recovery = _key(ready, "working", "--suite", "MLKEM768_X25519"), _key(ready, "recovery")
    added = ready("authorities", "key", "add", "working.pub", "--fingerprint", working["fingerprint"], "--json")
    assert added.json["missing"] == ["recovery"]
    added = ready("authorities", "key", "add", "recovery.pub", "--fingerprint", recovery["fingerprint"])
    assert "It has the keys that it needs" in added.words
    (listed,) = ready("authorities", "list", "--json").json
    assert listed["missing"] == []
    assert {key["kid"] for key in listed["keys"]} == {working["kid"], recovery["kid"]}
    retired = ready("authorities", "key", "retire", working["kid"])
    assert "Still missing: working key." in retired.words
    assert working["kid"] not in ready("authorities", "list").out
    issued = ready("authorities", "token", STOCKTON, "--json").json
    assert issued["token"].startswith("ng_authority_")
    assert ready("authorities", "list", "--json").json[0]["tokens"][0]["token_id"] == issued["token_id"]
    assert _events()[-6:] == ["client:registered", "config:changed", "key:registered", "key:registered", "key:retired", "token:issued"]


@pytest.mark.parametrize(
    "as_heard", [str.lower, lambda text: text.replace(" ", "-"), lambda text: text.replace("0", "O").replace("1", "l")]
)
def test_a_fingerprint_is_known_however_it_is_written_down(as_heard: object, ready: Call) -> None:
    ready(*REGISTER)
    spoken = as_heard(_key(ready, "working")["fingerprint"])  # type: ignore[operator]
    assert ready("authorities", "key", "add", "working.pub", "--fingerprint", spoken).status == 0


def test_a_key_with_another_fingerprint_is_refused_and_not_registered(ready: Call) -> None:
    ready(*REGISTER)
    _key(ready, "working")
    other = _key(ready, "recovery")
    result = ready("authorities", "key", "add", "working.pub", "--fingerprint", other["fingerprint"])
    assert result.status == 1
    assert result.err.startswith("NG-7207")
    assert ready("authorities", "list", "--json").json[0]["keys"] == []


def test_a_private_key_file_is_no_public_key_file(ready: Call) -> None:
    ready(*REGISTER)
    made = _key(ready, "working")
    result = ready("authorities", "key", "add", "working", "--fingerprint", made["fingerprint"])
    assert result.status == 1
    assert "key file cannot be used" in result.words


def test_an_authoritys_key_stays_with_its_owner_and_overwrites_nothing(call: Call, folder: Path) -> None:
    made = _key(call, "working")
    assert stat.S_IMODE((folder / "working").stat().st_mode) == 0o400
    assert load(folder / "working", RecipientPrivateKey).kid == made["kid"]
    secret = json.loads((folder / "working").read_text())["x25519"]
    assert secret not in (folder / "working.pub").read_text()
    again = call("authority", "key", "make", "--authority", STOCKTON, "--purpose", "working", "--out", "working")
    assert again.status == 1
    assert "exists already" in again.err
    assert load(folder / "working", RecipientPrivateKey).kid == made["kid"]


def test_a_key_may_be_kept_under_a_passphrase(call: Call, folder: Path) -> None:
    (folder / "words").write_text("correct horse battery staple\nsecond line\n")
    made = _key(call, "recovery", "--passphrase-file", "words")
    assert json.loads((folder / "recovery").read_text())["format"] == "notify-gateway/protected-key"
    assert load(folder / "recovery", RecipientPrivateKey, passphrase="correct horse battery staple").kid == made["kid"]
    (folder / "words").write_text("short\n")
    short = call("authority", "key", "make", "--authority", STOCKTON, "--purpose", "working", "--out", "w", "--passphrase-file", "words")
    assert short.status == 1
    assert not (folder / "w").exists()


def test_a_key_is_for_an_authority_with_a_gss_code(call: Call, folder: Path) -> None:
    result = call("authority", "key", "make", "--authority", "Stockton", "--purpose", "working", "--out", "w")
    assert result.status == 1
    assert "GSS" in result.err
