# SPDX-License-Identifier: MIT
"""What only PostgreSQL can guard: a change commits only with its event beside it, and what is in the log is never changed.

A deferred constraint looks, at the commit, for an event of the same transaction. It is a seat belt: a superuser can take it off, and the
Merkle proofs are what convicts him then. On SQLite the code alone keeps the rule, under the same tests.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

_OURS = "xmin = pg_current_xact_id()::xid"
_MOVED = "OLD.state IS DISTINCT FROM NEW.state OR OLD.attempts IS DISTINCT FROM NEW.attempts"

_LOOKS = {
    "audit_tells_of_message": f"SELECT FROM audit_pending WHERE event_id = NEW.accepted_event AND {_OURS}",
    "audit_tells_of_delivery": f"SELECT FROM audit_pending WHERE subject IN (NEW.id::text, NEW.notification_id::text) AND {_OURS}",
    "audit_tells_of_step": f"SELECT FROM audit_pending WHERE event_id = NEW.event_id AND {_OURS}",
    # The transaction's own rows came last, so this looks at few; which row of these tables an event means, its fields say.
    "audit_tells_of_something": f"SELECT FROM (SELECT xmin FROM audit_pending ORDER BY arrival DESC LIMIT 500) AS latest WHERE {_OURS}",  # noqa: S608 - names of ours
}
_CONSTRAINTS = (
    ("messages", "INSERT", "", "audit_tells_of_message"),
    ("deliveries", "INSERT", "", "audit_tells_of_delivery"),
    ("deliveries", "UPDATE", f"WHEN ({_MOVED})", "audit_tells_of_delivery"),
    ("delivery_steps", "INSERT", "", "audit_tells_of_step"),
    *(
        (table, change, "", "audit_tells_of_something")
        for table in ("authorities", "authority_keys", "clients", "tokens", "reveal_grants", "client_keys", "access_tokens", "tombstones")
        for change in ("INSERT", "UPDATE")
    ),
)
_LASTING = ("audit_leaf", "audit_node", "audit_checkpoint")
"""Tables of the log that only grow; the rows of ``audit_pending`` move on, and the one row of ``audit_head`` steps forward."""


def set_up(connection: Connection) -> None:
    """Lay the constraints of a PostgreSQL database: from now on a change without its event fails at the commit."""
    for name, look in _LOOKS.items():
        _function(connection, name, f"IF NOT EXISTS ({look})", "a change of % has no event in its transaction", "check_violation")
    for table, change, when, function in _CONSTRAINTS:
        connection.execute(
            text(
                f"CREATE CONSTRAINT TRIGGER {table}_{change.lower()}_has_event AFTER {change} ON {table} "
                f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {when} EXECUTE FUNCTION {function}()"
            )
        )
    _function(connection, "audit_only_grows", "IF true", "% holds the log, which is never changed", "insufficient_privilege")
    for table in _LASTING:
        connection.execute(
            text(
                f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
            )
        )


def watch(connection: Connection, table: str) -> None:
    """A further table changes only with an event in the same transaction; needs ``set_up``."""
    for change in ("INSERT", "UPDATE"):
        connection.execute(
            text(
                f"CREATE CONSTRAINT TRIGGER {table}_{change.lower()}_has_event AFTER {change} ON {table} "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_tells_of_something()"
            )
        )


_OPENED = {
    "INSERT": "NEW.opened_at IS NOT NULL",
    "UPDATE": "OLD.opened_at IS DISTINCT FROM NEW.opened_at",
}
_POLICY = ("parked_at", "given_up_at", "channel")


def watch_policy(connection: Connection) -> None:
    """A delivery is parked, given up or moved, a circuit opened or closed, a downtime planned or ended, only with its event."""
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _POLICY)
    _constrain(connection, "deliveries_policy", "UPDATE ON deliveries", changed, "audit_tells_of_delivery")
    for change, when in _OPENED.items():
        _constrain(connection, f"circuits_{change.lower()}", f"{change} ON circuits", when, "audit_tells_of_something")
    watch(connection, "downtimes")


def unwatch_policy(connection: Connection) -> None:
    """Remove what ``watch_policy`` laid on deliveries; the rest goes with its tables."""
    connection.execute(text("DROP TRIGGER deliveries_policy_has_event ON deliveries"))


def watch_staff(connection: Connection) -> None:
    """Members of staff come, go and change what they may do, and their sessions begin, end and step up, only with an event."""
    people = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in ("roles", "closed_at", "leave_until", "deputy"))
    sessions = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in ("cookie_hash", "expires_at", "stepped_up_at", "ended_at"))
    for table, changed in (("staff", people), ("staff_sessions", sessions)):
        _constrain(connection, f"{table}_insert", f"INSERT ON {table}", "true", "audit_tells_of_something")
        _constrain(connection, f"{table}_update", f"UPDATE ON {table}", changed, "audit_tells_of_something")


def watch_deletion(connection: Connection) -> None:
    """The entries of a closed log are deleted only with an event."""
    changed = "OLD.entries_deleted_at IS DISTINCT FROM NEW.entries_deleted_at"
    _constrain(connection, "audit_origin_deletion", "UPDATE ON audit_origin", changed, "audit_tells_of_something")


def unwatch_deletion(connection: Connection) -> None:
    """Undo ``watch_deletion``."""
    connection.execute(text("DROP TRIGGER audit_origin_deletion_has_event ON audit_origin"))


def _constrain(connection: Connection, name: str, change: str, when: str, function: str) -> None:
    connection.execute(
        text(
            f"CREATE CONSTRAINT TRIGGER {name}_has_event AFTER {change} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {function}()"
        )
    )


def look_by_index(connection: Connection) -> None:
    """The constraints look for an event by an index, though hardly a row is pending at any time.

    Rows come and go there so quickly that the planner sees an empty table, reads it from end to end, and finds it full of dead rows.
    """
    for name in _LOOKS:
        connection.execute(text(f"ALTER FUNCTION {name}() SET enable_seqscan = off"))


def look_as_planned(connection: Connection) -> None:
    """Undo ``look_by_index``."""
    for name in _LOOKS:
        connection.execute(text(f"ALTER FUNCTION {name}() RESET enable_seqscan"))


def take_down(connection: Connection) -> None:
    """Remove what ``set_up`` laid."""
    for name in (*_LOOKS, "audit_only_grows"):
        connection.execute(text(f"DROP FUNCTION {name}() CASCADE"))


def _function(connection: Connection, name: str, condition: str, message: str, code: str) -> None:
    body = f"BEGIN {condition} THEN RAISE EXCEPTION '{message}', TG_TABLE_NAME USING ERRCODE = '{code}'; END IF; RETURN NULL; END"
    connection.execute(text(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"))
