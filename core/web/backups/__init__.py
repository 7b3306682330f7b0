"""Pages of Backup & Restore: one blueprint, a module for each thing that one does there."""

from core.web.backups import backup_list, backup_page, copy, download, logs, restore, run_page, schedule, start, undo, upload
from core.web.backups.blueprint import pages

__all__ = ["backup_list", "backup_page", "copy", "download", "logs", "pages", "restore", "run_page", "schedule", "start", "undo",
           "upload"]
