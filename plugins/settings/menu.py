"""The navigation of an app: its groups and their items, as far as the visitor may see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import g

from core.api import ICONS, App, Document, MenuItem, NotFound, document_url, documents, is_sign, rights_here
from plugins.settings.groups import SHOWN, left_out, refs
from plugins.settings.mobile import ADDRESS

MOBILE_SHOWN = 5
"""How many items have room at the foot of a narrow screen."""
DEEPEST = 10
ICON_OF = {"worksheet": "table", "page": "page"}


def menu(app: App) -> list[MenuItem]:
    """Return an app's groups with their items; what no group names comes last, under a heading of its own."""
    shown = _shown(app)
    groups = [(g, refs(g)) for g in documents.live(app, "group")]
    named = {ref for _, items in groups for ref in items}
    found = [MenuItem(g.body["name"], icon=g.body.get("icon", ""), items=items) for g, given in groups
             if not g.body.get("hidden") and (items := list(_items(given, shown)))]
    rest = list(_items([address for address in shown if address not in named], shown))
    return [*found, MenuItem("Other" if found else "Content", items=rest)] if rest else found


def mobile_menu(app: App) -> list[MenuItem]:
    """Return the items of an app's mobile navigation that lead the visitor somewhere; what does not fit goes into the last."""
    try:
        items = documents.get(app, ADDRESS).body["items"]
    except NotFound:
        return []
    shown = _shown(app) if items else {}
    found = [one for item in items if (one := _mobile(item, shown)) is not None]
    if len(found) <= MOBILE_SHOWN:
        return found
    over = [line for one in found[MOBILE_SHOWN - 1:] for line in (one.items or (one,))]
    return [*found[:MOBILE_SHOWN - 1], MenuItem("More", icon="more", items=over)]


def _mobile(item: Mapping[str, Any], shown: Mapping[str, Document]) -> MenuItem | None:
    inner = list(_flat(item.get("items", ()), shown))
    own = _target(item, shown)
    if own is None and not inner:
        return None
    icon = _icon(item.get("icon", ""), own.address or "" if own else "")
    if own is not None and not inner:
        return MenuItem(own.title, own.url, icon, own.address)
    return MenuItem(item["label"], icon=icon, items=[*([own] if own else []), *inner])


def _flat(items: Any, shown: Mapping[str, Document], depth: int = 0) -> Iterator[MenuItem]:
    for item in items:
        own = _target(item, shown)
        if own is not None:
            yield own
        if depth < DEEPEST:
            yield from _flat(item.get("items", ()), shown, depth + 1)


def _target(item: Mapping[str, Any], shown: Mapping[str, Document]) -> MenuItem | None:
    ref = item.get("target", {}).get("ref")
    return MenuItem(item["label"], document_url(ref), item.get("icon", ""), ref) if ref in shown else None


def _items(given: list[str], shown: Mapping[str, Document]) -> Iterator[MenuItem]:
    for ref in given:
        if ref in shown:
            body = shown[ref].body
            yield MenuItem(str(body.get("name", "")), document_url(ref), _icon(body.get("icon", ""), ref), ref)


def _icon(name: str, ref: str) -> str:
    """Return an icon that can be drawn: the one that is named, else that of the kind of thing."""
    return name if name in ICONS or is_sign(name) else ICON_OF.get(ref.partition("/")[0], "")


def _shown(app: App) -> Mapping[str, Document]:
    """Return what the visitor may find in a navigation, by address; read once a request."""
    kept: dict[str, dict[str, Document]] = g.setdefault("in_navigation", {})
    if app.id not in kept:
        kept[app.id] = {d.address: d for kind in SHOWN for d in documents.live(app, kind) if _visible(d)}
    return kept[app.id]


def _visible(document: Document) -> bool:
    return left_out(document.body) is None and rights_here(document.address).may("see")
