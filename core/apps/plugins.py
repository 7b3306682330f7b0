"""What there is of plugins, and taking one out with what it keeps."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select

from core.apps.models import ComponentStanding, DocumentRow
from core.base.db import db, transaction
from core.base.time import iso
from core.server import server
from core.tenancy import plugin_states
from core.tenancy.wall import as_server


def listed() -> dict[str, Any]:
    """Return all that is installed, as JSON: components, field types, importers; of strangers' plugins how they do."""
    registry = server().registry
    with as_server():
        states = plugin_states.states()
        db.session.rollback()
    return {
        "components": [{"name": c.name, "title": c.title, "version": c.version, "kinds": [k.name for k in c.kinds]}
                       for c in registry.components.values()],
        "field_types": list(registry.field_types), "importers": list(registry.importers), "broken": registry.broken,
        "absent": [{"component": one.name, "title": one.title, "version": one.version, "plugin": one.plugin}
                   for one in registry.absent.values()],
        "plugins": [_told(name, states.get(name)) for name in sorted(registry.manager.strangers)],
    }


def _told(name: str, state: plugin_states.PluginState | None) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "version": server().registry.versions.get(name, "")}
    if state is not None and state.failures:
        told |= {"failures": state.failures, "failed_at": iso(state.failed_at or 0), "error": state.error}
        told |= {"switched_off_at": iso(state.switched_off_at)} if state.switched_off_at else {}
    return told


def remove(name: str, *, drop_tables: bool) -> dict[str, Any]:
    """Take a plugin out; with *drop_tables* also its tables and the documents of its components in all apps, for good.

    Raises:
        InvalidInput, NotFound: see `plugin_states.set_removed`.
    """
    with as_server(), transaction():
        plugin_states.set_removed(name, removed=True)
        dropped = plugin_states.drop_tables(name) if drop_tables else []
        documents = _drop_documents(name) if drop_tables else 0
    return {"plugin": name, "removed": True, "tables_dropped": dropped, "documents_removed": documents}


def restore(name: str) -> dict[str, Any]:
    """Bring a plugin back that was taken out."""
    with as_server(), transaction():
        plugin_states.set_removed(name, removed=False)
    return {"plugin": name, "removed": False}


def _drop_documents(plugin: str) -> int:
    connection, d, s = db.session.connection(), DocumentRow.__table__, ComponentStanding.__table__
    names = list(connection.execute(select(s.c.name).where(s.c.plugin == plugin)).scalars())
    count = connection.execute(select(func.count()).select_from(d).where(d.c.component.in_(names))).scalar_one()
    connection.execute(delete(d).where(d.c.component.in_(names)))
    connection.execute(delete(s).where(s.c.name.in_(names)))
    return int(count)
