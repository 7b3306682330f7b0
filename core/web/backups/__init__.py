"""Pages of Backup & Restore: one blueprint, a module for each thing that one does there."""

from core.web.backups import (
    backup_list,
    backup_page,
    browse,
    compare,
    copy,
    download,
    health_view,
    logs,
    record_lists,
    record_versions,
    restore,
    run_page,
    schedule,
    start,
    undo,
    upload,
)
from core.web.backups.blueprint import pages

__all__ = ["backup_list", "backup_page", "browse", "compare", "copy", "download", "health_view", "logs", "pages", "record_lists",
           "record_versions",
           "restore", "run_page", "schedule", "start", "undo", "upload"]
