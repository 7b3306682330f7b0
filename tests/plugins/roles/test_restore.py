"""Who belongs to a role is no part of a backup: it stays as it is, and comes back with a role that went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core.api import App, Document, apps, direct, documents, transaction
from core.backups.models import Backup
from core.backups.reader import BackupReader
from plugins.roles import service
from tests.web import make_member

ROLE, OTHER = "r_1111111111", "r_2222222222"


@pytest.fixture
def person(organization: str) -> str:
    """The address of a member of the organization."""
    return f"user/{make_member(organization, 'mia@example.org')}"


def put_role(app: App, key: str, name: str) -> None:
    """Put a role."""
    documents.put(app, Document(kind="role", key=key, body={"name": name}, position=1), "system")


def test_members_keep_their_roles_and_those_of_a_role_that_goes_return_with_it(app: App, person: str) -> None:
    """A role that was made since goes to the bin with its members remembered; brought back, they have it."""
    with transaction():
        put_role(app, ROLE, "Sales")
        service.assign(app, ROLE, person)
    backup = direct.back_up(apps.find(app.id))
    with transaction():
        put_role(apps.find(app.id), OTHER, "Made since")
        service.assign(apps.find(app.id), OTHER, person)
        put_role(apps.find(app.id), ROLE, "Renamed")
    direct.restore(apps.find(app.id), backup)
    live = {d.key: d.body["name"] for d in documents.live(apps.find(app.id), "role")}
    assert ("Sales", False) == (live[ROLE], OTHER in live)
    assert [person] == service.members(app, ROLE)
    with transaction():
        documents.bring_back(apps.find(app.id), f"role/{OTHER}", "system")
    assert [person] == service.members(app, OTHER)


def test_a_role_deleted_since_returns_with_the_members_it_had(app: App, person: str) -> None:
    """Nothing of them is in the backup."""
    with transaction():
        put_role(app, ROLE, "Sales")
        service.assign(app, ROLE, person)
    backup = direct.back_up(apps.find(app.id))
    held = content_of(backup)
    assert b"Sales" in held and person.encode() not in held
    with transaction():
        documents.hide(apps.find(app.id), f"role/{ROLE}", "system")
    direct.restore(apps.find(app.id), backup)
    assert [person] == service.members(app, ROLE)


def content_of(backup: Backup) -> bytes:
    """Return all that a backup holds, unpacked."""
    saved = BackupReader(backup)
    return b"".join(saved.read(line.content) for part in saved.lines.values() for line in part)


def test_a_new_app_out_of_a_backup_has_no_members_in_its_roles(app: App, person: str) -> None:
    """Its workflows are switched off, and its records are not there."""
    with transaction():
        put_role(app, ROLE, "Sales")
        service.assign(app, ROLE, person)
        workflow: Mapping[str, Any] = {"name": "W", "enabled": True, "trigger": {"type": "manual"}, "steps": []}
        documents.put(app, Document(kind="workflow", key="f_1111111111", body=workflow, position=0), "system")
    copy = direct.restore_as_new(direct.back_up(apps.find(app.id)))
    assert [] == service.members(copy, ROLE)
    assert [False] == [d.body["enabled"] for d in documents.live(copy, "workflow")]
