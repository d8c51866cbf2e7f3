# SPDX-License-Identifier: MIT
"""The identity providers at which people sign in, from one TOML file: who they are, for whom, and which group means which role.

Shapes: Microsoft Entra ID (``tid``, ``oid``, groups or app roles) and NHS CIS2 Authentication (``selected_roleid``, ``acr``).
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from notify_gateway.domain.staff import Role

MOST_BYTES: Final = 256 * 1024
TENANT: Final = "{tenantid}"
"""What stands for the tenant in an issuer of Entra that serves several."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AUTHORITY, _ORGANISATION = re.compile(r"[EWSN]\d{8}"), re.compile(r"[EWSN]\d{8}|[A-Z0-9]{3,10}")
_PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal Microsoft accounts."""
_OF_AN_AUTHORITY = (Role.OFFICER, Role.MANAGER)
_SCOPES = {"entra": ("openid", "profile"), "cis2": ("openid", "profile", "nationalrbacaccess", "selectedrole")}


class ProvidersRefused(Exception):
    """The file of providers cannot be used; the message says where and why, and holds no secret."""


class Shape(StrEnum):
    """Whose OpenID Connect it is: they name tenants, people and roles in ways of their own."""

    ENTRA = "entra"
    CIS2 = "cis2"


class Algorithm(StrEnum):
    """Signatures of ID tokens that can be pinned; nothing symmetric, and never none."""

    RS256 = "RS256"
    RS512 = "RS512"
    PS256 = "PS256"
    ES256 = "ES256"
    ES384 = "ES384"


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Grant(_Read):
    """One line of the map: whoever has this group or role acts for the organisation in that role; ``tenant`` where there are several."""

    value: Annotated[str, Field(min_length=1, max_length=200)]
    organisation: str
    role: Role
    tenant: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if _ORGANISATION.fullmatch(self.organisation) is None:
            raise ValueError("organisation is a GSS or an ODS code")
        if self.role in _OF_AN_AUTHORITY and _AUTHORITY.fullmatch(self.organisation) is None:
            raise ValueError("officers and managers are of a local authority, which has a GSS code")
        return self


class Provider(_Read):
    """One identity provider as this service knows it."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    shape: Shape
    issuer: Annotated[str, Field(max_length=300)]
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client_secret_file: Path | None = None
    client_key_file: Path | None = None
    client_key_id: Annotated[str | None, Field(max_length=128)] = None
    algorithm: Algorithm = Algorithm.RS256
    tenants: frozenset[str] = frozenset()
    claim: Annotated[str, Field(pattern=r"^(roles|groups)$")] = "roles"
    acr_asked: Annotated[str | None, Field(max_length=200)] = None
    acr_accepted: frozenset[str] = frozenset()
    people: Annotated[str, Field(pattern=r"^(provider|register)$")] = "provider"
    organisations: frozenset[str] = frozenset()
    practice: bool = False
    grant: tuple[Grant, ...] = ()

    @field_validator("tenants")
    @classmethod
    def _are_tenants(cls, tenants: frozenset[str]) -> frozenset[str]:
        if not all(_UUID.fullmatch(each) for each in tenants) or _PERSONAL in tenants:
            raise ValueError("tenants are the ids of organisations' tenants, in small letters; not common, not personal accounts")
        return tenants

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _require_issuer(self.issuer)
        if (self.client_secret_file is None) == (self.client_key_file is None):
            raise ValueError("give client_secret_file or client_key_file: one of them")
        if self.client_key_file is not None and not self.client_key_id:
            raise ValueError("client_key_file goes with client_key_id, the kid under which the provider knows the key")
        if self.shape is Shape.ENTRA:
            self._require_tenants()
        elif self.tenants or TENANT in self.issuer:
            raise ValueError("tenants are Entra's")
        elif not self.acr_accepted:
            raise ValueError("name in acr_accepted how strongly people are signed in, such as AAL2 and AAL3")
        if self.people == "register" and (self.grant or not self.organisations):
            raise ValueError("with people = register there is no grant, and organisations names whose register it is")
        if self.people == "provider" and (not self.grant or self.organisations):
            raise ValueError("with people = provider each role comes by a grant")
        return self

    def _require_tenants(self) -> None:
        if not self.tenants:
            raise ValueError("name the tenants that may sign in")
        if len(self.tenants) > 1 and TENANT not in self.issuer:
            raise ValueError(f"several tenants have an issuer with {TENANT}")
        if any(each.tenant not in self.tenants for each in self.grant if each.tenant is not None):
            raise ValueError("a grant is of one of the tenants")
        if len(self.tenants) > 1 and any(each.tenant is None for each in self.grant):
            raise ValueError("with several tenants each grant names its own: two may call a role the same")

    @property
    def discovery(self) -> str:
        """Return the address of what the provider says of itself (OpenID Connect Discovery 1.0, 4)."""
        return f"{self.issuer.replace(TENANT, 'organizations').rstrip('/')}/.well-known/openid-configuration"

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return what is asked for."""
        return _SCOPES[self.shape]

    def issuer_for(self, tenant: str | None) -> str:
        """Return what ``iss`` has to say in a token of that tenant."""
        return self.issuer.replace(TENANT, tenant or "")

    def secret(self) -> SecretStr:
        """Return the client secret or the private key (PEM); raises ``ProvidersRefused`` for a file that others may read."""
        path = self.client_secret_file or self.client_key_file
        assert path is not None  # the model sees to it
        try:
            with path.open(encoding="utf-8") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read(MOST_BYTES).strip()
        except (OSError, UnicodeDecodeError):
            raise ProvidersRefused(f"provider {self.id}: {path} cannot be read") from None
        if stat.S_IMODE(mode) & 0o007:
            raise ProvidersRefused(f"provider {self.id}: {path} can be read by every user of this machine; chmod 0400 it")
        if not text:
            raise ProvidersRefused(f"provider {self.id}: {path} is empty")
        return SecretStr(text)


class _File(_Read):
    provider: tuple[Provider, ...]


def read_providers(path: Path, *, live: bool) -> tuple[Provider, ...]:
    """Return the providers that the file names.

    Raises ``ProvidersRefused`` when it cannot be used; in a ``live`` deployment also for a practice provider, and for one that has no https
    or is on this machine.
    """
    try:
        content = path.read_bytes()
        found = _File.model_validate(tomllib.loads(content[:MOST_BYTES].decode())).provider
    except OSError as error:
        raise ProvidersRefused(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProvidersRefused(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None
    except ValueError as error:
        raise ProvidersRefused(f"{path} is no TOML: {type(error).__name__}") from None
    if not found or len({each.id for each in found}) != len(found):
        raise ProvidersRefused(f"{path}: there is at least one provider, and each has an id of its own")
    for each in found if live else ():
        if each.practice or not each.issuer.startswith("https://") or _is_here(urlsplit(each.issuer).hostname or ""):
            raise ProvidersRefused(f"provider {each.id} is for practice: a live deployment takes nobody's word but a real provider's")
    return found


def _require_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("issuer is the provider's https address, without query")


def _is_here(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
