"""The navigation of an app: its groups and their items, as far as the visitor may see them."""

from __future__ import annotations

from collections.abc import Iterator

from core.api import App, Document, MenuItem, document_url, documents, rights_here

SHOWN = ("worksheet", "page")
"""Kinds of documents that stand in a navigation by themselves when no group names them."""


def menu(app: App) -> list[MenuItem]:
    """Return an app's groups with their items; what no group names comes last, under a heading of its own."""
    there = {d.address: d for kind in SHOWN for d in documents.live(app, kind)}
    shown = {address: d for address, d in there.items() if _visible(d)}
    groups = [(g, [i["ref"] for i in g.body["items"]]) for g in documents.live(app, "group")]
    named = {ref for _, refs in groups for ref in refs}
    found = [MenuItem(g.body["name"], icon=g.body.get("icon", ""), items=items) for g, refs in groups
             if not g.body.get("hidden") and (items := list(_items(refs, shown)))]
    rest = list(_items([address for address in shown if address not in named], shown))
    return [*found, MenuItem("Other" if found else "Content", items=rest)] if rest else found


def _items(refs: list[str], shown: dict[str, Document]) -> Iterator[MenuItem]:
    for ref in refs:
        if ref in shown:
            yield MenuItem(str(shown[ref].body.get("name", "")), document_url(ref), address=ref)


def _visible(document: Document) -> bool:
    # A page that others build on has no place of its own in a navigation; neither has one that needs a parameter.
    if document.body.get("shared") or any(p.get("in", "path") == "path" for p in document.body.get("parameters", ())):
        return False
    return rights_here(document.address).may("see")
