"""The application itself: making it, its settings, its command line, runs, how well apps are backed up."""

from core.app import create_app
from core.backups.damage import WAY_OUT as damage_advice
from core.backups.damage import Damaged as DamagedBackup
from core.backups.damage import damaged_by
from core.backups.health import AppHealth, share_of_apps
from core.backups.health import counts as backup_health_counts
from core.backups.health import health_of_all as backup_health
from core.backups.health import overall as backup_health_overall
from core.base import budget
from core.base.config import read_config
from core.base.text import count_text
from core.cli.verbs import verb
from core.imports.apply import import_file
from core.runs.service import active_runs as runs_under_way
from core.runs.service import request as request_run
from core.runs.wakes import wake
from core.server import server

__all__ = [
    "AppHealth", "DamagedBackup", "backup_health", "backup_health_counts", "backup_health_overall", "budget", "count_text",
    "create_app", "damage_advice",
    "damaged_by", "import_file", "read_config", "request_run", "runs_under_way", "server", "share_of_apps", "verb", "wake",
]
