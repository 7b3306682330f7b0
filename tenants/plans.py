"""The plans an organization can have: one table, in order of size."""

from __future__ import annotations

from dataclasses import dataclass

from core.api import InvalidInput

GB = 10**9


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: its name in the database, what people call it, what it allows.

    The quota is for a year; runs of workflows and the history of records stay for days.
    """

    name: str
    title: str
    upload_quota_bytes: int
    scheduled_backups: bool
    workflow_days: int = 90
    record_history_days: int = 90


PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan("free", "Free", 2 * GB, scheduled_backups=False, workflow_days=7, record_history_days=14),
        Plan("standard", "Standard", 50 * GB, scheduled_backups=False, workflow_days=30, record_history_days=90),
        Plan("professional", "Professional", 150 * GB, scheduled_backups=False, workflow_days=90, record_history_days=365),
        Plan("ultimate", "Ultimate", 300 * GB, scheduled_backups=True, workflow_days=365, record_history_days=1095),
    )
}
DEFAULT_PLAN = "ultimate"


def plan(name: str) -> Plan:
    """Return a plan.

    Raises:
        InvalidInput: there is none of that name.
    """
    if name not in PLANS:
        raise InvalidInput(f"Unknown plan “{name[:40]}”. Choose one of: {', '.join(PLANS)}.")
    return PLANS[name]
