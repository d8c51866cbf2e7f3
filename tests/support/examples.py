# SPDX-License-Identifier: MIT
"""A trust that signs in with a key of its own, as those who follow the examples do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notify_gateway.domain.model import OrganisationType
from notify_gateway.use_cases import client_keys
from notify_gateway.use_cases.client_keys import Offer
from tests.support.service import RunningService
from tests.support.signing import TrustKey, jwks


@dataclass(frozen=True, slots=True)
class SigningTrust:
    """Who it is on the service, and the file with its private key."""

    ods: str
    client_id: str
    kid: str
    key_file: Path


def signing_trust(service: RunningService, folder: Path, *, ods: str, kind: str = "RSA") -> SigningTrust:
    """Let a trust in by two people, and write its private key as PEM into ``folder``."""
    key = TrustKey(f"{ods.lower()}-1", kind, number=60)
    offer, actors = Offer(jwks=jwks(key)), ("operator:a", "operator:b")
    made = client_keys.invite(
        service.gateway, ods=ods, name=f"Trust {ods}", organisation_type=OrganisationType.NHS_TRUST, offer=offer, actor=actors[0]
    )
    client_keys.approve(service.gateway, ods=ods, fingerprints=[key.fingerprint], actor=actors[1])
    file = folder / f"{ods}.pem"
    file.write_bytes(key.private_pem)
    return SigningTrust(ods, str(made.client_id), key.kid, file)
