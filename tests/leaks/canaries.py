# SPDX-License-Identifier: MIT
"""Canaries: values of an invented child that can turn up nowhere by chance, every disguise they could leak in, and the search for them."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from urllib.parse import quote, quote_plus

from tests.support.messages import CARER, CONDITION, PATIENT, PDF, VIEWS, Message, a_message, nhs_number
from tests.support.service import PULL, a_message_for

BORN = date(2022, 3, 17)
NUMBER = nhs_number(271_828)
SHORTEST = 6
"""Bytes that a disguise must have to be sought: a shorter one turns up in random bytes by chance."""

CANARIES: dict[str, tuple[str, ...]] = {
    "given name": ("Zyxandra",),
    "family name": ("Vorpalstone",),
    "carer's name": ("Jubjubina",),
    "NHS number": (NUMBER, f"{NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}", f"{NUMBER[:3]}-{NUMBER[3:6]}-{NUMBER[6:]}"),
    "date of birth": ("2022-03-17", "17/03/2022", "17-03-2022", "17.03.2022", "20220317", "17 March 2022", "17 Mar 2022", "2022, 3, 17"),
    "postcode": ("TS18 1LD", "TS181LD"),
    "postcode of the other authority": ("TS1 2QJ", "TS12QJ"),
    "address": ("77 Bandersnatch Terrace",),
    "telephone": ("07700900461", "07700 900461", "+447700900461", "7700900461"),
    "e-mail": ("jubjubina@tulgeywood.example",),
    "narrative": ("whiffling through the tulgey copse",),
    "opinion in words": ("burbles when startled",),
    "attachment's title": ("Report of the Wabe Clinic",),
    "attachment": ("gyred and gimbled all morning",),
    "request for a service": ("outgrabe soon please",),
    "observation": ("mimsy when spoken to",),
    "trust's own patient number": ("L-BRILLIG-60718",),
    "trust's own notification number": ("SN-SLITHY-31415",),
}


def a_canary(authority: str = PULL) -> Message:
    """Return a good notification in which everything personal is a canary; its ids are fresh, its business identifier too."""
    message = a_message_for(a_message(), authority)
    message.for_child(number=NUMBER, given="Zyxandra", family="Vorpalstone", born=BORN, line="77 Bandersnatch Terrace")
    child, carer = message.resource(PATIENT), message.resource(CARER)
    child["identifier"].append({"system": "https://rxx.nhs.uk/Id/local-patient", "value": "L-BRILLIG-60718"})
    carer["name"][0]["given"] = ["Jubjubina"]
    carer["telecom"] = [
        {"system": "phone", "value": "07700900461", "use": "mobile"},
        {"system": "email", "value": "jubjubina@tulgeywood.example"},
    ]
    message.resource(VIEWS)["payload"] = [{"contentString": "Came whiffling through the tulgey copse."}]
    message.resource(CONDITION)["note"] = [{"text": "The child burbles when startled."}]
    message.attached(PDF + b"She gyred and gimbled all morning. " * 60, title="Report of the Wabe Clinic").involving("Portage")
    message.data["entry"][-2]["resource"]["note"] = [{"text": "To outgrabe soon please."}]
    message.observed({"text": "Mood"}, valueString="Is mimsy when spoken to.").scored("communication", 25)
    return message.identified(f"SN-SLITHY-31415-{message.message_id}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that was kept, said or sent, by the name of the place where it was found."""

    place: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """A canary where none may be."""

    place: str
    canary: str
    disguise: str


@cache
def disguises() -> tuple[tuple[bytes, str, str], ...]:
    """Return (bytes to look for, canary, disguise) of all disguises; those of letters are in lower case (see ``search``)."""
    found: dict[bytes, tuple[str, str]] = {}
    for canary, spellings in CANARIES.items():
        for spelling in spellings:
            for written in {spelling, spelling.lower(), spelling.upper(), spelling.replace(" ", ""), spelling.replace(" ", "").lower()}:
                for needle, disguise in _disguised(written):
                    if len(needle) >= SHORTEST:
                        found.setdefault(needle, (canary, disguise))
    return tuple((needle, canary, disguise) for needle, (canary, disguise) in found.items())


def _disguised(text: str) -> Iterator[tuple[bytes, str]]:
    raw = text.encode()
    yield raw, "as it is"
    yield text.encode("utf-16-le"), "UTF-16"
    yield raw.hex().encode(), "hex"
    yield raw.hex().upper().encode(), "hex"
    yield quote(text, safe="").encode(), "URL"
    yield quote_plus(text).encode(), "URL"
    yield json.dumps(text)[1:-1].encode(), "JSON"
    for altchars in (None, b"-_"):
        for shift in range(3):
            # The first and last characters hold bits of the neighbours too, so only those between are certain.
            coded = base64.b64encode(b"\0" * shift + raw, altchars).rstrip(b"=")
            yield coded[(0, 2, 3)[shift] : len(coded) - (1 if (shift + len(raw)) % 3 else 0)], "base64"
    for name in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(name, raw).digest()
        yield digest, f"{name} without salt"
        yield digest.hex().encode(), f"{name} without salt, hex"
        yield digest.hex().upper().encode(), f"{name} without salt, hex"
        yield base64.b64encode(digest).rstrip(b"=")[:-1], f"{name} without salt, base64"
        yield base64.urlsafe_b64encode(digest).rstrip(b"=")[:-1], f"{name} without salt, base64"


def search(evidence: Iterable[Evidence]) -> list[Hit]:
    """Return every canary in the evidence, also inside what is packed or coded in it, two layers deep."""
    hits: dict[tuple[str, str], Hit] = {}
    for each in evidence:
        for content in _layers(each.content, depth=2):
            lowered = content.lower()
            for needle, canary, disguise in disguises():
                # What has no capitals is in the lowered content if it is in the content; what has some can only be in the content.
                if (each.place, canary) not in hits and needle in (lowered if needle == needle.lower() else content):
                    hits[each.place, canary] = Hit(each.place, canary, disguise)
    return list(hits.values())


_EMPTY = re.compile(rb"\0{64,}")
_CODED = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){16,}")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_MOST_UNPACKED = 1 << 20


def _layers(content: bytes, depth: int) -> Iterator[bytes]:
    """Yield the content and, joined, what is unpacked and decoded from it."""
    content = _EMPTY.sub(b"\0", content)
    yield content
    if depth == 0:
        return
    inner = b"\n".join([*_unpacked(content), *_decoded(content)])
    if inner:
        yield from _layers(inner, depth - 1)


def _unpacked(content: bytes) -> Iterator[bytes]:
    for match in _PACKED.finditer(content):
        packed = memoryview(content)[match.start() : match.start() + _MOST_UNPACKED]
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            plain = unpacker.decompress(packed, _MOST_UNPACKED)
        except zlib.error:
            continue
        if len(plain) >= SHORTEST:
            yield plain


def _decoded(content: bytes) -> Iterator[bytes]:
    for match in _CODED.finditer(content):
        text = match[0].translate(bytes.maketrans(b"-_", b"+/"))
        yield binascii.a2b_base64(text[: len(text) // 4 * 4])
    for match in _HEX.finditer(content):
        yield binascii.unhexlify(match[0])


def packed(content: bytes) -> bytes:
    """Return the content as gzip."""
    return gzip.compress(content)
