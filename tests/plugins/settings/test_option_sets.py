"""Option sets: made from lines, choices renamed, coloured, moved, removed and brought back."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from core.api import App, apps, documents
from plugins.sample.keys import key
from tests.forms import untouched
from tests.plugins.settings.making import INDUSTRIES, body, manage, settings, text
from tests.web import Browser


def names(app: App) -> list[str]:
    """Return the names of the choices as they are now."""
    return [choice["name"] for choice in body(app, INDUSTRIES)["choices"]]


def save(client: Browser, app: App, **given: str) -> TestResponse:
    """Send the form of the option set with a few things changed."""
    return client.post(manage(app, INDUSTRIES), data=untouched(client, manage(app, INDUSTRIES)) | given)


def test_an_option_set_is_made_of_lines(client: Browser, sample: App) -> None:
    """A choice a line, empty ones left out, each with a key and a colour of its own."""
    answer = client.post(manage(sample, "option_set/new"), data={"name": "Sizes", "choices": "Small\r\n\r\n  Large \n"})
    assert 303 == answer.status_code
    made = next(d for d in documents.live(apps.find(sample.id), "option_set") if d.body["name"] == "Sizes")
    assert ["Small", "Large"] == [choice["name"] for choice in made.body["choices"]]
    assert 2 == len({choice["key"] for choice in made.body["choices"]}) == len({choice["colour"] for choice in made.body["choices"]})
    assert "Sizes" in text(client, settings(sample, "/option-sets"))


@pytest.mark.parametrize("form", [{"name": "", "choices": "A"}, {"name": "Sizes", "choices": "x" * 201}, {"name": "Sizes", "choices": "a\n" * 2001}])
def test_what_does_not_fit_makes_none(client: Browser, sample: App, form: dict[str, str]) -> None:
    """It is refused with what was typed still there."""
    answer = client.post(manage(sample, "option_set/new"), data=form)
    assert 422 == answer.status_code
    assert form["choices"][:50] in answer.get_data(as_text=True)
    assert 1 == len(documents.live(apps.find(sample.id), "option_set"))


def test_an_untouched_form_changes_nothing(client: Browser, sample: App) -> None:
    """The form gives back exactly the option set."""
    before = body(sample, INDUSTRIES)
    assert 303 == save(client, sample).status_code
    assert before == body(sample, INDUSTRIES)


def test_choices_are_renamed_coloured_and_added(client: Browser, sample: App) -> None:
    """Their keys stay, so that records keep what they have."""
    before = body(sample, INDUSTRIES)["choices"]
    first = before[0]["key"]
    save(client, sample, **{f"name.{first}": "Bikes", f"colour.{first}": "pink", "more": "Glass\nPaper"})
    after = body(sample, INDUSTRIES)["choices"]
    assert {"key": first, "name": "Bikes", "colour": "pink"} == after[0]
    assert [choice["key"] for choice in before] == [choice["key"] for choice in after[:len(before)]]
    assert ["Glass", "Paper"] == names(sample)[-2:]


def test_choices_move_with_what_else_was_typed(client: Browser, sample: App) -> None:
    """A button beside a choice saves the form too, so that nothing typed is lost."""
    before = body(sample, INDUSTRIES)["choices"]
    save(client, sample, do=f"down {before[0]['key']}", **{f"name.{before[0]['key']}": "Bikes"})
    assert [before[1]["name"], "Bikes"] == names(sample)[:2]
    save(client, sample, do=f"up {before[1]['key']}")
    assert [before[1]["name"], "Bikes"] == names(sample)[:2]


def test_a_removed_choice_is_in_the_bin_and_comes_back(client: Browser, sample: App) -> None:
    """To where it was, with its key."""
    before = body(sample, INDUSTRIES)
    bakery = key("o", "Bakery")
    save(client, sample, do=f"remove {bakery}")
    assert "Bakery" not in names(sample)
    assert "Removed choices" in text(client, manage(sample, INDUSTRIES))
    client.post(manage(sample, "bin/bring-back"), data={"document": f"{INDUSTRIES}/choice/{bakery}", "back": manage(sample, INDUSTRIES)})
    assert before == body(sample, INDUSTRIES)


def test_a_form_from_before_another_change_is_refused(client: Browser, sample: App) -> None:
    """Nothing of it is saved."""
    form = untouched(client, manage(sample, INDUSTRIES))
    save(client, sample, name="First")
    answer = client.post(manage(sample, INDUSTRIES), data=form | {"name": "Second"})
    assert 409 == answer.status_code and "Somebody else changed" in answer.get_data(as_text=True)
    assert "First" == body(sample, INDUSTRIES)["name"]


def test_an_empty_choice_is_refused(client: Browser, sample: App) -> None:
    """To remove one there is a button; an emptied name is a slip."""
    before = body(sample, INDUSTRIES)
    answer = save(client, sample, **{f"name.{key('o', 'Bakery')}": " ", "more": "Kept"})
    assert 422 == answer.status_code and "Kept" in answer.get_data(as_text=True)
    assert before == body(sample, INDUSTRIES)


def test_the_page_says_who_uses_it(client: Browser, sample: App) -> None:
    """The sample's companies do."""
    assert "Used by" in text(client, manage(sample, INDUSTRIES))
    assert "used by Companies" in text(client, settings(sample, "/option-sets"))
