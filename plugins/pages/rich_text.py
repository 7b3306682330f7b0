"""Texts of blocks as HTML that is safe to show: plain, Markdown, HTML; whatever comes in, no script comes out. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

TAGS = nh3.ALLOWED_TAGS - {"map", "area"}
ATTRIBUTES = {**{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
              "img": {"src", "alt", "width", "height"}, "a": {"href", "title", "hreflang"}}
SCHEMES = {"http", "https", "mailto", "tel"}
_IMAGE = re.compile(r'<img [^>]*?src="(https?://[^"]+)"')


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 20}).enable(["table", "strikethrough"])


def shown(text: str, format_: str) -> Markup:
    """Return a text in one of the formats of text blocks."""
    if format_ == "markdown":
        return sanitized(_markdown().render(text))
    if format_ == "html":
        return sanitized(text)
    parts = [part for part in re.split(r"\n{2,}", text.replace("\r", "")) if part.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(Markup("<br>").join(map(escape, part.split("\n")))) for part in parts)


def sanitized(html: str) -> Markup:
    """Return HTML without anything that does: no scripts, handlers, forms, frames, styles, or addresses but of the web and mail."""
    return Markup(nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer"))


def images(html: Markup) -> list[str]:
    """Return the addresses of pictures elsewhere that HTML shows."""
    return [found.replace("&amp;", "&") for found in _IMAGE.findall(html)]
