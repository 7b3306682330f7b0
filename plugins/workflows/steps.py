"""What each type of step does. A step that reaches outside says what to call; one that waits says until when; the rest is done here.

Whatever a step does within the database is part of the caller's transaction, with the mark that it was done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from core.api import (
    App,
    AppRestoring,
    InvalidInput,
    NotFound,
    RecordsAsked,
    Stored,
    db,
    documents,
    now_us,
    server,
)
from plugins.workflows import approvals, beginning, starting
from plugins.workflows.call import Call, call_of
from plugins.workflows.values import Read, along, as_text, listed
from plugins.workflows.world import RunWorld, actor
from tenants.notifications.notify import Notice, mail_to, tell

Body = Mapping[str, Any]
MOST_FOUND = 5000
MOST_ROUNDS = 10_000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done: what it found, and the record that it wrote ("w_…/12")."""

    found: Body = field(default_factory=dict)
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """Go on with the steps of a list: a branch, or a loop's for each of its items."""

    where: str
    found: Body = field(default_factory=dict)
    items: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until a moment in microseconds, or until somebody says something; then ask again."""

    until: int | None
    found: Body = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The run ends here."""

    note: str = ""


Outcome = Done | Within | Wait | End | Call


@dataclass
class Doing:
    """A step that is being done: in which world, as which of the run's steps, and what is known of it where it was begun before."""

    world: RunWorld
    step: Body
    n: int
    chain: tuple[str, ...]
    begun: Body | None = None
    dry: bool = False

    @property
    def app(self) -> App:
        """The app."""
        return self.world.app

    def value(self, name: str) -> Any:
        """Return one of the step's values."""
        return self.world.values.value(self.step.get(name))

    def text(self, name: str) -> str:
        """Return one of the step's values as text."""
        return self.world.values.text(self.step.get(name))

    def sheet(self) -> str:
        """Return the key of the step's worksheet.

        Raises:
            InvalidInput: none is chosen.
        """
        if "worksheet" not in self.step:
            raise InvalidInput("Choose a worksheet for this step.")
        return str(self.step["worksheet"]["ref"]).partition("/")[2]

    def seq(self) -> int:
        """Return the number of the record that the step is about: the one it names, else the run's.

        Raises:
            InvalidInput: there is none.
        """
        value = self.value("record") if "record" in self.step else None
        if isinstance(value, Read):
            value = value.value
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, Mapping):
            value = value.get("seq")
        if "record" not in self.step:
            at = self.world.record(None)
            if at is None or at[0] != self.sheet():
                raise InvalidInput(f"Say which record of {self.world.name_of('worksheet/' + self.sheet())} this step is about.")
            value = at[1]
        text = as_text(value).strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise InvalidInput(f"“{text[:60]}” is not the number of a record.")
        return int(text)


def do(doing: Doing) -> Outcome:
    """Do a step, or say what it needs.

    Raises:
        AppkeepError: it cannot be done; the message says why.
    """
    return _DO[doing.step["type"]](doing)


def given(doing: Doing) -> dict[str, Any]:
    """Return what a step was given, as texts for people; what cannot be read is left out, and secrets never are in it."""
    found: dict[str, Any] = {}
    for name in ("record", "subject", "message", "url", "method", "body", "over", "minutes", "until", "variable", "value"):
        if name in doing.step:
            found[name] = _short(lambda name=name: doing.text(name))  # type: ignore[misc]
    for one in doing.step.get("values", ()):
        found[doing.world.name_of(one["field"]["ref"]).strip("“”")] = _short(lambda one=one: doing.world.values.text(one["value"]))  # type: ignore[misc]
    return found


def _short(ask: Callable[[], str]) -> str:
    try:
        return ask()[:500]
    except (InvalidInput, NotFound):
        return ""


def _create(doing: Doing) -> Outcome:
    return _written(doing, None)


def _update(doing: Doing) -> Outcome:
    return _written(doing, doing.seq())


def _written(doing: Doing, seq: int | None) -> Done:
    sheet = doing.sheet()
    values = {one["field"]["ref"].rpartition("/")[2]: _for_field(doing, one) for one in doing.step.get("values", ())}
    who = actor(doing.app, doing.world.workflow)
    made = server().registry.hook.write_record(app=doing.app, person=who, worksheet=sheet, seq=seq, values=values)
    if made is None:
        raise NotFound("The worksheet of this step was deleted.")
    return Done({"record": {"worksheet": sheet, "seq": made}}, f"{sheet}/{made}")


def _for_field(doing: Doing, one: Body) -> Any:
    """Return a value as the field that it is for takes it."""
    value, ref = doing.world.values.value(one["value"]), one["field"]["ref"]
    kind = doing.world.field_type(ref)
    if isinstance(value, Read):
        if value.type == kind and (not value.target or value.target == doing.world._target(*_parts(ref))):
            return Stored(value.value)
        return value.text
    if value is None:
        return Stored(None)
    if kind in ("member", "department", "org_role") and isinstance(value, Mapping | list):
        return Stored([item for item in listed(value) if isinstance(item, Mapping) and "org" in item])
    if kind == "member" and isinstance(value, str) and value.startswith("u_"):
        return Stored([{"org": f"user/{value}"}])
    if kind == "datetime" and isinstance(value, str) and value.endswith("Z"):
        return Stored(value)
    return as_text(value)


def _parts(ref: str) -> tuple[str, str]:
    sheet, _, key = ref.removeprefix("worksheet/").partition("/field/")
    return sheet, key


def _delete(doing: Doing) -> Outcome:
    sheet, seq = doing.sheet(), doing.seq()
    if not server().registry.hook.remove_record(app=doing.app, person=actor(doing.app, doing.world.workflow), worksheet=sheet, seq=seq):
        raise NotFound("The worksheet of this step was deleted.")
    return Done({"record": {"worksheet": sheet, "seq": seq}}, f"{sheet}/{seq}")


def _find(doing: Doing) -> Outcome:
    sheet, limit = doing.sheet(), min(int(doing.step.get("limit", 100)), MOST_FOUND)
    asked = doing.world.values.filter(doing.step.get("filter"))
    if asked is False:
        return Done({"records": [], "count": 0})
    question = RecordsAsked(worksheet=f"worksheet/{sheet}", filter=None if asked is True else asked, sorts=doing.step.get("sorts", ()),
                            fields=(), limit=limit)
    some = server().registry.hook.records_for(app=doing.app, person=actor(doing.app, doing.world.workflow), asked=question)
    if some is None:
        raise NotFound("The worksheet of this step was deleted.")
    found = [{"worksheet": sheet, "seq": one.seq} for one in some.records]
    return Done({"records": found, "count": len(found), "more": some.more})


def _email(doing: Doing) -> Outcome:
    to = doing.world.emails(doing.step.get("to", ()))
    if not doing.step.get("to"):
        raise InvalidInput("This email has no recipient. Choose some in the step.")
    subject, message = doing.text("subject").strip() or doing.app.name, doing.text("message")
    for address in to:
        mail_to(address, f"workflow/{doing.app.id}/{doing.world.number}/{doing.n}", subject, message)
    return Done({"to": to, "count": len(to)})


def _notify(doing: Doing) -> Outcome:
    people = doing.world.people(doing.step.get("to", ()))
    if not doing.step.get("to"):
        raise InvalidInput("This notification has nobody to tell. Choose people in the step.")
    tell(Notice("message", _event(doing), doing.text("subject").strip() or f"Message from “{doing.app.name}”", doing.text("message"),
                _page(doing), (doing.app.id, doing.app.name)), people)
    return Done({"count": len(people)})


def _event(doing: Doing) -> str:
    return f"workflow/{doing.app.id}/{doing.world.number}/{doing.n}"


def _page(doing: Doing) -> str:
    """Return the page to which a message leads: the run's record, else the app."""
    at, start = doing.world.record(None), f"/o/{doing.app.organization_id}/apps/{doing.app.id}"
    return f"{start}/worksheet/{at[0]}/record/{at[1]}" if at is not None else start


def _call(doing: Doing) -> Outcome:
    return call_of(doing.world, doing.step, f"{doing.app.id}.{doing.world.number}.{doing.n}")


def _branch(doing: Doing) -> Outcome:
    for n, one in enumerate(doing.step.get("branches", ())):
        if not one.get("when") or doing.world.values.holds(one["when"]):
            return Within(f"{doing.step['key']}.{n}", {"branch": one.get("name", "")})
    return Done({"branch": ""})


def _loop(doing: Doing) -> Outcome:
    items = [one.value if isinstance(one, Read) else one for one in listed(doing.value("over"))]
    if len(items) > MOST_ROUNDS:
        raise InvalidInput(f"A loop can go through at most {MOST_ROUNDS:,} items.")
    return Within(doing.step["key"], {"count": len(items)}, items) if items else Done({"count": 0})


def _delay(doing: Doing) -> Outcome:
    if doing.begun is not None:
        return Done()
    if "until" in doing.step:
        return Wait(_moment(doing))
    return Wait(doing.world.now_us + int(doing.step.get("minutes", 0)) * 60_000_000)


def _moment(doing: Doing) -> int:
    value = doing.value("until")
    text = (str(value.value) if isinstance(value, Read) else as_text(value)).strip()
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise InvalidInput(f"“{text[:60]}” is not a day or a moment to wait for.") from None
    if len(text) <= 10:
        moment = datetime.combine(moment.date(), time())
    return int((moment if moment.tzinfo else moment.replace(tzinfo=doing.world.zone)).timestamp() * 1_000_000)


def _approval(doing: Doing) -> Outcome:
    if doing.begun is None:
        people = doing.world.people(doing.step.get("approvers", ()))
        if not people:
            raise InvalidInput("Nobody can approve this. Choose people who are members of the organization.")
        found = approvals.ask(doing.app, doing.world.number, doing.n, people, doing.text("message"), doing.world.about("record_title"))
        return Wait(_next_look(doing, now_us()), found)
    stands = approvals.standing(doing.app, doing.world.number, doing.n, every=doing.step.get("needed") == "all")
    if stands.decided is None:
        return _still_open(doing, stands)
    approvals.close(doing.app, doing.world.number, doing.n)
    found = {"approved": stands.decided, "comment": stands.comment, "by": stands.by}
    if not stands.decided and doing.step.get("if_rejected", "end") == "end":
        return End(f"Rejected by {stands.by or 'nobody in time'}." + (f" “{stands.comment}”" if stands.comment else ""))
    return Done(found)


def _still_open(doing: Doing, stands: approvals.Stands) -> Outcome:
    asked, now = int((doing.begun or {}).get("asked_at", now_us())), now_us()
    limit = doing.step.get("limit_hours")
    if limit is not None and now >= asked + limit * HOUR_US:
        approvals.close(doing.app, doing.world.number, doing.n)
        if doing.step.get("if_rejected", "end") == "end":
            return End("Nobody decided in time.")
        return Done({"approved": False, "comment": "", "by": ""})
    reminder, told = doing.step.get("remind_after_hours"), int((doing.begun or {}).get("reminded_at", asked))
    if reminder is not None and now >= told + reminder * HOUR_US:
        approvals.remind(doing.app, doing.world.number, doing.n, stands.waiting, now)
        told = now
    return Wait(_next_look(doing, told, asked), {"asked_at": asked, "reminded_at": told})


def _next_look(doing: Doing, told: int, asked: int | None = None) -> int | None:
    """Return when an open approval is looked at without an answer: to remind of it, or to end it."""
    looks = [told + doing.step["remind_after_hours"] * HOUR_US] if "remind_after_hours" in doing.step else []
    if "limit_hours" in doing.step:
        looks.append((asked or told) + doing.step["limit_hours"] * HOUR_US)
    return min(looks, default=None)


def _run(doing: Doing) -> Outcome:
    if "workflow" not in doing.step:
        raise InvalidInput("Choose a workflow to start.")
    if "org" in doing.step["workflow"]:
        return _run_elsewhere(doing, doing.step["workflow"]["org"])
    document = documents.get(doing.app, doing.step["workflow"]["ref"])
    if not document.body["enabled"]:
        raise InvalidInput(f"The workflow “{document.body['name']}” is turned off.")
    cause = {**doing.world.trigger, "type": "workflow", **({"body": _sent(doing)} if "body" in doing.step else {})}
    number = beginning.begin(doing.app, document, cause, doing.world.person,
                             (*doing.chain, doing.world.workflow))
    return Done({"run": number})


def _run_elsewhere(doing: Doing, address: str) -> Outcome:
    """Start a workflow of another app that takes calls from this one; while that app is restored, the step waits."""
    app_id, key = address.split("/")[1], address.rpartition("/")[2]
    try:
        number = starting.called_from(app_id, key, doing.app, _sent(doing), doing.world.person, (*doing.chain, doing.world.workflow))
    except AppRestoring:
        return Wait(now_us() + MINUTE_US)
    return Done({"run": number})


def _sent(doing: Doing) -> Any:
    """Return what a workflow that is started is given: what the step says, as JSON where it is such."""
    text = doing.text("body").strip()
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text


def _set(doing: Doing) -> Outcome:
    name = doing.step.get("variable", "").strip()
    if not name:
        raise InvalidInput("Give the variable a name.")
    value = doing.value("value")
    doing.world.memory["variables"][name] = value.text if isinstance(value, Read) else value
    return Done({name: as_text(value)[:500]})


def _end(doing: Doing) -> Outcome:
    return End()


def _brought(doing: Doing) -> Outcome:
    registry, name = server().registry, str(doing.step.get("plugin_type", ""))
    known = registry.step_types.get(name)
    if known is None or known.does is None:
        raise InvalidInput(f"No plugin on this server does steps of the type “{name[:60]}”.")
    if trouble := known.trouble(doing.step.get("settings", {})):
        raise InvalidInput(f"The settings of this step do not fit: {trouble}")
    at, does = doing.world.record(None), known.does
    found = registry.call("register_step_type", name, lambda: {"result": does(
        doing.app, doing.step.get("settings", {}), at[0] if at else None, at[1] if at else None)})
    if found is None:
        raise InvalidInput(f"The step “{known.title}” failed. The log of the server says why.")
    result = found["result"]
    if result is not None and not isinstance(result, Mapping):
        raise InvalidInput(f"The step “{known.title}” did not give an object.")
    db.session.flush()
    return Done(dict(result or {}))


_DO: Mapping[str, Callable[[Doing], Outcome]] = {
    "create_record": _create, "update_record": _update, "delete_record": _delete, "find_records": _find, "send_email": _email,
    "notify": _notify, "webhook": _call, "condition": _branch, "loop": _loop, "delay": _delay, "approval": _approval,
    "run_workflow": _run, "set_variable": _set, "end": _end, "plugin": _brought,
}
OUTSIDE = ("webhook",)
"""Steps whose effect lies outside the database."""


def results_of(found: Body) -> Iterable[tuple[str, str]]:
    """Yield what a step found, as (path, text) for people."""
    for name in sorted(found):
        yield name, as_text(along(found, name))[:300]
