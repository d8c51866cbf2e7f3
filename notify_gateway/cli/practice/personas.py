# SPDX-License-Identifier: MIT
"""The made-up people of the practice provider, and the file that lets them in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from mappings.authorities import Directory
from notify_gateway.domain.clock import SystemClock, london_day
from notify_gateway.domain.staff import Role

TENANT: Final = "00000000-0000-4000-8000-000000000023"
CLIENT: Final = "notify-gateway-practice"
PROVIDER: Final = "practice"


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody made up; ``key`` is how addresses name them."""

    key: str
    name: str
    organisation: str
    role: Role
    told: str

    @property
    def subject(self) -> str:
        """Return their id, which is the same in each run."""
        return str(uuid5(NAMESPACE_URL, f"practice:{self.key}:{self.organisation}"))

    @property
    def place(self) -> str:
        """Return where they work, as people call it."""
        found = Directory.load().by_gss(self.organisation, london_day(SystemClock().now()))
        return found.name if found else self.organisation

    @property
    def value(self) -> str:
        """Return their app role at the provider."""
        return f"{self.organisation}.{self.role}"


def personas(*, home: str, other: str, trust: str) -> tuple[Persona, ...]:
    """Return who can be chosen: people of the authority ``home``, one of another authority, and one of a trust."""
    return (
        Persona("officer", "Robin Officer", home, Role.OFFICER, "Works notifications in the early-years team."),
        Persona("manager", "Sam Manager", home, Role.MANAGER, "Leads the team: assigns, sees originals, changes settings."),
        Persona("ig-officer", "Alex Governance", home, Role.IG_OFFICER, "Reads what happened, never a child."),
        Persona("strategic-lead", "Jo Strategy", home, Role.STRATEGIC_LEAD, "Sees counts, never a row."),
        Persona("trust-engineer", "Kim Integration", trust, Role.TRUST_ENGINEER, "Connects the trust’s system."),
        Persona("operator", "Pat Operations", home, Role.OPERATOR, "Keeps the service running, and cannot read a child."),
        Persona("other-officer", "Chris Elsewhere", other, Role.OFFICER, "Works at another authority, and sees nothing of this one."),
        Persona("other-manager", "Dana Elsewhere", other, Role.MANAGER, "Leads the team there, whose keys are held in browsers."),
        Persona("third-manager", "Eli Elsewhere", other, Role.MANAGER, "Manages there too: a device is let in by two managers."),
    )


def write_providers(folder: Path, issuer: str, people: tuple[Persona, ...]) -> tuple[Path, str]:
    """Write the file of providers that names the practice provider, and its secret beside it; return the file and the secret."""
    secret, secret_file, file = secrets.token_urlsafe(32), folder / "practice-provider.secret", folder / "providers.toml"
    secret_file.unlink(missing_ok=True)
    secret_file.touch(mode=0o600)
    secret_file.write_text(secret, "utf-8")
    lines = [
        "[[provider]]",
        f'id = "{PROVIDER}"',
        'name = "the practice provider"',
        'shape = "entra"',
        f'issuer = "{issuer}"',
        f'client_id = "{CLIENT}"',
        f"client_secret_file = '{secret_file.resolve()}'",
        f'tenants = ["{TENANT}"]',
        "practice = true",
    ]
    for each in people:
        lines += ["", "[[provider.grant]]", f'value = "{each.value}"', f'organisation = "{each.organisation}"', f'role = "{each.role}"']
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file, secret
