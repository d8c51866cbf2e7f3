# SPDX-License-Identifier: MIT
"""``notify-gateway validate``: messages in files, tried without being sent; for people, for machines, for continuous integration."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, Words, show, table, tell

if TYPE_CHECKING:
    from notify_gateway.cli.trial import Fault, Judge, Judged

TOKEN_VARIABLE = "NOTIFY_GATEWAY_TOKEN"  # noqa: S105 - a name, no secret
MOST_BYTES = 8 * 1024 * 1024
"""More than any service takes in: what is longer is refused for its length, and need not be read to its end."""

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", exists=True, help="Messages, or folders whose .json files are messages.", show_default=False),
]


def validate(
    files: Files,
    url: Annotated[
        str | None, typer.Option(help="Ask the running service at this address; otherwise this machine's own tables and database.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--as", metavar="ODS", help="Without --url: the trust that would send; otherwise the only one registered.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help=f"With --url: file with the bearer token; otherwise the variable {TOKEN_VARIABLE}.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="With --url and --key: sign in as this client instead of giving a token.")] = None,
    key: Annotated[Path | None, typer.Option(help="With --client-id: its private key, PEM or JWK.")] = None,
    kid: Annotated[str | None, typer.Option(help="With --key: the key's id, where its file does not name it.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit report to this file besides.")] = None,
    as_json: AsJson = False,
) -> None:
    """Try messages without sending them: every fault of every file, how far each came, and which authority it would go to.

    The judgement is that of $process-message; nothing is kept. What is held is not looked at, so duplicates and conflicts do not show.
    Statuses: 0 all would be accepted, 1 some would not, 2 wrong usage.

    Example: notify-gateway validate messages/ --url https://gateway.example --token-file token.txt --junit report.xml
    """
    from notify_gateway.cli.trial import Judged

    found = _expanded(files)
    with _judge(url, sender, _bearer(url, token_file, client_id, key, kid)) as judge:
        judged = [(path, Judged.of(judge(_read(path)))) for path in found]
    if junit is not None:
        _write_junit(junit, judged)
    show(as_json, _document(judged), *_words(judged))
    if not all(each.accepted for _, each in judged):
        raise typer.Exit(1)


def _expanded(given: Sequence[Path]) -> list[Path]:
    found = [each for path in given for each in (sorted(path.rglob("*.json")) if path.is_dir() else [path])]
    if not found:
        raise CommandFailed("There is nothing to try", "The folder holds no .json file.", "Name files, or a folder that holds some.")
    return list(dict.fromkeys(found))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def _judge(url: str | None, sender: str | None, bearer: Callable[[], str]) -> AbstractContextManager[Judge]:
    from notify_gateway.cli import trial

    return trial.judged_here(sender) if url is None else trial.judged_at(url, bearer)


def _bearer(url: str | None, token_file: Path | None, client_id: str | None, key: Path | None, kid: str | None) -> Callable[[], str]:
    if url is not None and client_id is not None and key is not None:
        from notify_gateway.cli.sign_in import SignIn

        return SignIn.with_key_file(f"{url.rstrip('/')}/oauth2/token", client_id, key, kid).bearer
    token = token_file.read_text("utf-8").strip() if token_file is not None else os.environ.get(TOKEN_VARIABLE, "").strip()
    if url is not None and not token:
        raise CommandFailed(
            "There is no token",
            "The service answers only those who sign in.",
            f"Give --token-file, or --client-id and --key, or set {TOKEN_VARIABLE}.",
        )
    return lambda: token


def _document(judged: Sequence[tuple[Path, Judged]]) -> Json:
    accepted = sum(each.accepted for _, each in judged)
    return {
        "files": len(judged),
        "would_be_accepted": accepted,
        "would_be_refused": len(judged) - accepted,
        "results": [
            {
                "file": str(path),
                "verdict": "would-be-accepted" if each.accepted else "would-be-refused",
                "event": each.event,
                "layers": [{"name": name, "verdict": verdict, "count": count} for name, verdict, count in each.layers],
                **{name.replace("-", "_"): value for name, value in each.facts.items()},
                "issues": [
                    {
                        "severity": fault.severity,
                        "code": fault.code,
                        "title": fault.title,
                        "expression": fault.expression,
                        "diagnostics": fault.diagnostics,
                    }
                    for fault in (*each.errors, *each.remarks)
                ],
            }
            for path, each in judged
        ],
    }


def _words(judged: Sequence[tuple[Path, Judged]]) -> list[Words]:
    rows = [
        (path, "would be accepted" if each.accepted else "would be refused", len(each.errors), len(each.remarks), _goes_to(each))
        for path, each in judged
    ]
    words: list[Words] = [table(("File", "Verdict", "Faults", "Remarks", "Would go to"), rows)]
    for path, each in judged:
        if each.errors or each.remarks or len(judged) == 1:
            words += [
                Text(f"\n{path}", style="bold"),
                *each.lines,
                *_listed("Must fix", each.errors),
                *_listed("Worth knowing", each.remarks),
            ]
    accepted = sum(each.accepted for _, each in judged)
    return [*words, Text(f"\n{accepted} of {len(judged)} would be accepted. Nothing was kept.", style="bold")]


def _listed(heading: str, faults: Sequence[Fault]) -> list[Words]:
    lines = [f"  {fault.code}  {fault.expression or 'the message'}\n    {fault.diagnostics}" for fault in faults]
    return [Text(f"{heading}:", style="bold"), *lines] if lines else []


def _goes_to(judged: Judged) -> str:
    name, code = judged.facts.get("authority-name"), judged.facts.get("authority")
    return f"{name} ({code})" if code else ""


def _write_junit(path: Path, judged: Sequence[tuple[Path, Judged]]) -> None:
    from notify_gateway.cli.junit import Case, write_junit

    cases = []
    for file, each in judged:
        refused = f"{len(each.errors)} faults: {', '.join(dict.fromkeys(fault.code for fault in each.errors))}"
        faults = [f"{fault.code} {fault.expression or ''}: {fault.diagnostics}" for fault in each.errors]
        cases.append(Case(str(file), "notify-gateway.validate", "" if each.accepted else refused, "\n".join([*each.lines, *faults])))
    write_junit(path, "notify-gateway validate", cases)
    tell(f"Wrote {path}")
