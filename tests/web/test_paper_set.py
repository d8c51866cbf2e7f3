# SPDX-License-Identifier: MIT
"""Paper as it is set: tagged as PDF/UA asks, one sheet for each notification however much there is, and words that a child of ten reads."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pikepdf
import pytest

from notify_gateway.domain.casework import Status, Step
from notify_gateway.domain.model import ParentView
from notify_gateway.privacy.wording import BANNERS, PARENT_VIEWS
from notify_gateway.use_cases.inbox.details import Case, ParentFacts, RecordedOutcome, SentBack
from notify_gateway.use_cases.inbox.lists import Need, Officer, Row, Trust
from notify_gateway.use_cases.inbox.settings import InboxSettings
from notify_gateway.web.inbox.attempts_presenter import Tried
from notify_gateway.web.inbox.banner_presenter import Banner
from notify_gateway.web.inbox.case_presenter import Ending, Fact
from notify_gateway.web.inbox.history_presenter import Entry
from notify_gateway.web.inbox.listing_presenters import Due
from notify_gateway.web.pages import Frame, render
from notify_gateway.web.paper import parents, presenters, sheets
from notify_gateway.web.paper.presenters import Child, Paper, Sheet
from notify_gateway.web.paper.setting import set_pdf

FRAME = Frame(made_up=True, nonce="n", account=None, area="", faulty=False, printed_at="")
NOBODY = Child(ready=False)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG = "Example Community and Mental Health University NHS Foundation Trust"
LONG_NAME = "Bartholomew Featherstonehaugh-Cholmondeley"
NEED = Need("SLCN", "Speech, language and communication needs", None, "has", ("special-educational-need", "disability"), "stated")
PARENT = ParentFacts(
    told_on=date(2026, 11, 2),
    discussion_offered_on=date(2026, 11, 3),
    view="objects",
    organisations="advised",
    do_not_contact_before=None,
    contact_sensitively=True,
)
ROW = Row(
    reference="SEN-07013XYZ-C",
    version=1,
    needs=(NEED,),
    certainty="has",
    age="2 years 7 months",
    trust=Trust("RXX", "Example Community NHS Trust"),
    received_at=AT,
    reply_by=None,
    officer=None,
    status=Status.RECEIVED,
    sensitive=True,
    additional=False,
)
CASE = Case(
    row=ROW,
    notification_id=UUID(int=1),
    delivery_id=UUID(int=2),
    message_id=UUID(int=3),
    opinion_formed_on=date(2026, 11, 1),
    sent_on=date(2026, 11, 4),
    service=None,
    event="new",
    flags=(),
    parent=PARENT,
    came_of_age_on=None,
    next=Step.ACKNOWLEDGE,
    may_acknowledge=True,
    may_contact=False,
    may_record_outcome=False,
    may_reopen=False,
    may_send_back=True,
    may_ask=True,
    may_close=False,
    assignments=(),
    contacts=(),
    failed_tries=0,
    asked_not_to_contact=False,
    outcomes=(),
    questions=(),
    sent_back=None,
    related=(),
    warnings=(),
    notices=(),
    history=(),
    restricted_contact=None,
    erased=False,
)
OUTCOME = RecordedOutcome(
    code="portage", label="Portage", on=date(2026, 11, 9), review_on=None, by=None, at=AT, reopened_at=None, reopened_because=None
)
BACK = SentBack(reason="moved", label="Moved", suggested=None, suggested_name=None, at=AT, resent_at=None, times=1, disputed=False)


def fullest(*, panel: bool) -> Sheet:
    """Return the sheet with the most on it that a presenter lets through."""
    need = "Probably has: Social, emotional and mental health (special educational needs and a disability)"
    sentence = "The parent objects to this notification. The law still required it; make contact with care, and never by letter alone."
    recorded = f"20 November 2026, {LONG_NAME}"
    told = (
        Fact("Needs", (need,) * presenters.MOST_NEEDS),
        Fact("The opinion was formed on", ("27 September 2026",)),
        Fact("By", (f"{LONG} (Community paediatrics and child development centre)",)),
        Fact("Age then", ("4 years 11 months", "Of compulsory school age from 31 December 2026")),
        Fact("Sent to you on", ("27 September 2026",)),
    )
    return Sheet(
        reference="SEN-07013XYZ-C",
        authority="Bournemouth, Christchurch and Poole",
        needs="Social, emotional and mental health, Speech, language and communication needs and 9 more",
        status="Sent to another council",
        officer=LONG_NAME,
        due=Due("Give it to an officer", "24 November 2026", "24 Nov 2026", "12 working days late", "late"),
        banners=tuple(Banner("The family asked not to be contacted", sentence, "stop") for _ in range(presenters.MOST_BANNERS)),
        also=("Contact sensitively", "The family was contacted about another notification on 20 November 2026", "Possible duplicate"),
        child=NOBODY,
        told=told,
        parent=tuple(Fact("Told of the opinion, and that you would be told", ("The trust did not say",), True) for _ in range(4)),
        tried=(Tried("1", "Through the nursery or setting, professional: left a message", recorded, (), True, False, False),)
        * presenters.MOST_TRIED,
        endings=tuple(Ending("EHC needs assessment considered", sentence[:90]) for _ in range(presenters.MOST_ENDINGS)),
        related=", ".join(["SEN-07013XYZ-C"] * presenters.MOST_RELATED) + " and 3 more",
        history=(Entry("The trust was asked a question", LONG_NAME, "20 November 2026 at 12:00pm", "", (), False),)
        * presenters.MOST_HISTORY,
        left_out=("3 needs", "4 contacts", "1 outcome", "17 entries of the history"),
        panel=panel,
    )


def copy_of(case: Case, settings: InboxSettings | None = None, *, held: bool = True) -> presenters.ParentCopy:
    rules = settings or InboxSettings()
    return parents.parent_copy(case, authority="Hartlepool", settings=rules, held_by_authority=held, child=NOBODY)


def a_paper(**more: Any) -> Paper:
    return Paper(title="Notification SEN-07013XYZ-C", back="/", back_words="Back", pdf="/", printed="Printed by A.", fills=False, **more)


def pdf_of(paper: Paper) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(set_pdf(render("paper/pdf.html", paper, FRAME).decode(), sheets.style())))


PAPERS = {
    "sheet": a_paper(sheets=(fullest(panel=False),)),
    "pack": a_paper(cover=presenters.cover((CASE, CASE), authority="Hartlepool"), sheets=(fullest(panel=True),) * 2),
    "copy": a_paper(parent=copy_of(CASE)),
}


@pytest.fixture(scope="module")
def made() -> dict[str, pikepdf.Pdf]:
    return {name: pdf_of(paper) for name, paper in PAPERS.items()}


def elements(tree: Any) -> Iterator[Any]:
    """Yield the elements of the structure tree, in reading order."""
    children = tree.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield child
            yield from elements(child)


def fonts(pdf: pikepdf.Pdf) -> Iterator[Any]:
    for page in pdf.pages:
        for font in page.obj.Resources.Font.values():
            yield from font.get("/DescendantFonts", [font])


@pytest.mark.parametrize("name", PAPERS)
def test_a_pdf_is_what_pdf_ua_asks_for(made: dict[str, pikepdf.Pdf], name: str) -> None:
    pdf = made[name]
    root = pdf.Root
    with pdf.open_metadata() as told:
        assert told["pdfuaid:part"] == "1"
        assert told["dc:title"] == PAPERS[name].title
    assert bool(root.MarkInfo.Marked)
    assert str(root.Lang) == "en-GB"
    assert bool(root.ViewerPreferences.DisplayDocTitle)
    assert "/StructTreeRoot" in root
    assert "/ParentTree" in root.StructTreeRoot
    embedded = list(fonts(pdf))
    assert embedded
    assert all("/FontFile2" in font.FontDescriptor or "/FontFile3" in font.FontDescriptor for font in embedded)
    assert all("LiberationSans" in str(font.FontDescriptor.FontName).replace("-", "") for font in embedded)
    kinds = [str(each.S) for each in elements(root.StructTreeRoot)]
    headings = [int(kind[2:]) for kind in kinds if re.fullmatch("/H[1-6]", kind)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(headings)), "no level is left out"
    assert all("/Alt" in each for each in elements(root.StructTreeRoot) if str(each.S) == "/Figure")
    assert "/Annots" not in pdf.pages[0].obj
    for page in pdf.pages:
        depth = 0
        for step in pikepdf.parse_content_stream(page):
            name = str(step.operator)
            depth += {"BMC": 1, "BDC": 1, "EMC": -1}.get(name, 0)
            assert depth > 0 or name not in ("Tj", "TJ", "'", '"'), "no text stands outside the tags"


def test_the_table_on_a_cover_has_headings_that_say_what_they_are_of(made: dict[str, pikepdf.Pdf]) -> None:
    root = made["pack"].Root.StructTreeRoot
    headings = {str(each.ID) for each in elements(root) if str(each.S) == "/TH"}
    named = [{str(each) for each in cell.A.Headers} for cell in elements(root) if str(cell.S) == "/TD"]
    assert len(headings) == 6 + 2
    assert [len(each) for each in named] == [2] * 5 * 2, "the row's, and the column's"
    assert all(each <= headings for each in named)
    names = root.IDTree.Names
    assert {str(each) for each in names[::2]} == headings
    assert [str(each) for each in names[::2]] == sorted(headings)
    assert all(str(each.S) == "/TH" for each in names[1::2])


def test_a_notification_is_one_sheet_however_much_there_is(made: dict[str, pikepdf.Pdf]) -> None:
    assert [len(made[name].pages) for name in ("sheet", "pack", "copy")] == [1, 3, 2]


def test_a_sheet_that_would_load_something_is_not_set() -> None:
    for html in ('<img src="https://other.example/a.png" alt="">', '<link rel="stylesheet" href="file:///etc/passwd">'):
        with pytest.raises(ValueError, match="sheets load nothing"):
            set_pdf(f"<html lang=en><title>x</title>{html}", "")


def test_names_are_text_however_they_are_spelled() -> None:
    row = replace(ROW, trust=Trust("RXX", "<script>alert(1)</script>"), officer=Officer(UUID(int=4), '"><img src=x>'))
    case = replace(CASE, row=row)
    shown = presenters.sheet(case, authority="A & B", child=NOBODY)
    page = render("paper/page.html", a_paper(sheets=(shown,), parent=copy_of(case)), FRAME).decode()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "A &amp; B" in page


VARIANTS = {
    **{f"view {view}": replace(CASE, parent=replace(PARENT, view=view.value)) for view in ParentView},
    **{f"outcome {code}": replace(CASE, outcomes=(replace(OUTCOME, code=code),)) for code in parents.OUTCOMES},
    "nothing was said": replace(
        CASE, opinion_formed_on=None, parent=replace(PARENT, told_on=None, discussion_offered_on=None, organisations=None)
    ),
    "probably": replace(CASE, row=replace(ROW, certainty="probably-has", needs=(replace(NEED, certainty="probably-has"),))),
    "voluntary": replace(CASE, flags=(BANNERS["voluntary-notification"],)),
    "sent back": replace(CASE, sent_back=BACK),
    "withdrawn": replace(CASE, row=replace(ROW, status=Status.WITHDRAWN)),
}
SETTINGS = InboxSettings(sendiass_name="Hartlepool SENDIASS", sendiass_phone="01632 960000", planning_only=True)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_parent_can_read_it_who_reads_as_a_child_of_ten_does(name: str) -> None:
    for copy in (copy_of(VARIANTS[name]), copy_of(VARIANTS[name], SETTINGS, held=False)):
        text = " ".join([copy.lead, *(sentence for part in copy.parts for sentence in part.sentences)])
        assert school_years(text) <= 5.5, text
        short = set(re.findall(r"\b[A-Z]{2,}\b", text)) - {"NHS"}
        assert short == {"SENDIASS"}, "and what that is short for is said"
        longest = max(len(sentence.split()) for sentence in re.split(r"(?<=[.:]) ", text))
        assert longest <= 26


def school_years(text: str) -> float:
    """Return how many years of school reading it takes, by the grade of Flesch and Kincaid; a long name counts as a word."""
    plain = text.replace("Special Educational Needs and Disability Information, Advice and Support Service", "Help")
    sentences = [each for each in re.split(r"[.!?:]+(?: |$)", plain) if each]
    words = re.findall(r"[A-Za-z’']+", plain)
    sounds = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"(?:es|ed|e)$", "", word.lower())))) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * sounds / len(words) - 15.59


def test_a_copy_says_to_whom_by_whom_when_what_comes_next_and_who_helps() -> None:
    told = {part.heading: " ".join(part.sentences) for part in copy_of(CASE, SETTINGS).parts}
    assert "Example Community NHS Trust told Hartlepool on 4 November 2026." in told["Who told us"]
    assert "On 1 November 2026, they thought that your child has special educational needs and a disability." in told["What they think"]
    assert "on 2 November 2026" in told["What they wrote about talking with you"]
    assert "does not mean that we will call you" in told["What happens next"]
    assert "put it right" in told["What you can ask for"]
    assert "Yours is Hartlepool SENDIASS. Phone: 01632 960000." in told["Who can help you"]
    without = " ".join(next(part for part in copy_of(CASE).parts if part.heading == "Who can help you").sentences)
    assert "Council for Disabled Children" in without
    assert not re.search(r"\d", without), "no number is invented"
    assert set(parents.VIEWS) == {ParentView(view) for view in PARENT_VIEWS}
    voluntary = " ".join(sentence for part in copy_of(VARIANTS["voluntary"]).parts for sentence in part.sentences)
    assert "A law says" not in voluntary
