# SPDX-License-Identifier: MIT
"""Bringing an authority and its keys on, by the commands that two people type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call

STOCKTON = "E06000004"
PROPOSE = ("authorities", "propose", STOCKTON, "--custody", "authority-held")
SFTP = {"host": "files.example", "port": "22", "user": "send", "folder": "in", "host_key": f"ssh-ed25519 {'A' * 43}="}


def as_the_second_person(monkeypatch: pytest.MonkeyPatch) -> None:
    # One process cannot be two accounts: this is the second one.
    monkeypatch.setattr("notify_gateway.cli.authority_proposals.operator", lambda: "operator:somebody-else")


def test_an_authority_and_its_keys_come_on_by_two_people(ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # All of this holds where one person alone may do nothing.
    monkeypatch.setenv("NOTIFY_GATEWAY_ONE_PERSON_ONBOARDING", "false")
    alone = ready("authorities", "register", STOCKTON, "--custody", "managed", "--channel", "pull")
    assert (alone.status, alone.err.split()[0]) == (1, "NG-7314")
    proposed = ready(*PROPOSE, "--channel", "pull", "--json").json
    listed = ready("authorities", "proposals")
    assert proposed["code"] in listed.out
    assert ready("authorities", "approve", STOCKTON, "--code", proposed["code"]).err.startswith("NG-7311")
    made = ready("authority", "key", "make", "--authority", STOCKTON, "--purpose", "working", "--out", "working", "--json").json
    as_the_second_person(monkeypatch)
    assert ready("authorities", "approve", STOCKTON, "--code", "wrong").err.startswith("NG-7207")
    assert "Approved: Stockton-on-Tees" in ready("authorities", "approve", STOCKTON, "--code", proposed["code"]).words
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert made["fingerprint"] in ready("authorities", "key", "propose", "working.pub").out
    for shown in (ready("authorities", "proposals"), ready("authorities", "proposals", "--json")):
        assert made["kid"] in shown.out
        assert made["fingerprint"][:9] not in shown.out, "the second person hears it from the authority"
    as_the_second_person(monkeypatch)
    approve = ("authorities", "key", "approve", made["kid"], "--fingerprint", made["fingerprint"])
    assert ready(*approve, "--json").json["act"] == "registration"
    assert ready("authorities", "key", "propose", "--retire", made["kid"]).status == 0
    assert ready("authorities", "key", "refuse", made["kid"]).status == 0
    assert ready("authorities", "proposals").out.strip() == "Nothing waits for a second person."
    (authority,) = ready("authorities", "list", "--json").json
    assert [key["live"] for key in authority["keys"]] == [True]


def test_a_route_is_shown_as_two_people_can_compare_it(ready: Call) -> None:
    parts = [word for name, value in SFTP.items() for word in ("--route", f"{name}={value}")]
    told = ready(*PROPOSE, "--channel", "sftp", *parts).words
    assert "host: files.example" in told
    assert "host_key: ssh-ed25519 SHA256:" in told
    assert ready("authorities", "refuse", STOCKTON).status == 0


def test_a_key_comes_from_a_file_or_is_retired_by_its_id(ready: Call) -> None:
    assert "Which key?" in ready("authorities", "key", "propose").err
    assert ready("authorities", "key", "propose", "--retire", "nobody").err.startswith("NG-7205")
    assert ready("authorities", "key", "approve", "nobody", "--fingerprint", "x").err.startswith("NG-7310")
