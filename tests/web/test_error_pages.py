# SPDX-License-Identifier: MIT
"""The pages of the catalogue and of the interface, asked for as a browser without scripts asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from mappings.postcodes import compile_table, demonstration_source
from notify_gateway.app import create_app
from notify_gateway.domain.catalogue import all_entries, families, family_of
from notify_gateway.runtime import Runtime, make_keys
from notify_gateway.settings import Settings
from notify_gateway.store.migrate import upgrade_all
from tests.support.waiting import ROOT
from tools.write_samples import SAMPLES, samples

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("service"), address_rate=0)
    make_keys(settings)
    upgrade_all(settings.main_url, settings.shred_url)
    compile_table(demonstration_source(), settings.postcodes, edition="demonstration")
    runtime = Runtime.open(settings)
    # Not entered: pages need nothing that the start of the service loads.
    yield TestClient(create_app(runtime), follow_redirects=False)
    runtime.close()


class Outline(HTMLParser):
    """Headings, ids and the texts of what must be named, read from a page; open elements must be closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.levels: list[int] = []
        self.links: list[str] = []
        self.labels: list[str] = []
        self.fields: list[str] = []
        self.inline: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in ("meta", "link", "br", "input"):
            self.open.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "a":
            self.links.append(given["href"] or "")
        if tag == "label":
            self.labels.append(given["for"] or "")
        if tag in ("select", "textarea"):
            self.fields.append(given["id"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def sound(page: str) -> Outline:
    """The page is well formed, has one first heading, no gaps between headings, no id twice, a label for each field, and no script."""
    outline = Outline(page)
    assert outline.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(outline.levels, outline.levels[1:], strict=False))
    assert len(set(outline.ids)) == len(outline.ids)
    assert sorted(outline.labels) == sorted(outline.fields)
    assert outline.inline == []
    assert "<script" not in page
    assert {link for link in outline.links if link.startswith("#")} <= {f"#{each}" for each in outline.ids}
    return outline


def test_every_code_has_its_page_with_all_that_the_catalogue_says(client: TestClient) -> None:
    for known in all_entries():
        answer = client.get(f"/errors/{known.code.value}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        text = answer.text.replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        for said in (known.code.value, known.title, known.why, known.fix, str(known.status), known.issue, known.rec, known.since):
            assert said in text, known.code
        assert ("may succeed later" in text) == known.retry
        outline = sound(answer.text)
        for link in outline.links:
            assert link.startswith(("/errors", "/docs", "/_status", "/", "#"))


def test_a_page_shows_what_is_wrong_beside_what_is_right(client: TestClient) -> None:
    page = client.get("/errors/NG-5003").text
    assert "CF10 3ND" in page
    assert "TS18 1LD" in page
    assert "a home in Wales" in page


def test_samples_are_what_the_tests_bad_messages_give() -> None:
    assert SAMPLES.read_text(encoding="utf-8") == samples(), "run: make generate"


def test_most_codes_that_a_message_provokes_can_be_seen_in_one() -> None:
    errors = json.loads(SAMPLES.read_text(encoding="utf-8"))["errors"]
    assert len([code for code, sample in errors.items() if "wrong" in sample]) > 80


def test_the_list_holds_every_code_once_and_can_be_narrowed(client: TestClient) -> None:
    page = client.get("/errors").text
    outline = sound(page)
    assert [link for link in outline.links if "/NG-" in link] == [
        f"/errors/{item.code.value}" for name in families() for item in all_entries() if family_of(item.code) == name
    ]
    for query, wanted in (
        ("family=Routing", {item.code.value for item in all_entries() if family_of(item.code) == "Routing"}),
        ("retry=yes", {item.code.value for item in all_entries() if item.retry}),
        ("family=Service&retry=no", {item.code.value for item in all_entries() if family_of(item.code) == "Service" and not item.retry}),
        ("code=NG-4001&code=NG-1005", {"NG-4001", "NG-1005"}),
        ("code=NG-9999", set()),
    ):
        narrowed = sound(client.get(f"/errors?{query}").text)
        assert {link.rpartition("/")[2] for link in narrowed.links if "/NG-" in link} == wanted, query


@pytest.mark.parametrize("query", ["family=Banana", "retry=maybe", "code=9990548609", "code=NG-40011"])
def test_what_cannot_be_asked_for_is_refused_and_not_repeated(client: TestClient, query: str) -> None:
    answer = client.get(f"/errors?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "NG-1011")
    assert query.partition("=")[2] not in answer.text


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        (b"error=NG-4001", "/errors/NG-4001"),
        (b"error=ng-4001", "/errors/NG-4001"),
        (b"error=%7B%22code%22%3A%22NG-4001%22%2C%22name%22%3A%22Wren%22%7D", "/errors/NG-4001"),
        (b"error=NG-4001+then+NG-1005+and+NG-4001+again", "/errors?code=NG-4001&code=NG-1005"),
        (b"error=NG-9999+NG-1005", "/errors/NG-1005"),
        (b"error=\xff\xfeNG-1005", "/errors/NG-1005"),
    ],
)
def test_what_is_pasted_leads_to_the_codes_in_it_and_nothing_else_of_it_reaches_an_address(
    client: TestClient, pasted: bytes, address: str
) -> None:
    answer = client.post("/errors", content=pasted, headers=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("pasted", [b"", b"error=Wren+Fernaby+9990548609", b"error=NG-9999", b"error=NG-40011"])
def test_when_nothing_is_found_the_page_says_so_without_repeating_it(client: TestClient, pasted: bytes) -> None:
    answer = client.post("/errors", content=pasted, headers=FORM)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert not [word for word in ("Wren", "9990548609", "NG-9999", "NG-40011") if word in answer.text]
    sound(answer.text)


def test_a_search_is_bounded_and_must_be_a_form(client: TestClient) -> None:
    assert client.post("/errors", content=b"error=" + b"x" * 70_000, headers=FORM).status_code == 413
    assert client.post("/errors", content=b"{}", headers={"Content-Type": "application/json"}).status_code == 415


@pytest.mark.parametrize("code", ["NG-9999", "Wren", "%3Cscript%3E", "NG-4001%20"])
def test_a_code_that_was_never_published_is_not_found_and_not_repeated(client: TestClient, code: str) -> None:
    answer = client.get(f"/errors/{code}")
    assert answer.status_code == 404
    assert not [word for word in ("NG-9999", "Wren", "<script") if word in answer.text]
    sound(answer.text)


def test_a_code_is_found_in_small_letters_too(client: TestClient) -> None:
    assert client.get("/errors/ng-4001").content == client.get("/errors/NG-4001").content


def test_the_list_for_machines_is_the_catalogue(client: TestClient) -> None:
    listed = client.get("/errors.json").json()["errors"]
    assert [item["code"] for item in listed] == [item.code.value for item in all_entries()]
    assert {item["page"] for item in listed} == {f"/errors/{item.code.value}" for item in all_entries()}


def test_an_answer_leads_to_the_page_of_its_error(client: TestClient) -> None:
    page = client.get("/authority/v1/nowhere").json()["type"]
    assert client.get(page).status_code == 200
    issue = client.get("/fhir/R4/nowhere").json()["issue"][0]
    assert issue["extension"][0]["url"].endswith("/StructureDefinition/error-page")
    assert client.get(issue["extension"][0]["valueUri"]).status_code == 200


def test_the_page_of_the_interface_shows_every_endpoint_and_every_answer(client: TestClient) -> None:
    answer = client.get("/docs")
    assert answer.status_code == 200
    sound(answer.text)
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert f'<article class="operation" id="{operation["operationId"]}"' in answer.text
            assert path in answer.text
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in answer.text


def test_pages_load_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/errors", "/errors/NG-4001", "/docs"):
        page = client.get(path).text
        assert re.findall(r'<(?:link|img|script)[^>]+(?:href|src)="(?!/)', page) == []
        for address in re.findall(r'<link[^>]+href="([^"]+)"', page):
            assert client.get(address).status_code == 200


def test_templates_hold_no_style_and_no_script_of_their_own() -> None:
    for template in (ROOT / "notify_gateway" / "web" / "templates").rglob("*.html"):
        text = re.sub(r"""<script type="module" src="{{ static\('[a-z/-]+\.js'\) }}"></script>""", "", template.read_text(encoding="utf-8"))
        assert not re.search(r"<style|<script|\sstyle=|\son\w+=|\| *safe", text), template
