"""Everything that an application with pages has: the core's pages, then those of plugins, behind the gate."""

from __future__ import annotations

from flask import Flask

from core.web import (
    answers,
    apps,
    assets,
    backups,
    bin,
    compressing,
    documents,
    home,
    http_api,
    imports,
    plugin_pages,
    plugins,
    repeating,
    runs,
    shell,
)
from core.web.bodies import mark_pages_with_files
from core.web.gate import guard
from core.web.protection import protect
from core.web.rules import LateRule, StorableNumber


def register_web(app: Flask) -> None:
    """Add the pages to an application."""
    app.url_rule_class = LateRule
    app.url_map.converters["int"] = StorableNumber
    compressing.register(app)  # first: answers are looked at in the opposite order, and nothing may follow
    assets.register(app)
    mark_pages_with_files(app)
    guard(app)  # first: nobody who may not enter makes the server read what they send
    protect(app)
    answers.register(app)
    backups.browse.register(app)
    repeating.register(app)
    shell.register(app)
    for blueprint in (home.pages, apps.pages, documents.pages, bin.pages, imports.pages, runs.pages, backups.pages, plugins.pages,
                      http_api.api):
        app.register_blueprint(blueprint)
    plugin_pages.register(app)
