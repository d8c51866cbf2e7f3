# SPDX-License-Identifier: MIT
"""The invented children of the worked examples: each with a story of one line, its messages, and what the gateway answers to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from notify_gateway.cli.examples.draft import STOCKTON, Draft, Home
from notify_gateway.cli.examples.enclosing import asking_for, with_report, with_score
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.model import MessageReason, ReceiverReason
from notify_gateway.fhir import names

UPDATE, DELETE = MessageReason.UPDATE, MessageReason.DELETE

SLCN = (names.DFE_SEN_TYPE, "SLCN", "Speech, language and communication needs")
ASD = (names.DFE_SEN_TYPE, "ASD", "Autistic spectrum disorder")
SEMH = (names.DFE_SEN_TYPE, "SEMH", "Social, emotional and mental health")
HI = (names.DFE_SEN_TYPE, "HI", "Hearing impairment")
VI = (names.DFE_SEN_TYPE, "VI", "Vision impairment")
PD = (names.DFE_SEN_TYPE, "PD", "Physical disability")
DS = (names.DFE_SEN_TYPE, "DS", "Down syndrome")
MLD = (names.DFE_SEN_TYPE, "MLD", "Moderate learning difficulty")
DEVELOPMENTAL_LANGUAGE_DISORDER = (names.SNOMED, "280032002", "Developmental language disorder")
DISABILITY, BOTH = ("disability",), ("special-educational-need", "disability")


@dataclass(frozen=True, slots=True)
class Sender:
    """For whom the examples are made: the moment, the sending organisation, and a home in the area of an authority on the service."""

    now: datetime
    ods: str = "RXX"
    home: Home = STOCKTON

    def draft(self) -> Draft:
        """Return a good notification of this sender."""
        return Draft(self.now, home=self.home, ods=self.ods)


@dataclass(frozen=True, slots=True)
class Example:
    """One message of a child's story. ``code`` is what a refusal names; an acceptance has none."""

    draft: Draft
    shows: str
    code: Code | None = None

    @property
    def status(self) -> int:
        """Return the HTTP status of the answer."""
        return 202 if self.code is None else entry(self.code).status


@dataclass(frozen=True, slots=True)
class Child:
    """An invented child: the file name's beginning, the story, and the messages in the order in which they are sent."""

    name: str
    story: str
    examples: Callable[[Sender], Iterator[Example]]


def _amina(sender: Sender) -> Iterator[Example]:
    first = sender.draft().child(given="Amina", family="Brindlewood").opinion(SLCN).view("agrees", "Would like help with talking.")
    yield Example(first, "new: she probably has a speech, language and communication need")
    better = first.followed_by(UPDATE).opinion(DEVELOPMENTAL_LANGUAGE_DISORDER, has=True)
    yield Example(better, "update: the whole message again, now with a diagnosis in SNOMED CT; it replaces the first")
    yield Example(better.followed_by(DELETE), "delete: it was sent about the wrong child; withdrawn, and never refused for its content")


def _caspian(sender: Sender) -> Iterator[Example]:
    first = sender.draft().child(given="Caspian", family="Ashgrove", gender="male").opinion(SEMH)
    yield Example(first, "new")
    yield Example(first.followed_by(UPDATE).no_longer_held(), "update that says that the opinion is no longer held: withdrawn")


def _delphine(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Delphine", family="Copperfold").opinion(ASD).another_opinion(PD, has=True, kinds=DISABILITY)
    yield Example(draft, "two Conditions, both named by the focus; the parent was told of both")


def _emrys(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Emrys", family="Dunmallow", gender="male").opinion(MLD)
    yield Example(draft.carer("Morgan", "FTH", "father", "07700900456"), "two RelatedPersons; each act names both as recipients")


def _fenella(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Fenella", family="Elderwick").opinion(SLCN)
    draft.view("objects", "Does not want the council to be told.")
    yield Example(draft, "a coded view and the parent's words; section 23 has no veto, and the officer is told to contact sensitively")


def _gwilym(sender: Sender) -> Iterator[Example]:
    born = sender.draft().sent_on - timedelta(days=40)
    draft = sender.draft().child(given="Gwilym", family="Fernaby", born=born, gender="male").opinion(DS, has=True, kinds=BOTH)
    yield Example(draft.without_nhs_number("not-yet-traced"), "the reason in UK Core's extension, and a local identifier instead")


def _hester(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Hester", family="Greyling").opinion(SLCN).no_postcode()
    yield Example(draft.because(ReceiverReason.NO_FIXED_ADDRESS), "the sender names the authority and gives the reason")


def _idris(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Idris", family="Hollowell", gender="male").opinion(SEMH).restricted()
    yield Example(draft, "the address finds the authority, is sealed with the original, and stands on no card")


def _juniper(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Juniper", family="Ivesmoor").opinion(SLCN).view("agrees").agreed()
    yield Example(draft, "the parent's agreement to share, without which a sender that section 23 does not bind is refused")


def _kester(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Kester", family="Juddmere", gender="male")
    draft.opinion(HI, has=True, kinds=BOTH).another_opinion(VI, has=True, kinds=BOTH)
    yield Example(draft, "hearing and vision together: the authority is shown that multi-sensory impairment may be meant")


def _linnea(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Linnea", family="Kelderby").opinion(ASD)
    words = "Told of the county's parent group for families of autistic children."
    yield Example(draft.voluntary_organisation(words), "section 23(4): the organisation in a Communication of its own")


def _morwenna(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Morwenna", family="Larkstoke")
    last_day, born = _last_day_under_school_age(draft.sent_on)
    draft.child(born=born).opinion(SLCN).dated(opinion=last_day, informed=last_day, offered=last_day)
    draft.at["views"]["sent"] = last_day.isoformat()
    yield Example(draft, "the opinion was formed on her last day under compulsory school age; sent late, it is still the duty")


def _nesta(sender: Sender) -> Iterator[Example]:
    untold = sender.draft().child(given="Nesta", family="Millbeck").opinion(SLCN)
    yield Example(untold.followed_by(MessageReason.NEW).without("informed"), "no parent-informed", Code.PARENT_NOT_INFORMED)
    hasty = untold.followed_by(MessageReason.NEW)
    hasty.dated(informed=hasty.sent_on - timedelta(days=6))
    yield Example(hasty, "the parent was told the day before the opinion was formed", Code.INFORMED_BEFORE_OPINION)
    yield Example(untold, "corrected: refused messages may be sent again under the same identifier")


def _osian(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Osian", family="Nettlecombe", gender="male").opinion(SLCN)
    begins, born = _first_day_of_school_age(draft.sent_on)
    draft.child(born=born).dated(opinion=begins, informed=begins, offered=begins)
    yield Example(draft, "the opinion was formed on his first day of compulsory school age", Code.COMPULSORY_SCHOOL_AGE)
    welsh = sender.draft().child(given="Osian", family="Nettlecombe", gender="male").opinion(SLCN)
    welsh.lives(Home(sender.home.gss, sender.home.council, "Cardiff", "CF10 3ND"))
    yield Example(welsh, "a home in Wales, where another Act applies", Code.LIVES_IN_WALES)
    wrong = sender.draft().child(given="Osian", family="Nettlecombe", nhs_number="9990000000").opinion(SLCN)
    yield Example(wrong, "an NHS number whose check digit is wrong", Code.NHS_NUMBER_INVALID)


def _pryce(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Pryce", family="Oakhanger", gender="male").opinion(HI, has=True, kinds=DISABILITY)
    yield Example(with_report(draft, "Hearing test"), "a PDF inside the message, sealed with the rest; JPEG and PNG are taken as well")


def _rhian(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Rhian", family="Penhallow").opinion(SLCN)
    for domain, score in zip(names.ASQ_3_DOMAINS, (15, 50, 45, 35, 30), strict=True):
        with_score(draft, domain, score)
    yield Example(draft, "five Observations of the questionnaire at 27 months, shown to the officer as scores")


def _seren(sender: Sender) -> Iterator[Example]:
    draft = sender.draft().child(given="Seren", family="Quenby").opinion(DS, has=True, kinds=BOTH)
    yield Example(asking_for(draft, "Portage"), "part 2: a ServiceRequest, and the parent's agreement to it and to nothing else")
    alone = sender.draft().child(given="Seren", family="Quenby").opinion(DS, has=True, kinds=BOTH)
    shows = "part 2 without the agreement; the notification itself may go without part 2"
    yield Example(asking_for(alone, "Portage").without("consent"), shows, Code.INVOLVEMENT_NOT_AGREED)


def _first_day_of_school_age(sent_on: date) -> tuple[date, date]:
    """Return the latest 31 August before ``sent_on``, and the birthday of those who come of age on it without being five before."""
    begins = max(day for day in (date(sent_on.year - back, 8, 31) for back in (0, 1)) if day < sent_on)
    return begins, begins.replace(year=begins.year - 5)


def _last_day_under_school_age(sent_on: date) -> tuple[date, date]:
    begins, born = _first_day_of_school_age(sent_on)
    return begins - timedelta(days=1), born


CHILDREN: Final = (
    Child("amina", "Notified, known better, withdrawn", _amina),
    Child("caspian", "The opinion is withdrawn", _caspian),
    Child("delphine", "Several opinions", _delphine),
    Child("emrys", "Several carers", _emrys),
    Child("fenella", "A parent objects", _fenella),
    Child("gwilym", "A baby without an NHS number", _gwilym),
    Child("hester", "No fixed address", _hester),
    Child("idris", "In a refuge: the address is restricted", _idris),
    Child("juniper", "A sender that section 23 does not bind", _juniper),
    Child("kester", "Hearing and vision", _kester),
    Child("linnea", "A voluntary organisation may help", _linnea),
    Child("morwenna", "Came of school age before it was sent", _morwenna),
    Child("pryce", "A report is attached", _pryce),
    Child("rhian", "Scores of the two-year review", _rhian),
    Child("seren", "A service is asked to become involved", _seren),
    Child("nesta", "The trust forgot to tell the parent first", _nesta),
    Child("osian", "Refused for age, home and number", _osian),
)


def worked_examples(sender: Sender) -> Iterator[tuple[Child, str, Example]]:
    """Give every message of every child, with the name of its file, in the order in which they are to be sent."""
    for number, child in enumerate(CHILDREN, 1):
        for step, example in enumerate(child.examples(sender), 1):
            reason = example.draft.at["header"]["reason"]["coding"][0]["code"]
            refused = "" if example.code is None else "-refused"
            yield child, f"{number:02}-{child.name}-{step}-{reason}{refused}.json", example
