"""What pages say of how well an app is backed up: how its backups are proven, what is wrong, and which others damage touches."""

from __future__ import annotations

from dataclasses import dataclass

from core.apps.permissions import standing
from core.apps.service import all_apps
from core.backups.damage import WAY_OUT, Damaged, damaged_by, seen_by
from core.backups.health import AppHealth, health_of
from core.backups.models import Backup
from core.backups.proof import how_proven, lost_text, proofs_of
from core.base.time import now_us
from core.web.backups.blueprint import pages
from core.web.visit import current_app_row, visit

NAMED_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Affected:
    """The other backups that the same damage touches: how many, those that the visitor may open, and how many of other apps."""

    count: int
    mine: list[Damaged]
    others: int
    advice: str = WAY_OUT

    @property
    def more(self) -> int:
        """How many that the visitor may open are not named."""
        return max(len(self.mine) - NAMED_AT_MOST, 0)

    @property
    def named(self) -> list[Damaged]:
        """Those that are."""
        return self.mine[:NAMED_AT_MOST]


@pages.app_template_global()
def backup_health() -> AppHealth:
    """Return how the app that the address names is backed up; for those who may back it up."""
    return health_of(current_app_row())


@pages.app_template_global()
def backup_proof(backup: Backup) -> str:
    """Return how a backup is proven, in words."""
    return how_proven(backup, now_us())


@pages.app_template_global()
def damage_text(backup: Backup) -> str:
    """Return what is wrong with a damaged backup; the names of what is lost are for the log."""
    return lost_text(backup.lost_parts) if backup.lost_parts else str(backup.check_error)


@pages.app_template_global()
def proof_sentence(health: AppHealth) -> str:
    """Return how the newest proven backup of an app is proven: "restored on trial 3 days ago"."""
    words = proofs_of(health.proven)[0].sentence(health.now) if health.proven is not None else ""
    return words[:1].lower() + words[1:]


@pages.app_template_global()
def also_affected(run_id: str | None, but: str | None) -> Affected:
    """Return the other backups that a run found damaged; those of apps that the visitor may not back up are only counted."""
    found = damaged_by(run_id, but=but)
    named = {one.app_id for one in found}
    open_ = {app.id for app in all_apps() if app.id in named and standing(app, visit().person).may_back_up} if named else set()
    mine, others = seen_by(found, open_)
    return Affected(len(found), mine, others)
