"""What tables of components bring to the server, as a plugin would: those of absent plugins are known by what was kept of them."""

from __future__ import annotations

from core.apps import change_log
from core.extension.hookspecs import hookimpl
from core.tables.standing import bring_up, leave_out_lacking
from core.tenancy.migrate import AFTER_STRANGERS, BEFORE_READY

AFTER_STRANGERS.append(change_log.cut_all)  # a migration may have given rows other values, or columns
BEFORE_READY.append(leave_out_lacking)  # its documents are not lifted


@hookimpl
def database_ready() -> None:
    """Keep what strangers' tables look like, and give the rows of those whose plugin is not here."""
    bring_up()
