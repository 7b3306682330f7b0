"""What somebody may do in an app, all their roles taken together: worked out as every page does it."""

from __future__ import annotations

from dataclasses import dataclass

from core.api import App, Document, Rights, Standing, documents, rights, server, standing
from core.api import matrix as m
from plugins.roles import effective_rights, rights_form

SHUT = {"fields": {"read": "read", "write": "write"}, "views": {"visible": "see"}}
"""For each flag of a part, the action that it stands for."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Somebody's standing, their roles, and the rows of what follows from them."""

    standing: Standing
    roles: list[Document]
    worksheets: list[m.Row]
    pages: list[m.Thing]


def preview(app: App, person: str) -> Preview:
    """Return what a person may do in an app."""
    who = standing(app, person)
    kind = server().registry.kind("worksheet")[1]
    things = m.things(documents.live(app, "worksheet"), kind)
    pages = m.things(documents.live(app, "page"), server().registry.kind("page")[1])
    return Preview(who, effective_rights.roles_of(app, person) if who.member else [], [_row(app, who, thing) for thing in things],
                   [page for page in pages if rights(app, who, page.address).may("see")])


def _row(app: App, who: Standing, thing: m.Thing) -> m.Row:
    found = rights(app, who, thing.address)
    values = {a.name: found.scope(a.name) if a.choices else found.may(a.name) for a in rights_form.ACTIONS}
    parts = [(part, [_part(found, part, inner) for inner in thing.parts.get(part.listed, ())]) for part in rights_form.MATRIX.parts]
    return m.Row(thing, thing.address, values, parts if found.may("see") else ())


def _part(found: Rights, part: m.Flags, thing: m.Thing) -> m.Row:
    name = "/".join(thing.address.split("/")[2:])
    return m.Row(thing, thing.address, {flag.name: SHUT[part.listed][flag.name] not in found.denied.get(name, ())
                                        for flag in part.flags})
