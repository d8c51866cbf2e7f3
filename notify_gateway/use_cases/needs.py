# SPDX-License-Identifier: MIT
"""From the trust's codes to education's types of need, by the tables in force on the day of each opinion."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.needs import DFE_SEN_TYPE, Strength, Translation, translate
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.model import Opinion
from notify_gateway.privacy.view import ViewNeed


def needs_of(opinions: Iterable[Opinion]) -> tuple[ViewNeed, ...]:
    """Return what the opinions say about needs; one whose codes name no type stands for itself, without a type.

    Raises ``Refused`` for a DfE type that the table does not know, a code that denies the need, and opinions that code risks alone.
    """
    translated = [(opinion, _translations(opinion)) for opinion in opinions]
    issues = [Issue(Code.NEED_CODE_UNKNOWN, opinion.at) for opinion, _ in translated if _names_unknown_type(opinion)]
    issues += [Issue(Code.NEED_CONTRADICTED, opinion.at) for opinion, found in translated if Strength.CONTRADICTION in _strengths(found)]
    if translated and all(_strengths(found) == {Strength.RISK} for _, found in translated):
        issues.append(Issue(Code.NEED_ONLY_RISK, translated[0][0].at))
    if issues:
        raise Refused(*issues)
    return tuple(need for opinion, found in translated for need in _needs(opinion, found))


def _translations(opinion: Opinion) -> list[Translation]:
    found = (translate(coding.system, coding.code, opinion.formed_on) for coding in opinion.codings)
    return [translation for translation in found if translation is not None]


def _names_unknown_type(opinion: Opinion) -> bool:
    stated = [coding for coding in opinion.codings if coding.system == DFE_SEN_TYPE]
    return any(translate(coding.system, coding.code, opinion.formed_on) is None for coding in stated)


def _strengths(found: list[Translation]) -> set[Strength]:
    return {translation.strength for translation in found}


def _needs(opinion: Opinion, found: list[Translation]) -> list[ViewNeed]:
    typed = [
        ViewNeed(
            sen_type=sen_type,
            area=translation.areas[0] if translation.areas else None,
            certainty=opinion.certainty,
            kinds=opinion.kinds,
            strength=translation.strength.value,
            table_version=translation.table_version,
        )
        for translation in found
        for sen_type in translation.sen_types
    ]
    if typed:
        return typed
    strength = found[0].strength.value if found else None
    return [ViewNeed(None, None, opinion.certainty, opinion.kinds, strength, found[0].table_version if found else None)]
