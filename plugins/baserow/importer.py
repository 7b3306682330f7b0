"""The importer of Baserow exports and templates: one file becomes one app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.api import SINGLE, Corrections, ImportContext, Importer, new_key
from plugins.baserow.fields import Fields
from plugins.baserow.names import Names, Table, in_order, name_everything
from plugins.baserow.pages import Pages
from plugins.baserow.read import Export, Item, id_of, listed, looks_right, name_of, number, opened, text, what_is_missing
from plugins.baserow.values import Records, link_values, loosened
from plugins.baserow.views import Views

Edit = Mapping[str, Any]
LOST_OF_TABLES = {"field_rules": "row rules", "data_sync": "synchronization with another source"}


class BaserowImporter(Importer):
    """Every table becomes a worksheet, every page a page, every database or application a group."""

    name, title = "baserow", "Baserow export or template"
    suffixes, makes = (".json", ".zip"), "Worksheets with fields, views, records, links and files; pages; roles"
    hint = "For Baserow, choose the .json and the .zip of the same export together, so that files come along."

    def recognizes(self, path: Path) -> bool:
        return looks_right(path)

    def missing(self, path: Path) -> str:
        return what_is_missing(path)

    def operations(self, path: Path, context: ImportContext) -> Iterator[Edit]:
        with opened(path) as export:
            yield from _Import(export, _Once(context), context.app_name or export.name or context.stem).edits()


class _Once:
    """The context of an import, which hears each note only once."""

    def __init__(self, context: ImportContext) -> None:
        self.inner, self.app_name, self.stem, self.person = context, context.app_name, context.stem, context.person
        self.put_file, self.check_field = context.put_file, context.check_field
        self.corrections = Corrections()  # an export says all by itself
        self.told: set[tuple[str, str, str]] = set()

    def show(self, guesses: Mapping[str, Any]) -> None:
        self.inner.show(guesses)

    def unsupported(self, what: str, name: str, reason: str) -> None:
        if (what, name, reason) not in self.told:
            self.told.add((what, name, reason))
            self.inner.unsupported(what, name, reason)


@dataclass
class _Import:
    """One import under way."""

    export: Export
    context: ImportContext
    app_name: str
    names: Names = field(init=False)
    definitions: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """Table id -> field id -> definition."""

    def __post_init__(self) -> None:
        self.names = name_everything(self.export)

    def edits(self) -> Iterator[Edit]:
        """Yield all edits: worksheets, records, pages, roles, groups, navigation, app."""
        for position, (table_id, table) in enumerate(self.names.tables.items()):
            yield _put(table.address, self._worksheet(table_id, table), position)
        yield from self._records()
        yield from self._pages()
        for position, (name, key) in enumerate(self.names.roles.items()):
            yield _put(f"portal_role/{key}", {"name": name[:100]}, position)
            self.context.unsupported("role", name[:100], "its permissions are not in the export; nobody has this role yet")
        yield from self._groups()
        yield _put(f"navigation/{SINGLE}", {"items": self._navigation()}, 0)
        yield _put(f"app/{SINGLE}", {"name": self.app_name[:100]}, 0)
        self._note_lost()

    def _worksheet(self, table_id: int, table: Table) -> dict[str, Any]:
        fields = Fields(table, self.names, self.context)
        ordered = sorted(table.items, key=lambda i: (table.items[i].get("primary") is not True, _rank(table.items[i])))
        definitions = {field_id: fields.define(table.items[field_id]) for field_id in ordered}
        loosened(table, definitions, self.context)
        self.definitions[table_id] = definitions
        views = list(Views(table, self.names, self.context, self._put_file).all())
        body: dict[str, Any] = {"name": table.name, "fields": list(definitions.values()), "views": views}
        if ordered and table.items[ordered[0]].get("primary") is True:
            body["title_field"] = table.ref(ordered[0])
        for key, what in LOST_OF_TABLES.items():
            if table.item.get(key):
                self.context.unsupported(what, table.name, "it is not imported")
        return body

    def _records(self) -> Iterator[Edit]:
        links = link_values(self.names, self.context)
        files: dict[str, dict[str, Any] | None] = {}
        for table_id, table in self.names.tables.items():
            yield from Records(table, self.names, self.export, self.context, self.definitions[table_id], links,
                               files=files).batches()

    def _put_file(self, item: Item) -> dict[str, Any] | None:
        """Store a file that a view or page shows and return its value; None, with a note, where it did not come along."""
        name = text(item, "name", 500)
        shown = text(item, "visible_name", 255) or text(item, "original_name", 255) or name[-100:]
        if not self.export.has_file(name):
            self.context.unsupported("file", shown, "it is not in the export")
            return None
        with self.export.file(name) as stream:
            return self.context.put_file(stream, shown)

    def _pages(self) -> Iterator[Edit]:
        position = 0
        for builder in self.export.builders:
            for key, body in Pages(builder, self.names, self.context, self._put_file).all():
                yield _put(f"page/{key}", body, position)
                position += 1

    def _groups(self) -> Iterator[Edit]:
        for position, application in enumerate((*self.export.databases, *self.export.builders)):
            items = [{"ref": ref} for ref in self._members(application)]
            yield _put(f"group/{new_key('g')}", {"name": name_of(application, "Application"), "items": items[:500]}, position)

    def _members(self, application: Item) -> Iterator[str]:
        for table in in_order(listed(application, "tables")):
            found = self.names.tables.get(id_of(table) or -1)
            if found is not None and found.item is table:
                yield found.address
        for page in in_order(listed(application, "pages")):
            if page.get("shared") is not True and (key := self.names.pages.get(id_of(page) or -1)):
                yield f"page/{key}"

    def _navigation(self) -> list[dict[str, Any]]:
        """Return the pages that can be opened without a parameter; the worksheets where there is none."""
        pages = [{"label": name_of(page, "Page"), "target": {"ref": f"page/{self.names.pages[page['id']]}"}}
                 for builder in self.export.builders for page in in_order(listed(builder, "pages"))
                 if id_of(page) in self.names.pages and page.get("shared") is not True and not page.get("path_params")]
        sheets = [{"label": table.name, "target": {"ref": table.address}} for table in self.names.tables.values()]
        return (pages or sheets)[:50]

    def _note_lost(self) -> None:
        for other in self.export.others:
            kind = str(other.get("type"))[:60]
            self.context.unsupported(kind, name_of(other, "Application"), "applications of this type cannot be imported")
        for builder in self.export.builders:
            for key, what in (("theme", "theme"), ("user_sources", "sign-in of users"), ("favicon_file", "icon")):
                if builder.get(key):
                    self.context.unsupported(what, name_of(builder, "Application"), "it is not imported")


def _rank(item: Item) -> tuple[float, float]:
    return number(item, "order"), number(item, "id")


def _put(address: str, body: dict[str, Any], position: int) -> Edit:
    return {"op": "put", "document": address, "body": body, "position": position}
