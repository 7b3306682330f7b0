"""Pages on workflows: editing them, their runs, secrets, approvals, calls from outside."""

from plugins.workflows.web import editing, panels, running
from plugins.workflows.web.blueprint import pages
from plugins.workflows.web.http_api import api

__all__ = ["api", "editing", "pages", "panels", "running"]
