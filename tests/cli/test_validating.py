# SPDX-License-Identifier: MIT
"""``notify-gateway validate``: files and folders, in words, as JSON, for continuous integration (asking a running service is a journey)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from notify_gateway.privacy.recipients import RecipientPrivateKey, RecipientPurpose
from notify_gateway.runtime import Runtime
from notify_gateway.settings import Settings
from notify_gateway.use_cases import onboard
from tests.cli.conftest import Call
from tests.support.messages import a_message
from tests.support.service import PULL


@pytest.fixture
def with_parties(ready: Call) -> Call:
    """A set-up service, not running, with a trust and an authority that has its keys."""
    assert ready("trusts", "register", "RXX", "--name", "Example Trust", "--type", "nhs-trust").status == 0
    runtime = Runtime.open(Settings())
    onboard.register_authority(runtime.gateway, gss=PULL, custody="authority-held", channel="pull", actor="test")
    for purpose in RecipientPurpose.WORKING, RecipientPurpose.RECOVERY:
        onboard.register_key(runtime.gateway, key=RecipientPrivateKey.generate(PULL, purpose).public(), actor="test")
    runtime.close()
    return ready


@pytest.fixture
def messages(folder: Path) -> Path:
    """A folder with a good and a bad message."""
    made = folder / "messages"
    (made / "deeper").mkdir(parents=True)
    (made / "good.json").write_bytes(a_message().bytes())
    (made / "deeper" / "bad.json").write_bytes(a_message().without("parent-informed").for_child(postcode="CF10 3ND").bytes())
    (made / "notes.txt").write_text("no message")
    return made


def test_a_folder_is_tried_here_with_every_fault_and_a_status_for_ci(with_parties: Call, messages: Path, folder: Path) -> None:
    ended = with_parties("validate", messages, "--json", "--junit", folder / "report.xml")
    assert ended.status == 1
    assert (ended.json["files"], ended.json["would_be_accepted"], ended.json["would_be_refused"]) == (2, 1, 1)
    bad, good = ended.json["results"]
    assert good["verdict"] == "would-be-accepted"
    assert (good["authority"], good["authority_name"], good["postcodes_edition"]) == (PULL, "Stockton-on-Tees", "demonstration")
    assert [(layer["name"], layer["count"]) for layer in bad["layers"]][2:] == [("message", 0), ("law", 1), ("routing", 1)]
    errors = [issue for issue in bad["issues"] if issue["severity"] == "error"]
    assert [(issue["code"], issue["expression"]) for issue in errors] == [
        ("NG-4001", "Bundle.entry[1].resource"),
        ("NG-5003", "Bundle.entry[2].resource.address"),
    ]
    (suite,) = ElementTree.parse(folder / "report.xml").getroot()
    assert suite.attrib == {"name": "notify-gateway validate", "tests": "2", "failures": "1", "errors": "0"}
    assert [case.find("failure") is not None for case in suite] == [True, False]

    in_words = with_parties("validate", messages)
    assert in_words.status == 1
    for said in ("would be accepted", "Law: 1 fault", "NG-4001", "1 of 2 would be accepted. Nothing was kept."):
        assert said in in_words.words
    for secret in a_message(0).canaries[1:3]:
        assert secret not in in_words.words

    assert with_parties("validate", messages / "good.json").status == 0


def test_what_cannot_be_asked_is_told_in_words(with_parties: Call, messages: Path, folder: Path) -> None:
    good = messages / "good.json"
    assert with_parties("validate", folder / "absent.json").status == 2
    (folder / "empty").mkdir()
    for arguments, said in (
        ((good, "--as", "RYY"), "There is no such trust here"),
        ((folder / "empty",), "There is nothing to try"),
        ((good, "--url", "http://127.0.0.1:9"), "There is no token"),
    ):
        ended = with_parties("validate", *arguments)
        assert (ended.status, said in ended.err) == (1, True), ended
    (folder / "token").write_text("nobody's")
    assert "does not answer" in with_parties("validate", good, "--url", "http://127.0.0.1:9", "--token-file", folder / "token").err
