# SPDX-License-Identifier: MIT
"""What verified claims say of a person: who they are, for which organisation they act, and as what. E-mail and user names prove nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from notify_gateway.credentials.providers import Grant, Provider, Shape
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed
from notify_gateway.domain.staff import Role

MOST_NAME: Final = 120
MOST_VALUES: Final = 500
UNNAMED: Final = "Member of staff"


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who somebody is at their provider; ``organisation`` and ``roles`` are None where the service's own register says them."""

    subject_hash: bytes
    name: str
    organisation: str | None
    roles: frozenset[Role] | None

    def __repr__(self) -> str:
        return f"Claimed(organisation={self.organisation})"


def require_assurance(provider: Provider, claims: Mapping[str, Any]) -> None:
    """Return if the person was signed in as strongly as is asked; raises ``NotAllowed`` if not."""
    if provider.acr_accepted and claims.get("acr") not in provider.acr_accepted:
        raise NotAllowed(Issue(Code.STAFF_ASSURANCE))


def subject_hash(issuer: str, subject: str) -> bytes:
    """Return under which digest somebody is known: of their provider and their id there, which never passes to somebody else."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode("utf-8", "surrogatepass")).digest()


def read_claims(provider: Provider, claims: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> Claimed:
    """Return what the claims say; ``more`` is the answer of the user-info endpoint, where CIS2 names the roles.

    Raises ``NotAllowed`` for whoever has no role here, or has them in two organisations, or whose groups were left out.
    """
    require_assurance(provider, claims)
    subject = claims.get("oid") if provider.shape is Shape.ENTRA else claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise NotAllowed(Issue(Code.STAFF_TOKEN_REFUSED))
    known, name = subject_hash(claims["iss"], subject), _name({**claims, **(more or {})})
    if provider.people == "register":
        return Claimed(known, name, None, None)
    values = _entra(provider, claims) if provider.shape is Shape.ENTRA else _cis2(more or {})
    held = [grant for grant in provider.grant if grant.value in values and grant.tenant in (None, claims.get("tid"))]
    return Claimed(known, name, _one_organisation(held), frozenset(grant.role for grant in held))


def _one_organisation(held: list[Grant]) -> str:
    organisations = {grant.organisation for grant in held}
    if not organisations:
        raise NotAllowed(Issue(Code.STAFF_NO_ROLE))
    if len(organisations) > 1:
        raise NotAllowed(Issue(Code.STAFF_TWO_ORGANISATIONS))
    return organisations.pop()


def _entra(provider: Provider, claims: Mapping[str, Any]) -> frozenset[str]:
    if provider.claim not in claims and _left_out(claims, provider.claim):
        raise NotAllowed(Issue(Code.STAFF_GROUPS_MISSING))
    return _texts(claims.get(provider.claim))


def _left_out(claims: Mapping[str, Any], claim: str) -> bool:
    """Tell whether groups were left out for being too many (Entra's overage: ``_claim_names``, or ``hasgroups``)."""
    named = claims.get("_claim_names")
    return (isinstance(named, dict) and claim in named) or (claim == "groups" and claims.get("hasgroups") in (True, "true"))


def _cis2(more: Mapping[str, Any]) -> frozenset[str]:
    """Return the roles that count, as ``organisation/role``: the one that was selected, else all of them.

    Some authenticators select none; the person then acts in all roles, which have to be of one organisation.
    """
    roles = more.get("nhsid_nrbac_roles")
    held = [each for each in roles[:MOST_VALUES] if isinstance(each, dict)] if isinstance(roles, list) else []
    selected = more.get("selected_roleid")
    if selected is not None:
        held = [each for each in held if each.get("person_roleid") == selected]
    return frozenset(f"{each.get('org_code')}/{_last(each.get('role_code'))}" for each in held)


def _last(code: object) -> str:
    """Return the job role of a role code such as ``S8000:G8000:R8001``."""
    return str(code).rpartition(":")[2]


def _texts(value: object) -> frozenset[str]:
    return frozenset(each for each in value[:MOST_VALUES] if isinstance(each, str)) if isinstance(value, list) else frozenset()


def _name(claims: Mapping[str, Any]) -> str:
    name = claims.get("name") or claims.get("display_name")
    if not isinstance(name, str):
        return UNNAMED
    readable = " ".join("".join(each if each.isprintable() else " " for each in name[: 4 * MOST_NAME]).split())
    return readable[:MOST_NAME] or UNNAMED
