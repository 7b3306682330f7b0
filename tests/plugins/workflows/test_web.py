"""Pages on workflows: shown, switched, edited a step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, documents, import_file, transaction
from plugins.sample.keys import key
from plugins.workflows import step_edits
from tests.conftest import made_organization
from tests.forms import untouched
from tests.web import make_person, signed_in


@pytest.fixture
def sample(sqlite_server: Flask) -> Iterator[App]:
    """The sample app."""
    with made_organization("Example") as organization:
        yield apps.find(import_file(Path("sample"), organization, make_person("owner@example.org"), importer="sample")["app"])


def manage(app: App, path: str) -> str:
    """Return the address of a page of the app's management."""
    return f"/o/{app.organization_id}/apps/{app.id}/manage/{path}"


def body(app: App, word: str) -> dict[str, object]:
    """Return a workflow of the sample as it is now."""
    return dict(documents.get(apps.find(app.id), f"workflow/{key('f', word)}").body)


def test_the_list_says_what_starts_each(sqlite_server: Flask, sample: App) -> None:
    """A sentence with names, and whether it is on."""
    page = signed_in(sqlite_server).get(manage(sample, "workflows")).get_data(as_text=True)
    assert "When Stage of a record of Deals changes and Stage is Won." in page
    assert "does not run" not in page and "On" in page


def test_a_deleted_worksheet_is_named_as_such(sqlite_server: Flask, sample: App) -> None:
    """What a workflow points to and is gone is said in words, not as a key."""
    with transaction():
        documents.hide(apps.find(sample.id), f"worksheet/{key('w', 'Deals')}", "system")
    page = signed_in(sqlite_server).get(manage(sample, f"workflow/{key('f', 'Won')}")).get_data(as_text=True)
    assert "a worksheet that was deleted" in page and "a field that was deleted" in page
    assert 200 == signed_in(sqlite_server).get(manage(sample, f"workflow/{key('f', 'Won')}/trigger")).status_code


def test_a_switch_works_without_script(sqlite_server: Flask, sample: App) -> None:
    """A plain form switches it off and on."""
    client, page = signed_in(sqlite_server), manage(sample, f"workflow/{key('f', 'Won')}/switch")
    for on in ("0", "1"):
        assert 302 == client.post(page, data={"on": on}).status_code
        assert (on == "1") is body(sample, "Won")["enabled"]


@pytest.mark.parametrize(("word", "step"), [("Won", "WonTell"), ("Morning", "MoFind"), ("Morning", "MoLoop"), ("Morning", "MoMail"),
                                            ("Hook", "HoAsk"), ("Hook", "HoOk"), ("Hook", "HoSend")])
def test_saving_an_untouched_step_changes_nothing(sqlite_server: Flask, sample: App, word: str, step: str) -> None:
    """Each step's form gives back the step, with what stands in it."""
    client, page = signed_in(sqlite_server), manage(sample, f"workflow/{key('f', word)}/step/{key('t', step)}")
    before = body(sample, word)
    answer = client.post(page, data=untouched(client, page) | {"do": "save"})
    assert 302 == answer.status_code, answer.get_data(as_text=True)
    assert before == body(sample, word)


@pytest.mark.parametrize("word", ["Won", "Morning", "Hook"])
def test_saving_an_untouched_trigger_changes_nothing(sqlite_server: Flask, sample: App, word: str) -> None:
    """The trigger's form gives back the trigger."""
    client, page = signed_in(sqlite_server), manage(sample, f"workflow/{key('f', word)}/trigger")
    before = body(sample, word)
    answer = client.post(page, data=untouched(client, page) | {"do": "save"})
    assert 302 == answer.status_code, answer.get_data(as_text=True)
    assert before == body(sample, word)


def test_a_workflow_is_built_from_nothing(sqlite_server: Flask, sample: App) -> None:
    """Made, given a trigger and steps of every type, one in a branch and one in a loop, moved and removed."""
    client = signed_in(sqlite_server)
    home = client.post(manage(sample, "workflows"), data={"name": "New one"}).location
    assert 200 == client.get(home).status_code
    assert 302 == client.post(f"{home}/trigger?type=webhook", data={"do": "save"}).status_code
    for kind in step_edits.STEPS:
        answer = client.post(f"{home}/steps", data={"where": "", "after": "", "type": kind})
        assert 302 == answer.status_code
        assert 200 == client.get(answer.location.partition("#")[0]).status_code
    address = "workflow/" + home.rpartition("/")[2]
    made = documents.get(apps.find(sample.id), address).body
    assert {"type": "webhook"} == made["trigger"]
    assert list(reversed(step_edits.STEPS)) == [one["type"] for one in made["steps"]]
    condition, loop = (next(one["key"] for one in made["steps"] if one["type"] == kind) for kind in ("condition", "loop"))
    for where in (f"{condition}.1", loop):
        assert 302 == client.post(f"{home}/steps", data={"where": where, "after": "", "type": "end"}).status_code
    assert 302 == client.post(f"{home}/step/{loop}/move", data={"by": "-1"}).status_code
    assert 302 == client.post(f"{home}/step/{condition}/branches").status_code
    assert 302 == client.post(f"{home}/step/{condition}/branch/0/remove").status_code
    assert 200 == client.get(f"{home}/step/{condition}/branch/0").status_code
    assert 302 == client.post(f"{home}/step/{loop}/remove").status_code
    page = client.get(home).get_data(as_text=True)
    assert "Branch 3" in page and "End here." in page and "Do this for each" not in page
    assert 302 == client.post(f"{home}/remove").status_code
    assert 404 == client.get(home).status_code


def test_what_is_not_there_is_not_found(sqlite_server: Flask, sample: App) -> None:
    """Unknown steps, branches and triggers answer 404, and a wrong step type is refused."""
    client, home = signed_in(sqlite_server), manage(sample, f"workflow/{key('f', 'Hook')}")
    assert [404] * 4 == [client.get(f"{home}/{path}").status_code for path in (
        "step/t_9999999999", f"step/{key('t', 'HoAsk')}/branch/9", f"step/{key('t', 'HoSend')}/branch/0", "trigger?type=magic")]
    assert 422 == client.post(f"{home}/steps", data={"type": "magic"}).status_code
    assert 404 == client.post(f"{home}/steps", data={"type": "end", "where": "t_9999999999"}).status_code


def test_a_step_that_makes_no_sense_is_shown_again(sqlite_server: Flask, sample: App) -> None:
    """What was typed stays, with the reason beside it, and nothing is saved."""
    client, page = signed_in(sqlite_server), manage(sample, f"workflow/{key('f', 'Morning')}/step/{key('t', 'MoFind')}")
    before = body(sample, "Morning")
    answer = client.post(page, data=untouched(client, page) | {"v.limit": "many", "do": "save"})
    assert 422 == answer.status_code
    assert "many" in answer.get_data(as_text=True) and 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert before == body(sample, "Morning")


def test_forms_ask_in_words(sqlite_server: Flask, sample: App) -> None:
    """Operators and choices are chosen by their names; a choice that was deleted stays until it is changed."""
    client, address = signed_in(sqlite_server), manage(sample, f"workflow/{key('f', 'Won')}/trigger")
    page = client.get(address).get_data(as_text=True)
    assert 'selected>is</option>' in page and f'<option value="{key("o", "Won")}" selected>Won</option>' in page
    with transaction():
        app = apps.find(sample.id)
        fields = documents.get(app, f"worksheet/{key('w', 'Deals')}").body["fields"]
        stage = next(one for one in fields if one["name"] == "Stage")
        stage["options"]["choices"] = [one for one in stage["options"]["choices"] if one["key"] != key("o", "Won")]
        documents.put(app, documents.Document(kind="worksheet", key=key("w", "Deals"), position=0, body={
            **documents.get(app, f"worksheet/{key('w', 'Deals')}").body, "fields": fields}), "system")
    before = body(sample, "Won")
    client.post(address, data=untouched(client, address))
    assert before == body(sample, "Won")
