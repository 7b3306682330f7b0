"""Which new key stands for which old id: made first, so that everything can point to everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from core.api import new_key
from plugins.baserow.read import Export, Item, id_of, listed, name_of, number

Row = dict[str, object]


@dataclass
class Table:
    """A table: its new key, its fields by id and name, and the number of each of its rows by id."""

    item: Item
    key: str
    fields: dict[int, str] = field(default_factory=dict)
    by_name: dict[str, int] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    seqs: dict[int, int] = field(default_factory=dict)
    rows: list[Item] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The worksheet's address."""
        return f"worksheet/{self.key}"

    @property
    def name(self) -> str:
        """What the table is called."""
        return name_of(self.item, "Table")

    def ref(self, field_id: int) -> dict[str, str]:
        """Return a pointer to one of its fields."""
        return {"ref": f"{self.address}/field/{self.fields[field_id]}"}


@dataclass
class Names:
    """All tables by id, and where fields, views, choices, pages, elements and data sources are."""

    tables: dict[int, Table] = field(default_factory=dict)
    table_of_field: dict[int, Table] = field(default_factory=dict)
    views: dict[int, str] = field(default_factory=dict)
    choices: dict[int, str] = field(default_factory=dict)
    pages: dict[int, str] = field(default_factory=dict)
    elements: dict[int, str] = field(default_factory=dict)
    sources: dict[int, str] = field(default_factory=dict)
    source_tables: dict[int, int] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)

    def field_ref(self, field_id: object) -> dict[str, str] | None:
        """Return a pointer to a field by its old id, None where there is none."""
        table = self.table_of_field.get(field_id) if type(field_id) is int else None
        return None if table is None or type(field_id) is not int else table.ref(field_id)

    def target_of(self, ref: dict[str, str]) -> Table | None:
        """Return the table that a link field, given by its pointer, links to."""
        key = ref["ref"].rpartition("/")[2]
        for table in self.tables.values():
            for field_id, field_key in table.fields.items():
                if field_key == key:
                    return self.tables.get(id_of(table.items[field_id], "link_row_table_id") or -1)
        return None

    def view_ref(self, view_id: object) -> dict[str, str] | None:
        """Return a pointer to a view by its old id, None where there is none."""
        found = self.views.get(view_id) if type(view_id) is int else None
        return None if found is None else {"ref": found}

    def page_ref(self, page_id: object) -> dict[str, str] | None:
        """Return a pointer to a page by its old id, None where there is none."""
        found = self.pages.get(page_id) if type(page_id) is int else None
        return None if found is None else {"ref": f"page/{found}"}


def name_everything(export: Export) -> Names:
    """Return new keys for all that an export holds."""
    names = Names()
    for item in (table for database in export.databases for table in in_order(listed(database, "tables"))):
        _table(names, item)
    for page in (page for builder in export.builders for page in listed(builder, "pages")):
        _page(names, page)
    return names


def in_order(given: list[Item]) -> list[Item]:
    """Return items in the order that they say."""
    return sorted(given, key=lambda item: (number(item, "order"), number(item, "id")))


def _table(names: Names, item: Item) -> None:
    table_id = id_of(item)
    if table_id is None or table_id in names.tables:
        return
    table = names.tables[table_id] = Table(item, new_key("w"))
    for one in listed(item, "fields"):
        field_id = id_of(one)
        if field_id is not None and field_id not in names.table_of_field:
            table.fields[field_id], table.items[field_id] = new_key("f"), one
            table.by_name.setdefault(str(one.get("name")), field_id)
            names.table_of_field[field_id] = table
            for option in listed(one, "select_options"):
                if (option_id := id_of(option)) is not None:
                    names.choices[option_id] = new_key("o")
    for view in listed(item, "views"):
        if (view_id := id_of(view)) is not None:
            names.views[view_id] = f"{table.address}/view/{new_key('v')}"
    by_id = {row["id"]: row for row in reversed(listed(item, "rows")) if id_of(row) is not None}
    table.rows = in_order(list(by_id.values()))
    for row in table.rows:
        table.seqs.setdefault(row["id"], len(table.seqs) + 1)


def _page(names: Names, page: Item) -> None:
    if (page_id := id_of(page)) is not None:
        names.pages[page_id] = new_key("p")
    for element in listed(page, "elements"):
        if (element_id := id_of(element)) is not None:
            names.elements[element_id] = new_key("b")
    for source in listed(page, "data_sources"):
        if (source_id := id_of(source)) is not None:
            names.sources[source_id] = new_key("d")
            service = source.get("service")
            table_id = id_of(service, "table_id") if isinstance(service, dict) else None
            if table_id is not None:
                names.source_tables[source_id] = table_id
    for holder in (page, *listed(page, "elements")):
        for role in _texts(holder.get("roles")):
            names.roles.setdefault(role, new_key("q"))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, str) and one)
