"""Whatever is sent to the settings' pages: a refusal or a page, never a failure; and an app that is as whole as before."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import App, apps, documents
from core.apps.documents import body_text
from plugins.sample.keys import key
from tests.plugins.settings.making import seen, settings
from tests.web import Browser

NASTY = ("", " ", "\0", "a\0b", "x" * 100_000, "\ud83d", "🥐" * 300, "<script>alert(1)</script>", "up", "none", "remove", "../..", "%00", "-1", "1e9",
         "g_1111111111", "worksheet/w_1111111111", "{{7*7}}", "'; DROP TABLE document;--", "\u202e\u0007")
FIELDS = ("name", "description", "icon", "sign", "colour", "coloured", "item", "to", "label", "target", "inside", "do", "more", "choices", "hidden",
          f"name.{key('o', 'Bakery')}", f"colour.{key('o', 'Bakery')}")
KEYS = {"option_set": key("s", "Industries"), "group": key("g", "Work")}


def addresses(server: Flask, app: App) -> list[str]:
    """Return every address of the settings that takes a form, filled with what there is."""
    found = []
    for rule in server.url_map.iter_rules():
        if rule.endpoint.startswith("settings.") and "POST" in (rule.methods or ()):
            kind = next((kind for kind in KEYS if f"/{kind}/" in rule.rule), "group")
            found.append(rule.rule.replace("<organization_id>", app.organization_id).replace("<app_id>", app.id)
                         .replace("<key>", KEYS[kind]).replace("<n>", "1-0"))
    return found


@pytest.mark.parametrize("text", NASTY)
def test_no_form_fails(sqlite_server: Flask, client: Browser, sample: App, text: str) -> None:
    """Every field of every form holding the same nonsense, made from the state that is there."""
    for address in addresses(sqlite_server, sample):
        kind = next((f"{kind}/{one}" for kind, one in KEYS.items() if one in address), "app/main")
        document = "navigation/main" if "/mobile" in address or "/navigation/main" in address else kind
        form = dict.fromkeys(FIELDS, text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")) | {"seen": seen(sample, document)}
        assert client.post(address, data=form).status_code < 500, address
    for one in documents.live(apps.find(sample.id)):
        assert body_text(one)


@pytest.mark.parametrize("text", NASTY)
def test_no_address_fails(client: Browser, sample: App, text: str) -> None:
    """What stands in an address may be anything."""
    for path in ("/mobile/item/{}", "/{}", "/../option_set/{}", "/../group/{}"):
        where = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")[:500]
        assert client.get(settings(sample, path.format(where)).replace("/settings/..", "")).status_code < 500
