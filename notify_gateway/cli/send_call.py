# SPDX-License-Identifier: MIT
"""The gateway as a sender of many messages calls it: ``$process-messages`` to send them, ``Bundle/$validate`` to try them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.send_results import NOT_NOW
from notify_gateway.cli.send_source import SourceLine

if TYPE_CHECKING:
    import httpx2

Result: TypeAlias = dict[str, Any]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_RESULT = 1024 * 1024
LONGEST_REST = 300.0
_KEPT = ("request_id", "status", "code", "location", "reference", "authority", "promise", "issues")


class NotYet(Exception):
    """The service could not answer for all lines; they may be sent again. ``denied``: the token was not taken."""

    def __init__(self, why: str, *, retry_after: float | None = None, only_lines: bool = False, denied: bool = False) -> None:
        self.why = why
        self.retry_after = None if retry_after is None else min(max(retry_after, 0.0), LONGEST_REST)
        self.only_lines = only_lines
        self.denied = denied
        super().__init__(why)


class Bearer(Protocol):
    """What gives a token, and gets another when it was not taken."""

    def bearer(self) -> str:
        """Return a token."""

    def forget(self) -> None:
        """Return another one the next time."""


class TokenInFile:
    """A token in a file, which is read again when the service did not take it: somebody may have put a new one there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: str | None = None

    def bearer(self) -> str:
        """Return the first line of the file."""
        if self._held is None:
            self._held = self._path.read_text("utf-8").partition("\n")[0].strip()
        return self._held

    def forget(self) -> None:
        """Read the file again the next time."""
        self._held = None


class Door:
    """A gateway's front door at ``base`` (see ``checked_base``), for one run: its calls share a correlation id."""

    def __init__(self, base: str, bearer: Bearer) -> None:
        import httpx2

        self._base = base
        self._bearer = bearer
        self.correlation_id = str(uuid4())
        # A whole call may wait for its turn before the first result comes.
        limits = httpx2.Timeout(connect=10, read=120, write=60, pool=10)
        self._client = httpx2.Client(timeout=limits, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, lines: Sequence[SourceLine]) -> Iterator[tuple[SourceLine, Result]]:
        """Send lines in one call; yield each with its result as it comes. Raises ``NotYet`` when the answer ends before it is complete."""
        body = b"".join(line.body + b"\n" for line in lines)
        numbered = dict(enumerate(lines, 1))
        with self._answer("$process-messages", body, "application/fhir+ndjson", "application/x-ndjson") as response:
            for result in _results(response):
                if (summary := result.get("summary")) is not None:
                    return self._require_complete(summary)
                line = numbered.get(result.get("line", 0))
                if line is None or not isinstance(result.get("status"), int):
                    raise NotYet("the answer is not one to these lines")
                yield line, {name: result[name] for name in _KEPT if name in result}
        raise NotYet("the answer broke off")

    def check(self, lines: Sequence[SourceLine]) -> Iterator[tuple[SourceLine, Result]]:
        """Have each line judged, with nothing kept; yield it with the verdict. Raises ``NotYet``."""
        for line in lines:
            with self._answer("Bundle/$validate", line.body, "application/fhir+json", "application/fhir+json") as response:
                try:
                    outcome = json.loads(response.read())
                    parts = {part["url"]: part for part in outcome["extension"][0]["extension"]}
                    verdict = str(parts["verdict"]["valueCode"])
                    issues = [_issue(each) for each in outcome["issue"] if each["severity"] in ("error", "fatal")]
                except (ValueError, KeyError, TypeError, IndexError):
                    raise NotYet("the verdict cannot be read") from None
            yield line, {"status": 200, "verdict": verdict, "issues": issues}

    @contextmanager
    def _answer(self, operation: str, body: bytes, content_type: str, accept: str) -> Iterator[httpx2.Response]:
        import httpx2

        headers = {
            "Authorization": f"Bearer {self._bearer.bearer()}",
            "Content-Type": content_type,
            "Accept": accept,
            "X-Request-ID": str(uuid4()),
            "X-Correlation-ID": self.correlation_id,
        }
        try:
            with self._client.stream("POST", f"{self._base}/fhir/R4/{operation}", content=body, headers=headers) as response:
                if response.status_code != 200:
                    raise self._refused(response)
                yield response
        except httpx2.HTTPError as error:
            raise NotYet(f"the connection failed ({type(error).__name__})") from None

    def _require_complete(self, summary: Result) -> None:
        stopped = summary.get("stopped") or {}
        if not summary.get("complete"):
            raise self._later(int(stopped.get("status", 503)), str(stopped.get("code", "")), stopped.get("retry_after"))

    def _refused(self, response: httpx2.Response) -> Exception:
        code = _code(response.read())
        after = response.headers.get("retry-after", "")
        status = response.status_code
        if status == 401 or status in NOT_NOW or status >= 500:
            return self._later(status, code, float(after) if after.isdigit() else None)
        return refused(status, code)

    def _later(self, status: int, code: str, retry_after: float | None) -> NotYet:
        if status == 401:
            self._bearer.forget()
        named = f" ({code})" if code else ""
        return NotYet(f"the service answered {status}{named}", retry_after=retry_after, denied=status == 401)


def checked_base(base: str) -> str:
    """Return the address of the service without a slash at its end; raises ``CommandFailed`` where messages would travel in the clear."""
    parts = urlsplit(base)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)) or not parts.hostname:
        raise CommandFailed("The address cannot be used", "Messages name children and travel under TLS only.", "Give one with https://.")
    return base.rstrip("/").removesuffix("/fhir/R4")


def refused(status: int, code: str) -> Exception:
    """Return why the service takes none of the lines."""
    from notify_gateway.domain.catalogue import entry
    from notify_gateway.domain.errors import Issue, NotifyError

    try:
        entry(code)
    except KeyError:
        return CommandFailed(f"The service answered {status}", "It does not take these calls.", "Check the address; ask the service desk.")
    return NotifyError(Issue(code))


def _results(response: httpx2.Response) -> Iterator[Result]:
    rest = b""
    for piece in response.iter_bytes():
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > MOST_RESULT:
            raise NotYet("the answer is not made of lines")
        for line in whole:
            try:
                result = json.loads(line)
            except ValueError:
                raise NotYet("the answer is not made of lines") from None
            if isinstance(result, dict):
                yield result


def _code(body: bytes) -> str:
    try:
        return str(_issue(json.loads(body)["issue"][0])["code"])
    except (ValueError, KeyError, TypeError, IndexError):
        return ""


def _issue(issue: Result) -> Result:
    codes = [coding["code"] for coding in issue["details"]["coding"] if str(coding["code"]).startswith("NG-")]
    place = issue.get("expression") or ()
    return {"code": codes[0]} | ({"expression": place[0]} if place else {})
