# SPDX-License-Identifier: MIT
"""Journeys through the inbox in a real Chromium, in English: officer, manager, another authority, second notifier, withdrawal, objection.

Every page that is come by is judged by axe-core, wide and narrow; nothing sticks out of it, nothing is asked of another site.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from notify_gateway.domain.staff import Role
from tests.leaks.canaries import a_canary
from tests.support.messages import nhs_number
from tests.support.pages import Reader, Site, chromium, for_hartlepool, reader, site
from tests.support.staff import MIDDLESBROUGH
from tests.support.templates import Templates

TRUST = "Example Community NHS Trust"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("inbox"), templates) as served:
        yield served


@pytest.fixture(scope="module")
def browser(running: Site) -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_officer_does_the_whole_job(running: Site, browser: Browser, scripts: bool) -> None:
    # Each time another child, so that nobody is contacted twice.
    reference = running.arrives(for_hartlepool(a_canary()).for_child(number=nhs_number(271_828 + scripts)))
    with reader(running, browser, Role.OFFICER, name="Ann Archer", scripts=scripts) as officer:
        officer.opens("/inbox")
        officer.reads("Inbox", reference, "Not assigned", "Received", "When each trust was last heard from")
        _looks(officer, scripts)
        officer.follows(reference)
        officer.reads("What the trust told us", "What the parent was told", "Who the child is", "Acknowledge by")
        officer.does_not_read("Zyxandra", "Jubjubina")
        _looks(officer, scripts)
        officer.presses("Acknowledge")
        officer.reads(f"This tells {TRUST} that your authority has the notification. It does not tell the family anything.")
        _looks(officer, scripts)
        officer.presses("Acknowledge")
        officer.reads(f"Acknowledged. {TRUST} has been told that you have the notification.", "Contact the family by")
        officer.presses("Show child’s details")
        officer.reads("There is a problem", "Select why you need to see who this child is")
        _looks(officer, scripts)
        officer.chooses("To contact the family")
        officer.writes("Your case reference", "EY-2026-0412")
        officer.presses("Show child’s details")
        officer.reads("Shown until 12:30pm. This has been recorded.", "Zyxandra", "Jubjubina", "Child's details shown")
        assert "Zyxandra" not in officer.page.title() + officer.page.url
        _looks(officer, scripts)
        officer.presses("Hide it now")
        officer.reads("The child's details are hidden.")
        officer.does_not_read("Zyxandra")
        officer.presses("Record contact")
        _looks(officer, scripts)
        officer.presses("Record contact")
        officer.reads("Select how you tried to reach them")
        _looks(officer, scripts)
        officer.chooses("Phone")
        officer.chooses("Parent")
        officer.chooses("Spoke")
        officer.writes("Note", "They were glad of the call.")
        officer.chooses(f"Tell {TRUST} that we have made contact")
        officer.presses("Record contact")
        officer.reads(
            f"The contact is recorded, and {TRUST} was told that there was contact.", "Family contacted", "Telephone, parent: spoke"
        )
        officer.does_not_read("glad of the call")
        officer.presses("Show child’s details")
        officer.chooses("To answer the parent")
        officer.writes("Your case reference", "EY-2026-0412")
        officer.presses("Show child’s details")
        officer.reads("Notes of your team", "They were glad of the call.")
        officer.opens(f"/notifications/{reference}")
        officer.does_not_read("glad of the call")
        officer.presses("Record outcome")
        _looks(officer, scripts)
        officer.presses("Continue")
        officer.reads("Select what came of it")
        officer.chooses("Portage or home visiting")
        officer.presses("Continue")
        _looks(officer, scripts)
        officer.presses("Continue")
        officer.reads("Check before you record it", "Portage or home visiting", "20 November 2026")
        _looks(officer, scripts)
        officer.presses("Record outcome")
        officer.reads("Outcome recorded.", "Nothing is due.")
        _looks(officer, scripts)
        officer.opens("/inbox?tab=finished")
        officer.reads(reference)


def _looks(officer: Reader, scripts: bool) -> None:
    """Judge the page; what is wrong without scripts is looked for where they make a difference, in the test of all pages."""
    if scripts:
        officer.judges()


def test_a_manager_gives_out_the_work_and_sets_the_rules(running: Site, browser: Browser) -> None:
    references = [running.arrives() for _ in range(2)]
    running.cookie(Role.OFFICER, name="Bob Baker")
    with reader(running, browser, Role.MANAGER, name="May Moss") as manager:
        manager.opens("/inbox?tab=not-assigned")
        manager.judges()
        for each in references:
            manager.page.locator(f"#tick-{each}").check(force=True)
        manager.presses("Assign selected")
        manager.reads("Assign 2 notifications", *references)
        manager.judges()
        manager.page.get_by_label("Bob Baker").check()
        manager.presses("Assign them all")
        manager.reads("Assigned. Each of them has it in the history.")
        manager.opens(f"/notifications/{references[0]}")
        manager.reads("Bob Baker")
        manager.follows("Set a later date")
        manager.judges()
        manager.presses("Set the date")
        manager.reads("Enter the later day", "Select why")
        manager.opens("/team")
        manager.reads("The team", "Acknowledge within 2 working days of its arrival.")
        manager.judges()
        manager.page.get_by_role("link", name="Set leave of Bob Baker").click()
        manager.judges()
        for name in ("First day away", "Last day away"):
            group = manager.page.get_by_role("group", name=name)
            for label, value in (("Day", "1"), ("Month", "12"), ("Year", "2026")):
                group.get_by_label(label).fill(value)
        manager.page.get_by_label("Who stands in?").select_option(label="May Moss")
        manager.presses("Save")
        manager.reads("1 December 2026 to 1 December 2026; May Moss stands in")
        manager.presses("Change the settings")
        manager.judges()
        manager.writes("Acknowledge within", "0")
        manager.presses("Save the settings")
        manager.reads("Enter working days from 1 to 120")
        manager.judges()
        manager.writes("Acknowledge within", "3")
        manager.presses("Save the settings")
        manager.reads("Saved.", "Acknowledge within 3 working days of its arrival.", "Set by May Moss.")


def test_a_child_of_another_area_goes_back_and_stays_open_until_it_is_sent_on(running: Site, browser: Browser) -> None:
    reference = running.arrives()
    with reader(running, browser, Role.OFFICER, name="Ann Archer") as officer:
        officer.opens(f"/notifications/{reference}")
        officer.follows("This child is not in our area")
        officer.judges()
        officer.presses("Continue")
        officer.reads("Select why the child is not in your area", "Select a council, or that you do not know")
        officer.judges()
        officer.chooses("The child has moved to another area")
        officer.page.get_by_label("Which council is it for?").select_option(label="Leeds")
        officer.presses("Continue")
        officer.reads("Check before you send it back", "Leeds", "It stays open here until then.")
        officer.judges()
        officer.presses("Send back to the trust")
        officer.reads(f"Sent back to {TRUST}.", "Not in our area", "You suggested Leeds.")
        officer.reads("You have said that the child is not in your area, so there is no reason left to see who it is.")
        officer.judges()
    with reader(running, browser, Role.OFFICER, authority=MIDDLESBROUGH, name="Sam Stone") as stranger:
        stranger.opens(f"/notifications/{reference}")
        stranger.does_not_read(reference, "Leeds")
        stranger.judges()


def test_a_second_notifier_of_the_same_child_is_seen_before_the_family_hears_twice(running: Site, browser: Browser) -> None:
    first = running.message(41)
    one = running.arrives(first)
    other = running.arrives(running.message().for_child(number=first.number))
    with reader(running, browser, Role.OFFICER, name="Ann Archer") as officer:
        officer.opens("/inbox/duplicates")
        officer.reads(one, other, "Same NHS number, found by the service without showing it")
        officer.judges()
        officer.page.get_by_role("link", name=one).first.click()
        officer.reads("Are these about the same child?")
        officer.judges()
        officer.presses("Record it")
        officer.reads("Select what the two are")
        officer.judges()
        officer.chooses("Same child, keep both: they are about different needs")
        officer.presses("Record it")
        officer.reads("Decided. It can be undone for 30 days.")
        for each in (one, other):
            officer.opens(f"/notifications/{each}/acknowledge")
            officer.presses("Acknowledge")
        officer.opens(f"/notifications/{one}/contacts/new")
        for choice in ("Phone", "Parent", "Spoke"):
            officer.chooses(choice)
        officer.presses("Record contact")
        officer.opens(f"/notifications/{other}")
        officer.reads("The family was contacted about another notification on 20 November 2026", "Same child, both are worked")
        officer.judges()
        officer.presses("Record contact")
        for choice in ("Phone", "Parent", "Spoke"):
            officer.chooses(choice)
        officer.presses("Record contact")
        officer.reads("Confirm that you know of the other contact with this family")
        officer.judges()


def test_what_the_trust_withdraws_or_a_parent_objects_to_cannot_be_overlooked(running: Site, browser: Browser) -> None:
    sent = running.message()
    withdrawn, objected = running.arrives(sent), running.arrives(running.message().view("objects").restricted())
    with reader(running, browser, Role.OFFICER, Role.MANAGER, name="Kim Keeper") as officer:
        officer.opens(f"/notifications/{objected}")
        officer.reads("Contact sensitively", "The parent objects to this notification.", "Sensitive", "Restricted address")
        officer.judges()
        officer.presses("Show child’s details")
        officer.chooses("Safeguarding")
        officer.writes("Your case reference", "EY-2026-0413")
        officer.presses("Show child’s details")
        officer.reads("The address is restricted and not shown.", "Contact through the social worker or the trust.")
        officer.does_not_read("TS24 8AY")
        officer.judges()
        officer.opens(f"/notifications/{withdrawn}/acknowledge")
        officer.presses("Acknowledge")
        running.house.clock.move(timedelta(minutes=1))
        running.arrives(sent.followed_by("delete"))
        officer.opens("/inbox")
        officer.reads("to know first", "Withdrawn by the trust")
        officer.judges()
        officer.opens(f"/notifications/{withdrawn}")
        officer.reads("The trust has withdrawn this notification", "there is no reason left to see who it was about")
        officer.judges()
        officer.presses("Close it")
        officer.reads("Closed.")
        running.house.clock.move(timedelta(minutes=31))
        officer.opens(f"/notifications/{objected}/identity")
        officer.does_not_read("Shown until")


PAGES = ("/inbox", "/inbox/overdue", "/inbox/duplicates", "/team", "/help", "/privacy", "/accessibility", "/nonprod/components")


@pytest.mark.long
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_every_page_can_be_used_with_scripts_and_without(running: Site, browser: Browser, scripts: bool) -> None:
    reference = running.arrives()
    forms = ("acknowledge", "assign", "outcome", "transfer", "question", "extend", "duplicate")
    with reader(running, browser, Role.OFFICER, Role.MANAGER, name="Kim Keeper", stripped=not scripts) as both:
        for path in (*PAGES, f"/notifications/{reference}", *(f"/notifications/{reference}/{form}" for form in forms)):
            both.opens(path)
            both.judges(whole=True)


def test_without_scripts_words_lists_and_every_component_can_be_used_by_everybody(running: Site, browser: Browser) -> None:
    reference = running.arrives()
    with reader(running, browser, Role.OFFICER, name="Ann Archer", stripped=True) as officer:
        for path in ("/inbox", "/help", "/privacy", "/accessibility", "/nonprod/components", f"/notifications/{reference}"):
            officer.opens(path)
            officer.judges()


def test_who_types_for_long_is_warned_and_keeps_what_was_typed(running: Site, browser: Browser) -> None:
    reference = running.arrives()
    with reader(running, browser, Role.OFFICER, name="Ann Archer") as officer:
        officer.page.clock.install()
        officer.opens(f"/notifications/{reference}/duplicate")
        officer.writes("Reference of the other notification", "SEN-TYPED")
        officer.page.clock.fast_forward("13:30")
        officer.reads("You will soon be signed out")
        officer.judges()
        officer.presses("Stay signed in")
        officer.page.get_by_role("alert").wait_for(state="hidden")
        assert officer.page.get_by_label("Reference of the other notification").input_value() == "SEN-TYPED"
