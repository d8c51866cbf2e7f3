# SPDX-License-Identifier: MIT
"""What authorities have not collected from MESH, by command."""

from __future__ import annotations

from notify_gateway.cli.operations_acts import AUTHORITY
from notify_gateway.cli.output import AsJson, Json, show, table
from notify_gateway.cli.parties import instant
from notify_gateway.cli.service import opened


def uncollected(authority: AUTHORITY = None, as_json: AsJson = False) -> None:
    """Show what lies in the MESH mailboxes of authorities and was not fetched, and which deliveries have lain there for days.

    Example: notify-gateway operations uncollected --authority E06000002
    """
    from notify_gateway.use_cases import flows, follow_mesh

    with opened() as runtime:
        found = [each for each in flows.uncollected(runtime.gateway) if authority in (None, each.lying.authority)]
        late = [each for each in follow_mesh.uncollected(runtime.gateway) if authority in (None, each.authority)]
    document: Json = {
        "mailboxes": [
            {
                "authority": each.lying.authority,
                "mailbox": each.lying.mailbox,
                "level": each.level.value,
                "count": each.lying.count,
                "oldest_at": instant(each.lying.oldest_at),
                "told": each.lying.told,
            }
            for each in found
        ],
        "late": [
            {"delivery": str(each.delivery_id), "authority": each.authority, "mailbox": each.mailbox, "sent_at": instant(each.sent_at)}
            for each in late
        ],
    }
    rows = [(each.level.value, each.lying.authority, each.lying.mailbox, each.lying.count, instant(each.lying.oldest_at)) for each in found]
    words = table(("", "Authority", "Mailbox", "Not collected", "Oldest"), rows) if rows else "Nothing lies in MESH uncollected."
    lying = table(("Delivery", "Authority", "In MESH since"), [(each.delivery_id, each.authority, instant(each.sent_at)) for each in late])
    show(as_json, document, words, *(("", lying) if late else ()))
