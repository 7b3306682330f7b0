"""What the clock does for workflows: wakes workers where something is due, and forgets old runs."""

from __future__ import annotations

from sqlalchemy import and_, delete, exists, or_, select, union

from core.api import App, as_server, as_tenant, db, now_us, transaction, wake
from plugins.workflows.listening import NAME
from plugins.workflows.models import WorkflowApproval, WorkflowEvent, WorkflowListener, WorkflowRun, WorkflowState, WorkflowStep
from tenants.models import Organization
from tenants.plans import PLANS

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
AT_ONCE = 500
MOST_APPS = 1000


def tick() -> None:
    """Wake workers for apps in which something is due, and forget some of what is old."""
    now = now_us()
    # From small tables into the one that may have millions of rows, each time by its key.
    left = [select(table.app_id).where(exists().where(WorkflowEvent.app_id == table.app_id))
            for table in (WorkflowState, WorkflowListener)]
    asked = union(*left, select(WorkflowRun.app_id).where(WorkflowRun.due_at <= now),
                  select(WorkflowListener.app_id).where(WorkflowListener.due_at <= now)).limit(MOST_APPS)
    with as_server():
        found = list(db.session.execute(asked).scalars())
        open_ = [(row.organization_id, row.id) for row in db.session.execute(select(App.organization_id, App.id).join(
            Organization, Organization.id == App.organization_id).where(
            App.id.in_(found), App.deleted_at.is_(None), App.restoring_run_id.is_(None), Organization.closed_at.is_(None)))]
    for organization_id, app_id in open_:
        with as_tenant(organization_id):
            app = db.session.scalar(select(App).where(App.id == app_id))
            if app is not None:
                wake(app, NAME)
    forget_old(now)
    db.session.rollback()  # nothing that was read is held until the next tick


def forget_old(now: int) -> int:
    """Remove some runs that ended longer ago than the organization's plan keeps them, with their steps; return how many."""
    run, app, organization = WorkflowRun.__table__.c, App.__table__.c, Organization.__table__.c
    old_of = [and_(organization.plan == plan.name, run.ended_at < now - plan.workflow_days * DAY_US) for plan in PLANS.values()]
    with as_server():
        old = db.session.execute(select(run.app_id, run.number).join(App, app.id == run.app_id).join(
            Organization, organization.id == app.organization_id).where(
            run.ended_at < now - min(plan.workflow_days for plan in PLANS.values()) * DAY_US, or_(*old_of)).limit(AT_ONCE)).all()
        if not old:
            return 0
        with transaction():
            for app_id in {row.app_id for row in old}:
                numbers = [row.number for row in old if row.app_id == app_id]
                for table, column in ((WorkflowStep, WorkflowStep.run), (WorkflowApproval, WorkflowApproval.run),
                                      (WorkflowRun, WorkflowRun.number)):
                    db.session.execute(delete(table).where(table.app_id == app_id, column.in_(numbers))
                                       .execution_options(synchronize_session=False))
    return len(old)
