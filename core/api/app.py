"""The application itself: making it, its settings, its command line, runs."""

from core.app import create_app
from core.base import budget
from core.base.config import read_config
from core.cli.verbs import verb
from core.imports.apply import import_file
from core.runs.service import active_runs as runs_under_way
from core.runs.service import request as request_run
from core.runs.wakes import wake
from core.server import server

__all__ = [
    "budget", "create_app", "import_file", "read_config", "request_run", "runs_under_way", "server", "verb", "wake",
]
