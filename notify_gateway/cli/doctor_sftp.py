# SPDX-License-Identifier: MIT
"""What delivery by SFTP needs, examined: our key, and what came of the last look at each authority's server. Nobody is connected to."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, select

from notify_gateway.cli.failures import in_words
from notify_gateway.cli.findings import Check, State
from notify_gateway.domain.route import ChannelName
from notify_gateway.privacy.keys import KeyFileError
from notify_gateway.privacy.ssh_keys import line_fingerprint, public_line
from notify_gateway.settings import Settings
from notify_gateway.store import parties
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import sftp_looks

_FIXES = {
    "sftp-host-key": "The server shows another key than the pinned one: telephone the authority before you register another.",
    "sftp-key-refused": "Ask the authority to let the line in that notify-gateway keys sftp shows.",
    "sftp-folder": "Ask the authority to make the folder of the route, or correct the route.",
    "receipts-refused": "A receipt was wrong: ask the authority what it holds; the file in acks ends with .refused.",
}


def check_sftp(engine: Engine, settings: Settings) -> Iterator[Check]:
    """Where authorities are reached by SFTP, our key can be used and their servers were well when they were last looked at."""
    with reading(engine).begin() as connection:
        reached = [each.gss for each in parties.receivers(connection).values() if each.channel == ChannelName.SFTP]
        codes = {row.authority: row.code for row in connection.execute(select(sftp_looks.c.authority, sftp_looks.c.code))}
    if not reached:
        return
    try:
        yield Check("sftp key", State.OK, line_fingerprint(public_line(settings.sftp_key)))
    except KeyFileError as error:
        (told,) = in_words(error)
        yield Check("sftp key", State.FAIL, told.why, told.fix)
    for gss in reached:
        code = codes.get(gss)
        if code in (None, "looked"):
            yield Check(f"sftp {gss}", State.OK, "well when last looked at" if code else "not looked at yet")
        else:
            fix = _FIXES.get(code, "See whether the server answers from here: docs/operators.md, SFTP, lists what each code means.")
            yield Check(f"sftp {gss}", State.WARN, f"the last look came to {code}", fix)
