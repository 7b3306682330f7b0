"""The blueprint of workflows' pages, and their addresses."""

from __future__ import annotations

from pathlib import Path

from core.api import MANAGE, Pages

pages = Pages("workflows", "plugins.workflows", template_folder="templates")
pages.statics(Path(__file__).parent.parent / "static", "workflows")
ALL = f"{MANAGE}/workflows"
ONE = f"{MANAGE}/workflow/<key>"
STEP = f"{ONE}/step/<step>"
