"""Pages on workflows: editing them, their runs, secrets, approvals, calls from outside."""

from plugins.workflows.web import editing, panels, running
from plugins.workflows.web.blueprint import pages

__all__ = ["editing", "pages", "panels", "running"]
