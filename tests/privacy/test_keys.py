# SPDX-License-Identifier: MIT
"""Keys and their files: written whole, readable by their owner alone, under a passphrase if wanted."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy import keys as keys_module
from notify_gateway.privacy.keys import (
    KeyFileError,
    PseudonymRoots,
    RecipientPrivateKey,
    RecipientPublicKey,
    RecipientPurpose,
    SigningKey,
    SigningPurpose,
    Suite,
    VerifyingKey,
    fingerprint,
    load,
    save,
)
from tests.privacy.builders import MIDDLESBROUGH, NHS_NUMBER, STOCKTON, a_gateway_key, a_recipient

KEYS: list[Any] = [
    a_gateway_key(),
    SigningKey.generate(SigningPurpose.LOG, "log-2026"),
    a_gateway_key().public(),
    a_recipient(),
    a_recipient(suite=Suite.MLKEM768_X25519, purpose=RecipientPurpose.RECOVERY),
    a_recipient(suite=Suite.MLKEM768_X25519).public(),
    PseudonymRoots.generate().rotated(),
]


@pytest.mark.parametrize("passphrase", [None, "correct horse battery stäple"], ids=["bare", "protected"])
@pytest.mark.parametrize("key", KEYS, ids=lambda key: type(key).__name__)
def test_a_key_file_gives_back_the_key(tmp_path: Path, key: Any, passphrase: str | None) -> None:
    save(tmp_path / "key", key, passphrase=passphrase)
    assert load(tmp_path / "key", type(key), passphrase=passphrase) == key


@pytest.mark.parametrize("key", KEYS, ids=lambda key: type(key).__name__)
def test_secret_keys_are_for_their_owner_alone(tmp_path: Path, key: Any) -> None:
    save(tmp_path / "key", key)
    assert (tmp_path / "key").stat().st_mode & 0o777 == (0o400 if key.SECRET else 0o444 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o420, 0o401])
def test_a_private_key_that_others_may_reach_is_refused_with_the_fix(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    save(path, a_gateway_key())
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 0400 {path}"):
        load(path, SigningKey)


def test_a_public_key_may_be_read_by_all(tmp_path: Path) -> None:
    key = a_recipient().public()
    save(tmp_path / "key", key)
    (tmp_path / "key").chmod(0o644)
    assert load(tmp_path / "key", RecipientPublicKey) == key


def test_a_key_is_not_overwritten_by_mistake(tmp_path: Path) -> None:
    first = a_gateway_key()
    save(tmp_path / "key", first)
    with pytest.raises(KeyFileError, match="exists already"):
        save(tmp_path / "key", a_gateway_key())
    assert load(tmp_path / "key", SigningKey) == first


def test_roots_are_replaced_on_purpose_when_they_rotate(tmp_path: Path) -> None:
    roots = PseudonymRoots.generate()
    save(tmp_path / "roots", roots)
    save(tmp_path / "roots", roots.rotated(), replace=True)
    live = load(tmp_path / "roots", PseudonymRoots).keys()
    assert live.versions == (2, 1)
    assert live.pseudonym("audit", NHS_NUMBER, 1) == roots.keys().pseudonym("audit", NHS_NUMBER)


def test_no_draft_is_left_behind(tmp_path: Path) -> None:
    save(tmp_path / "key", a_gateway_key())
    with pytest.raises(KeyFileError):
        save(tmp_path / "key", a_gateway_key())
    assert os.listdir(tmp_path) == ["key"]


def test_a_full_or_missing_folder_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(tmp_path / "missing" / "key", a_gateway_key())


def test_a_protected_file_holds_no_secret_in_the_clear(tmp_path: Path) -> None:
    key = a_recipient()
    save(tmp_path / "key", key, passphrase="words")
    fields = json.loads((tmp_path / "key").read_text())
    assert fields["holds"] == RecipientPrivateKey.FORMAT
    assert "x25519" not in fields


def test_a_wrong_passphrase_a_missing_one_and_a_changed_file_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "key"
    save(path, a_gateway_key(), passphrase="words")
    with pytest.raises(KeyFileError, match="wrong passphrase"):
        load(path, SigningKey, passphrase="other words")
    with pytest.raises(KeyFileError, match="under a passphrase"):
        load(path, SigningKey)
    fields = json.loads(path.read_text())
    rewrite(path, fields | {"holds": "something else"})
    with pytest.raises(KeyFileError, match="wrong passphrase, or the file was changed"):
        load(path, SigningKey, passphrase="words")


def test_a_doctored_file_cannot_ask_for_all_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "key"
    save(path, a_gateway_key(), passphrase="words")
    fields = json.loads(path.read_text())
    rewrite(path, fields | {"kdf": fields["kdf"] | {"memory_kib": 2**31}})
    with pytest.raises(KeyFileError, match="does not know"):
        load(path, SigningKey, passphrase="words")


def test_the_same_passphrase_typed_on_another_keyboard_opens(tmp_path: Path) -> None:
    save(tmp_path / "key", a_gateway_key(), passphrase="café")
    load(tmp_path / "key", SigningKey, passphrase="cafe\u0301")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"{", b"[" * 70000, b"\xff", b"{}", b'{"format":"notify-gateway/protected-key"}', b"[" * 3000],
)
def test_any_other_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o400)
    with pytest.raises(KeyFileError, match="not a"):
        load(path, SigningKey, passphrase="words" if b"protected" in content else None)


def test_a_missing_file_and_another_kind_of_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        load(tmp_path / "nothing", SigningKey)
    save(tmp_path / "key", a_recipient())
    with pytest.raises(KeyFileError, match="not a notify-gateway/signing-key file"):
        load(tmp_path / "key", SigningKey)


@pytest.mark.parametrize(
    "change",
    [
        {"kid": 7},
        {"kid": "../x"},
        {"kid": ""},
        {"authority": "Stockton"},
        {"suite": "RSA"},
        {"purpose": "play"},
        {"x25519": "AAAA"},
        {"x25519": None},
        {"mlkem_seed": "AAAA"},
    ],
    ids=str,
)
def test_wrong_fields_are_refused_without_saying_what_they_held(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "key"
    save(path, a_recipient())
    rewrite(path, json.loads(path.read_text()) | change)
    with pytest.raises(KeyFileError, match="restore the file from its backup"):
        load(path, RecipientPrivateKey)


def test_roots_that_are_not_an_object_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "roots"
    save(path, PseudonymRoots.generate())
    rewrite(path, json.loads(path.read_text()) | {"roots": []})
    with pytest.raises(KeyFileError, match="restore"):
        load(path, PseudonymRoots)


def rewrite(path: Path, fields: dict[str, Any]) -> None:
    path.unlink()
    path.write_text(json.dumps(fields))
    path.chmod(0o400)


def test_the_parts_of_a_key_fit_its_suite() -> None:
    with pytest.raises(ValueError, match="suite"):
        replace(a_recipient(), suite=Suite.MLKEM768_X25519)
    with pytest.raises(ValueError, match="bytes long"):
        replace(a_recipient(suite=Suite.MLKEM768_X25519), mlkem_seed=PrivateBytes(b"short"))
    with pytest.raises(ValueError, match="bytes long"):
        replace(a_recipient().public(), raw=b"short")


def test_a_fingerprint_is_eight_groups_of_four_to_read_aloud() -> None:
    groups = fingerprint(a_recipient().public()).split(" ")
    assert [len(group) for group in groups] == [4] * 8


def test_a_fingerprint_covers_every_field_of_the_public_key() -> None:
    key = a_recipient().public()
    others = [
        replace(key, kid="other"),
        replace(key, authority=MIDDLESBROUGH),
        replace(key, purpose=RecipientPurpose.RECOVERY),
        replace(key, raw=bytes([key.raw[0] ^ 1, *key.raw[1:]])),
    ]
    assert len({fingerprint(one) for one in [key, *others]}) == 5


def test_a_fingerprint_does_not_change_between_versions_of_the_program() -> None:
    key = VerifyingKey("gateway-1", SigningPurpose.GATEWAY, bytes(range(32)))
    assert fingerprint(key) == "HKSS 03ZN WDRT HXFV FQEM WXD8 Z5SY MEC9"


def test_no_key_prints_its_secret() -> None:
    for key in KEYS:
        shown = repr(key)
        assert all(
            str(value) not in shown
            for name, value in key.document().items()
            if name in ("x25519", "mlkem_seed") or (key.SECRET and name == "ed25519")
        )


def test_the_kind_of_stretching_is_that_of_the_second_recommended_option_of_rfc_9106() -> None:
    assert keys_module._KDF_OF_VERSION_1 == {"name": "argon2id", "passes": 3, "lanes": 4, "memory_kib": 65536, "salt": ""}


def test_the_key_id_says_the_purpose_unless_one_is_given() -> None:
    assert a_recipient().kid.startswith("working-")
    assert a_recipient(kid="stockton-2026").kid == "stockton-2026"
    assert a_recipient().authority == STOCKTON
