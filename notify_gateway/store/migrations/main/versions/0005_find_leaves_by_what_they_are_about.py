# SPDX-License-Identifier: MIT
"""Find the log's leaves by subject, tag and instant; on PostgreSQL, let no change commit without its event, and nothing rewrite the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from audit.events import micros, read_leaf
from notify_gateway.store import guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PAGE = 1000


def upgrade() -> None:
    """Bring the tables to this revision."""
    for table in ("audit_pending", "audit_leaf"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("subject", sa.String(200)))
            batch.add_column(sa.Column("tag", sa.String(60)))
            if table == "audit_leaf":
                batch.add_column(sa.Column("created_at", sa.BigInteger()))
        _fill(sa.table(table, *map(sa.column, ("event_id", "leaf", "subject", "tag", "created_at"))))
        with op.batch_alter_table(table) as batch:
            for name, kind in (("subject", sa.String(200)), ("tag", sa.String(60)), ("created_at", sa.BigInteger())):
                batch.alter_column(name, existing_type=kind, nullable=False)
        op.create_index(op.f(f"ix_{table}_subject"), table, ["subject"])
    if op.get_bind().dialect.name == "postgresql":
        guards.set_up(op.get_bind())


def downgrade() -> None:
    """Take the tables back to the revision before."""
    if op.get_bind().dialect.name == "postgresql":
        guards.take_down(op.get_bind())
    for table in ("audit_pending", "audit_leaf"):
        op.drop_index(op.f(f"ix_{table}_subject"), table)
        with op.batch_alter_table(table) as batch:
            batch.drop_column("subject")
            batch.drop_column("tag")
            if table == "audit_leaf":
                batch.drop_column("created_at")


def _fill(table: sa.TableClause) -> None:
    connection = op.get_bind()
    while rows := connection.execute(sa.select(table.c.event_id, table.c.leaf).where(table.c.tag.is_(None)).limit(_PAGE)).all():
        filled = [(row.event_id, read_leaf(bytes(row.leaf))) for row in rows]
        values: dict[str, sa.BindParameter[object]] = {name: sa.bindparam(f"b_{name}") for name in ("subject", "tag", "created_at")}
        statement = sa.update(table).where(table.c.event_id == sa.bindparam("b_id")).values(values)
        connection.execute(
            statement,
            [{"b_id": key, "b_subject": event.subject, "b_tag": event.tag, "b_created_at": micros(event.at)} for key, event in filled],
        )
