"""What strangers' hooks give: of the right class is not enough, since one wrong attribute would break a page of everybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from core.api import (
    Acting,
    FieldGiven,
    FileGiven,
    Guest,
    Look,
    MenuItem,
    RecordGiven,
    RecordPanel,
    RecordsGiven,
    Rights,
    Standing,
    Visitor,
)
from core.base.errors import PluginFailed
from core.extension.hook_results import checked
from tests.conftest import fresh_database
from tests.core.extension.strangers import installed, plugin, started
from tests.core.extension.test_broken import impl, works

MENU = [MenuItem("Group", items=[MenuItem("Motto", "/motto", icon="🔔")]), MenuItem(Markup("Motto"), "/motto", address="page/p_1111111111")]
RECORDS = RecordsGiven(name="People", total=None, fields=[FieldGiven(key="f_1", name="Name", type="text", choices=[("A", 7), ("B", None)])], records=[
    RecordGiven(seq=1, values={"f_1": [1, None]}, texts={"f_1": "Ann"}, files={"f_1": [FileGiven(name="a", url="/a", type="text/plain", size=1)]})])


class Own(MenuItem):
    """A plugin's own kind of item."""


@pytest.mark.parametrize(("hook", "given"), [
    ("app_menu", MENU), ("app_look", Look(icon="🔔", colour=None)), ("visitor", Visitor(person="u_1", name="Ann")),
    ("guest", Guest(title="Shop", sign_in_url="/in", sign_out_url="/out", visitor=Visitor(person="u_1", name="Ann"), menu=MENU)),
    ("rights_on", Rights(actions={"read": "all"}, denied={"field/f_1": frozenset({"read"})}, owned={"field/f_1": "u_1"})),
    ("actor_standing", Standing(person="u_1", role=None, admin=False, sees=True)), ("acting_now", Acting(name="Watch", person="u_1")),
    ("record_panels", [RecordPanel(title="Bell", html=Markup("<p>Ring</p>")), RecordPanel(title="Text", html="ring")]),  # type: ignore[arg-type]
    ("records_for", RECORDS)])
def test_what_is_as_it_should_be_is_taken(hook: str, given: Any) -> None:
    """Every class that a hook gives, with every form that an attribute of it may have."""
    assert given == checked(hook, given)


@pytest.mark.parametrize(("hook", "given", "why"), [
    ("manage_menu", [MenuItem(5, "/")], "MenuItem whose “title” is 5, which should be str"),  # type: ignore[arg-type]
    ("app_menu", [MenuItem("A", items=[MenuItem("B", 7)])], "whose “url” is 7"), ("app_menu", [Own(None)], "whose “title” is None"),  # type: ignore[arg-type]
    ("app_menu", [MenuItem("half \ud800")], "whose “title”"), ("organization_menu", [MenuItem("x" * 100_001)], "whose “title”"),
    ("app_look", Look(icon=None), "Look whose “icon” is None"), ("rights_on", Rights(actions=None), "Rights whose “actions”"),  # type: ignore[arg-type]
    ("record_panels", [RecordPanel(title="A", html=5)], "whose “html” is 5"),  # type: ignore[arg-type]
    ("record_panels", [RecordPanel(title="A", html=Markup(), rank="a")], "whose “rank”"),  # type: ignore[arg-type]
    ("record_panels", [RecordPanel(title="A", html=Markup("x" * 500_001))], "whose “html”"), ("person_name", "half \ud800", "a str")])
def test_what_is_not_is_refused_with_its_attribute(hook: str, given: Any, why: str) -> None:
    """Also deep within, and what could not be written out or would not end."""
    with pytest.raises(PluginFailed, match=why):
        checked(hook, given)


@pytest.mark.parametrize(("hook", "given"), [
    ("manage_menu", [MenuItem(5, 5)]), ("mobile_menu", [MenuItem("\ud800", "\ud800")]),  # type: ignore[arg-type]
    ("record_panels", [RecordPanel(title=None, html=5, rank="a")])])  # type: ignore[arg-type]
def test_pages_are_shown_without_it(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, hook: str, given: Any) -> None:
    """Everybody's pages are there; of the plugin nothing is."""
    with installed(monkeypatch, plugin("bad", **{hook: impl(hook, lambda *_: given)})), started(home, fresh_database("sqlite", home, request)):
        works(home, "Example")
