# SPDX-License-Identifier: MIT
"""Signing in: the choice of providers, the way there, the way back, and proving anew who one is.

The way there is a link and no form: a policy that keeps forms on this site would stop the browser at the provider's door.
"""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from notify_gateway.api.http import header
from notify_gateway.domain import policy
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed, NotFound
from notify_gateway.domain.policy import Act
from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.staff_sign_in import Answer, Begun, here
from notify_gateway.web.entrance.answers import CONTINUE, SIGN_IN, see
from notify_gateway.web.entrance.desk import entrance
from notify_gateway.web.entrance.door import cookie_of, give_cookie, look_who, mark, take_cookie, visitor
from notify_gateway.web.entrance.presenters import SignInPage, Way
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["People"])

BROWSER = "sign-in"
"""What a browser holds while a sign-in is under way: only the browser that began it can end it."""
MOST_PARAMETER = 4096


@router.get(SIGN_IN, response_class=Response)
async def show_sign_in(request: Request) -> Response:
    """Show where people of each organisation sign in."""
    mark(request)
    asked = request.query_params
    goes_to = here(asked.get("next"))
    visit = await look_who(request)
    if visit is not None and not asked.get("done"):
        return see(goes_to or home(visit.person))
    query = f"?{urlencode({'next': goes_to})}" if goes_to else ""
    ways = tuple(Way(each.name, f"{SIGN_IN}/with/{each.id}{query}", each.practice) for each in entrance(request).reception.providers.all())
    kept = asked.get("kept") == "1"
    page = SignInPage(ways, kept, ended=cookie_of(request) is not None and not kept, signed_out=asked.get("done") == "signed-out")
    return show_page(request, "entrance/sign_in.html", page)


@router.get(SIGN_IN + "/with/{provider_id}", response_class=Response)
async def begin_sign_in(request: Request, provider_id: str) -> Response:
    """Lead the browser to the provider. Another site cannot begin it: whoever comes from there sees the choice first."""
    mark(request)
    goes_to = here(request.query_params.get("next"))
    if header(request, "sec-fetch-site") in ("cross-site", "same-site"):
        return see(SIGN_IN, next=goes_to)
    door = entrance(request)
    begun = await door.apart(door.reception.begin, provider_id, goes_to=goes_to, browser=cookie_of(request, BROWSER))
    return _go(request, begun)


@router.get(SIGN_IN + "/again", response_class=Response)
async def prove_again(request: Request) -> Response:
    """Lead the browser to the provider, to prove anew that it is still the same person."""
    visit = await visitor(request, None)
    door = entrance(request)
    providers = door.reception.providers
    provider = providers.get(await door.apart(door.reception.provider_of, visit.person))
    if provider is None:
        raise NotFound(Issue(Code.NO_SUCH_PAGE))
    goes_to, browser = here(request.query_params.get("next")), cookie_of(request, BROWSER)
    begun = await door.apart(door.reception.begin, provider.id, goes_to=goes_to, browser=browser, visit=visit)
    return _go(request, begun)


@router.get(SIGN_IN + "/callback/{provider_id}", response_class=Response)
async def come_back(request: Request, provider_id: str) -> Response:
    """Let in whoever comes back from the provider, if its answer is to be believed."""
    mark(request)
    asked = request.query_params
    names = [name for name, _ in asked.multi_items()]
    state = asked.get("state", "")
    if not state or len(names) != len(set(names)) or any(len(value) > MOST_PARAMETER for value in asked.values()):
        raise NotAllowed(Issue(Code.STAFF_SIGN_IN_STALE))
    answer = Answer(state, None if "error" in asked else asked.get("code"), asked.get("iss"))
    door = entrance(request)
    arrived = await door.apart(door.reception.finish, provider_id, answer, browser=cookie_of(request, BROWSER), cookie=cookie_of(request))
    response = see(CONTINUE if arrived.opened.kept else arrived.goes_to or home(arrived.opened.person))
    give_cookie(request, response, arrived.opened.cookie)
    take_cookie(request, response, BROWSER)
    return response


def home(person: Person) -> str:
    """Return the page with which somebody begins."""
    return "/inbox" if policy.may(person, Act.READ_INBOX) else "/account"


def _go(request: Request, begun: Begun) -> Response:
    response = Response(status_code=303, headers={"Location": begun.url})
    give_cookie(request, response, begun.browser, BROWSER)
    return response
