"""Live documents follow their component: when its version rises, those of all apps are lifted once, at the start of a process.

All are looked at before one is written. Where an upgrade fails, or a document does not follow the schema afterwards, nothing is
written and the plugin is left out: its documents stay as they are until a version comes that can lift them. So a backup never
holds what its own schema refuses. What is read meanwhile is lifted as it is read (see `documents`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from core.apps import documents, locks
from core.apps.lifting import HiddenPartValue, lifted, lifted_parts
from core.apps.models import ComponentStanding, DocumentRow, HiddenPart
from core.apps.snapshot import parse_body
from core.archive.canonical import canonical
from core.base.db import db, transaction
from core.base.errors import AppRestoring, NotFound
from core.extension.component import Component, Document
from core.extension.hook_calls import is_passing
from core.extension.registry import Absent
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant

log = logging.getLogger(__name__)


class Standing(NamedTuple):
    """What was last at work here of a component."""

    title: str
    version: int
    schemas: str
    plugin: str


def bring_up() -> None:
    """Lift the documents of components that have changed since a process last started, and note which of them are not here (any more)."""
    registry, was = server().registry, _kept()
    for name in list(registry.components):
        component = registry.components.get(name)
        if component is None:  # its plugin was left out meanwhile
            continue
        now = _standing(component, registry.plugin_of(name))
        before = was.get(name)
        if before != now and _follow(component, before, now):
            _keep(name, now)
    registry.absent.clear()
    registry.absent.update({name: Absent(name, one.title, one.version, one.plugin) for name, one in was.items()
                            if name not in registry.components})


def _follow(component: Component, before: Standing | None, now: Standing) -> bool:
    """Lift the documents of one component; return whether all of them are lifted now."""
    registry = server().registry
    if before is not None and before.version > now.version:
        registry.leave_out(now.plugin, f"version {before.version} of its component “{component.name}” was at work here; "
                           f"this is version {now.version}. Install the newer one.")
        return False
    if registry.is_stranger(now.plugin) and (gone := _kinds_gone(component.name)):
        registry.leave_out(now.plugin, f"its component “{component.name}” does not bring the kind “{gone[0]}” any more, of which apps "
                           "have documents. Bring the kind, or purge them first.")
        return False
    try:
        if registry.is_stranger(now.plugin):
            _each_app(component, lambda app: _look(app, component), everything=before is None or before.schemas != now.schemas)
        return _each_app(component, lambda app: _lift(app, component))
    except Exception as error:
        # A stranger's code may raise anything; an outage is not its fault.
        if is_passing(error):
            raise
        log.exception("The documents of %s cannot be lifted to version %s", component.name, component.version)
        if registry.is_stranger(now.plugin):
            registry.leave_out(now.plugin, f"its documents cannot be lifted: {error}")
        return False


def _kinds_gone(component: str) -> list[str]:
    """Return the kinds of a component's documents, also of those in recycle bins, that nobody here brings."""
    d = DocumentRow.__table__.c
    query = select(d.kind).join(App.__table__, App.__table__.c.id == d.app_id).where(
        d.component == component, d.kind.not_in(list(server().registry.kinds)), App.__table__.c.deleted_at.is_(None)).distinct()
    with as_server():
        found = sorted(db.session.connection().execute(query).scalars())
        db.session.rollback()
    return found


def _each_app(component: Component, do: Callable[[App], None], *, everything: bool = False) -> bool:
    """Do something with each app that has documents of an older version, or with *everything* of any; return whether with all."""
    d, done = DocumentRow.__table__.c, True
    older = or_(d.component != component.name, d.version != component.version)
    query = select(d.app_id, App.__table__.c.organization_id).join(App.__table__, App.__table__.c.id == d.app_id).where(
        d.kind.in_([kind.name for kind in component.kinds]), App.__table__.c.deleted_at.is_(None), *(() if everything else (older,)))
    with as_server():
        found = sorted(db.session.connection().execute(query.distinct()).all())
        db.session.rollback()
    for app_id, organization_id in found:
        with as_tenant(organization_id):
            app = db.session.get(App, app_id)
            try:
                if app is not None:
                    do(app)
            except (AppRestoring, NotFound):
                done = False
            db.session.rollback()
    return done


def _look(app: App, component: Component) -> None:
    """Refuse documents that cannot be lifted, before one is written."""
    for row, document, parts in _rows(app, component):
        _in_todays_shape(component, row, document, parts)


def _lift(app: App, component: Component) -> None:
    with transaction():
        locks.take(app)
        for row, document, parts in list(_rows(app, component)):
            if (row.component, row.version) == (component.name, component.version):
                continue
            text, lifted_bin = _in_todays_shape(component, row, document, parts)
            for part, key, body, _ in lifted_bin:
                hidden = db.session.get(HiddenPart, (app.id, row.kind, row.key, part, key))
                if hidden is not None:
                    hidden.body = canonical(body).decode()
            row.body, row.component, row.version = text, component.name, component.version
            app.revision += 1
        db.session.flush()


def _in_todays_shape(component: Component, row: DocumentRow, document: Document,
                     parts: list[HiddenPartValue]) -> tuple[str, list[HiddenPartValue]]:
    """Return a checked document of an older version as text, and its parts in the recycle bin."""
    found = lifted(component, document, row.version)
    text = documents.body_text(found)
    component.check(found)
    return text, lifted_parts(component, document, row.version, parts)


def _rows(app: App, component: Component) -> Iterator[tuple[DocumentRow, Document, list[HiddenPartValue]]]:
    """Yield all documents of a component as they are stored, those in the recycle bin as well, with their parts in it."""
    kinds = [kind.name for kind in component.kinds]
    bins: dict[tuple[str, str], list[HiddenPartValue]] = {}
    for part in db.session.scalars(select(HiddenPart).where(HiddenPart.app_id == app.id, HiddenPart.kind.in_(kinds))):
        bins.setdefault((part.kind, part.key), []).append((part.part, part.part_key, parse_body(part.body), part.place))
    for row in db.session.scalars(select(DocumentRow).where(DocumentRow.app_id == app.id, DocumentRow.kind.in_(kinds))):
        stored = Document(kind=row.kind, key=row.key, body=parse_body(row.body), position=row.position)
        yield row, stored, bins.get((row.kind, row.key), [])


def _standing(component: Component, plugin: str) -> Standing:
    stranger = server().registry.is_stranger(plugin)
    schemas = canonical([[kind.name, dict(kind.schema)] for kind in component.kinds]) if stranger else b""
    return Standing(component.title[:200], component.version, hashlib.sha256(schemas).hexdigest(), plugin[:200])


def _kept() -> dict[str, Standing]:
    with as_server():
        rows = db.session.scalars(select(ComponentStanding)).all()
        found = {row.name: Standing(row.title, row.version, row.schemas, row.plugin) for row in rows}
        db.session.rollback()
    return found


def _keep(name: str, now: Standing) -> None:
    try:
        with as_server(), transaction():
            db.session.merge(ComponentStanding(name=name, **now._asdict()))
    except IntegrityError:
        log.debug("Another process that starts beside this one has noted %s first", name)
