"""From a backup to its restore, its file and the log of it all, on each engine."""

from __future__ import annotations

from flask import Flask

from core.api import as_tenant
from core.backups.log import acts_of
from tests.core.web.backups.conftest import Place, furnish, words
from tests.core.web.backups.test_restore import started
from tests.core.web.backups.test_upload import kept_parts, sent
from tests.web import signed_in


def test_the_whole_way(server: Flask) -> None:
    """Made, downloaded, restored, sent again, compared, deleted: every page answers, and the log has each act."""
    place = Place(server, *furnish(), signed_in(server))
    place.post("/new", data={"data": "1", "name": "First"})
    assert ["succeeded"] == place.work()
    backup = place.backups()[0].id
    file = place.get(f"/{backup}/download/both").data
    place.change()
    started(place, backup)
    assert ["succeeded"] == place.work() and "Companies" == place.name_of_sheet()
    sent(place, file)
    assert ["succeeded"] == place.work() and [] == kept_parts(place)
    uploaded = place.backups()[0]
    assert ("uploaded", "here", 0) == (uploaded.type, uploaded.origin, uploaded.added_bytes)
    assert "No differences" in place.text(f"/{uploaded.id}/compare")
    place.post(f"/{backup}/delete", data={"sure": "1"})
    for end in ("", "/new", "/upload", "/logs", "/logs?since=2020-01-01&until=2099-01-01&act=restore", "/logs.csv", f"/{uploaded.id}",
                f"/{uploaded.id}/restore", f"?before={uploaded.id}"):
        assert 200 == place.get(end).status_code, end
    with as_tenant(place.organization_id):
        found = [(act.act, act.result) for act in reversed(acts_of(place.app_id))]
    assert [("backup", "asked"), ("backup", "done"), ("download", "done"), ("identity", "done"), ("restore", "asked"), ("restore", "done"),
            ("upload", "asked"), ("upload", "done"), ("delete", "done")] == found
    assert "First Deleted" in words(place.get("/logs"))
