"""Keys: rows of tenants can lie on the machine of their organization or app, because their keys say whose they are."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Table, UniqueConstraint

from core.api import Base
from core.tenancy.owned import Owned, OwnedByApp

BY_ID = frozenset({
    "app", "audit_entry", "backup", "backup_act", "backup_upload", "delivery", "department", "department_member", "org_role", "org_role_member",
    "quota_entry", "quota_reservation", "restore_proof", "run", "webhook"})
"""Tables of organizations that are found by an id alone: few rows for each app. None may be added; docs/scale.md says what it means."""
UNIQUE_BY_OTHERS = {("delivery", ("target", "event", "channel")), ("run", ("exclusive_app_id",))}


def tables(owner: type) -> list[Table]:
    """Return the tables of tenants' rows of one kind."""
    return sorted({m.local_table for m in Base.registry.mappers if issubclass(m.class_, owner)}, key=lambda table: table.name)  # type: ignore[misc]


@pytest.mark.usefixtures("sqlite_server")
def test_what_belongs_to_an_app_has_the_app_first_in_its_key() -> None:
    """Records, documents, what follows from them, what plugins keep: all that grows with an app."""
    found = tables(OwnedByApp)
    assert {"record", "document", "record_key", "change_log", "restore_change"} <= {table.name for table in found}
    assert not [table.name for table in found if next(iter(table.primary_key.columns)).name != "app_id"]


@pytest.mark.usefixtures("sqlite_server")
def test_what_belongs_to_an_organization_has_it_in_its_key_or_is_known_not_to() -> None:
    """What grows with the data has; the list of those that do not can only become shorter."""
    without = {table.name for table in tables(Owned) if not {"organization_id", "app_id"} & {c.name for c in table.primary_key.columns}}
    assert without == BY_ID


def test_what_is_unique_is_so_within_a_tenant(sqlite_server: Flask) -> None:
    """A database over several machines cannot hold anything else."""
    found = {(table.name, tuple(c.name for c in columns)) for table in [*tables(Owned), *tables(OwnedByApp)]
             for columns in [*(u.columns for u in table.constraints if isinstance(u, UniqueConstraint)),
                             *(index.columns for index in table.indexes if index.unique)]}
    assert {one for one in found if not {"organization_id", "app_id"} & set(one[1])} == UNIQUE_BY_OTHERS
    assert ("department", ("organization_id", "name")) in found
