# SPDX-License-Identifier: MIT
"""The check digit of SNOMED CT identifiers (Verhoeff 1969; SNOMED CT Technical Implementation Guide, "Check-digit")."""

from __future__ import annotations

# Multiplication in the dihedral group of order ten: turns 0 to 4, reflections 5 to 9.
_TIMES = tuple(
    tuple((i + j) % 5 if i < 5 and j < 5 else (i + j) % 5 + 5 if i < 5 else (i - j) % 5 + 5 if j < 5 else (i - j) % 5 for j in range(10))
    for i in range(10)
)
_SHIFT = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _rounds() -> tuple[tuple[int, ...], ...]:
    rounds = [tuple(range(10))]
    while len(rounds) < 8:
        rounds.append(tuple(_SHIFT[digit] for digit in rounds[-1]))
    return tuple(rounds)


_ROUNDS = _rounds()


def is_valid(identifier: str) -> bool:
    """Tell whether ``identifier`` is 6 to 18 ASCII digits without a leading zero whose last digit is the right check digit."""
    if not (identifier.isascii() and identifier.isdigit() and 6 <= len(identifier) <= 18 and identifier[0] != "0"):
        return False
    check = 0
    for place, digit in enumerate(reversed(identifier)):
        check = _TIMES[check][_ROUNDS[place % 8][int(digit)]]
    return check == 0
