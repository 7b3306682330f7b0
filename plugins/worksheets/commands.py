"""Command line of worksheets: records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from core.api import opened, verb
from plugins.worksheets import service


def register(cli: click.Group) -> None:
    """Add the verb."""

    @verb(cli, "records", show=lambda result: (json.dumps(r, ensure_ascii=False) for r in result["records"]))
    @click.argument("app_id", metavar="APP")
    @click.argument("worksheet")
    @click.option("--deleted", is_flag=True, help="Those in the recycle bin instead.")
    def records(app_id: str, worksheet: str, deleted: bool) -> dict[str, Any]:
        """Write the records of a WORKSHEET of APP as JSON Lines."""
        with opened(app_id) as app:
            return {"records": list(_values(service.all_rows(app, worksheet.removeprefix("worksheet/"), deleted=deleted)))}


def _values(rows: Iterator[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {"seq": row.seq, "values": json.loads(row.vals), "created_at": row.created_at, "created_by": row.created_by,
               "updated_at": row.updated_at, "updated_by": row.updated_by}
