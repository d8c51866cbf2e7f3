# SPDX-License-Identifier: MIT
"""The file of identity providers, and what verified claims make of a person: Entra ID and NHS CIS2, tenants, groups, roles, assurance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from notify_gateway.credentials.claims import read_claims
from notify_gateway.credentials.providers import Provider, ProvidersRefused, read_providers
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotAllowed
from notify_gateway.domain.staff import Role

ONE, TWO, STRANGE = (f"{digit * 8}-0000-4000-8000-000000000023" for digit in "123")
ENTRA = f"""
[[provider]]
id = "stockton"
name = "Stockton-on-Tees Borough Council"
shape = "entra"
issuer = "https://login.microsoftonline.com/{ONE}/v2.0"
client_id = "the-application"
client_secret_file = "SECRET"
tenants = ["{ONE}"]

[[provider.grant]]
value = "early-years"
organisation = "E06000004"
role = "officer"

[[provider.grant]]
value = "early-years-managers"
organisation = "E06000004"
role = "manager"
"""
SEVERAL = f"""
[[provider]]
id = "tees"
name = "Tees Valley councils"
shape = "entra"
issuer = "https://login.microsoftonline.com/{{tenantid}}/v2.0"
client_id = "the-application"
client_secret_file = "SECRET"
tenants = ["{ONE}", "{TWO}"]
claim = "groups"
grant = [
  {{ value = "officer", tenant = "{ONE}", organisation = "E06000004", role = "officer" }},
  {{ value = "officer", tenant = "{TWO}", organisation = "E06000002", role = "officer" }},
]
"""
CIS2 = """
[[provider]]
id = "cis2"
name = "NHS CIS2"
shape = "cis2"
issuer = "https://am.nhsidentity.example:443/openam/oauth2/realms/NHSIdentity"
client_id = "the-application"
client_key_file = "SECRET"
client_key_id = "gateway-1"
acr_asked = "AAL2_OR_AAL3_ANY"
acr_accepted = ["AAL2", "AAL3"]
grant = [
  { value = "RXX/R8015", organisation = "RXX", role = "trust-engineer" },
  { value = "RXX/R8008", organisation = "RXX", role = "ig-officer" },
  { value = "RYY/R8015", organisation = "RYY", role = "trust-engineer" },
]
"""


def file_of(folder: Path, text: str) -> Path:
    secret = folder / "secret"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text("a secret")
    file = folder / "providers.toml"
    file.write_text(text.replace("SECRET", str(secret)))
    return file


def provider(folder: Path, text: str) -> Provider:
    (found,) = read_providers(file_of(folder, text), live=True)
    return found


def entra(**more: object) -> dict[str, Any]:
    tenant = str(more.get("tid", ONE))
    return {"iss": f"https://login.microsoftonline.com/{tenant}/v2.0", "tid": tenant, "oid": "an-object", "name": "Robin Officer", **more}


def code_of(provider: Provider, claims: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> str:
    with pytest.raises(NotAllowed) as error:
        read_claims(provider, claims, more)
    return error.value.issues[0].code


def test_groups_become_roles_of_the_one_organisation(tmp_path: Path) -> None:
    found = read_claims(provider(tmp_path, ENTRA), entra(roles=["early-years", "early-years-managers", "canteen"]))
    assert (found.organisation, found.roles, found.name) == ("E06000004", {Role.OFFICER, Role.MANAGER}, "Robin Officer")


def test_the_same_group_of_another_tenant_is_another_authority_s(tmp_path: Path) -> None:
    several = provider(tmp_path, SEVERAL)
    assert read_claims(several, entra(tid=ONE, groups=["officer"])).organisation == "E06000004"
    assert read_claims(several, entra(tid=TWO, groups=["officer"])).organisation == "E06000002"
    assert several.issuer_for(TWO) == f"https://login.microsoftonline.com/{TWO}/v2.0"
    assert several.discovery == "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration"


def test_the_same_person_is_the_same_whatever_their_names_and_another_in_another_tenant(tmp_path: Path) -> None:
    several = provider(tmp_path, SEVERAL)
    first = read_claims(several, entra(groups=["officer"], name="A", email="a@b", preferred_username="x", sub="1"))
    again = read_claims(several, entra(groups=["officer"], name="B", email="c@d", preferred_username="y", sub="2"))
    other = read_claims(several, entra(tid=TWO, groups=["officer"], name="A", email="a@b", sub="1"))
    assert first.subject_hash == again.subject_hash != other.subject_hash


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"roles": []}, Code.STAFF_NO_ROLE),
        ({}, Code.STAFF_NO_ROLE),
        ({"roles": {"early-years": True}}, Code.STAFF_NO_ROLE),
        ({"groups": ["early-years"]}, Code.STAFF_NO_ROLE),
        ({"_claim_names": {"roles": "src1"}}, Code.STAFF_GROUPS_MISSING),
        ({"roles": ["early-years"], "oid": None}, Code.STAFF_TOKEN_REFUSED),
        ({"roles": ["early-years"], "oid": "x" * 300}, Code.STAFF_TOKEN_REFUSED),
    ],
    ids=["none", "no claim", "no list", "the other claim", "left out", "no person", "endless person"],
)
def test_whoever_has_no_group_that_is_known_stays_out(tmp_path: Path, claims: dict[str, Any], code: Code) -> None:
    assert code_of(provider(tmp_path, ENTRA), entra(**claims)) == code


def test_groups_left_out_for_being_too_many_are_told_of(tmp_path: Path) -> None:
    several = provider(tmp_path, SEVERAL)
    for said in ({"hasgroups": True}, {"hasgroups": "true"}, {"_claim_names": {"groups": "src1"}}):
        assert code_of(several, entra(**said)) == Code.STAFF_GROUPS_MISSING


def test_a_name_is_cut_and_cleaned_and_may_be_missing(tmp_path: Path) -> None:
    known = provider(tmp_path, ENTRA)
    assert (
        read_claims(known, entra(roles=["early-years"], name="Robin\n\x00  Officer " + "x" * 500)).name
        == ("Robin Officer " + "x" * 500)[:120]
    )
    assert read_claims(known, entra(roles=["early-years"], name=None)).name == "Member of staff"


def nrbac(*roles: tuple[str, str, str], selected: str | None = None) -> dict[str, Any]:
    listed = [{"person_roleid": person, "org_code": org, "role_code": f"S8000:G8000:{role}"} for person, org, role in roles]
    return {"name": "Kim Integration", "nhsid_nrbac_roles": listed, **({"selected_roleid": selected} if selected else {})}


NHS = {"iss": "https://am.nhsidentity.example:443/openam/oauth2/realms/NHSIdentity", "sub": "555036632103", "acr": "AAL3"}
BOTH = (("1", "RXX", "R8015"), ("2", "RYY", "R8015"))


def test_at_cis2_the_selected_role_counts_and_no_other(tmp_path: Path) -> None:
    found = read_claims(provider(tmp_path, CIS2), NHS, nrbac(*BOTH, selected="2"))
    assert (found.organisation, found.roles) == ("RYY", {Role.TRUST_ENGINEER})


def test_at_cis2_without_a_selected_role_all_count_if_they_are_of_one_organisation(tmp_path: Path) -> None:
    known = provider(tmp_path, CIS2)
    found = read_claims(known, NHS, nrbac(("1", "RXX", "R8015"), ("2", "RXX", "R8008"), ("3", "RZZ", "R0001")))
    assert (found.organisation, found.roles) == ("RXX", {Role.TRUST_ENGINEER, Role.IG_OFFICER})
    assert code_of(known, NHS, nrbac(*BOTH)) == Code.STAFF_TWO_ORGANISATIONS


@pytest.mark.parametrize(
    ("claims", "more", "code"),
    [
        (NHS, nrbac(), Code.STAFF_NO_ROLE),
        (NHS, {}, Code.STAFF_NO_ROLE),
        (NHS, {"nhsid_nrbac_roles": "all"}, Code.STAFF_NO_ROLE),
        (NHS, nrbac(*BOTH, selected="3"), Code.STAFF_NO_ROLE),
        (NHS | {"acr": "AAL1"}, nrbac(*BOTH, selected="1"), Code.STAFF_ASSURANCE),
        ({k: v for k, v in NHS.items() if k != "acr"}, nrbac(*BOTH, selected="1"), Code.STAFF_ASSURANCE),
    ],
    ids=["no roles", "nothing said", "no list", "another's role", "one factor", "unsaid factor"],
)
def test_at_cis2_whoever_has_no_role_or_came_too_easily_stays_out(
    tmp_path: Path, claims: dict[str, Any], more: dict[str, Any], code: Code
) -> None:
    assert code_of(provider(tmp_path, CIS2), claims, more) == code


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (f'tenants = ["{ONE}"]', "", "tenants"),
        (f'tenants = ["{ONE}"]', 'tenants = ["common"]', "not common"),
        (f'tenants = ["{ONE}"]', 'tenants = ["9188040d-6c67-4c5b-b112-36a304b66dad"]', "personal"),
        (f'tenants = ["{ONE}"]', f'tenants = ["{ONE}", "{TWO}"]', "tenantid"),
        ("https://login", "ldap://login", "https address"),
        ("https://login", "http://login", "practice"),
        ("login.microsoftonline.com", "127.0.0.1", "practice"),
        ("login.microsoftonline.com", "localhost", "practice"),
        ('shape = "entra"', 'shape = "entra"\npractice = true', "practice"),
        ('shape = "entra"', 'shape = "entra"\nalgorithm = "HS256"', "algorithm"),
        ('shape = "entra"', 'shape = "entra"\nalgorithm = "none"', "algorithm"),
        ('shape = "entra"', 'shape = "entra"\nclient_secret = "in the file"', "client_secret"),
        ('client_secret_file = "SECRET"', "", "client_key_file"),
        ('client_secret_file = "SECRET"', 'client_key_file = "SECRET"', "client_key_id"),
        ('organisation = "E06000004"', 'organisation = "RXX"', "local authority"),
        ('organisation = "E06000004"', 'organisation = "Stockton"', "GSS"),
        ('role = "officer"', 'role = "king"', "role"),
        ("[[provider]]", "[[provider]", "TOML"),
        ("[[provider]]", "[[providers]]", "provider"),
        ('id = "stockton"', 'id = "../x"', "id"),
    ],
    ids=lambda value: None,
)
def test_a_file_of_providers_that_would_let_the_wrong_people_in_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    assert before in ENTRA
    with pytest.raises(ProvidersRefused, match=told):
        read_providers(file_of(tmp_path, ENTRA.replace(before, after, 1)), live=True)


def test_two_tenants_that_call_a_role_the_same_are_told_apart_or_refused(tmp_path: Path) -> None:
    with pytest.raises(ProvidersRefused, match="each grant names its own"):
        read_providers(file_of(tmp_path, SEVERAL.replace(f'tenant = "{ONE}", ', "")), live=True)
    with pytest.raises(ProvidersRefused, match="one of the tenants"):
        read_providers(file_of(tmp_path, SEVERAL.replace(f'tenant = "{TWO}", ', f'tenant = "{STRANGE}", ')), live=True)


def test_cis2_says_how_strongly_people_are_signed_in_and_providers_have_ids_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(ProvidersRefused, match="acr_accepted"):
        read_providers(file_of(tmp_path, CIS2.replace('acr_accepted = ["AAL2", "AAL3"]', "")), live=True)
    with pytest.raises(ProvidersRefused, match="id of its own"):
        read_providers(file_of(tmp_path, ENTRA + ENTRA), live=True)


def test_a_secret_that_others_can_read_is_not_used_and_shows_nowhere(tmp_path: Path) -> None:
    found = provider(tmp_path, ENTRA)
    assert found.secret().get_secret_value() == "a secret"
    assert "a secret" not in repr(found.secret()) + repr(found)
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(ProvidersRefused, match="chmod"):
        found.secret()
    (tmp_path / "secret").unlink()
    with pytest.raises(ProvidersRefused, match="cannot be read"):
        found.secret()
