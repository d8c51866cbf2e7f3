# SPDX-License-Identifier: MIT
"""``authority drill`` on a machine without a network: the recovery key, under its passphrase, reads the words, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from notify_gateway.privacy.drills import answer_hash, make_drill
from notify_gateway.privacy.keys import RecipientPurpose, SigningKey, SigningPurpose, Suite, save
from tests.cli.conftest import Call
from tests.privacy.builders import a_recipient

DRILL = ("authority", "drill", "drill.json", "--gateway-key", "gateway.pub.json")


@pytest.mark.parametrize("suite", list(Suite))
def test_the_recovery_key_reads_the_words_and_no_other_does(suite: Suite, folder: Path, call: Call) -> None:
    gateway = SigningKey.generate(SigningPurpose.GATEWAY)
    recovery = a_recipient(purpose=RecipientPurpose.RECOVERY, suite=suite)
    made = make_drill(uuid4(), recovery.public(), gateway)
    (folder / "drill.json").write_bytes(made.document)
    (folder / "words").write_text("correct horse battery\n")
    save(folder / "gateway.pub.json", gateway.public())
    save(folder / "recovery.key", recovery, passphrase="correct horse battery")
    save(folder / "working.key", a_recipient())
    read = call(*DRILL, "--key", "recovery.key", "--passphrase-file", "words", "--json")
    assert (read.status, read.json["kid"]) == (0, recovery.kid)
    assert answer_hash(read.json["words"]) == made.answer_hash
    assert call(*DRILL, "--key", "working.key").status == 1
    # Another gateway's drill, one that was changed, and what is none.
    save(folder / "other.pub.json", SigningKey.generate(SigningPurpose.GATEWAY).public())
    assert call(*DRILL[:-1], "other.pub.json", "--key", "recovery.key", "--passphrase-file", "words").status == 1
    for wrong in (json.dumps(json.loads(made.document) | {"drill_id": str(uuid4())}), "{}", "[]", "no JSON"):
        (folder / "drill.json").write_text(wrong)
        refused = call(*DRILL, "--key", "recovery.key", "--passphrase-file", "words")
        assert refused.status == 1
        assert "Traceback" not in refused.err
    (folder / "drill.json").unlink()
    assert "cannot be read" in call(*DRILL, "--key", "recovery.key", "--passphrase-file", "words").err
