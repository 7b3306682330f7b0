"""How a record is laid out: sections of fields, and between them lines, remarks, codes and embedded pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import segno
from flask import url_for
from markupsafe import Markup

from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.text import rich
from plugins.worksheets.web.lines import Line
from plugins.worksheets.web.sheet_context import SheetContext, part_key

MAX_CODE_CHARS = 500
COLUMNS = 2
"""In how many columns fields stand where the worksheet has no form of its own."""


@dataclass
class Section:
    """Some fields under a heading, in up to four columns."""

    title: str = ""
    columns: int = 1
    collapsed: bool = False
    items: list[Field] = field(default_factory=list)


def sections_of(sheet: SheetContext, hidden: Collection[str] = ()) -> list[Section]:
    """Return the sections of a record without *hidden* fields: those of the worksheet's form, then what it leaves out."""
    forms = sheet.body.get("forms", ())
    if not forms:
        return [section for section in _in_order(sheet, set(hidden)) if section.items]
    made, seen = [], set(hidden)
    for given in forms[0]["sections"]:
        items = [sheet.everything[key] for key in map(part_key, given["fields"])
                 if key in sheet.everything and key not in seen and (key in sheet.fields or not _has_value(sheet.everything[key]))]
        seen |= {one.key for one in items}
        made.append(Section(given.get("title", ""), given.get("columns", 1), bool(given.get("collapsed")), items))
    rest = [section for section in _in_order(sheet, seen) if section.items]
    if rest and not rest[0].title:
        rest[0].title = "Other fields"
    return [section for section in [*made, *rest] if section.items]


def _in_order(sheet: SheetContext, seen: set[str]) -> Iterator[Section]:
    section = Section(columns=COLUMNS)
    for key, one in sheet.everything.items():
        if key in seen:
            continue
        if one.type.name == "section":
            yield section
            section = Section(one.name, COLUMNS, bool(one.definition["options"].get("collapsed")))
        elif key in sheet.fields or not _has_value(one):
            section.items.append(one)
    yield section


def _has_value(one: Field) -> bool:
    return one.stored or one.type.derived_for(one.definition)


def remark(one: Field) -> Markup:
    """Return the text of a remark."""
    options = one.definition["options"]
    text = str(options.get("text", ""))
    return rich(text) if options.get("format") == "markdown" else Markup('<p class="w-long">{}</p>').format(text)


def barcode(sheet: SheetContext, one: Field, line: Line) -> Mapping[str, Any] | None:
    """Return what a code says and its picture; None where there is nothing to say."""
    options = one.definition["options"]
    key = part_key(options.get("of"))
    if options.get("record") or key is None:
        text = url_for("records.record", organization_id=sheet.app.organization_id, app_id=sheet.app.id, key=sheet.key,
                       seq=line.seq, _external=True, backup_id=None)  # of the record itself, also on a backup's page
    elif key in sheet.fields and line.values.get(key) is not None:
        text = line.around.page.text(sheet.fields[key].definition, line.values[key])
    else:
        return None
    # A QR code, whatever form was chosen: cameras read it, and it takes any text.
    code = segno.make(text[:MAX_CODE_CHARS], micro=False).svg_inline(scale=4, border=1, omitsize=True, title=text[:MAX_CODE_CHARS])
    return {"text": text[:MAX_CODE_CHARS], "svg": Markup(code)}


def embedded(one: Field) -> Mapping[str, Any] | None:
    """Return the address, origin and height of an embedded page; None for an address that is not one of the web."""
    options = one.definition["options"]
    url = str(options.get("url", ""))
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or not all(c.isalnum() or c in ".-" for c in host) or not host.isascii():
        return None
    return {"url": url, "origin": f"{parts.scheme}://{host}{port}", "height": min(int(options.get("height", 400)), 2000)}
