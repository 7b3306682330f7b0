"""First tables of workflows that run."""

import json

import sqlalchemy as sa
from alembic import op

revision = "workflows_0001"
down_revision = None
branch_labels = ("workflows",)
depends_on = "core_0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "workflow_state",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_state_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", name=op.f("pk_workflow_state")),
    )
    op.create_table(
        "workflow_listener",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("workflow", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("worksheet", sa.String(length=40), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_listener_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "workflow", name=op.f("pk_workflow_listener")),
    )
    op.create_index("ix_workflow_listener_due", "workflow_listener", ["due_at"],
                    sqlite_where=sa.text("due_at IS NOT NULL"), postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("ix_workflow_listener_worksheet", "workflow_listener", ["app_id", "worksheet"])
    op.create_table(
        "workflow_event",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("worksheet", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("form", sa.String(length=40), nullable=True),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_event_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "id", name=op.f("pk_workflow_event")),
    )
    op.create_table(
        "workflow_version",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("workflow", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_version_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "workflow", "digest", name=op.f("pk_workflow_version")),
    )
    op.create_table(
        "workflow_run",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workflow", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("memory", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_run_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "number", name=op.f("pk_workflow_run")),
    )
    op.create_index("ix_workflow_run_due", "workflow_run", ["due_at"],
                    sqlite_where=sa.text("due_at IS NOT NULL"), postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("ix_workflow_run_ended", "workflow_run", ["ended_at"])
    op.create_index("ix_workflow_run_open", "workflow_run", ["app_id", "number"],
                    sqlite_where=sa.text("due_at IS NOT NULL"), postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("ix_workflow_run_subject", "workflow_run", ["app_id", "subject", "number"],
                    sqlite_where=sa.text("state IN ('queued', 'running')"), postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.create_index("ix_workflow_run_workflow", "workflow_run", ["app_id", "workflow", "number"])
    op.create_table(
        "workflow_step",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("run", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("record", sa.String(length=60), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_step_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "run", "n", name=op.f("pk_workflow_step")),
    )
    op.create_index("ix_workflow_step_record", "workflow_step", ["app_id", "record"],
                    sqlite_where=sa.text("record IS NOT NULL"), postgresql_where=sa.text("record IS NOT NULL"))
    op.create_table(
        "workflow_approval",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("run", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(length=3), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_approval_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "run", "n", "person", name=op.f("pk_workflow_approval")),
    )
    op.create_index("ix_workflow_approval_person", "workflow_approval", ["person"],
                    sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"))
    op.create_table(
        "workflow_health",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("workflow", sa.String(length=40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("minute_at", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_health_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "workflow", name=op.f("pk_workflow_health")),
    )
    op.create_table(
        "workflow_address",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("workflow", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_address_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "workflow", name=op.f("pk_workflow_address")),
    )
    op.create_table(
        "workflow_secret",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_secret_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "name", name=op.f("pk_workflow_secret")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE workflow_event ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY")
    listen(op.get_bind())


def listen(connection: sa.Connection) -> None:
    """Have workflows that were switched on before they could run listen from now on; nothing that lies behind starts any."""
    documents = connection.execute(sa.text("SELECT app_id, key, body FROM document WHERE kind = 'workflow' AND hidden_at IS NULL"))
    for row in documents.all():
        body = json.loads(row.body)
        if not body.get("enabled") or '"secret":' in row.body:  # no secret is there yet
            continue
        trigger = body["trigger"]
        timed = trigger["type"] in ("schedule", "date_reached")
        connection.execute(
            sa.text("INSERT INTO workflow_listener (app_id, workflow, kind, worksheet, due_at, seen_at) "
                    "VALUES (:app, :workflow, :kind, :worksheet, :due, NULL)"),
            {"app": row.app_id, "workflow": row.key, "kind": trigger["type"], "due": 0 if timed else None,
             "worksheet": str(trigger.get("worksheet", {}).get("ref", "")).partition("/")[2]})


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("workflow_secret")
    op.drop_table("workflow_address")
    op.drop_table("workflow_health")
    op.drop_table("workflow_approval")
    op.drop_table("workflow_step")
    op.drop_table("workflow_run")
    op.drop_table("workflow_version")
    op.drop_table("workflow_event")
    op.drop_table("workflow_listener")
    op.drop_table("workflow_state")
