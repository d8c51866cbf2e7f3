# SPDX-License-Identifier: MIT
"""The tripwire: looks for the child's own identifiers, and for anything shaped like one, in a view that is about to leave."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum

from notify_gateway.domain.identity import has_valid_check_digit
from notify_gateway.domain.model import Traces
from notify_gateway.privacy.disclosure import Standing, leaves

# In a code of the published shape a trace must be this long to count. Shorter ones meet codes by chance: "Rae" and "Raj" are names and
# ODS codes of trusts, "Sen" begins every reference, and four given letters occur in one random pseudonym of some thirty-five thousand.
DISTINCTIVE = 6
# In a value that the schema does not foresee, a trace of this length counts anywhere; a shorter one as a whole word.
SUBSTANTIAL = 4

_BETWEEN_WORDS = re.compile(r"[\W_]+")
_NHS_NUMBER = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){9}(?![0-9])")
_POSTCODE = re.compile(r"(?<![A-Z0-9])[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}(?![A-Z0-9])", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"(?<![0-9])(?:\+44|0044|0)(?:[ ()-]*[0-9]){9,10}(?![0-9])")


class Kind(StrEnum):
    """What the tripwire found."""

    OWN_IDENTIFIER = "own-identifier"
    NHS_NUMBER = "nhs-number"
    POSTCODE = "postcode"
    EMAIL = "email"
    PHONE = "phone"
    NOT_A_VIEW = "not-a-view"


class TripwireHit(Exception):
    """The view must not leave: ``path`` says where and ``kind`` what, and neither holds the value."""

    def __init__(self, path: str, kind: Kind) -> None:
        self.path = path
        self.kind = kind
        super().__init__(f"{kind.value} at {path}")


def search(view: bytes, traces: Traces) -> None:
    """Return only if no identifier is in ``view``; raises ``TripwireHit`` on the first.

    A value that is one of the schema's published words, or a date, is not searched: it says the same of every child, so a child named
    Summer, or one born on the day of the opinion, is a coincidence. A code of the published shape is searched for distinctive traces,
    any other value for every trace and for the shapes of identifiers. Case, accents, spaces and punctuation make no difference.
    """
    try:
        document = json.loads(view)
    except (ValueError, RecursionError):
        raise TripwireHit("view", Kind.NOT_A_VIEW) from None
    folded = {trace for trace in map(_fold, traces.reveal()) if trace}
    distinctive = [trace for trace in folded if len(trace) >= DISTINCTIVE]
    substantial = [trace for trace in folded if len(trace) >= SUBSTANTIAL]
    for leaf in leaves(document):
        if leaf.standing is Standing.CLOSED or leaf.value is None:
            continue
        text = str(leaf.value)
        whole = _fold(text)
        if leaf.standing is Standing.OPEN:
            for kind in _shapes(text):
                raise TripwireHit(leaf.path, kind)
            found = not folded.isdisjoint(_words(text)) or any(trace in whole for trace in substantial)
        else:
            found = any(trace in whole for trace in distinctive)
        if found:
            raise TripwireHit(leaf.path, Kind.OWN_IDENTIFIER)


def _fold(text: str) -> str:
    """Return the letters and digits alone, without case and accents."""
    return _BETWEEN_WORDS.sub("", (text if text.isascii() else unicodedata.normalize("NFKD", text)).casefold())


def _words(text: str) -> set[str]:
    return {_fold(word) for word in _BETWEEN_WORDS.split(text)}


def _shapes(text: str) -> Iterator[Kind]:
    if any(has_valid_check_digit(re.sub(r"[ -]", "", run)) for run in _NHS_NUMBER.findall(text)):
        yield Kind.NHS_NUMBER
    if _POSTCODE.search(text):
        yield Kind.POSTCODE
    if _EMAIL.search(text):
        yield Kind.EMAIL
    if _PHONE.search(text):
        yield Kind.PHONE
