"""Functions of formulas that a plugin brings: calculated, bounded where they are wrong, and kept where their plugin is not here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.api import AppkeepError, Document, FormulaFunction, apps, ask_record, direct, documents, transaction
from core.backups.catalog import find_backup
from core.server import server
from core.tenancy.migrate import ensure_schema
from plugins.worksheets import service
from plugins.worksheets.formula.parser import parse
from tests.conftest import made_organization
from tests.core.extension.strangers import database, installed, plugin, started
from tests.web import OWNER, make_person, signed_in

SHEET = "worksheet/w_1111111111"


def initials(text: Any) -> str:
    """Give the first letters of words."""
    return "".join(word[0] for word in str(text).split())


def raising(text: Any) -> Any:
    """Make a mistake."""
    raise KeyError("a mistake")


FUNCTIONS = [FormulaFunction(name=name, usage=f"{name}(text)", says="Something.", call=call) for name, call in (
    ("initials", initials), ("raising", raising), ("wrong", lambda text: {"a": 1}), ("long", lambda text: "x" * 10**7))]
WITH = plugin("words", register_formula_function=lambda: FUNCTIONS)


def sheet(*expressions: str, name: str = "People") -> Document:
    """Return a worksheet with a text and formulas."""
    fields = [{"key": "f_1111111111", "type": "text", "name": "Name", "options": {}}]
    fields += [{"key": f"f_{n}111111111", "type": "formula", "name": f"F{n}", "options": {"expression": expression}}
               for n, expression in enumerate(expressions, start=2)]
    return Document(kind="worksheet", key="w_1111111111", body={"name": name, "fields": fields}, position=0)


def test_functions_of_a_plugin(engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """They calculate beside Appkeep's own; one that is wrong has no value in its record; without the plugin the formula stays."""
    url = database(engine, home, request)
    parse.cache_clear()  # a process has the same plugins from its start to its end
    with installed(monkeypatch, WITH), started(home, url, backup_interval_s=0) as flask:
        ensure_schema()
        with made_organization("Example") as organization:
            person = make_person(OWNER)
            with transaction():
                app = apps.create("Sales", person)
                documents.put(app, sheet("lower(initials({f_1111111111}))", "raising({f_1111111111})", "wrong('a')", "long('a')"), "system")
                service.put_record(app, "w_1111111111", None, {"f_1111111111": "Ann Smith"}, "system")
            app_id = app.id
            found = ask_record(apps.find(app_id), person, "w_1111111111", 1, None)
            assert found is not None and {"f_2111111111": "as"} == {k: v for k, v in found.values.items() if k != "f_1111111111"}
            backup_id = direct.back_up(apps.find(app_id)).id
            page = signed_in(flask).get(f"/o/{organization}/apps/{app_id}/manage/worksheet/w_1111111111/field/f_2111111111")
            assert "From plugins" in page.get_data(as_text=True)
    parse.cache_clear()
    with installed(monkeypatch), started(home, url, backup_interval_s=0):
        ensure_schema()
        with apps.opened(app_id):
            with transaction():
                documents.put(apps.find(app_id), sheet("lower(initials({f_1111111111}))", "raising({f_1111111111})", "wrong('a')",
                                                       "long('a')", name="Renamed"), "system")
            with pytest.raises(AppkeepError, match="Unknown function “initials”"), transaction():
                documents.put(apps.find(app_id), sheet("initials({f_1111111111})"), "system")
            direct.restore(apps.find(app_id), find_backup(backup_id))
            direct.check(find_backup(backup_id), deep=True)
            found = ask_record(apps.find(app_id), person, "w_1111111111", 1, None)
            assert found is not None and "f_2111111111" not in found.values
    parse.cache_clear()
    with installed(monkeypatch, WITH), started(home, url, backup_interval_s=0):
        ensure_schema()
        assert "initials" in server().registry.formula_functions
        with apps.opened(app_id):
            found = ask_record(apps.find(app_id), person, "w_1111111111", 1, None)
            assert found is not None and "as" == found.values["f_2111111111"]
