# SPDX-License-Identifier: MIT
"""The reference that people say on the telephone: ``SEN-`` + 8 random Crockford base32 characters + a check character."""

from __future__ import annotations

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_ALPHABET = ALPHABET + "*~$=U"
# Crockford's five extra check symbols are awkward to say and to put in a URL, so references that would need one are drawn again.
_PATTERN = re.compile(rf"SEN-([{ALPHABET}]{{8}})-([{ALPHABET}])")


def new_reference() -> str:
    """Return a fresh reference such as ``SEN-7K2M9QXR-C``: 40 random bits, without meaning, safe in URLs, logs and speech."""
    while True:
        value = secrets.randbits(40)
        body = "".join(ALPHABET[value >> shift & 31] for shift in range(35, -5, -5))
        check = check_character(body)
        if check in ALPHABET:
            return f"SEN-{body}-{check}"


def check_character(body: str) -> str:
    """Return Crockford's modulus 37 check symbol of ``body``."""
    value = 0
    for character in body:
        value = value * 32 + ALPHABET.index(character)
    return CHECK_ALPHABET[value % 37]


def is_reference(text: str) -> bool:
    """Tell whether ``text`` has the shape and the check character of a reference."""
    match = _PATTERN.fullmatch(text)
    return match is not None and check_character(match[1]) == match[2]
