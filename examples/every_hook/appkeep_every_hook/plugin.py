"""A plugin that implements every hook, each as small as it can be and say what it is for."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask import request
from markupsafe import Markup

import core.api as ak
from appkeep_every_hook.component import Signs, set_motto

SEEN: list[str] = []
"""What hooks were told that only follow something."""
WATCHING: list[str] = []
"""The person for whom the night watch writes just now, if it does."""
TEAMS = {"team/t_1111111111": "The night shift"}
pages = ak.Pages("every_hook", __name__)


@ak.hookimpl
def register_component() -> ak.Component:
    return Signs()


class Stars(ak.FieldType):
    """Stars from one to five, calculated with as a number."""

    name, title, like = "stars", "Stars", "number"

    def canonical(self, value: Any, definition: ak.Definition) -> Any:
        if not str(value).isdigit() or not 1 <= int(value) <= 5:
            raise ak.InvalidValue("stars are a whole number from 1 to 5.")
        return int(value)


@ak.hookimpl
def register_field_type() -> ak.FieldType:
    return Stars()


@ak.hookimpl
def register_field_input() -> ak.FieldInput:
    def control(value: Any, texts: Sequence[str] | None, definition: ak.Definition, name: str, id: str) -> Markup:
        shown = texts[0] if texts else "" if value is None else value
        return Markup('<input type="range" min="1" max="5" name="{}" id="{}" value="{}">').format(name, id, shown)

    def show(value: Any, definition: ak.Definition) -> str:
        return "★" * value

    return ak.FieldInput(type="stars", control=control, read=lambda texts, definition: texts[0] if texts else None, show=show)


@ak.hookimpl
def register_formula_function() -> ak.FormulaFunction:
    return ak.FormulaFunction(name="shout", usage="shout(text)", says="Its text in capitals.", call=lambda text: str(text or "").upper())


@ak.hookimpl
def check_field(definition: ak.Definition) -> None:
    if definition.get("type") == "stars" and len(definition["name"]) > 50:
        raise ak.InvalidDocument(f"The field “{definition['name'][:20]}…” of stars needs a shorter name.")


class Lines(ak.Importer):
    """A sign for each line of a file."""

    name, title, suffixes, makes = "lines_of_signs", "Lines of signs", (".signs",), "A sign for each line"

    def recognizes(self, path: Path) -> bool | float:
        return 0.9 if path.suffix == ".signs" else 0

    def operations(self, path: Path, context: ak.ImportContext) -> Iterator[Mapping[str, Any]]:
        yield {"op": "put", "document": "app/main", "body": {"name": context.app_name or context.stem}}
        for line in filter(None, path.read_text().split("\n")):
            yield {"op": "put", "document": f"sign/{ak.new_key('sg')}", "body": {"name": line[:100], "size": 30}}


@ak.hookimpl
def register_importer() -> ak.Importer:
    return Lines()


def count_signs(run: ak.RunContext) -> Mapping[str, Any]:
    """Do a run of the kind below: what it returns is its report."""
    return {"signs": len(ak.documents.live(ak.apps.find(run.app_id or ""), "sign"))}


@ak.hookimpl
def register_run_kind() -> ak.RunKind:
    return ak.RunKind(name="count_signs", title="Counting of signs", plural="countings of signs",
                      work="appkeep_every_hook.plugin:count_signs")


class Shelf:
    """A store that forgets all when the process ends: for trying only."""

    def __init__(self, url: str) -> None:
        self.things: dict[str, tuple[bytes, float]] = {}

    @contextmanager
    def batch(self) -> Iterator[ak.Batch]:
        yield self

    def put_if_absent(self, name: str, data: Any) -> bool:
        new = name not in self.things
        self.things.setdefault(name, (data.read() if isinstance(data, io.IOBase) else bytes(data), time.time()))
        return new

    def look(self) -> None:
        """It is always there."""

    def get(self, name: str, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        if name not in self.things:
            raise ak.ObjectMissing(f"There is no {name}.")
        yield self.things[name][0][start:None if size is None else start + size]

    def size(self, name: str) -> int | None:
        return len(self.things[name][0]) if name in self.things else None

    def delete(self, name: str) -> None:
        self.things.pop(name, None)

    def list(self, prefix: str) -> Iterator[tuple[str, float]]:
        yield from [(name, at) for name, (_, at) in self.things.items() if name.startswith(f"{prefix}/")]

    def abandon(self, before: float) -> None:
        """Nothing is ever half-written."""


@ak.hookimpl
def register_store() -> ak.StoreKind:
    return ak.StoreKind(name="shelf", open=Shelf)


@ak.hookimpl
def register_block_type() -> ak.BlockType:
    def show(block: ak.BlockShown) -> Markup:
        return Markup("<strong>{}</strong>").format(block.settings["text"])

    return ak.BlockType(name="shout", title="Loud text", about="A text that cannot be missed", needed=["text"], show=show,
                        settings={"text": {"title": "Text", **ak.schemas.text(200)}}, starts={"text": "Attention"})


@ak.hookimpl
def register_step_type() -> ak.StepType:
    return ak.StepType(name="ring", title="Ring a bell", settings={"times": {"title": "Times", **ak.schemas.whole(1, 10)}},
                       needed=["times"], starts={"times": 1}, says=lambda settings: f"Ring the bell {settings['times']} times",
                       does=lambda app, settings, worksheet, seq: {"rung": settings["times"], "record": seq or 0})


@ak.hookimpl
def register_channel() -> ak.Channel:
    def send(message: ak.Message) -> str:
        if not message.email.endswith("@example.org"):
            raise ak.DeliveryFailed(f"Nobody at the bell knows {message.email}.")
        SEEN.append(f"rang for {message.title}")
        return "Rang."

    return ak.Channel(name="bell", title="Bell", send=send, reaches=lambda person: True, note="Stand near the bell.")


@ak.hookimpl
def register_commands(cli: click.Group) -> None:
    @ak.verb(cli, "motto")
    @click.argument("app_id")
    @click.argument("text")
    def motto(app_id: str, text: str) -> dict[str, Any]:
        """Give an app a motto."""
        with ak.apps.opened(app_id) as app, ak.transaction():
            set_motto(app, text)
        return {"app": app_id, "motto": text}


@ak.hookimpl
def greet() -> Iterable[str]:
    return ["The bell is ready."]


@ak.hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "versions")


@ak.hookimpl
def database_ready() -> None:
    SEEN.append("began")


@ak.hookimpl
def org_reference_exists(organization_id: str, address: str) -> bool | None:
    return address in TEAMS if address.startswith("team/") else None


@ak.hookimpl
def org_choices(organization_id: str, kind: str) -> Iterable[tuple[str, str]]:
    return TEAMS.items() if kind == "team" else ()


@ak.hookimpl
def find_organization(name_or_id: str) -> str | None:
    return None  # this plugin has no organizations of its own; one that has gives an id, or raises NotFound for its own names


@ak.hookimpl
def find_person(email: str) -> str | None:
    return None  # nor people


@ak.hookimpl
def organization_time_zone(organization_id: str) -> str | None:
    return "Europe/Berlin" if organization_id == "o_of_this_plugin" else None


@ak.hookimpl
def app_created(app: ak.App, person: str) -> None:
    set_motto(app, "Begin well")


@ak.hookimpl
def app_deleted(app: ak.App) -> None:
    set_motto(app, None)


@ak.hookimpl
def run_finished(run: ak.Run) -> None:
    SEEN.append(f"{run.kind} {run.state}")


@pages.page(f"{ak.APP}/motto", ak.Needs.APP)
def show_motto(organization_id: str, app_id: str) -> str:
    return f"The motto is kept for {ak.current_app_row().name}."


operations = ak.Operations("every_hook_api", __name__)


@operations.operation("GET", f"{ak.API_APP}/motto", ak.Needs.APP, name="get_motto", scope="read", subject="Mottos",
                      summary="An app’s motto", answer=ak.object_schema({"motto": {"type": "string"}}))
def get_motto(app_id: str) -> dict[str, str]:
    return {"motto": f"The motto is kept for {ak.current_app_row().name}."}


@ak.hookimpl
def register_blueprint() -> list[ak.Pages]:
    return [pages, operations]


@ak.hookimpl
def visitor() -> ak.Visitor | None:
    return ak.Visitor(person="u_0000000001", name="The bell") if request.headers.get("X-Bell") == "rings in tests only" else None


@ak.hookimpl
def bearer(token: str) -> ak.Bearer | None:
    return None  # tokens of another kind: an ak.Bearer says whose it is, in which organization, and its scopes


@ak.hookimpl
def guest(app: ak.App) -> ak.Guest | None:
    return None


@ak.hookimpl
def sign_in_url(next_url: str) -> str | None:
    return None  # Appkeep's own page is good enough; another would be url_for("every_hook.sign_in", next=next_url)


@ak.hookimpl
def sign_in_page(next_url: str, kept: str) -> str | None:
    return None


@ak.hookimpl
def home_url(person: str) -> str | None:
    return None


@ak.hookimpl
def role_in_organization(organization_id: str, person: str) -> str | None:
    return "member" if person == "u_0000000001" else None


@ak.hookimpl
def manages_app(app: ak.App, person: str) -> bool:
    return False


@ak.hookimpl
def sees_app(app: ak.App, person: str) -> bool:
    return person == "u_0000000001"


@ak.hookimpl
def rights_on(app: ak.App, person: str, address: str) -> ak.Rights | None:
    return ak.Rights(actions={"read": "all"}) if person == "u_0000000001" and address.startswith("worksheet/") else None


@ak.hookimpl
def addresses_of(organization_id: str, person: str) -> Iterable[str]:
    return TEAMS if person == "u_0000000001" else ()


@ak.hookimpl
def people_of(app: ak.App, address: str) -> Iterable[str]:
    return ["u_0000000001"] if address.startswith("team/") else []


@ak.hookimpl
def actor_standing(app: ak.App, actor: str) -> ak.Standing | None:
    return ak.Standing(person=actor, role=None, admin=False, sees=True) if actor == "bell/tower" else None


@ak.hookimpl
def colleagues_of(organization_id: str, person: str) -> Iterable[str]:
    return ()


@ak.hookimpl
def app_menu(app: ak.App) -> Iterable[ak.MenuItem]:
    return [ak.MenuItem("Motto", f"/o/{app.organization_id}/apps/{app.id}/motto", icon="🔔")]


@ak.hookimpl
def organization_menu(organization_id: str) -> Iterable[ak.MenuItem]:
    return ()


@ak.hookimpl
def app_look(app: ak.App) -> ak.Look | None:
    return ak.Look(icon="🔔") if app.name.startswith("Bell") else None


@ak.hookimpl
def apps_listed(apps: Sequence[ak.App], person: str) -> None:
    SEEN.append(f"{len(apps)} apps are listed")


@ak.hookimpl
def mobile_menu(app: ak.App) -> Iterable[ak.MenuItem]:
    return [ak.MenuItem("Motto", f"/o/{app.organization_id}/apps/{app.id}/motto", icon="🔔")]


@ak.hookimpl
def manage_menu(app: ak.App) -> Iterable[ak.MenuItem]:
    return [ak.MenuItem("Motto", f"/o/{app.organization_id}/apps/{app.id}/motto")]


@ak.hookimpl
def shuts(app: ak.App, person: str, address: str) -> bool:
    return app.name.startswith("Closed") and address.startswith("page/")


@ak.hookimpl
def app_roles(app: ak.App, person: str) -> Iterable[str]:
    return ()


@ak.hookimpl
def records_for(app: ak.App, person: str, asked: ak.RecordsAsked) -> ak.RecordsGiven | None:
    return None  # for a plugin that keeps records itself, under worksheets' addresses of its own


@ak.hookimpl
def write_record(app: ak.App, person: str, worksheet: str, seq: int | None, values: Mapping[str, Any]) -> int | None:
    return None


@ak.hookimpl
def remove_record(app: ak.App, person: str, worksheet: str, seq: int) -> bool | None:
    return None


@ak.hookimpl
def record_changed(app: ak.App, worksheet: str, changes: Sequence[ak.RecordChange], person: str) -> None:
    for change in changes:
        what = "made" if change.before is None else "removed" if change.after is None else "changed"
        SEEN.append(f"{worksheet} {change.seq} {what}")


@ak.hookimpl
def acting_now() -> ak.Acting | None:
    return ak.Acting(name="Night watch", person=WATCHING[-1]) if WATCHING else None


@ak.hookimpl
def form_submitted(app: ak.App, worksheet: str, view: str, seq: int, person: str) -> None:
    SEEN.append(f"{view} of {worksheet} sent: {seq}")


@ak.hookimpl
def button_pressed(app: ak.App, worksheet: str, button: str, seq: int, person: str, target: str) -> Iterable[str]:
    return ["The bell rang."] if target.startswith("sign/") else []


@ak.hookimpl
def start_document(app: ak.App, address: str, person: str, worksheet: str | None, seq: int | None) -> str | None:
    return "The bell rang." if address.startswith("sign/") else None


@ak.hookimpl
def record_purged(app: ak.App, worksheet: str, seqs: Sequence[int] | None) -> None:
    SEEN.append(f"{worksheet} {'all' if seqs is None else list(seqs)} purged")


@ak.hookimpl
def record_panels(app: ak.App, person: str, worksheet: str, seq: int) -> Iterable[ak.RecordPanel]:
    return [ak.RecordPanel(title="Bell", html=Markup("<p>Ring for record {}.</p>").format(seq), rank=90)]


@ak.hookimpl
def records_there(app: ak.App, worksheet: str, seqs: Sequence[int], restoring: ak.RestoreContext | None) -> Collection[int] | None:
    return None


@ak.hookimpl
def record_reads(app: ak.App, person: str, worksheet: str, seq: int, values: Mapping[str, Any]) -> ak.RecordsGiven | None:
    return None


@ak.hookimpl
def record_fits(app: ak.App, worksheet: str, seq: int, values: Mapping[str, Any], filter: Mapping[str, Any]) -> bool | None:
    return None


@ak.hookimpl
def calculate(app: ak.App, expression: str, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return {"value": len(values)} if expression == "bells()" else None


@ak.hookimpl
def person_email(organization_id: str, person: str) -> str | None:
    return None


@ak.hookimpl
def person_name(organization_id: str, person: str) -> str | None:
    return "The bell" if person == "u_0000000001" else None


@ak.hookimpl
def objects_reserved(organization_id: str, size: int, reference: str) -> None:
    if size > 2**50:
        raise ak.InvalidInput("Nobody needs so large a file.")


@ak.hookimpl
def objects_recorded(organization_id: str, size: int, reference: str, purpose: str, app_id: str | None) -> None:
    SEEN.append(f"{purpose}: {size} bytes")


@ak.hookimpl
def objects_released(organization_id: str, reference: str) -> None:
    SEEN.append(f"{reference} is free")


@ak.hookimpl
def secrets_resealed() -> tuple[int, int]:
    return 0, 0  # a plugin that keeps secrets opens each by `unseal` and seals it anew by `seal`


@ak.hookimpl
def may_schedule(organization_id: str) -> bool:
    return True


@ak.hookimpl
def schedules_need(organization_id: str) -> str | None:
    return None  # such as "a paid account"


@ak.hookimpl
def schedule_paused(app: ak.App) -> None:
    SEEN.append(f"the schedule of {app.name} is paused")


@ak.hookimpl
def backup_acted(app_id: str, act: str, result: str, person: str, backup_id: str | None, detail: Mapping[str, Any]) -> None:
    SEEN.append(f"{act}: {result} {json.dumps(dict(detail), default=str)[:100]}")


@ak.hookimpl
def identity_method(person: str) -> str | None:
    return "code" if person == "u_0000000001" else None


@ak.hookimpl
def prove_identity(person: str, answer: str) -> None:
    if person == "u_0000000001" and answer != "ding":
        raise ak.Forbidden("That is not how the bell sounds.")


@ak.hookimpl
def clock_ticked() -> None:
    SEEN.append("tick")


@ak.hookimpl
def work_off(app: ak.App, name: str) -> None:
    if name == "bells":
        SEEN.append(f"what waited in {app.id} is done")


@ak.hookimpl
def runs_referred(run_ids: Sequence[str], ended: tuple[int, int]) -> Iterable[str]:
    return ()
