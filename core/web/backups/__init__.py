"""Pages of Backup & Restore: one blueprint, a module for each thing that one does there."""

from core.web.backups import copying, downloading, listing, logs, managing, restoring, running, schedule, starting, undoing, uploading
from core.web.backups.blueprint import pages

__all__ = ["copying", "downloading", "listing", "logs", "managing", "pages", "restoring", "running", "schedule", "starting",
           "undoing", "uploading"]
