"""Every hook of Appkeep, one docstring line each: the whole surface that plugins extend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import pluggy

if TYPE_CHECKING:
    from flask import Blueprint

    from core.apps.permissions import Rights, Standing
    from core.backups.restore_context import RestoreContext
    from core.extension.channel import Channel
    from core.extension.component import Component
    from core.extension.field_input import FieldInput
    from core.extension.field_type import Definition, FieldType
    from core.extension.formula_function import FormulaFunction
    from core.extension.importer import Importer
    from core.extension.record_contract import Acting, RecordChange, RecordPanel, RecordsAsked, RecordsGiven
    from core.extension.run_kind import RunKind
    from core.extension.settable import BlockType, StepType
    from core.extension.store_kind import StoreKind
    from core.runs.models import Run
    from core.tenancy.models import App
    from core.web.bearer import Bearer
    from core.web.icons import Look
    from core.web.menu import MenuItem
    from core.web.visit import Guest, Visitor

PROJECT = "appkeep"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_component() -> Component | None:
    """Give a type of thing that apps are made of."""


@hookspec
def register_field_type() -> FieldType | Iterable[FieldType]:
    """Give a type of field, or several."""
    return ()


@hookspec
def register_field_input() -> FieldInput | Iterable[FieldInput]:
    """Give the control with which people enter values of a type of field that a plugin brings, or several."""
    return ()


@hookspec
def register_formula_function() -> FormulaFunction | Iterable[FormulaFunction]:
    """Give a function of the language of formulas, or several."""
    return ()


@hookspec
def check_field(definition: Definition) -> None:
    """Refuse (InvalidDocument) a field definition that makes no sense, before an importer uses it."""


@hookspec
def register_importer() -> Importer | Iterable[Importer]:
    """Give a reader of another program's files, or several."""
    return ()


@hookspec
def register_run_kind() -> RunKind | Iterable[RunKind]:
    """Give a kind of run that workers do, or several; `request_run` asks for one."""
    return ()


@hookspec
def register_store() -> StoreKind | Iterable[StoreKind]:
    """Give a kind of store for objects, or several; `APPKEEP_STORE_URL` chooses it by its scheme."""
    return ()


@hookspec
def register_block_type() -> BlockType | Iterable[BlockType]:
    """Give a type of blocks of pages, or several."""
    return ()


@hookspec
def register_step_type() -> StepType | Iterable[StepType]:
    """Give a type of steps of workflows, or several."""
    return ()


@hookspec
def register_channel() -> Channel | Iterable[Channel]:
    """Give a way of telling people what happens, or several."""
    return ()


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the command line."""


@hookspec
def greet() -> Iterable[str]:
    """Give lines that `appkeep up` prints once it is ready: how to get in."""
    return ()


@hookspec
def register_migrations() -> str | None:
    """Give the folder of Alembic versions that make this plugin's tables."""


@hookspec
def database_ready() -> None:
    """Follow that a process has the newest schema and begins; outside any organization and transaction."""


@hookspec(firstresult=True)
def org_reference_exists(organization_id: str, address: str) -> bool | None:
    """Say whether something outside apps ("department/d_…") exists; None for kinds you do not know."""


@hookspec
def org_choices(organization_id: str, kind: str) -> Iterable[tuple[str, str]]:
    """Give (address, name) of all of a kind ("user", "department", "org_role") that one may choose in the organization."""
    return ()


@hookspec(firstresult=True)
def find_organization(name_or_id: str) -> str | None:
    """Give the id of an organization; raise NotFound where there is none."""


@hookspec(firstresult=True)
def find_person(email: str) -> str | None:
    """Give the id of the person with that email; raise NotFound where there is none."""


@hookspec(firstresult=True)
def organization_time_zone(organization_id: str) -> str | None:
    """Give the IANA name of an organization's time zone."""


@hookspec
def app_created(app: App, person: str) -> None:
    """Follow the creation of an app, inside its transaction."""


@hookspec
def app_deleted(app: App) -> None:
    """Follow the deletion of an app, inside its transaction."""


@hookspec
def run_finished(run: Run) -> None:
    """Follow the end of a run, after its transaction; an exception here is logged and changes nothing."""


@hookspec
def register_blueprint() -> Blueprint | Iterable[Blueprint]:
    """Give pages, or operations of the HTTP API: a `core.api.Pages` or `core.api.Operations` blueprint, or several."""
    return ()


@hookspec(firstresult=True)
def visitor() -> Visitor | None:
    """Give who has signed in with the current request; None for nobody."""


@hookspec(firstresult=True)
def bearer(token: str) -> Bearer | None:
    """Give whoever a program comes as that shows a token with the current request; None where it is not good."""


@hookspec(firstresult=True)
def guest(app: App) -> Guest | None:
    """Give how an app receives people from outside, and who of them has signed in with the request; None where it is closed to them."""


@hookspec(firstresult=True)
def sign_in_url(next_url: str) -> str | None:
    """Give the address of the page to sign in at, from which one comes back to *next_url*."""


@hookspec(firstresult=True)
def sign_in_page(next_url: str, kept: str) -> str | None:
    """Give the page to sign in at; what was typed, *kept* as a text, goes along with it as the field "kept" (`core.api.send_kept`)."""


@hookspec(firstresult=True)
def home_url(person: str) -> str | None:
    """Give the address of the page that somebody comes to who has just signed in."""


@hookspec(firstresult=True)
def role_in_organization(organization_id: str, person: str) -> str | None:
    """Give "owner", "admin" or "member" for an active member of the organization; None for anybody else."""


@hookspec
def manages_app(app: App, person: str) -> bool:
    """Say whether a person is an admin of the app; one yes is enough."""
    return False


@hookspec
def sees_app(app: App, person: str) -> bool:
    """Say whether a member of the organization sees the app; one yes is enough."""
    return False


@hookspec
def rights_on(app: App, person: str, address: str) -> Rights | None:
    """Give what a person who does not manage the app may do with a document of it; None where you grant nothing."""


@hookspec
def addresses_of(organization_id: str, person: str) -> Iterable[str]:
    """Give what a person belongs to in the organization ("department/d_…", "org_role/r_…"), which may be given roles."""
    return ()


@hookspec
def people_of(app: App, address: str) -> Iterable[str]:
    """Give the people whom an address stands for: "user/u_…", "department/d_…" with those below, "org_role/r_…", "role/r_…"."""
    return ()


@hookspec(firstresult=True)
def actor_standing(app: App, actor: str) -> Standing | None:
    """Give what somebody who is no person is to an app ("workflow/a_…/f_…"); None for those you do not know."""


@hookspec
def colleagues_of(organization_id: str, person: str) -> Iterable[str]:
    """Give the people of the departments that a person is in, and of those below: whose records "department" reaches."""
    return ()


@hookspec
def app_menu(app: App) -> Iterable[MenuItem]:
    """Give items of an app's navigation, in groups, for those who use it."""
    return ()


@hookspec
def organization_menu(organization_id: str) -> Iterable[MenuItem]:
    """Add items to the navigation of an organization and to the account's menu, for its members."""
    return ()


@hookspec(firstresult=True)
def app_look(app: App) -> Look | None:
    """Give what an app looks like: its icon or picture, colour and description."""


@hookspec
def apps_listed(apps: Sequence[App], person: str) -> None:
    """Follow that the looks of several apps are asked for next: read at once what is to be known of each."""


@hookspec
def mobile_menu(app: App) -> Iterable[MenuItem]:
    """Give items of the navigation at the foot of an app's pages on narrow screens."""
    return ()


@hookspec
def manage_menu(app: App) -> Iterable[MenuItem]:
    """Add items to the navigation of an app's management, for its admins."""
    return ()


@hookspec
def shuts(app: App, person: str, address: str) -> bool:
    """Say whether a document is not for a person who does not manage the app, whatever their roles give; one yes is enough."""
    return False


@hookspec
def app_roles(app: App, person: str) -> Iterable[str]:
    """Give the addresses of the documents that stand for a person's roles in the app ("role/r_…")."""
    return ()


@hookspec(firstresult=True)
def records_for(app: App, person: str, asked: RecordsAsked) -> RecordsGiven | None:
    """Give records as far as a person may read them; None for what is not there or not theirs to know of."""


@hookspec(firstresult=True)
def write_record(app: App, person: str, worksheet: str, seq: int | None, values: Mapping[str, Any]) -> int | None:
    """Make a record, or change one, with values as people type them (or `Stored`), as far as a person may; give its number."""


@hookspec(firstresult=True)
def remove_record(app: App, person: str, worksheet: str, seq: int) -> bool | None:
    """Move a record to the recycle bin, as far as a person may."""


@hookspec
def record_changed(app: App, worksheet: str, changes: Sequence[RecordChange], person: str) -> None:
    """Follow that records of a worksheet ("w_…") were made, changed, deleted or brought back, inside the transaction; not by restores."""


@hookspec(firstresult=True)
def acting_now() -> Acting | None:
    """Say what of yours writes records just now, in this thread, and on whose behalf; None where nothing does."""


@hookspec
def form_submitted(app: App, worksheet: str, view: str, seq: int, person: str) -> None:
    """Follow that the form of a view ("v_…") of a worksheet was sent in and made a record, inside the transaction."""


@hookspec
def button_pressed(app: App, worksheet: str, button: str, seq: int, person: str, target: str) -> Iterable[str]:
    """Start what the button of a record ("b_…") starts, or the document it names ("workflow/f_…"), and give what to tell the person."""
    return ()


@hookspec(firstresult=True)
def start_document(app: App, address: str, person: str, worksheet: str | None, seq: int | None) -> str | None:
    """Start what a document stands for ("workflow/f_…"), about a record or none, and give what to tell the person."""


@hookspec
def record_purged(app: App, worksheet: str, seqs: Sequence[int] | None) -> None:
    """Remove for good what hangs on records that go for good, inside the transaction; None is all records of the worksheet."""


@hookspec
def record_panels(app: App, person: str, worksheet: str, seq: int) -> Iterable[RecordPanel]:
    """Give parts of a record's page, for somebody who may read the record."""
    return ()


@hookspec(firstresult=True)
def records_there(app: App, worksheet: str, seqs: Sequence[int], restoring: RestoreContext | None) -> Collection[int] | None:
    """Give those of these records that are there, in the recycle bin or not; with *restoring*, or will be once the backup is back."""


@hookspec(firstresult=True)
def record_reads(app: App, person: str, worksheet: str, seq: int, values: Mapping[str, Any]) -> RecordsGiven | None:
    """Give what a record reads as that holds these stored values, with what is computed from them, as far as a person may read it."""


@hookspec(firstresult=True)
def record_fits(app: App, worksheet: str, seq: int, values: Mapping[str, Any], filter: Mapping[str, Any]) -> bool | None:
    """Say whether a record that holds these stored values fits a filter, which has the form that views have."""


@hookspec(firstresult=True)
def calculate(app: App, expression: str, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give {"value": …} of a formula in the worksheets' language, whose fields "{f_0}" have these values; refuse one that is wrong."""


@hookspec(firstresult=True)
def person_name(organization_id: str, person: str) -> str | None:
    """Give what a person who is or was of an organization is called; None for everybody else."""


@hookspec(firstresult=True)
def person_email(organization_id: str, person: str) -> str | None:
    """Give the email of an active member of an organization, or of a guest of one of its apps; None for everybody else."""


@hookspec
def objects_reserved(organization_id: str, size: int, reference: str) -> None:
    """Refuse (an AppkeepError) new objects of so many bytes, or set their room aside under *reference*."""


@hookspec
def objects_recorded(organization_id: str, size: int, reference: str, purpose: str, app_id: str | None) -> None:
    """Count new objects, inside the transaction that makes them real; what was set aside for them is free again."""


@hookspec
def objects_released(organization_id: str, reference: str) -> None:
    """Give back what was set aside for objects that will not come."""


@hookspec
def secrets_resealed() -> tuple[int, int]:
    """Seal every secret kept with the newest key, inside a transaction; give how many were, and how many nothing opens any more."""
    return 0, 0


@hookspec
def may_schedule(organization_id: str) -> bool:
    """Say whether the organization may have backups made by schedule; one no is enough."""
    return True


@hookspec(firstresult=True)
def schedules_need(organization_id: str) -> str | None:
    """Give what an organization that may not have backups made by schedule lacks, as people say it: "the Ultimate plan"."""


@hookspec
def schedule_paused(app: App) -> None:
    """Follow the pausing of an app's schedule, inside its transaction."""


@hookspec
def backup_acted(app_id: str, act: str, result: str, person: str, backup_id: str | None, detail: Mapping[str, Any]) -> None:
    """Follow a line of the log of an app's backups, inside its transaction."""


@hookspec(firstresult=True)
def identity_method(person: str) -> str | None:
    """Give how a person proves who they are: "code" or "password"."""


@hookspec
def prove_identity(person: str, answer: str) -> None:
    """Refuse (an AppkeepError) an answer that does not prove that it is this person; count what is refused."""


@hookspec
def clock_ticked() -> None:
    """Do what is to be done every few seconds, in any number of processes; an exception here is logged."""


@hookspec
def work_off(app: App, name: str) -> None:
    """Do what waits in rows of your own for an app, in a worker, for whoever called `core.api.wake(app, name)`; seconds, not minutes."""


@hookspec
def runs_referred(run_ids: Sequence[str], ended: tuple[int, int]) -> Iterable[str]:
    """Give those of these old runs that something of the plugin's still leads to; they ended between these moments, both inclusive."""
    return ()
