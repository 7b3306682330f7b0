"""Option sets: choices that select fields of several worksheets share. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import App, Document, InvalidInput, new_key, placing
from plugins.settings.typed_names import checked, checked_text

COLOURS = ("gray", "red", "orange", "brown", "yellow", "lime", "green", "teal", "cyan", "blue", "indigo", "purple", "magenta", "pink")
MAX_CHOICES = 2000
MAX_NAME = 200
Choice = Mapping[str, Any]
Form = Mapping[str, str]


def create(app: App, name: str, lines: str, person: str) -> Document:
    """Make an option set with a choice a line and return it.

    Raises:
        InvalidInput: the name or a line does not fit.
    """
    return placing.add(app, "option_set", {"name": checked(name, "an option set's name"), "choices": added([], lines)}, person)


def added(choices: list[Choice], lines: str) -> list[Choice]:
    """Return choices with one more for each line that is not empty, in colours that follow each other.

    Raises:
        InvalidInput: a line is too long, or there would be too many.
    """
    names = [name.strip() for name in lines[:MAX_CHOICES * MAX_NAME].splitlines() if name.strip()]
    if len(choices) + len(names) > MAX_CHOICES:
        raise InvalidInput(f"An option set can have {MAX_CHOICES} choices at most.")
    return [*choices, *({"key": new_key("o"), "name": checked(name, "a choice", MAX_NAME), "colour": COLOURS[(n + 1) % len(COLOURS)]}
                        for n, name in enumerate(names, start=len(choices)))]


def changed(body: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Return an option set's body as a form changed it: names, colours, one choice moved or taken out, others added.

    Raises:
        InvalidInput: something does not fit.
    """
    choices = [_named(choice, form) for choice in body["choices"]]
    choices = added(_done(choices, form.get("do", "")), form.get("more", ""))
    found = {**body, "name": checked(form.get("name", ""), "an option set's name"), "choices": choices}
    description = checked_text(form.get("description", ""), 2000)
    return {name: value for name, value in {**found, "description": description}.items() if value or name != "description"}


def _named(choice: Choice, form: Form) -> Choice:
    name, colour = form.get(f"name.{choice['key']}"), form.get(f"colour.{choice['key']}", "")
    found = dict(choice) if name is None else {**choice, "name": checked(name, "a choice", MAX_NAME)}
    if colour in COLOURS:
        found["colour"] = colour
    return found


def _done(choices: list[Choice], command: str) -> list[Choice]:
    """Do what a button beside a choice says: "up o_…", "down o_…", "remove o_…"."""
    verb, _, key = command.partition(" ")
    place = next((n for n, one in enumerate(choices) if one["key"] == key), None)
    if place is None:
        return choices
    rest = [*choices[:place], *choices[place + 1:]]
    if verb in ("up", "down"):
        rest.insert(max(place + (1 if verb == "down" else -1), 0), choices[place])
        return rest
    return rest if verb == "remove" else choices


def palette(current: str) -> list[tuple[str, str]]:
    """Return the colours to choose from, with the one that stands there though it is none of ours."""
    known = COLOURS if not current or current in COLOURS else (current, *COLOURS)
    return [(colour, colour.replace("-", " ").replace("_", " ").capitalize()) for colour in known]
