"""The demo: an app is backed up, damaged in many ways, restored, and proven to be what it was."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.api import (
    App,
    RecordsAsked,
    apps,
    as_server,
    as_tenant,
    create_app,
    direct,
    ensure_schema,
    import_file,
    read_config,
    server,
    transaction,
)
from plugins.sample.keys import field, key
from tenants import service as tenants

Edit = dict[str, Any]


def run_demo(say: Callable[[str], None]) -> dict[str, Any]:
    """Do the whole demo in a temporary folder and return what happened; *say* is told each step."""
    home = tempfile.mkdtemp(prefix="appkeep-demo-")
    try:
        made = create_app(read_config({}, home=home, backup_interval_s=0))
        with made.app_context():
            ensure_schema()
            with as_server(), transaction():
                organization = tenants.create_organization("Demo", "demo@example.org").id
            with as_tenant(organization):
                return _Demo(organization, say).run()
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _Demo:
    def __init__(self, organization: str, say: Callable[[str], None]) -> None:
        self.organization, self.say = organization, say
        self.steps: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        """Return the steps with their times, the report of the restore, and whether all is as it was."""
        made = self.step("set up the sample app", lambda: import_file(
            Path("sample"), self.organization, "system", name="Sample CRM", importer="sample"))
        app = apps.find(made["app"])
        before = self.step("name its state", lambda: direct.content_id(app))
        backup = self.step("back it up with its data", lambda: direct.back_up(app))
        damages = damage()
        self.step(f"damage it in {len(damages)} ways", lambda: self.apply(app, [e for _, edits in damages for e in edits]))
        damaged = direct.content_id(app)
        plan = self.step("plan the restore", lambda: direct.plan(apps.find(app.id), backup))
        report = self.step("restore it, after a backup of how it is now",
                           lambda: direct.restore(apps.find(app.id), backup, safety_backup=True))
        self.step("take out what was made since", lambda: self.apply(app, [
            {"op": "delete_record", "worksheet": key("w", "Contacts"), "seq": seq} for seq in (41, 42)]))
        after = self.step("name its state again", lambda: direct.content_id(app))
        noted = self.step("win a deal, and let its workflow run", lambda: self.win(apps.find(app.id)))
        copy = self.step("restore the backup as a new app", lambda: direct.restore_as_new(backup))
        return {"app": app.id, "documents": made["documents"], "records": made["records"], "files": made["files"],
                "backup": backup.id, "size_bytes": backup.size_bytes, "damages": [name for name, _ in damages],
                "content_id": before, "damaged_content_id": damaged, "restored_content_id": after,
                "equal": before == after != damaged, "planned_as_done": plan["components"] == _without_notes(report["components"]),
                "report": report, "copy": copy.id, "workflow_ran": noted, "steps": self.steps}

    def win(self, app: App) -> bool:
        """Win a deal, do what waits for a worker, and say whether the workflow noted it as an activity."""
        before = self.activities(app)
        stage = field("Deals", "Stage")["ref"].rpartition("/")[2]
        self.apply(app, [{"op": "put_record", "worksheet": key("w", "Deals"), "seq": seq, "values": {stage: key("o", word)}}
                         for seq, word in ((1, "New"), (1, "Won"))])
        server().registry.hook.work_off(app=apps.find(app.id), name="workflows")
        return self.activities(apps.find(app.id)) == before + 1

    def activities(self, app: App) -> int:
        """Return how many activities there are."""
        given = server().registry.hook.records_for(app=app, person=f"workflow/{app.id}/{key('f', 'Won')}", asked=RecordsAsked(
            worksheet=f"worksheet/{key('w', 'Activities')}", fields=(), counted=True))
        return given.total if given is not None and given.total is not None else -1

    def step(self, name: str, do: Callable[[], Any]) -> Any:
        """Do one step and note how long it took."""
        begun = time.perf_counter()
        result = do()
        seconds = round(time.perf_counter() - begun, 3)
        self.steps.append({"step": name, "seconds": seconds})
        self.say(f"  {name:55} {seconds:7.2f} s")
        return result

    def apply(self, app: App, edits: list[Edit]) -> None:
        """Do scripted edits in one transaction."""
        with transaction():
            apps.apply(apps.find(app.id), edits, "system")


def _without_notes(components: dict[str, Any]) -> dict[str, Any]:
    return {name: kept for name, said in components.items() if (kept := {k: v for k, v in said.items() if k != "notes"})}


def damage() -> list[tuple[str, list[Edit]]]:
    """Return the damages: what it is called, and the edits that do it."""
    name = field("Contacts", "Email")["ref"].rpartition("/")[2]

    def each(op: str, sheet: str, seqs: Any, **more: Any) -> list[Edit]:
        return [{"op": op, "worksheet": key("w", sheet), "seq": seq, **more} for seq in seqs]

    return [
        ("every third company deleted", each("delete_record", "Companies", range(3, 26, 3))),
        ("two of them purged for good", each("purge_record", "Companies", (3, 6))),
        ("the email of twenty contacts emptied", each("put_record", "Contacts", range(1, 21), values={name: None})),
        ("all deals given one title", each("put_record", "Deals", range(1, 31), values={
            field("Deals", "Title")["ref"].rpartition("/")[2]: "Oops"})),
        ("two contacts made", each("put_record", "Contacts", (None, None), values={
            field("Contacts", "Last")["ref"].rpartition("/")[2]: "New"})),
        ("the worksheet of deal lines deleted", [{"op": "hide", "document": f"worksheet/{key('w', 'Lines')}"}]),
        ("the field “Rating” deleted", [{"op": "hide", "document": field("Companies", "Rating")["ref"]}]),
        ("the field “Website” deleted and purged", [{"op": "hide", "document": field("Companies", "Website")["ref"]},
                                                   {"op": "purge", "document": field("Companies", "Website")["ref"]}]),
        ("a choice deleted", [{"op": "hide", "document": f"option_set/{key('s', 'Industries')}/choice/{key('o', 'Bakery')}"}]),
        ("the board view deleted", [{"op": "hide", "document": f"worksheet/{key('w', 'Deals')}/view/{key('v', 'DeBoard')}"}]),
        ("the start page emptied", [{"op": "put", "document": f"page/{key('p', 'Start')}", "body": {"name": "Start", "blocks": []}}]),
        ("the page “Company” deleted and purged", [{"op": "hide", "document": f"page/{key('p', 'Company')}"},
                                                  {"op": "purge", "document": f"page/{key('p', 'Company')}"}]),
        ("a workflow deleted", [{"op": "hide", "document": f"workflow/{key('f', 'Won')}"}]),
        ("the role “Sales” deleted", [{"op": "hide", "document": f"role/{key('r', 'Sales')}"}]),
        ("a portal role deleted", [{"op": "hide", "document": f"portal_role/{key('q', 'Partner')}"}]),
        ("the app renamed", [{"op": "put", "document": "app/main", "body": {"name": "Sample CRM, broken"}}]),
        ("the navigation emptied", [{"op": "put", "document": "navigation/main", "body": {"items": []}}]),
    ]

