# SPDX-License-Identifier: MIT
"""Every page shows every field of its presenter, in one of its states at least; a name that a template misspells is an error."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from notify_gateway.web import pages
from notify_gateway.web.inbox import (
    about,
    acknowledging,
    asking,
    assigning,
    case_presenter,
    changed,
    contacting,
    duplicates,
    identity,
    late_presenter,
    listing_presenters,
    outcomes,
    sending_back,
    teaming,
)
from notify_gateway.web.inbox.identity_presenter import Shown
from tests.web.filling import Filler, texts

FRAME = pages.Frame(True, "the-nonce", pages.Account("Sam Carter", "Officer", "Stockton", "the-token", False), "inbox", False, "today")
PAGES = {
    "list": listing_presenters.Inbox,
    "late": late_presenter.Late,
    "notification": case_presenter.CasePage,
    "changed": changed.Changed,
    "acknowledge": acknowledging.Acknowledging,
    "assign": assigning.Assigning,
    "assign_many": assigning.AssigningMany,
    "contact": contacting.Contacting,
    "outcome_what": outcomes.Choosing,
    "outcome_when": outcomes.Dating,
    "outcome_check": outcomes.Checking,
    "reopen": outcomes.Reopening,
    "transfer": sending_back.SendingBack,
    "transfer_check": sending_back.CheckingBack,
    "question": asking.Asking,
    "extend": asking.Extending,
    "duplicates": duplicates.Queue,
    "compare": duplicates.Comparing,
    "link": duplicates.Linking,
    "team": teaming.Team,
    "leave": teaming.Leaving,
    "settings": teaming.Setting,
    "original": identity.Original,
    "help": about.Said,
    "privacy": about.Said,
    "accessibility": about.Said,
    "components": about.Gallery,
}
STATES = {
    "list": [{}, {"rows": ()}, {"sorted": "ascending"}, {"quiet": ""}],
    "contact": [{}, {"correcting": False}, {"sealing": None}],
    "transfer": [{}, {"disputed": False, "may": True}],
    "late": [{}, {"groups": ()}, {"due": None}],
    "notification": [
        *({"shown": shown} for shown in Shown),
        *({"primary": name, "due": None} for name in ("", "close", "acknowledge", "contact", "outcome")),
    ],
    "duplicates": [{}, {"pairs": ()}],
    "assign_many": [{}, {"rows": (), "reasons": ()}],
    "team": [{}, {"gaps": ()}],
}
NOT_SHOWN = {
    # What decides how a page looks, and is not itself shown.
    "list": {"kind", "on"},
    "late": {"kind", "ticked", "on"},
    "assign_many": {"kind", "on"},
    # The notice is on the page that it is about.
    "notification": {"kind", "primary", "address", "short"},
    "acknowledge": {"kind", "short"},
    "extend": {"kind", "short"},
}


def shown(name: str, presenter: pages.Presenter) -> str:
    return pages.render(f"inbox/{name}.html", presenter, FRAME).decode()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_shows_every_field_of_its_presenter(name: str) -> None:
    missing: set[str] = set()
    found: set[str] = set()
    for truth in (True, False):
        for state in STATES.get(name, [{}]):
            presenter = Filler(truth, state).fill(PAGES[name])
            page = shown(name, presenter)
            assert "<title>" in page
            for path, text in texts(presenter):
                (found if text in page else missing).add(path)
    assert {path for path in missing - found if path.rpartition(".")[2] not in NOT_SHOWN.get(name, {"kind"})} == set()


def test_every_template_of_the_inbox_is_the_page_of_a_presenter_or_part_of_one() -> None:
    parts = {"head", "identity", "tried", "said"}
    templates = {
        each.removeprefix("inbox/").removesuffix(".html") for each in pages.environment().list_templates() if each.startswith("inbox/")
    }
    assert templates == set(PAGES) | parts


def test_a_name_that_a_template_of_ours_misspells_is_an_error_and_one_of_theirs_is_not() -> None:
    pages.environment().from_string(
        '{% from "govuk_frontend_jinja/components/button/macro.html" import govukButton %}{{ govukButton({}) }}'
    ).render()
    with pytest.raises(UndefinedError):
        pages.environment().from_string("{{ page.nmae }}").render(page=about.Said(title="Help"))


def test_everything_that_is_shown_is_escaped() -> None:
    evil = Filler(True, {"told": "<script>alert(1)</script>"}).fill(changed.Changed)
    object.__setattr__(evil, "changes", ("<script>alert(1)</script>",))
    assert "<script>alert" not in shown("changed", evil)


def test_all_templates_are_loaded_at_the_start() -> None:
    assert pages.warm_up() >= len(PAGES)
