"""Rendering: the blocks of a page as they are shown to one visitor, piece by piece.

A block whose records, page or file are gone shows nothing, and says why to those who manage the app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core.api import MOST_SHOWN_CHARS, AppkeepError, BlockShown, BrowsingFailed, RecordGiven, server
from plugins.pages import fields, record_blocks, rich_text
from plugins.pages.addresses import origin, safe_url
from plugins.pages.links import Links
from plugins.pages.page_context import PageContext
from plugins.pages.style import span_of, styled
from plugins.pages.text_templates import is_true
from plugins.pages.view_models import Link, Shown
from plugins.pages.visibility import audience, visible

MAX_DEPTH = 20
MAX_ORIGINS = 30
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml")
Body = Mapping[str, Any]


@dataclass
class Builder:
    """Builds one page's blocks. `places` is the first record shown of a list, by block; `origins` fill as it goes."""

    context: PageContext
    leads: Links
    file_url: Callable[[str, str], str]
    place_url: Callable[[str, int], str]
    sheet_url: Callable[[str, str | None], str]
    places: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    frames: dict[str, None] = field(default_factory=dict)
    images: dict[str, None] = field(default_factory=dict)
    in_form: bool = False
    current: str | None = None

    def all(self, blocks: Iterable[Body], record: RecordGiven | None = None, depth: int = 0) -> list[Shown]:
        """Return the blocks that the visitor sees."""
        found = []
        for block in blocks:
            if depth <= MAX_DEPTH and self._seen(block, record) and self.context.bounds.block():
                found.append(self._dressed(block, self.one(block, record, depth)))
        return found

    def one(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a block, with the sentence that says why where it cannot be shown."""
        try:
            return PIECES[block["type"]](self, block, record, depth)
        except BrowsingFailed:
            raise  # of the whole page, not of a block
        except AppkeepError as error:
            return Shown("nothing", note=error.message)

    def _seen(self, block: Body, record: RecordGiven | None) -> bool:
        if not (visible(block, self.context.viewer) or (self.context.viewer.admin and block.get("visibility") != "signed_out")):
            return False
        return "show_if" not in block or is_true(self.context.text(block["show_if"], record))

    def _dressed(self, block: Body, shown: Shown) -> Shown:
        shown.key = shown.key or block["key"]
        shown.classes, shown.style = styled(block.get("style", {}))
        shown.span = span_of(block.get("style", {}))
        if block.get("align"):
            shown.classes += f" pg-{block['align']}"
        if not self.context.viewer.admin:
            shown.note = None
        elif (whom := audience(self.context.app, block)) is not None:
            shown.note = f"For {whom}." + (f" {shown.note}" if shown.note else "")
        return shown

    def text(self, block: Body, name: str, record: RecordGiven | None) -> str:
        """Return one of a block's texts, filled for people to read."""
        return self.context.reading(block.get(name), record)

    def picture(self, url: str) -> str:
        """Return the address of a picture elsewhere, having asked the browser to allow its origin."""
        found = origin(url)
        if found and len(self.images) < MAX_ORIGINS:
            self.images[found] = None
        return url

    # Words and pictures.

    def heading(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a heading; an empty one is none."""
        text = self.text(block, "text", record).strip()
        return Shown("heading", data={"text": text, "level": block.get("level", 2)}) if text else Shown("nothing")

    def words(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a text, or a piece of HTML, made safe."""
        html = rich_text.sanitized(block.get("html", "")) if block["type"] == "html" \
            else rich_text.shown(self.text(block, "text", record), block.get("format", "plain"))
        for url in rich_text.images(html):
            self.picture(url)
        return Shown("text", data={"html": html})

    def image(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a picture of the page's own, or from an address on the web."""
        given, alt = block.get("image"), self.text(block, "alt", record)
        if isinstance(given, Mapping) and "file" in given:
            if given["type"] not in PICTURES:
                return Shown("nothing", note=f"“{given['name']}” is not an image that browsers can show.")
            return Shown("image", data={"url": self.file_url(self.context.page.key, given["file"]), "alt": alt})
        if (file := self.record_picture(given, record)) is not None:
            return Shown("image", data={"url": file, "alt": alt})
        url = safe_url(self.context.text(given, record))
        if url is None or origin(url) is None:
            return Shown("nothing", note="There is no image at its address.")
        return Shown("image", data={"url": self.picture(url), "alt": alt})

    @contextmanager
    def within(self, source: str) -> Iterator[None]:
        """Build what stands in records of a source: what is clicked there is about one of them."""
        outer, self.current = self.current, source
        try:
            yield
        finally:
            self.current = outer

    def record_picture(self, template: Any, record: RecordGiven | None) -> str | None:
        """Return the address of the first picture in the field of files that a template is made of."""
        for use in template.get("uses", ()) if isinstance(template, Mapping) else ():
            owner = self.context.record(use["source"]) if "source" in use else record
            found = owner.files.get(use["field"]["ref"].rpartition("/")[2], ()) if owner is not None and "field" in use else ()
            for file in found:
                if file.type in PICTURES:
                    return file.url
        return None

    def embed(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a page from elsewhere in a frame: over https, never of this server, and shut in."""
        if "text" in block and "url" not in block:
            return Shown("text", data={"html": rich_text.sanitized(self.text(block, "text", record))})
        url = self.context.text(block.get("url"), record).strip()
        found = origin(url)
        if found is None or not found.startswith("https://") or found.partition("//")[2] == self.host or safe_url(url) is None:
            return Shown("nothing", note="Only pages from other sites over https can be embedded.")
        if len(self.frames) < MAX_ORIGINS:
            self.frames[found] = None
        return Shown("embed", data={"url": url, "title": block.get("name") or f"From {found.partition('//')[2]}"})

    # What leads somewhere.

    def link(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a link or button; one that can do nothing says why."""
        text = self.text(block, "text", record).strip() or self.text(block, "label", record).strip()
        lead = self.leads.of(block, record, self.current)
        main = block["type"] == "button" or block.get("look") == "button"
        if not text and lead.url is None:
            return Shown("nothing", note="This link has no text.")
        data = {"text": text or "Open", "lead": lead, "in_form": self.in_form}
        return Shown("button" if main else "link", data=data, note=lead.stopped)

    def menu(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a menu, items within items."""
        items = self._items(block.get("items", ()), record, 0)
        vertical = block.get("orientation") == "vertical"
        return Shown("menu", data={"items": items, "vertical": vertical, "name": block.get("name") or "Menu"})

    def _items(self, items: Sequence[Body], record: RecordGiven | None, depth: int) -> list[dict[str, Any]]:
        found = []
        for item in items if depth < 5 else ():
            inside = self._items(item.get("items", ()), record, depth + 1)
            lead = self.leads.of(item, record, self.current) if item["type"] in ("link", "button") else Link()
            found.append({"type": item["type"], "label": item["label"] or "Open", "lead": lead, "items": inside})
        return found

    # What holds others.

    def columns(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return columns side by side; on a narrow screen one below the other."""
        count = block.get("columns", 2)
        sides = [self.all([b for b in block.get("blocks", ()) if min(b.get("column", 0), count - 1) == n], record, depth + 1)
                 for n in range(count)]
        return Shown("columns", data={"count": count}, inside=[Shown("container", inside=side) for side in sides])

    def container(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return blocks that belong together."""
        return Shown("container", inside=self.all(block.get("blocks", ()), record, depth + 1))

    def form(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a form with its inputs."""
        lead = self.leads.acting(block, block.get("events", ()), "submit", record, self.current)
        outer, self.in_form = self.in_form, True
        inside = self.all(block.get("blocks", ()), record, depth + 1)
        self.in_form = outer
        if outer:
            return Shown("container", inside=inside, note="A form inside another form is not submitted.")
        note = lead.stopped and ("This form does nothing yet." if not block.get("events") else lead.stopped)
        label = self.text(block, "label", record) or "Save"
        data = {"lead": lead, "label": label, "error": self.errors.get(block["key"]), "stopped": note}
        return Shown("form", data=data, inside=inside, note=note)

    def input(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a field of a form."""
        return fields.field(self.context, block, record)

    def sign_in(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return nothing: whoever sees a page has signed in."""
        return Shown("nothing", note="Everybody who sees this page is already signed in.")

    def brought(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return what another plugin shows for a block of its type."""
        name, registry = str(block.get("plugin_type", "")), server().registry
        known = registry.block_types.get(name)
        if known is None:
            return Shown("nothing", note=f"No plugin on this server brings blocks of the type “{name}”. The block is kept as it is.")
        if trouble := known.trouble(block.get("settings", {})):
            return Shown("nothing", note=f"{known.title}: the settings do not fit: {trouble}")
        asked = BlockShown(app=self.context.app, person=self.context.viewer.person, page=self.context.page.address,
                           key=block["key"], settings=block.get("settings", {}))
        given = registry.call("register_block_type", name, lambda: known.show(asked))
        if not isinstance(given, str) or len(given) > MOST_SHOWN_CHARS:
            return Shown("nothing", note=f"{known.title} cannot be shown. The log of the server says why.")
        return Shown("text", data={"html": given})

    def divider(self, block: Body, record: RecordGiven | None, depth: int) -> Shown:
        """Return a line between blocks."""
        return Shown("divider")


PIECES: dict[str, Callable[[Builder, Body, RecordGiven | None, int], Shown]] = {
    "heading": Builder.heading, "text": Builder.words, "html": Builder.words, "image": Builder.image, "embed": Builder.embed,
    "link": Builder.link, "button": Builder.link, "menu": Builder.menu, "columns": Builder.columns, "container": Builder.container,
    "header": Builder.container, "footer": Builder.container, "form": Builder.form, "sign_in": Builder.sign_in,
    "list": record_blocks.records_list, "table": record_blocks.table, "view": record_blocks.view, "record": record_blocks.one_record,
    "chart": record_blocks.chart, "divider": Builder.divider, "plugin": Builder.brought,
    **dict.fromkeys(("input", "choice", "date_input", "checkbox", "file_input", "rating", "record_select"), Builder.input),
}
