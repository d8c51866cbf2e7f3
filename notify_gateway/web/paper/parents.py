# SPDX-License-Identifier: MIT
"""The parent's copy in plain words: what was said, to whom, by whom, when, what comes next, and what a parent can do.

Short sentences, everyday words, nothing short that is not said in full. A test reckons how many years of school it takes to read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from notify_gateway.domain.casework import Status
from notify_gateway.domain.feedback import AuthorityOutcome
from notify_gateway.domain.model import ParentView
from notify_gateway.privacy.wording import BANNERS
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.use_cases.inbox.settings import InboxSettings
from notify_gateway.web.paper.presenters import Child, ParentCopy, Part
from notify_gateway.web.wording import day

VIEWS: Final[Mapping[ParentView, str]] = MappingProxyType(
    {
        ParentView.AGREES: "They wrote that you agree.",
        ParentView.HAS_CONCERNS: "They wrote that you have worries about it.",
        ParentView.OBJECTS: "They wrote that you do not want this. The law says that they must tell us all the same. "
        "We will take care when we call or write to you.",
        ParentView.NOT_REACHED: "They wrote that they could not reach you.",
        ParentView.IN_WORDS: "They sent us what you said, in your own words.",
        ParentView.NOT_RECORDED: "They did not write down what you think about it.",
    }
)
GROUPS: Final[Mapping[str | None, str]] = MappingProxyType(
    {
        "advised": "They wrote that they told you about groups that may help you.",
        "none-likely": "They wrote that they know of no group that is likely to help you.",
        None: "They did not write down if they told you about groups that may help you.",
    }
)
KINDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "special-educational-need": (
            "special educational needs",
            "“Special educational needs” means that a child needs more help to learn than most children of the same age, or other help.",
        ),
        "disability": ("a disability", "“A disability” is something that lasts for a long time and makes everyday things harder."),
    }
)
OUTCOMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        AuthorityOutcome.KNOWN_ALREADY: "We know your child already. We go on as before.",
        AuthorityOutcome.EARLY_YEARS_SUPPORT: "We offered you help from the early years team.",
        AuthorityOutcome.PORTAGE: "We offered you a helper who comes to your home. The helper shows you how your child can learn by play.",
        AuthorityOutcome.SPECIALIST_TEACHING: "We offered you help from a teacher who knows a lot about needs like these.",
        AuthorityOutcome.INCLUSION_FUNDING: "We found money to help your child join in at nursery or playgroup.",
        AuthorityOutcome.EHC_ASSESSMENT_CONSIDERED: "We are thinking about a closer look at what your child needs. "
        "Its long name is an education, health and care needs assessment. We will talk with you about it.",
        AuthorityOutcome.ADVICE_AND_LOCAL_OFFER: "We gave you advice, and showed you the Local Offer. "
        "That is the list of all the help in our area.",
        AuthorityOutcome.PLANNING_ONLY: "We use it to plan places at nurseries and schools. It does not mean that we will call you.",
        AuthorityOutcome.FAMILY_DECLINED: "You did not want what we offered. You can change your mind at any time.",
        AuthorityOutcome.FAMILY_NOT_REACHED: "We tried to reach you, and could not. Please call us.",
    }
)
_VOLUNTARY: Final = BANNERS["voluntary-notification"]
_SENDIASS: Final = "Special Educational Needs and Disability Information, Advice and Support Service"


def parent_copy(case: Case, *, authority: str, settings: InboxSettings, held_by_authority: bool, child: Child) -> ParentCopy:
    """Return the copy as the notification stands now. It says nothing that only officers are to know."""
    return ParentCopy(
        reference=case.row.reference,
        authority=authority,
        lead=f"This paper is for you. It says what the health team at {case.row.trust.name} told {authority} about your child.",
        child=child,
        parts=(
            Part("Who told us", tuple(_who(case, authority))),
            Part("What they think", tuple(_thought(case)), tuple(dict.fromkeys(need.label for need in case.row.needs))),
            Part("Why they told us", tuple(_why(case))),
            Part("What they wrote about talking with you", tuple(_said(case))),
            Part("What happens next", tuple(_next(case, settings))),
            Part("Who can see it", tuple(_seen(held_by_authority))),
            Part("What you can ask for", _ASK_FOR),
            Part("Who can help you", tuple(_help(settings))),
        ),
    )


_ASK_FOR: Final = (
    "You can ask us what we hold about your child, and get a copy. It is free.",
    "If something is wrong, you can ask us to put it right. That is your right.",
    "If you are not happy with us, tell us. If you are still not happy, you can tell the office that looks after your rights over your "
    "information. You find it at ico.org.uk.",
)


def _who(case: Case, authority: str) -> Iterator[str]:
    yield f"{case.row.trust.name} told {authority} on {day(case.sent_on)}."
    yield f"At {authority}, the early years team has it. This team helps children before they start school."


def _thought(case: Case) -> Iterator[str]:
    for certainty, words in (("has", "has"), ("probably-has", "probably has")):
        kinds = [kind for kind in KINDS if any(kind in need.kinds for need in case.row.needs if need.certainty == certainty)]
        if kinds:
            on = f"On {day(case.opinion_formed_on)}" if case.opinion_formed_on else "Not long ago"
            yield f"{on}, they thought that your child {words} {' and '.join(KINDS[kind][0] for kind in kinds)}."
    if case.row.certainty != "has":
        yield "“Probably” means that they are not sure yet."
    for kind, (_, meaning) in KINDS.items():
        if any(kind in need.kinds for need in case.row.needs):
            yield meaning
    yield "This is what they think now. It can change. They wrote down this kind of need:"


def _why(case: Case) -> Iterator[str]:
    if _VOLUNTARY in case.flags:
        yield "No law made them tell us. They did it because you agreed."
        return
    yield "A law says that they must. It is section 23 of the Children and Families Act 2014."
    yield "They must tell you first, and give you a chance to talk about it. Then they must tell us."


def _said(case: Case) -> Iterator[str]:
    facts = case.parent
    told, offered = day(facts.told_on), day(facts.discussion_offered_on)
    yield f"They wrote that they told you on {told}." if told else "They did not write down when they told you."
    yield (
        f"They wrote that you had a chance to talk about it on {offered}."
        if offered
        else "They did not write down when you had a chance to talk about it."
    )
    yield GROUPS.get(facts.organisations, GROUPS[None])
    yield VIEWS[ParentView(facts.view)]
    yield "Is any of this wrong? Please tell us, or tell them."


def _next(case: Case, settings: InboxSettings) -> Iterator[str]:
    standing = next((each for each in case.outcomes if each.reopened_at is None), None)
    if case.row.status is Status.WITHDRAWN:
        yield "The health team has taken it back. We will do nothing more with it."
        return
    if case.sent_back is not None and case.sent_back.resent_at is None:
        yield "Your child may live in the area of another council. So we sent it back. The health team will send it to the right council."
        return
    if standing is not None:
        yield OUTCOMES[standing.code]
    elif settings.planning_only:
        yield OUTCOMES[AuthorityOutcome.PLANNING_ONLY]
        yield "You can always call us."
    else:
        yield "Someone from the early years team will call you or write to you."
    yield "This paper does not promise you a service. You can say yes or no to any help that we offer."


def _seen(held_by_authority: bool) -> Iterator[str]:
    yield "Your child’s name and address are locked away."
    yield "People in the early years team can open them when they need to. They must say why each time, and that is written down."
    if held_by_authority:
        yield "The people who run the computer system cannot open them."


def _help(settings: InboxSettings) -> Iterator[str]:
    yield f"There is a free service for parents. It is called SENDIASS. That is short for {_SENDIASS}."
    yield "You can talk with them about all that is on this paper. They are not part of the early years team."
    if settings.sendiass_name or settings.sendiass_phone:
        phone = f" Phone: {settings.sendiass_phone}." if settings.sendiass_phone else ""
        yield f"Yours is {settings.sendiass_name or 'the one of your council'}.{phone}"
    else:
        yield "Each council has one. The Council for Disabled Children has a list of them all on its website. You can ask us, too."
