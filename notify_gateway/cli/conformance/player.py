# SPDX-License-Identifier: MIT
"""Plays cases against a deployment through its public interface, and says of each answer what is wrong with it."""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

import httpx2

from audit.merkle import leaf_hash
from audit.receipts import ReceiptRefused, verify_promise, verify_receipt
from notify_gateway.cli.conformance.answers import codes_of, faults_of
from notify_gateway.cli.conformance.case import Bulk, Case, Forged, Get, Message, Post, Receipt, Search, Step, Try, Who
from notify_gateway.cli.conformance.lines import lines_of
from notify_gateway.cli.conformance.system import LONGEST_WAIT, System
from notify_gateway.cli.examples.children import Sender
from notify_gateway.cli.examples.draft import Draft
from notify_gateway.credentials.assertions import ASSERTION_TYPE
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.model import MessageReason

FHIR: Final = "/fhir/R4"
PROCESS, VALIDATE, SEARCH = f"{FHIR}/$process-message", f"{FHIR}/Bundle/$validate", f"{FHIR}/Task/_search"
PROCESS_MANY, NDJSON = f"{FHIR}/$process-messages", "application/fhir+ndjson"
LOOK_EVERY: Final = 0.1


@dataclass(frozen=True, slots=True)
class Result:
    """What a case came to: the answer of each step in short, and what is wrong, if anything."""

    case: Case
    got: tuple[str, ...]
    faults: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Tell whether every answer was as it must be."""
        return not self.faults


@dataclass(slots=True)
class _Thread:
    """What a case remembers from one step to the next."""

    draft: Draft | None = None
    body: bytes = b""
    request_id: str = ""
    task: str = ""
    leaf: bytes = b""
    promise: str = ""
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Player:
    """Plays the cases of a sender by its system."""

    sender: Sender
    system: System

    def play(self, cases: Iterable[Case]) -> Iterator[Result]:
        """Give the result of each case, as soon as it was played; a case ends at its first fault."""
        for case in cases:
            began = time.perf_counter()
            thread, got, faults = _Thread(), [], []
            for number, step in enumerate(case.steps, 1):
                where = f"step {number}: " if len(case.steps) > 1 else ""
                try:
                    answer, found = self._take(step, thread)
                except httpx2.HTTPError as error:
                    answer, found = type(error).__name__, ["there was no answer"]
                got.append(answer)
                if found:
                    faults = [f"{where}{each}" for each in found]
                    break
            yield Result(case, tuple(got), tuple(faults), time.perf_counter() - began)

    def _take(self, step: Step, thread: _Thread) -> tuple[str, list[str]]:
        match step:
            case Post():
                return self._post(step, thread)
            case Bulk():
                return self._bulk(step, thread)
            case Get():
                return self._get(step, thread)
            case Try():
                return self._try(step, thread)
            case Search():
                return self._search(step, thread)
            case Forged():
                return self._sign_in(step)
            case Receipt():
                return self._receipt(thread)

    def _post(self, step: Post, thread: _Thread) -> tuple[str, list[str]]:
        draft = thread.draft = self._draft(step, thread)
        if step.message is not Message.SAME or not thread.body:
            thread.body = step.spoil(draft.bytes()) if step.spoil else draft.bytes()
        if not (step.same_request and thread.request_id):
            thread.request_id = str(uuid4())
        headers = self._headers(step.who) | {"X-Request-ID": thread.request_id} | dict(step.headers)
        response = self.system.send("POST", PROCESS, headers, thread.body)
        faults = [*_judge(response, step.status, step.code), *faults_of(response, headers, draft.document)]
        if response.status_code == 202 and not faults:
            faults = self._accepted(response, thread)
        return _short(response), faults

    def _bulk(self, step: Bulk, thread: _Thread) -> tuple[str, list[str]]:
        bodies, drafts = [], []
        for line in step.lines:
            if isinstance(line, Post):
                draft = thread.draft = self._draft(line, thread)
                if line.message is not Message.SAME or not thread.body:
                    thread.body = line.spoil(draft.bytes()) if line.spoil else draft.bytes()
                drafts.append(draft.document)
            bodies.append(thread.body if isinstance(line, Post) else line)
        headers = self._headers(step.who) | {"Content-Type": NDJSON} | dict(step.headers)
        response = self.system.send("POST", PROCESS_MANY, headers, b"\n".join(bodies))
        faults = [
            *_judge(response, step.status, step.code),
            *(fault for each in drafts or [{}] for fault in faults_of(response, headers, each)),
        ]
        if faults or step.status != 200:
            return _short(response), list(dict.fromkeys(faults))
        told, faults, kept = lines_of(response, step)
        if kept is not None:
            thread.task, thread.promise, thread.leaf = httpx2.URL(kept["location"]).path, kept["promise"], b""
        return told, faults

    def _draft(self, step: Post, thread: _Thread) -> Draft:
        before = thread.draft
        if step.draft is not None:
            return step.draft
        match step.message:
            case Message.SAME | Message.ALTERED if before is not None:
                draft = before
            case Message.UPDATE if before is not None:
                draft = before.followed_by(MessageReason.UPDATE)
            case Message.DELETE if before is not None:
                draft = before.followed_by(MessageReason.DELETE)
            case _:
                draft = self.sender.draft()
        if before is not None and step.message is Message.SAME_CHILD:
            draft.at["patient"]["identifier"] = deepcopy(before.at["patient"]["identifier"])
        if before is not None and step.message is Message.SAME_IDENTIFIER:
            draft.at["focus"]["identifier"] = deepcopy(before.at["focus"]["identifier"])
        for change in step.changes:
            change(draft)
        return draft

    def _accepted(self, response: httpx2.Response, thread: _Thread) -> list[str]:
        """Read what the sender is given with a 202, verify the promise, and look at the Task."""
        thread.task = httpx2.URL(response.headers.get("location", "")).path
        try:
            parts = {part["url"]: part for part in response.json()["extension"][0]["extension"]}
            thread.leaf = b64decode(parts["leaf"]["valueBase64Binary"])
            thread.receipt = parts["receipt"]["valueString"] if "receipt" in parts else None
            verify_promise(parts["promise"]["valueString"], leaf_hash(thread.leaf), self.system.keys.promises)
        except (KeyError, IndexError, ValueError, TypeError):
            return ["the answer holds no leaf and promise"]
        except ReceiptRefused as error:
            return [f"the promise does not verify: {error}"]
        task = self.system.send("GET", thread.task, self.system.credentials(Who.SENDER))
        found = _document(task)
        if task.status_code != 200 or found.get("resourceType") != "Task" or found.get("id") != thread.task.rpartition("/")[2]:
            return [f"Location is not the Task: {task.status_code}"]
        return []

    def _get(self, step: Get, thread: _Thread) -> tuple[str, list[str]]:
        headers = self.system.credentials(step.who)
        response = self.system.send("GET", step.path.replace("{task}", thread.task), headers)
        faults = [*_judge(response, step.status, step.code), *faults_of(response, headers, _about(thread))]
        if not faults and step.holds is not None:
            wrong = step.holds(_document(response))
            faults = [wrong] if wrong else []
        return _short(response), faults

    def _try(self, step: Try, thread: _Thread) -> tuple[str, list[str]]:
        draft = thread.draft = self.sender.draft()
        for change in step.changes:
            change(draft)
        thread.body = draft.bytes()
        headers = self._headers(Who.SENDER)
        response = self.system.send("POST", VALIDATE, headers, thread.body)
        faults = [*_judge(response, 200, step.code), *faults_of(response, headers, draft.document)]
        parts = {part["url"]: part for each in _document(response).get("extension", ()) for part in each.get("extension", ())}
        verdict = parts.get("verdict", {}).get("valueCode")
        if verdict != ("would-be-refused" if step.code else "would-be-accepted"):
            faults.append(f"the verdict is {verdict}")
        return " ".join([str(verdict).replace("-", " "), *codes_of(response)[:3]]), faults

    def _search(self, step: Search, thread: _Thread) -> tuple[str, list[str]]:
        draft = thread.draft or self.sender.draft()
        headers = {**self.system.credentials(Who.SENDER), "Content-Type": "application/x-www-form-urlencoded"}
        response = self.system.send("POST", SEARCH, headers, urlencode(step.fields(draft)).encode())
        faults = [*_judge(response, step.status, step.code), *faults_of(response, headers, draft.document)]
        if not faults and step.status == 200:
            found = [each["resource"]["id"] for each in _document(response).get("entry", ())]
            faults = [] if found == [thread.task.rpartition("/")[2]] else [f"{len(found)} Tasks were found, not the one that was asked for"]
        return _short(response), faults

    def _sign_in(self, step: Forged) -> tuple[str, list[str]]:
        if self.system.sign_in is None:
            return "nothing", ["the kit was given no key to sign in with"]
        for assertion in step.make(self.system.sign_in):
            form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            response = self.system.send("POST", self.system.sign_in.token_url, headers, urlencode(form).encode())
        return _short(response), _judge(response, entry(step.code).status, step.code)

    def _receipt(self, thread: _Thread) -> tuple[str, list[str]]:
        """Wait for the receipt no longer than was promised, and verify it against the leaf that came with the acceptance."""
        until = time.monotonic() + LONGEST_WAIT
        while True:
            response = self.system.send("GET", f"{thread.task}/$receipt", self.system.credentials(Who.SENDER))
            if response.status_code == 200:
                break
            if time.monotonic() > until:
                return _short(response), [f"there was no receipt within {LONGEST_WAIT:.0f} seconds"]
            self.system.pause.wait(LOOK_EVERY)
        parts = {part["name"]: part for part in response.json()["parameter"]}
        leaf = b64decode(parts["leaf"]["valueBase64Binary"])
        try:
            if thread.promise:
                verify_promise(thread.promise, leaf_hash(leaf), self.system.keys.promises)
        except ReceiptRefused as error:
            return "receipt", [f"the promise does not fit the receipt: {error}"]
        if not thread.promise and leaf != thread.leaf:
            return "receipt", ["the receipt is for another leaf than the one that was promised"]
        for text in filter(None, (parts["receipt"]["valueString"], thread.receipt)):
            try:
                verify_receipt(text, leaf_hash(leaf), self.system.keys.log)
            except ReceiptRefused as error:
                return "receipt", [f"the receipt does not verify: {error}"]
        return "receipt", []

    def _headers(self, who: Who) -> dict[str, str | None]:
        fixed = {"Content-Type": "application/fhir+json", "X-Request-ID": str(uuid4()), "X-Correlation-ID": str(uuid4())}
        return {**fixed, **self.system.credentials(who)}


def _judge(response: httpx2.Response, status: int, code: Code | None) -> list[str]:
    faults = [] if response.status_code == status else [f"the status is {response.status_code}, not {status}"]
    found = codes_of(response)
    if code is not None and code.value not in found:
        faults.append(f"{code.value} is not named: {', '.join(found) or 'no code is'}")
    return faults


def _document(response: httpx2.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _about(thread: _Thread) -> dict[str, Any]:
    return thread.draft.document if thread.draft else {}


def _short(response: httpx2.Response) -> str:
    return " ".join([str(response.status_code), *codes_of(response)[:3]])
