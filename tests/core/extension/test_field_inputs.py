"""Types of fields that act like another, and controls that a plugin brings for its own type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from markupsafe import Markup

from core.api import Definition, Document, FieldInput, FieldType, InvalidValue, RecordsAsked, apps, ask_records, documents, transaction
from core.tenancy.migrate import ensure_schema
from plugins.worksheets import service
from tests.conftest import fresh_database, made_organization
from tests.core.extension.strangers import database, installed, plugin, started
from tests.forms import untouched
from tests.web import OWNER, make_person, signed_in

SHEET = "worksheet/w_1111111111"


class Weight(FieldType):
    """Grams: a whole number."""

    name, title, like = "weight", "Weight", "number"
    options: ClassVar[Any] = {"type": "object", "additionalProperties": False}

    def canonical(self, value: Any, definition: Definition) -> Any:
        if value in ("", None):
            return None
        try:
            return int(value)
        except (TypeError, ValueError):
            raise InvalidValue("it must be a whole number of grams.") from None

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return "" if value is None else f"{value} g"


class Colour(FieldType):
    """A colour, with a control of its own."""

    name, title = "colour", "Colour"

    def canonical(self, value: Any, definition: Definition) -> Any:
        if not isinstance(value, str) or not value.startswith("#"):
            raise InvalidValue("it must be a colour such as #ff0000.")
        return value


def control(value: Any, texts: Sequence[str] | None, definition: Definition, name: str, id: str) -> Markup:
    """Return a control of colours."""
    return Markup('<input type="color" id="{}" name="{}" value="{}">').format(id, name, texts[0] if texts else value or "#000000")


def failing(*_: Any) -> Any:
    """Make a mistake."""
    raise KeyError("a mistake")


INPUT = FieldInput(type="colour", control=control, read=lambda texts, definition: texts[0] if texts else None,
                   show=lambda value, definition: Markup("<b>{}</b>").format(value))
BROKEN = FieldInput(type="colour", control=failing, read=failing, show=failing)


def made() -> str:
    """Make an app with both fields and three records, and return its id."""
    fields = [{"key": f"f_{n}111111111", "type": kind, "name": kind, "options": options} for n, (kind, options) in enumerate(
        (("text", {}), ("weight", {}), ("colour", {}), ("formula", {"expression": "{f_2111111111} * 2"})), start=1)]
    with transaction():
        app = apps.create("Shop", make_person(OWNER))
        documents.put(app, Document(kind="worksheet", key="w_1111111111", body={"name": "Things", "fields": fields}, position=0), "system")
        for name, weight in (("Ann", 9), ("Bob", 70), ("Cay", 100)):
            service.put_record(app, "w_1111111111", None, {"f_1111111111": name, "f_2111111111": weight, "f_3111111111": "#ff0000"}, "system")
        return app.id


def test_values_like_numbers_are_sorted_filtered_and_calculated_as_numbers(
        engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not as texts, where 100 comes before 9."""
    with installed(monkeypatch, plugin("shop", register_field_type=lambda: [Weight(), Colour()])), \
            started(home, database(engine, home, request)):
        ensure_schema()
        with made_organization("Example"):
            app = apps.find(made())
            ref = {"ref": f"{SHEET}/field/f_2111111111"}

            def seqs(**asked: Any) -> list[int]:
                found = ask_records(app, make_person(OWNER), RecordsAsked(worksheet=SHEET, **asked))
                assert found is not None
                return [one.seq for one in found.records]

            assert [3, 2, 1] == seqs(sorts=[{"field": ref, "descending": True}])
            assert [2, 3] == sorted(seqs(filter={"field": ref, "operator": "greater", "value": "9"}))
            found = ask_records(app, make_person(OWNER), RecordsAsked(worksheet=SHEET))
            assert found is not None and ["18", "140", "200"] == [one.texts["f_4111111111"] for one in found.records]


@pytest.mark.parametrize(("given", "shown"), [(INPUT, 'type="color"'), (BROKEN, "<textarea")], ids=["good", "broken"])
def test_a_control_of_a_plugin(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, given: FieldInput, shown: str) -> None:
    """It is in the form, read when it is sent, and shown in the grid; one that fails leaves the page whole."""
    entry = plugin("shop", register_field_type=lambda: [Weight(), Colour()], register_field_input=lambda: given)
    with installed(monkeypatch, entry), started(home, fresh_database("sqlite", home, request)) as flask:
        ensure_schema()
        with made_organization("Example") as organization:
            app_id = made()
            client, address = signed_in(flask), f"/o/{organization}/apps/{app_id}/worksheet/w_1111111111"
            page = client.get(f"{address}/record/1/edit").get_data(as_text=True)
            assert shown in page and 'inputmode="decimal"' in page
            sent = client.post(f"{address}/record/1/edit", data={**untouched(client, f"{address}/record/1/edit"),
                                                                 "f_2111111111": "12", "f_3111111111": "#00ff00"})
            grid = client.get(address).get_data(as_text=True)
            if given is INPUT:
                assert sent.status_code in (302, 303) and "<b>#00ff00</b>" in grid and "12 g" in grid
            else:
                assert 422 == sent.status_code and "#ff0000" in grid


def test_two_controls_for_one_type_are_refused(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second plugin is left out."""
    entries = [plugin(name, register_field_input=lambda: INPUT) for name in ("a", "b")]
    with installed(monkeypatch, *entries), started(home, fresh_database("sqlite", home, request)) as flask:
        assert ["b"] == list(flask.extensions["appkeep"].registry.broken)
