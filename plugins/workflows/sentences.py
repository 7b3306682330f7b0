"""A workflow as people say it: its trigger and each of its steps as a sentence. Pure but for the looking up of names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from plugins.workflows.sentence_parts import count, listing, schedule, short, time

Body = Mapping[str, Any]
OPERATORS = {
    "is": "is", "is_not": "is not", "contains": "contains", "contains_not": "does not contain", "starts_with": "starts with",
    "ends_with": "ends with", "is_empty": "is empty", "is_filled": "is not empty", "greater": "is greater than",
    "greater_or_equal": "is at least", "less": "is less than", "less_or_equal": "is at most", "before": "is before", "after": "is after",
    "on_or_before": "is on or before", "on_or_after": "is on or after", "is_any_of": "is one of", "is_none_of": "is none of",
}
ABOUT = {"today": "today", "now": "now", "person": "who started it", "person_email": "the email of who started it",
         "record_number": "the record’s number", "record_title": "the record’s title", "record_address": "the record’s address",
         "run_number": "the run’s number", "run_address": "the run’s address"}
NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
NAMED = re.compile(r"\{f_(\d{1,3})\}")
HOLE = re.compile(r"\{(\d{1,3})\}")


class Names(Protocol):
    """Says what things are called."""

    def of(self, pointer: Mapping[str, str] | None) -> str:
        """Return what a pointer's target is called."""

    def choice(self, field: Mapping[str, str], key: str) -> str | None:
        """Return what a choice of a field is called."""

    def brought_step(self, step: Body) -> str:
        """Return what a step of a type that another plugin brings does."""


@dataclass(frozen=True, slots=True)
class ShownBranch:
    """A branch: its place in its step, its name, when it is taken, and its steps."""

    n: int
    name: str
    when: str
    steps: Sequence[ShownStep]


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as shown. `inside` are the steps of a loop (None for other types); `where` names the list it stands in."""

    key: str
    type: str
    number: str
    name: str
    sentence: str
    where: str
    first: bool
    last: bool
    inside: Sequence[ShownStep] | None = None
    branches: Sequence[ShownBranch] = field(default_factory=tuple)


class Speaker:
    """Says the parts of one workflow."""

    def __init__(self, names: Names, body: Body) -> None:
        self.names, self.body = names, body
        self.numbers = dict(_numbered(body.get("steps", ()), ""))

    def trigger(self) -> str:
        """Return when the workflow starts, as a sentence."""
        trigger = self.body["trigger"]
        said = getattr(self, f"_on_{trigger['type']}")(trigger)
        return f"{said} and {self.condition(trigger['when'])}." if trigger.get("when") else f"{said}."

    def steps(self, steps: Sequence[Body] | None = None, where: str = "") -> list[ShownStep]:
        """Return steps with the steps in them, all of the workflow's by default."""
        listed = self.body.get("steps", ()) if steps is None else steps
        return [self._step(step, where, n == 0, n == len(listed) - 1) for n, step in enumerate(listed)]

    def condition(self, when: Body) -> str:
        """Return a condition in words."""
        for word, joint in (("all", " and "), ("any", " or ")):
            if word in when:
                inner = [self.condition(one) for one in when[word]]
                joined = joint.join(f"({one})" if len(inner) > 1 and ("all" in given or "any" in given) else one
                                    for one, given in zip(inner, when[word], strict=True))
                return joined or ("always" if word == "all" else "never")
        of = when.get("field")
        left = self.names.of(of) + (" before the change" if when.get("before") else "") if of else self.value(when["left"])
        given = when.get("value", when.get("right"))
        operator = OPERATORS.get(when["operator"], when["operator"].replace("_", " "))
        return f"{left} {operator}" if given is None else f"{left} {operator} {self.value(given, of)}"

    def value(self, value: Any, of: Mapping[str, str] | None = None) -> str:
        """Return a value in words; *of* is the field that it is for."""
        if isinstance(value, Mapping):
            if "formula" in value:
                return self._formula(value)
            return self._template(value) if "template" in value else self.names.of(value)
        if isinstance(value, bool) or value is None:
            return {True: "yes", False: "no", None: "nothing"}[value]
        if isinstance(value, str) and NUMBER.fullmatch(value):
            return value
        if isinstance(value, str):
            return (self.names.choice(of, value) if of else None) or f"“{short(value)}”"
        return str(value)

    def _template(self, value: Body) -> str:
        uses = [self._use(use) for use in value.get("uses", ())]
        whole = HOLE.fullmatch(value["template"])
        if whole and int(whole[1]) < len(uses):
            return uses[int(whole[1])]
        text = HOLE.sub(lambda hole: f"[{uses[int(hole[1])]}]" if int(hole[1]) < len(uses) else hole[0], value["template"])
        return f"“{short(text)}”"

    def _formula(self, value: Body) -> str:
        uses = [self._use(use) for use in value.get("uses", ())]
        said = NAMED.sub(lambda hole: f"[{uses[int(hole[1])]}]" if int(hole[1]) < len(uses) else hole[0], value["formula"])
        return f"= {short(said)}"

    def _use(self, use: Body) -> str:
        if "variable" in use:
            return f"the variable {use['variable']}"
        if "about" in use:
            return ABOUT.get(str(use["about"]), str(use["about"]))
        if "trigger" in use:
            return f"{str(use['trigger']).removeprefix('body.')} of the call"
        number = self.numbers.get(use.get("step", ""))
        of = f"step {number}" if number else "a deleted step"
        if "field" in use:
            name = self.names.of(use["field"]) + (" before the change" if use.get("before") else "")
            return f"{name} of {of}" if "step" in use else name
        return f"{use['path']} of {of}"

    def _step(self, step: Body, where: str, first: bool, last: bool) -> ShownStep:
        key = step["key"]
        said = getattr(self, f"_{step['type']}")(step)
        inside = self.steps(step.get("steps", ()), key) if step["type"] == "loop" or step.get("steps") else None
        branches = [ShownBranch(n, one.get("name") or f"Branch {n + 1}", self.condition(one["when"]) if one.get("when") else "",
                                self.steps(one["steps"], f"{key}.{n}")) for n, one in enumerate(step.get("branches", ()))]
        return ShownStep(key, step["type"], self.numbers.get(key, "?"), step.get("name", ""), f"{said}.", where, first, last,
                         inside, branches)

    # Triggers.

    def _record(self, trigger: Body) -> str:
        return f"a record of {self.names.of(trigger.get('worksheet'))}" if "worksheet" in trigger else "a record of any worksheet"

    def _on_record_created(self, trigger: Body) -> str:
        return f"When {self._record(trigger)} is created"

    def _on_record_updated(self, trigger: Body) -> str:
        fields = listing([self.names.of(one) for one in trigger.get("fields", ())], "or")
        return f"When {fields} of {self._record(trigger)} changes" if fields else f"When {self._record(trigger)} changes"

    def _on_record_deleted(self, trigger: Body) -> str:
        return f"When {self._record(trigger)} is deleted"

    def _on_date_reached(self, trigger: Body) -> str:
        days, date = trigger.get("days_before", 0), f"{self.names.of(trigger.get('date_field'))} of {self._record(trigger)}"
        if not days:
            return f"When {date} is reached"
        return f"{count(abs(days), 'day')} {'before' if days > 0 else 'after'} {date}"

    def _on_schedule(self, trigger: Body) -> str:
        return schedule(trigger.get("schedule", {"every": "day"}))

    def _on_button(self, trigger: Body) -> str:
        return f"When somebody clicks {self.names.of(trigger.get('button'))}"

    def _on_webhook(self, trigger: Body) -> str:
        return "When a webhook is received"

    def _on_form_submitted(self, trigger: Body) -> str:
        form = f"the form {self.names.of(trigger['view'])}" if "view" in trigger else f"a form of {self._sheet(trigger)}"
        return f"When {form} is submitted"

    def _on_manual(self, trigger: Body) -> str:
        return f"When started manually for {self._record(trigger)}" if "worksheet" in trigger else "When started manually"

    # Steps.

    def _values(self, step: Body) -> str:
        return "; ".join(f"{self.names.of(one['field'])} = {self.value(one['value'], one['field'])}" for one in step.get("values", ()))

    def _sheet(self, step: Body) -> str:
        return self.names.of(step.get("worksheet")) if "worksheet" in step else "a worksheet (not chosen yet)"

    def _which(self, step: Body) -> str:
        return f"the record {self.value(step['record'])} of" if "record" in step else "the current record of"

    def _create_record(self, step: Body) -> str:
        values = self._values(step)
        return f"Create a record of {self._sheet(step)}" + (f": {values}" if values else "")

    def _update_record(self, step: Body) -> str:
        values = self._values(step)
        return f"Change {self._which(step)} {self._sheet(step)}" + (f": {values}" if values else "")

    def _delete_record(self, step: Body) -> str:
        return f"Delete {self._which(step)} {self._sheet(step)}"

    def _find_records(self, step: Body) -> str:
        said = f"Find {'up to ' + str(step['limit']) + ' ' if 'limit' in step else ''}records of {self._sheet(step)}"
        if step.get("filter"):
            said += f" where {self.condition(step['filter'])}"
        order = [self.names.of(one["field"]) + (" (descending)" if one.get("descending") else "") for one in step.get("sorts", ())]
        return said + (f", sorted by {listing(order, 'then')}" if order else "")

    def _people(self, given: Sequence[Any]) -> str:
        return listing([self.value(one) for one in given], "and") or "nobody yet"

    def _send_email(self, step: Body) -> str:
        return f"Send an email to {self._people(step.get('to', ()))}{self._words(step)}"

    def _notify(self, step: Body) -> str:
        return f"Notify {self._people(step.get('to', ()))}{self._words(step)}"

    def _words(self, step: Body) -> str:
        said = [self.value(step[name]) for name in ("subject", "message") if name in step]
        return f": {' – '.join(said)}" if said else ""

    def _webhook(self, step: Body) -> str:
        return f"Send a {step.get('method', 'POST')} request to {self.value(step['url']) if 'url' in step else 'an address (not set)'}"

    def _condition(self, step: Body) -> str:
        return "Continue with the first branch that matches"

    def _loop(self, step: Body) -> str:
        return f"Repeat for each of {self.value(step['over'])}" if "over" in step else "Do this for each item of a list (not chosen yet)"

    def _delay(self, step: Body) -> str:
        if "until" in step:
            return f"Wait until {self.value(step['until'])}"
        return f"Wait {time(step['minutes'])}" if "minutes" in step else "Wait for a time (not set yet)"

    def _approval(self, step: Body) -> str:
        return f"Wait until {'all' if step.get('needed') == 'all' else 'one'} of {self._people(step.get('approvers', ()))} approves"

    def _run_workflow(self, step: Body) -> str:
        if "org" in step.get("workflow", {}):
            return "Start a workflow of another app"
        return f"Start the workflow {self.names.of(step['workflow'])}" if "workflow" in step else "Start a workflow (not chosen yet)"

    def _set_variable(self, step: Body) -> str:
        return f"Set {step.get('variable', 'a variable without a name')} to {self.value(step.get('value'))}"

    def _end(self, step: Body) -> str:
        return "End here"

    def _plugin(self, step: Body) -> str:
        return self.names.brought_step(step)


def _numbered(steps: Sequence[Body], above: str) -> Iterator[tuple[str, str]]:
    for n, step in enumerate(steps, 1):
        number = f"{above}{n}"
        yield step["key"], number
        yield from _numbered(step.get("steps", ()), f"{number}.")
        for place, branch in enumerate(step.get("branches", ())):
            yield from _numbered(branch["steps"], f"{number}{chr(97 + place % 26)}.")
