"""Portal accounts are no part of a backup; those of a role that a restore takes away move, and the report says how many."""

from __future__ import annotations

from core.api import App, Document, apps, direct, documents, transaction
from core.backups.catalog import find_backup
from core.base.time import moved
from plugins.portal import service
from tests.plugins.roles.test_restore import content_of

FIRST, SINCE, OTHER = "q_1111111111", "q_2222222222", "q_3333333333"


def test_accounts_of_a_portal_role_that_goes_move_to_the_default_role_and_are_counted(app: App) -> None:
    """Two accounts had a role that the backup does not know."""
    with transaction():
        documents.put(app, Document(kind="portal_role", key=FIRST, body={"name": "Customer"}, position=0), "system")
        portal = {"enabled": True, "default_role": {"ref": f"portal_role/{FIRST}"}}
        documents.put(app, Document(kind="portal", key="main", body=portal, position=0), "system")
    backup = direct.back_up(apps.find(app.id))
    with transaction():
        live = apps.find(app.id)
        documents.put(live, Document(kind="portal_role", key=SINCE, body={"name": "Partner"}, position=1), "system")
        for name in ("ann", "ben"):
            service.put_account(live, f"{name}@example.com", SINCE)
        service.put_account(live, "cat@example.com", FIRST)
    report = direct.restore(apps.find(app.id), backup)
    assert [FIRST] * 3 == [account.role for account in service.accounts(apps.find(app.id))]
    assert 2 == report["components"]["portal"]["notes"]["accounts_moved_to_default_role"]
    with moved(400):
        held = content_of(direct.back_up(apps.find(app.id)))
    assert b"Customer" in held and b"ann@example.com" not in held


def test_undo_gives_the_accounts_that_a_restore_moved_their_role_back(app: App) -> None:
    """Who was given another role since the restore keeps it, and who was not moved is not touched."""
    with transaction():
        documents.put(app, Document(kind="portal_role", key=FIRST, body={"name": "Customer"}, position=0), "system")
        documents.put(app, Document(kind="portal_role", key=OTHER, body={"name": "Guest"}, position=2), "system")
        portal = {"enabled": True, "default_role": {"ref": f"portal_role/{FIRST}"}}
        documents.put(app, Document(kind="portal", key="main", body=portal, position=0), "system")
    backup = direct.back_up(apps.find(app.id))
    with transaction():
        live = apps.find(app.id)
        documents.put(live, Document(kind="portal_role", key=SINCE, body={"name": "Partner"}, position=1), "system")
        for name, role in (("ann", SINCE), ("ben", SINCE), ("cat", FIRST)):
            service.put_account(live, f"{name}@example.com", role)
    report = direct.restore(apps.find(app.id), backup, safety_backup=True)
    run = find_backup(report["safety_backup"]).run_id or ""
    with transaction():
        service.put_account(apps.find(app.id), "ben@example.com", OTHER)
    assert {"notes": {"accounts_moved_back": 1}} == direct.undo_plan(apps.find(app.id), run)["components"]["portal"]["data"]
    direct.undo(apps.find(app.id), run)
    assert [("ann@example.com", SINCE), ("ben@example.com", OTHER), ("cat@example.com", FIRST)] == [
        (account.email, account.role) for account in service.accounts(apps.find(app.id))]
