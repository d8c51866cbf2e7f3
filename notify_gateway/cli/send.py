# SPDX-License-Identifier: MIT
"""``notify-gateway send``: a trust's back-book, sent or tried, with a result for each line, resumed where it was left."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed, report
from notify_gateway.cli.output import AsJson, Json, facts, show, tell

if TYPE_CHECKING:
    from notify_gateway.cli.send_call import Door
    from notify_gateway.cli.send_run import Count, Run

DONE, SOME_REFUSED, NOT_DONE = 0, 1, 2


def send(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="One message to a line (.ndjson, .ndjson.gz), a folder of .json files, or - for standard input."
        ),
    ],
    url: Annotated[str, typer.Option(metavar="BASE", help="Address of the service, such as https://notify.example.")],
    token_file: Annotated[Path | None, typer.Option(help="File whose first line is the access token; or sign in by key, below.")] = None,
    client_id: Annotated[str | None, typer.Option(help="Id of your registered system, to sign in with its private key.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="KEYFILE", help="Private key of your system, PEM or JWK.")] = None,
    kid: Annotated[str | None, typer.Option(help="The key's id, where the file does not name it.")] = None,
    results: Annotated[Path | None, typer.Option(help="Where the results go, a line for each line; otherwise FILE.results.ndjson.")] = None,
    resume: Annotated[bool, typer.Option(help="Leave out lines that the results show as accepted or refused.")] = True,
    again_refused: Annotated[bool, typer.Option("--again-refused", help="Send lines that were refused once more.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Have every line judged, and nothing kept; writes FILE.dry-run.ndjson.")
    ] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to go on trying while nothing gets through to the service.")] = 300.0,
    as_json: AsJson = False,
) -> None:
    """Send many notifications: nothing is sent twice, nothing is lost, and each line has its result.

    After an interruption run the same command again: it goes on where it was. A line that did arrive is then a duplicate, and a success.
    Results hold references, codes and promises, nothing of a child. Statuses: 0 all accepted, 1 some refused, 2 interrupted or failed.

    Example: notify-gateway send back-book.ndjson --url https://notify.example --token-file token
    """
    path = results or _beside(file, "dry-run" if dry_run else "results")
    if (token_file is None) == (client_id is None or key is None):
        raise typer.BadParameter("Give --token-file, or --client-id and --key.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _door(url, token_file, client_id, key, kid) as door:
            status = _run(file, path, door, resume=resume, again_refused=again_refused, dry_run=dry_run, patience=patience, as_json=as_json)
    except (Exception, KeyboardInterrupt) as error:
        report(error, as_json=as_json)
        status = NOT_DONE
    raise typer.Exit(status)


def _run(file: str, path: Path, door: Door, *, resume: bool, again_refused: bool, dry_run: bool, patience: float, as_json: bool) -> int:
    import stamina

    from notify_gateway.cli.send_progress import progress
    from notify_gateway.cli.send_results import ResultsFile
    from notify_gateway.cli.send_run import Run
    from notify_gateway.cli.send_source import Source

    stamina.instrumentation.set_on_retry_hooks([])
    began = time.monotonic()
    with Source(file) as source, ResultsFile(path, anew=dry_run) as held:
        if not resume:
            held.settled.clear()
        with progress(source.total, verb="trying" if dry_run else "sending") as teller:
            run = Run(source, held, door.check if dry_run else door.send, teller, again_refused=again_refused, patience=patience)
            ended = _ended(run)
    _show(run.count, path, door, ended, time.monotonic() - began, dry_run=dry_run, as_json=as_json)
    if ended is None:
        return SOME_REFUSED if run.count.refused else DONE
    if isinstance(ended, KeyboardInterrupt):
        tell("Interrupted. What was answered stands in the results; run the same command again, and it goes on from there.")
    else:
        report(ended, as_json=as_json)
    return NOT_DONE


def _ended(run: Run) -> BaseException | None:
    """Return what ended the run before its end, or None."""
    from notify_gateway.cli.send_results import Standing

    try:
        run.all()
    except (Exception, KeyboardInterrupt) as error:
        return error
    if put_off := run.count.now[Standing.UNSETTLED]:
        why = f"{put_off:,} of them were put off each time; the results name them."
        return CommandFailed("Not all lines were settled", why, "Run the same command again later.")
    return None


def _show(count: Count, path: Path, door: Door, ended: BaseException | None, seconds: float, *, dry_run: bool, as_json: bool) -> None:
    from notify_gateway.cli.send_progress import in_words
    from notify_gateway.cli.send_results import Standing

    document: dict[str, Json] = {
        "complete": ended is None,
        "dry_run": dry_run,
        "read": count.read,
        **{standing.value: count.now[standing] for standing in Standing},
        "settled_before": sum(count.before.values()),
        "refused_before": count.before[Standing.REFUSED],
        "seconds": round(seconds, 1),
        "results": str(path),
        "correlation_id": door.correlation_id,
    }
    would = "would have been: " if dry_run else ""
    show(
        as_json, document, facts({"came to": f"{would}{in_words(count, seconds)}", "results": path, "correlation id": door.correlation_id})
    )


@contextmanager
def _door(url: str, token_file: Path | None, client_id: str | None, key: Path | None, kid: str | None) -> Iterator[Door]:
    from notify_gateway.cli.send_call import Door, TokenInFile, checked_base
    from notify_gateway.cli.sign_in import SignIn

    base = checked_base(url)
    if client_id is not None and key is not None:
        door = Door(base, SignIn.with_key_file(f"{base}/oauth2/token", client_id, key, kid))
    else:
        assert token_file is not None
        door = Door(base, TokenInFile(token_file))
    try:
        yield door
    finally:
        door.close()


def _beside(file: str, kind: str) -> Path:
    if file == "-":
        raise typer.BadParameter("Name the file of results with --results when the lines come from standard input.")
    path = Path(file)
    return path.with_name(f"{path.resolve().name}.{kind}.ndjson")
