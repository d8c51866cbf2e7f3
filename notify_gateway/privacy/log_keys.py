# SPDX-License-Identifier: MIT
"""Published lists of keys, the log's and the gateway's: which signed, from when, until when. What an old key signed stays good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from notify_gateway.privacy.encoding import Json, from_base64, to_base64
from notify_gateway.privacy.signing import SigningPurpose, VerifyingKey


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key and when it signs; None: since the beginning, or still."""

    key: VerifyingKey
    since: datetime | None
    until: datetime | None

    def document(self) -> dict[str, Json]:
        """Return its fields."""
        return {"kid": self.key.kid, "ed25519": to_base64(self.key.raw), "since": _text(self.since), "until": _text(self.until)}

    @classmethod
    def from_document(cls, document: Mapping[str, Json], purpose: SigningPurpose) -> Self:
        """Return the key of such fields; raises ``ValueError`` or ``KeyError``."""
        key = VerifyingKey(str(document["kid"]), purpose, from_base64(document["ed25519"]))
        return cls(key, _instant(document["since"]), _instant(document["until"]))


@dataclass(frozen=True, slots=True)
class LogKeys:
    """All keys that ever signed the log, newest first."""

    FORMAT: ClassVar[str] = "notify-gateway/log-keys"
    SECRET: ClassVar[bool] = False
    PURPOSE: ClassVar[SigningPurpose] = SigningPurpose.LOG

    keys: tuple[LogKey, ...]

    def followed_by(self, key: VerifyingKey, at: datetime) -> Self:
        """Return the list with a further key, which signs from now on beside the others."""
        return type(self)((LogKey(key, at, None), *self.keys))

    def without(self, key: VerifyingKey, at: datetime) -> Self:
        """Return the list in which that key signs no longer."""
        return type(self)(tuple(LogKey(each.key, each.since, at) if each.key == key and each.until is None else each for each in self.keys))

    def document(self) -> dict[str, Json]:
        """Return the fields of the file."""
        return {"keys": [each.document() for each in self.keys]}

    @classmethod
    def from_document(cls, document: Mapping[str, Json]) -> Self:
        """Return the list; raises ``ValueError`` or ``KeyError`` if a field is wrong or missing."""
        keys = document["keys"]
        if not isinstance(keys, list) or not keys:
            raise ValueError("keys is not a list")
        return cls(tuple(LogKey.from_document(_object(each), cls.PURPOSE) for each in keys))


@dataclass(frozen=True, slots=True)
class GatewayKeys(LogKeys):
    """All keys of the gateway, newest first: a next one is published before it signs what goes out."""

    FORMAT: ClassVar[str] = "notify-gateway/gateway-keys"
    PURPOSE: ClassVar[SigningPurpose] = SigningPurpose.GATEWAY


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError("a key is an object")
    return value


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _instant(value: Json) -> datetime | None:
    return None if value is None else datetime.fromisoformat(str(value))
