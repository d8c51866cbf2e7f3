# SPDX-License-Identifier: MIT
"""Members of staff by command: entered, given roles, listed, signed out, closed; what does not fit is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notify_gateway.cli.practice.personas import personas, write_providers
from notify_gateway.domain.clock import SystemClock
from notify_gateway.domain.staff import Role
from notify_gateway.runtime import Runtime
from notify_gateway.settings import Settings
from notify_gateway.store.engine import reading
from notify_gateway.store.staff import Members
from tests.cli.conftest import Call
from tests.support.staff import MIDDLESBROUGH, STOCKTON, TRUST, sign_in_as


@pytest.fixture
def staff(ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    file, _ = write_providers(folder, "http://127.0.0.1:9", personas(home=STOCKTON, other=MIDDLESBROUGH, trust=TRUST))
    monkeypatch.setenv("NOTIFY_GATEWAY_STAFF_PROVIDERS", str(file))
    return lambda *arguments: ready("staff", *arguments)


def signed_in(*names: str, authority: str = STOCKTON) -> None:
    runtime = Runtime.open(Settings(), SystemClock())
    for name in names:
        sign_in_as(runtime.gateway, Role.OFFICER, authority=authority, name=name)
    runtime.close()


def listed(staff: Call, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = staff("list", "--json", *arguments).json
    return found


def test_somebody_is_entered_given_roles_and_closed(staff: Call) -> None:
    assert "Nobody has signed in" in staff("list").out
    added = staff("add", "an-object-id", "--provider", "practice", "--organisation", STOCKTON, "--role", "officer", "--json").json
    assert (added["roles"], added["roles_from"], added["last_signed_in_at"]) == (["officer"], "register", None)
    given = staff("roles", added["id"], "--role", "manager", "--role", "officer", "--json").json
    assert given["roles"] == ["manager", "officer"]
    again = staff("add", "an-object-id", "--provider", "practice", "--organisation", STOCKTON, "--role", "ig-officer", "--json").json
    assert (again["id"], again["roles"]) == (added["id"], ["ig-officer"])
    assert staff("close", added["id"], "--json").json == {"closed": added["id"], "sessions_ended": 0}
    assert listed(staff)[0]["closed_at"]
    assert listed(staff, "--organisation", MIDDLESBROUGH) == []
    assert "closed" in staff("list").out


def test_sessions_are_listed_and_ended_one_by_one_by_member_and_by_organisation(staff: Call) -> None:
    assert staff("sessions").out.strip() == "Nobody is signed in."
    signed_in("One", "One", "Two")
    signed_in("Far", authority=MIDDLESBROUGH)
    held = staff("sessions", "--json").json
    assert len(held) == 4
    assert "Far" in staff("sessions").out
    by_name = {each["name"]: each["id"] for each in listed(staff)}
    one = [each for each in held if each["person"] == by_name["One"]]
    assert staff("sign-out", "--session", one[0]["session_id"], "--json").json == {"sessions_ended": 1}
    assert staff("sign-out", by_name["One"], "--json").json == {"sessions_ended": 1}
    assert staff("sign-out", by_name["One"], "--json").json == {"sessions_ended": 0}
    assert staff("sign-out", "--organisation", STOCKTON).out.strip() == "Sessions ended: 1."
    assert [each["organisation"] for each in staff("sessions", "--json").json] == [MIDDLESBROUGH]
    assert staff("close", by_name["Far"], "--json").json["sessions_ended"] == 1


NOBODY = "6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11"
ENTER = ("add", "x", "--role", "officer", "--organisation")
REFUSALS = (
    (("add", "someone@stockton.gov.uk", *ENTER[2:], STOCKTON, "--provider", "practice"), "E-mail addresses pass"),
    ((*ENTER, STOCKTON, "--provider", "nobody"), "no such provider"),
    ((*ENTER, "RXX", "--provider", "practice"), "does not fit the organisation"),
    ((*ENTER, "Stockton", "--provider", "practice"), "does not fit the organisation"),
    (("roles", NOBODY, "--role", "officer"), "no such member of staff"),
    (("close", NOBODY), "NG-1242"),
    (("close", "Robin"), "That is no id"),
    (("sign-out",), "Who is to be signed out"),
)


def test_what_does_not_fit_is_refused_in_words(staff: Call) -> None:
    for arguments, told in REFUSALS:
        done = staff(*arguments)
        assert (done.status, told in done.words) == (1, True), done.words


def test_no_name_of_anybody_is_in_the_log(staff: Call, ready: Call) -> None:
    signed_in("Unmistakable Name")
    runtime = Runtime.open(Settings(), SystemClock())
    with reading(runtime.gateway.engine).begin() as connection:
        (member,) = Members(connection, STOCKTON).all()
        assert member.name == "Unmistakable Name"
    runtime.close()
    assert "Unmistakable" not in repr(member) + repr(member.person)
    shown = ready("audit", "show", f"staff:{member.id}")
    assert "Unmistakable" not in shown.words


def test_a_live_service_does_not_start_with_the_practice_provider(staff: Call, ready: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_DEPLOYMENT", "live")
    monkeypatch.setenv("NOTIFY_GATEWAY_BASE_URL", "https://notify.example")
    done = ready("serve", "--port", "1")
    assert (done.status, "The identity providers cannot be used" in done.words) == (1, True), done.words
    checks = {each["name"]: each for each in ready("doctor", "--json").json["checks"]}
    assert (checks["identity providers"]["state"], "practice" in checks["identity providers"]["value"]) == ("fail", True)
