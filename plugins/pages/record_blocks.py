"""Blocks that show records: lists, tables, views, one record, charts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from core.api import FieldGiven, RecordGiven, RecordsAsked, RecordsGiven
from plugins.pages import charts
from plugins.pages.addresses import safe_url
from plugins.pages.text_templates import is_true, only_use
from plugins.pages.view_models import Link, Shown

if TYPE_CHECKING:
    from plugins.pages.render import Builder

Body = Mapping[str, Any]
DEFAULT_ROWS, MOST_ROWS, MOST_FIELDS, MOST_TAGS = 20, 200, 20, 20
CHART_RECORDS = 5000
GONE = "Its worksheet was deleted, or you have no access to it."
WORDS = {"sum": "Sum", "average": "Average", "min": "Least", "max": "Most"}


def records_list(builder: Builder, block: Body, record: RecordGiven | None, depth: int) -> Shown:
    """Return the blocks inside once for each record of a source."""
    if "source" not in block:
        return Shown("nothing", note="This list has no source yet.")
    size, start = _page(builder, block)
    given = builder.context.records(block["source"], limit=size, offset=start, counted=True)
    if given is None:
        return Shown("nothing", note=GONE)
    with builder.within(block["source"]):
        rows = [Shown("container", inside=builder.all(block.get("blocks", ()), one, depth + 1)) for one in given.records]
    return Shown("list", inside=rows, data={
        "caption": block.get("name") or given.name, "columns": block.get("columns", 1),
        "across": block.get("orientation") == "horizontal", **_pager(builder, block, given)})


def table(builder: Builder, block: Body, record: RecordGiven | None, depth: int) -> Shown:
    """Return a table of a source's records: its own columns, or the source's fields."""
    if "source" not in block:
        return Shown("nothing", note="This table has no source yet.")
    size, start = _page(builder, block)
    given = builder.context.records(block["source"], limit=size, offset=start, counted=True)
    if given is None:
        return Shown("nothing", note=GONE)
    columns = block.get("table_columns") or [_column(one) for one in shown_fields(given)]
    numeric = {field.key for field in given.fields if field.numeric}
    rows = [[_cell(builder, column, one, block["source"], numeric) for column in columns] for one in given.records]
    return Shown("table", data={"names": [column["name"] for column in columns], "rows": rows,
                                "caption": block.get("name") or given.name, **_pager(builder, block, given)})


def _column(field: FieldGiven) -> Body:
    return {"name": field.name, "type": "text", "value": {"template": "{0}", "uses": [{"field": {"ref": f"//{field.key}"}}]}}


def _cell(builder: Builder, column: Body, record: RecordGiven, source: str, numeric: Collection[str]) -> dict[str, Any]:
    kind, use = column["type"], only_use(column.get("value"))
    text = (builder.context.reading if kind == "text" else builder.context.text)(column.get("value"), record)
    if kind == "text" and use is not None and "field" in use and use["field"]["ref"].rpartition("/")[2] in numeric:
        kind = "number"
    cell: dict[str, Any] = {"type": kind, "text": text}
    if kind in ("link", "button"):
        leads = "page" in column or "url" in column or column.get("events")
        lead = builder.leads.of(column if leads else {"url": column.get("value")}, record, source)
        cell |= {"lead": lead, "text": text or (column["name"] if lead.url or lead.post else "")}
    elif kind == "image":
        url = builder.record_picture(column.get("value"), record) or safe_url(text)
        cell["url"] = builder.picture(url) if url else None
    elif kind == "tags":
        cell["tags"] = [tag.strip() for tag in text.split(",") if tag.strip()][:MOST_TAGS]
    elif kind == "boolean":
        cell["on"] = is_true(text)
    return cell


def view(builder: Builder, block: Body, record: RecordGiven | None, depth: int) -> Shown:
    """Return the records of a worksheet's view as a table whose rows lead to them."""
    if "worksheet" not in block:
        return Shown("nothing", note="This block has no worksheet yet.")
    (size, start), seen = _page(builder, block), block["view"]["ref"] if "view" in block else None
    given = builder.context.ask(RecordsAsked(worksheet=block["worksheet"]["ref"], view=seen, limit=size, offset=start, counted=True))
    if given is None:
        return Shown("nothing", note=GONE)
    fields = shown_fields(given)
    rows = [[_plain(one, field, place == 0) for place, field in enumerate(fields)] for one in given.records]
    return Shown("table", data={"names": [field.name for field in fields], "rows": rows, "caption": block.get("name") or given.name,
                                "all_url": builder.sheet_url(block["worksheet"]["ref"], seen), **_pager(builder, block, given)})


def _plain(record: RecordGiven, field: FieldGiven, first: bool) -> dict[str, Any]:
    text = record.read(field.key)
    if first and record.url:
        return {"type": "link", "text": text or record.title or f"Record {record.seq}", "lead": Link(url=record.url)}
    return {"type": "number" if field.numeric else "text", "text": text}


def one_record(builder: Builder, block: Body, record: RecordGiven | None, depth: int) -> Shown:
    """Return one record of a source: by the blocks inside, else field by field."""
    if "source" not in block:
        return Shown("nothing", note="This block has no source yet.")
    given = builder.context.records(block["source"], limit=1)
    if given is None or not given.records:
        return Shown("nothing", note=GONE if given is None else "Record not found.")
    one = given.records[0]
    with builder.within(block["source"]):
        inside = builder.all(block.get("blocks", ()), one, depth + 1)
    fields = [] if inside else [(f.name, one.read(f.key)) for f in given.fields if f.key in one.texts and not f.hidden]
    return Shown("record", data={"fields": fields, "url": one.url}, inside=inside)


def chart(builder: Builder, block: Body, record: RecordGiven | None, depth: int) -> Shown:
    """Return a chart with the same numbers as a table."""
    options = block.get("chart", {"type": "bar"})
    group, value = (options[name]["ref"].rpartition("/")[2] if name in options else None for name in ("group_by", "value"))
    asked = tuple(key for key in (group, value) if key)
    if "source" not in block and "worksheet" not in block:
        return Shown("nothing", note="This chart has no worksheet yet.")
    given = _counted(builder, block, asked)
    fields = {field.key: field for field in given.fields} if given is not None else {}
    if given is None or not set(asked) <= fields.keys():
        return Shown("nothing", note=GONE if given is None else "Its field was deleted, or you have no access to it.")
    if options.get("function", "count") != "count" and value is None:
        return Shown("nothing", note="Choose the field that this chart sums.")
    rows = ((one.texts.get(group, "") if group else given.name, one.values.get(value) if value else None, one.count)
            for one in given.records)
    names = {one.texts.get(group, ""): one.read(group) for one in given.records} if group else {}
    unit = fields[value] if value and options.get("function", "count") != "count" else None
    made = charts.chart(rows, options, names, (unit.before, unit.after, unit.decimals) if unit is not None else charts.BARE,
                        dict(fields[group].choices) if group else {})
    what, by = fields[value].name if value else None, fields[group].name if group else None
    title = block.get("name") or _title(made["function"], what, given.name, by)
    return Shown("chart", data={**made, "title": title, "group": by or given.name,
                                "cut": (given.total or CHART_RECORDS) if given.more else None})


def _counted(builder: Builder, block: Body, fields: tuple[str, ...]) -> RecordsGiven | None:
    if "source" in block:
        return builder.context.records(block["source"], limit=CHART_RECORDS, fields=fields, distinct=True)
    seen = block["view"]["ref"] if "view" in block else None
    return builder.context.ask(RecordsAsked(worksheet=block["worksheet"]["ref"], view=seen, fields=fields, limit=CHART_RECORDS,
                                            distinct=True))


def _title(function: str, value: str | None, sheet: str, group: str | None) -> str:
    what = sheet if function == "count" else f"{WORDS[function]} of {value}"
    return f"{what} by {group}" if group else what


def shown_fields(given: RecordsGiven) -> list[FieldGiven]:
    """Return the fields that a table shows of what it was given."""
    return [field for field in given.fields if not field.hidden][:MOST_FIELDS]


def _page(builder: Builder, block: Body) -> tuple[int, int]:
    """Return how many records a block shows at once, and the first of them."""
    return min(block.get("items_per_page", DEFAULT_ROWS), MOST_ROWS), builder.places.get(block["key"], 0)


def _pager(builder: Builder, block: Body, given: RecordsGiven) -> dict[str, Any]:
    size, start = _page(builder, block)
    return {"next_url": builder.place_url(block["key"], start + size) if given.more else None,
            "previous_url": builder.place_url(block["key"], max(start - size, 0)) if start else None,
            "first": start + 1, "last": start + len(given.records), "total": given.total, "exact": given.exact}
