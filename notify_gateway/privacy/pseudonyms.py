# SPDX-License-Identifier: MIT
"""Pseudonyms: keyed, versioned and of one domain each (HKDF RFC 5869, HMAC-SHA-256 RFC 2104), so that no two recipients can join theirs."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from notify_gateway.domain.identity import NhsNumber
from notify_gateway.domain.refs import ALPHABET
from notify_gateway.privacy.encoding import to_crockford

ROOT_BYTES = 32
AUDIT = "audit"
DEDUPE = "dedupe"

_VALUE_BYTES = 20
_LABEL = re.compile(r"[a-z][a-z-]*(:[A-Za-z0-9.-]+)*")
_PSEUDONYM = re.compile(rf"(p[1-9][0-9]*|u)\.([{ALPHABET}]{{32}})([{ALPHABET}])")


def authority_domain(gss: str) -> str:
    """Return the domain of what one local authority sees."""
    return f"authority:{gss}"


class PseudonymKeys:
    """Derives every domain key from versioned roots; the newest version is current, the older ones stay live for look-up.

    A pseudonym is ``p{version}.{32 base32 characters}{check character}``: 160 bits of HMAC-SHA-256 over the NHS number under the key of
    its domain and version. Another number, domain or version gives a value that cannot be told from random without the root.
    """

    __slots__ = ("_derived", "_roots", "current")

    def __init__(self, roots: Mapping[int, bytes]) -> None:
        """Raises ``ValueError`` unless there is at least one root, each of 32 bytes that are not all alike, in versions from 1 up.

        An NHS number has a thousand million values, so an unkeyed or guessably keyed pseudonym is no pseudonym at all.
        """
        if not roots:
            raise ValueError("no pseudonym root: the service does not start unkeyed")
        for version, root in roots.items():
            if version < 1:
                raise ValueError("pseudonym root versions count from 1")
            if len(root) != ROOT_BYTES or len(set(root)) == 1:
                raise ValueError(f"pseudonym root {version} is not {ROOT_BYTES} random bytes")
        self._roots = dict(roots)
        self._derived: dict[tuple[str, str, int], bytes] = {}
        self.current = max(roots)

    def __repr__(self) -> str:
        return f"<PseudonymKeys versions {', '.join(str(version) for version in self.versions)}>"

    @property
    def versions(self) -> tuple[int, ...]:
        """The live versions, newest first."""
        return tuple(sorted(self._roots, reverse=True))

    def pseudonym(self, domain: str, nhs_number: NhsNumber, version: int | None = None) -> str:
        """Return the child's pseudonym in ``domain`` (``authority:<gss>``, ``audit``, ``dedupe``) under ``version``, by default the newest.

        Raises ``KeyError`` if that version has no root.
        """
        version = self.current if version is None else version
        key = self._key("pseudonym", domain, version)
        value = hmac.digest(key, b"nhs\x00" + nhs_number.reveal().encode("ascii"), "sha256")[:_VALUE_BYTES]
        return _checked(f"p{version}", to_crockford(value))

    def all_live(self, domain: str, nhs_number: NhsNumber) -> list[tuple[int, str]]:
        """Return ``(version, pseudonym)`` under every live version, newest first: the values to look a child up by."""
        return [(version, self.pseudonym(domain, nhs_number, version)) for version in self.versions]

    def unlinked(self) -> str:
        """Return a random pseudonym for one message about a child without an NHS number; no two are alike, none links to anything."""
        return _checked("u", to_crockford(secrets.token_bytes(_VALUE_BYTES)))

    def keyed_digest(self, purpose: str, data: bytes, version: int | None = None) -> bytes:
        """Return 32 bytes of HMAC-SHA-256 over ``data`` under a key of its own for ``purpose`` and ``version``.

        Raises ``KeyError`` if that version has no root. Digests are comparable within one version only: keep it beside the digest.
        """
        return hmac.digest(self._key("digest", purpose, self.current if version is None else version), data, "sha256")

    def _key(self, use: str, label: str, version: int) -> bytes:
        place = (use, label, version)
        key = self._derived.get(place)
        if key is None:
            if _LABEL.fullmatch(label) is None:
                raise ValueError("not a pseudonym domain or digest purpose")
            info = f"notify-gateway/{use}/{label}/v{version}".encode("ascii")
            key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._roots[version])
            self._derived[place] = key
        return key


def is_pseudonym(text: str) -> bool:
    """Tell whether ``text`` has the shape and the check character of a pseudonym."""
    match = _PSEUDONYM.fullmatch(text)
    return match is not None and _checked(match[1], match[2]) == text


def _checked(prefix: str, body: str) -> str:
    """Append the Luhn mod 32 character of version and body: it catches every single wrong character and nearly every swap of neighbours."""
    total = 0
    for position, character in enumerate(reversed(prefix[1:] + body)):
        value = ALPHABET.index(character) * (1 if position % 2 else 2)
        total += value // 32 + value % 32
    return f"{prefix}.{body}{ALPHABET[-total % 32]}"
