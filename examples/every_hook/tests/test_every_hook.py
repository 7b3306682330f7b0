"""Every hook is called and does what it says; every method of the component too."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click
import pytest
from appkeep_every_hook import component as signs
from appkeep_every_hook import plugin
from appkeep_every_hook.component import Signs, motto_of, set_motto
from flask import Flask

import core.api as ak
from core.api import App, Document, direct, documents, server, transaction
from core.testing import ComponentLaws, StoreLaws

PICTURE = {"file": "0" * 64, "name": "a.png", "size": 1, "type": "image/png"}
SIGN = Document(kind="sign", key="sg_1111111111", position=0, body={
    "name": "Open", "size": 30, "page": {"ref": "page/p_1111111111"}, "picture": PICTURE,
    "lines": [{"key": "l_1111111111", "text": "9 to 5"}]})


class TestSigns(ComponentLaws):
    """The laws of documents."""

    component = "signs"

    def full(self) -> list[Document]:
        """A sign with everything."""
        return [SIGN]

    def around(self) -> list[Document]:
        """The page that it points to."""
        return [Document(kind="page", key="p_1111111111", position=0, body={"name": "Start", "blocks": []})]


class TestShelf(StoreLaws):
    """The laws of stores."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Any:
        """A store that is empty."""
        return plugin.register_store().open("shelf://here")


def motto(app: App) -> str | None:
    """Return an app's motto."""
    found = motto_of(app.id, ak.db.session.connection())
    ak.db.session.rollback()
    return found and found[0]


def last_restore() -> str:
    """Return the id of the run of the last restore."""
    found = ak.db.session.scalars(ak.db.select(ak.Run.id).where(ak.Run.kind == "restore").order_by(ak.Run.requested_at.desc())).first()
    ak.db.session.rollback()
    return str(found)


def give(app: App, text: str | None) -> None:
    """Give an app another motto."""
    with transaction():
        set_motto(app, text)


def listed(app: App, backup: Any) -> list[tuple[str, str | None, str | None]]:
    """Return the values that a plan lists of mottos to overwrite."""
    from core.backups.plan import Options
    from core.backups.record_lists import ListedCollection, planned_page

    mottos = ListedCollection.named("signs", signs.SECTION.rpartition("/")[2], "overwritten")
    page = planned_page(app, backup, "system", Options(backup=backup.id, config=True, data=True), mottos)
    return [(value.name, value.before, value.after) for record in page.records for value in record.values]


def test_a_motto_is_backed_up_planned_restored_and_undone(app: App) -> None:
    """With data of its own code: changed, removed, newer than the backup, changed since the restore."""
    assert "Begin well" == motto(app)
    backup = direct.back_up(app)
    give(app, "Another")
    told = direct.plan(app, backup)["components"]["signs"]["data"]
    assert [("Motto", "Another", "Begin well")] == listed(app, backup)
    assert {"motto": "overwritten"} == told and "Another" == motto(app)
    assert told == direct.restore(app, backup, safety_backup=True)["components"]["signs"]["data"] and "Begin well" == motto(app)
    direct.undo(app, last_restore())
    assert "Another" == motto(app)
    direct.restore(app, backup, safety_backup=True)
    give(app, "Since then")
    direct.undo(app, last_restore())
    assert "Since then" == motto(app)
    give(app, None)
    direct.restore(app, backup)
    assert "Begin well" == motto(app)
    give(app, None)
    without = direct.back_up(app)
    give(app, "Newer")
    direct.restore(app, without)
    assert "Newer" == motto(app)
    direct.restore(app, without, bin_newer=True)
    assert motto(app) is None
    direct.check(backup, deep=True)


@pytest.mark.parametrize("values", [[], [{"motto": 7}], [{"motto": "a"}, {"motto": "b"}], [{"slogan": "a"}], ["a"]])
def test_a_motto_that_is_none_is_refused(values: list[Any]) -> None:
    """With what is wrong."""
    with pytest.raises(ak.InvalidInput, match="motto"):
        Signs().check_data("records/m_1", 0, values, {})


def test_the_methods_of_documents(app: App) -> None:
    """Each of them."""
    found: Any = server().registry.components["signs"]
    with pytest.raises(ak.InvalidDocument, match="more than spaces"):
        found.check(Document(kind="sign", key="sg_1111111111", position=0, body={"name": " ", "size": 1}))
    large = Document(kind="sign", key="sg_1111111111", position=0, body={"name": "A", "size": 400})
    with pytest.raises(ak.InvalidDocument, match="300 cm"), transaction():
        documents.put(app, large, "system")
    assert ["Welcome to Sales"] == [one.body["name"] for one in found.starting_documents("Sales")]
    with transaction():
        assert {"motto": "By hand"} == found.operations()["set_motto"](app, {"text": "By hand"}, "system")
    assert "By hand" == motto(app)
    assert {"signs_repainted": 1} == found.documents_changed(app, {"sign/a": SIGN}, {"sign/a": large})
    assert [] == found.compare(SIGN, Document(kind="sign", key=SIGN.key, position=7, body=SIGN.body))
    assert "Open (of Twin)" == found.copied(SIGN, "Twin").body["name"]
    assert found.edits_done(app) is None
    old = Document(kind="sign", key="sg_1", position=0, body={"name": "Old"})
    assert {"name": "Old", "size": 30} == signs.Signs.upgrades[1](old).body
    assert {"motto": "x"} == signs.Signs.data_upgrades[1]("records/m_1", {"motto": " x "})
    for one in documents.live(app, "sign"):
        with transaction():
            documents.hide(app, one.address, "system")
            documents.purge(app, one.address, "system")
    assert motto(app) is None


def test_every_hook_is_called(app: App, appkeep_server: Flask) -> None:
    """With what Appkeep gives to it; each gives what the hook says, and none fails."""
    registry: Any = server().registry
    manager, given = registry.manager, {
        "definition": {"key": "f_1111111111", "type": "stars", "name": "Stars", "options": {}}, "cli": click.Group(),
        "organization_id": app.organization_id, "address": "team/t_1111111111", "kind": "team", "name_or_id": "Example",
        "email": "a@example.org", "app": app, "person": "u_0000000001", "run": ak.Run(kind="backup", state="succeeded"), "next_url": "/",
        "kept": "", "apps": [app], "asked": ak.RecordsAsked(worksheet="worksheet/w_1111111111"), "worksheet": "w_1111111111", "seq": 1,
        "values": {}, "changes": [ak.RecordChange(seq=1, before=None, after={})], "seqs": [1], "restoring": None, "size": 5,
        "reference": "run/n_1111111111", "purpose": "backup", "app_id": app.id, "act": "backup", "result": "done", "backup_id": None,
        "detail": {}, "answer": "ding", "token": "akt_0", "run_ids": ["n_1111111111"], "ended": (0, 1),
        "view": "v_1111111111", "button": "b_1111111111", "target": "sign/sg_1111111111", "filter": {"all": []}, "name": "bells",
        "actor": "bell/tower", "expression": "bells()"}
    answers: dict[str, Any] = {}
    for name, hook in vars(plugin).items():
        if not inspect.isfunction(hook) or not hasattr(hook, "appkeep_impl"):
            continue
        (one,) = [found for found in getattr(registry.hook, name).get_hookimpls() if found.plugin_name == "every_hook"]
        assert list(one.argnames) == list(inspect.signature(hook).parameters), name
        with appkeep_server.test_request_context("/"), transaction():
            answers[name] = manager.call_one(name, one, [given[argument] for argument in one.argnames])
    assert [] == manager.failed
    assert set(vars(registry.hook)) == set(answers)
    assert True is answers["org_reference_exists"] and "The bell" == answers["person_name"] and "code" == answers["identity_method"]
    with pytest.raises(ak.Forbidden):
        plugin.prove_identity("u_0000000001", "dong")


def test_what_is_registered_is_there(app: App, appkeep_server: Flask) -> None:
    """And works: a field, a function, a channel, a run."""
    registry = server().registry
    assert {} == registry.broken
    brought = {"components": "signs", "field_types": "stars", "field_inputs": "stars", "formula_functions": "shout",
               "importers": "lines_of_signs", "run_kinds": "count_signs", "stores": "shelf", "block_types": "shout", "step_types": "ring",
               "channels": "bell"}
    for what, name in brought.items():
        assert name in getattr(registry, what)
    assert "HI" == registry.formula_functions["shout"].call("hi")
    assert {"rung": 2, "record": 0} == registry.step_types["ring"].does(app, {"times": 2}, None, None)
    assert "Ring the bell 2 times" == registry.step_types["ring"].says({"times": 2})
    assert "/o/<organization_id>/apps/<app_id>/motto" in {str(rule) for rule in appkeep_server.url_map.iter_rules()}
