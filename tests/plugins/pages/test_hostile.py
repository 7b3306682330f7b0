"""Whatever is sent to pages and their editor: a refusal or a page, never a failure."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import App, apps, documents
from core.apps.documents import body_text
from plugins.sample.keys import key
from tests.core.web.editor.browsing import sent_of
from tests.plugins.pages.making import at
from tests.web import Browser

NASTY = ("", "\0", "x" * 60_000, "{", "}", "{0}", "{#1}", "{#99999999999}", "{{", "{user.name", "🥐" * 300, "up b_1111111111", "add ", "-1", "1e99", "[]", "{}")
START, ENTER = key("p", "Start"), key("p", "Enter")
FORMS = (f"page/{START}/block/{key('b', 'StText')}", f"page/{START}/block/{key('b', 'StChart')}", f"page/{START}/settings",
         f"page/{ENTER}/block/{key('b', 'EnForm')}", "page/new")


@pytest.mark.parametrize("text", NASTY)
def test_no_form_of_the_editor_fails(client: Browser, sample: App, text: str) -> None:
    """Every control of a form holding the same nonsense, or its names being it."""
    for path in FORMS:
        address = at(sample, f"manage/{path}")
        fields = [name for name, _ in sent_of(client.get(address).get_data(as_text=True)) if name.startswith("v")]
        for form in (dict.fromkeys([*fields, "name", "heading", "text"], text), {f"v.{text}.{text}": text, "v.blocks.0.key": text},
                     {"do": f"more {text}"}, {"do": f"pick v.{text}"}, {"do": text, "v~alt": text, "v~more": text}):
            assert client.post(address, data={"do": "save"} | form).status_code < 500, (path, form)
    for one in documents.live(apps.find(sample.id)):
        assert body_text(one)


@pytest.mark.parametrize("text", NASTY)
def test_no_act_fails(sqlite_server: Flask, client: Browser, sample: App, text: str) -> None:
    """What a button or form of a page sends along may be anything."""
    for page, block in ((ENTER, key("b", "EnForm")), (START, key("b", "StName"))):
        where = {"_here": page, "_source": text, "_record": text, "_p-company": text, key("b", "EnSubject"): text, key("b", "EnWhen"): text}
        assert client.post(at(sample, f"page/{page}/do/{block}"), data=where).status_code < 500
        assert client.post(at(sample, f"page/{page}/do/{block}"), data=where | {"_here": text}).status_code < 500
    assert client.post(at(sample, f"manage/page/{START}/blocks"), data={"do": text, "type": text, "column": text, "digest": text}).status_code < 500
    assert client.get(at(sample, f"page/{key('p', 'Company')}"), query_string={"company": text}).status_code < 500
