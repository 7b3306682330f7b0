"""Pages on the fields of a worksheet: choose a type, make a field, change it, give it another type; formulas checked live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, flash, render_template, request

from core.api import (
    AbsentFieldType,
    AppkeepError,
    Document,
    FieldType,
    Needs,
    current_app_row,
    current_standing,
    field_type,
    placing,
    server,
    to_run,
    transaction,
    visit,
)
from plugins.worksheets.access import PersonSight
from plugins.worksheets.formula import GROUPS as FUNCTIONS
from plugins.worksheets.formula import all_brought
from plugins.worksheets.structure import expressions, field_type_menu, service
from plugins.worksheets.structure.blueprint import SHEET, pages, sheet_document, to, url
from plugins.worksheets.structure.field_form import FieldForm
from plugins.worksheets.structure.field_preview import Trial, tried
from plugins.worksheets.structure.field_uses import uses_in


@pages.page(f"{SHEET}/field/new", Needs.APP_ADMIN, ("GET", "POST"))
def new_field(organization_id: str, app_id: str, key: str) -> str | Response | tuple[str, int]:
    """Choose a type, then make a field of it."""
    sheet = sheet_document(key)
    if "type" not in request.args:
        return render_template("structure/types.html", sheet=sheet, groups=field_type_menu.groups(), link=_new_link(key), field=None)
    form = FieldForm(sheet, _known(request.args["type"]), {})
    if request.method == "POST" and form.receive(request.form, request.files) and _made(form):
        flash(f"The field “{form.about.value['name']}” was created.", "good")
        return to(url("new_field", key=key) if request.form.get("then") == "another" else url("worksheet", key=key) + "#fields")
    return _shown(form)


def _new_link(key: str) -> Any:
    return lambda name: url("new_field", key=key, type=name)


def _made(form: FieldForm) -> bool:
    try:
        with transaction():
            field, person = form.field(), visit().person
            other = request.form.get("other_name", "").strip()
            if request.form.get("two_way") == "1" and "ref" in field["options"].get("target", {}):
                service.put_two_way(form.app, form.sheet, field, other or form.sheet.body["name"], person)
            else:
                service.put_field(form.app, form.sheet, field, person)
    except AppkeepError as error:
        form.refuse(error)
        return False
    return True


@pages.page(f"{SHEET}/field/<field_key>", Needs.APP_ADMIN, ("GET", "POST"))
def edit_field(organization_id: str, app_id: str, key: str, field_key: str) -> str | Response | tuple[str, int]:
    """Change a field; with "as" in the address, into another type."""
    sheet = sheet_document(key)
    before = placing.part_of(sheet, "field", field_key)
    form = FieldForm(sheet, _known(request.args["as"]) if request.args.get("as") else field_type(before["type"]), before)
    lost: list[service.Lost] = []
    if request.method == "POST" and form.receive(request.form, request.files):
        try:
            field = form.field()
            lost = service.choices_lost(form.app, sheet, before, field) if request.form.get("sure") != "1" else []
            if not lost:
                with transaction():
                    run = service.put_field_later(form.app, sheet, before, field, visit().person)
                    aside = service.put_field(form.app, sheet, field, visit().person) if run is None else 0
                if run is not None:
                    return to_run(run)
                flash(f"The field “{form.about.value['name']}” was saved.", "good")
                if aside:
                    flash(service.aside_sentence(aside), "warn")
                return to(url("worksheet", key=key) + "#fields")
        except AppkeepError as error:
            form.refuse(error)
    return _shown(form, lost)


@pages.page(f"{SHEET}/field/<field_key>/type", Needs.APP_ADMIN)
def choose_type(organization_id: str, app_id: str, key: str, field_key: str) -> str:
    """Choose another type for a field that stands."""
    sheet = sheet_document(key)
    field = placing.part_of(sheet, "field", field_key)
    kind = field_type(field["type"])
    groups = [("Value fields", field_type_menu.convertible())] if kind.stored_for(field) else [
        (name, found) for name, found in field_type_menu.groups() if name == field_type_menu.group_of(kind)]
    return render_template("structure/types.html", sheet=sheet, groups=groups, field=field,
                           link=lambda name: url("edit_field", key=key, field_key=field_key, **{"as": name}))


@pages.page(f"{SHEET}/formula", Needs.APP_ADMIN, ("POST",))
def check_formula(organization_id: str, app_id: str, key: str) -> str:
    """Say what is wrong with a formula that is being written, or what it gives for the first records."""
    sheet = sheet_document(key)
    kind = _known(request.form.get("type", ""))
    before: Mapping[str, Any] = next((d for d in sheet.body.get("fields", ()) if d["key"] == request.form.get("field")), {})
    form = FieldForm(sheet, kind, before)
    form.receive(request.form, request.files)
    return render_template("structure/trial.html", trial=_trial(form))


def _trial(form: FieldForm) -> Trial:
    option = service.WRITTEN.get(form.kind.name, ("", False))[0]
    if not form.options.value.get(option):
        return Trial(hint="Results for the first records appear here as you type.")
    try:
        return tried(form.app, form.sheet, form.field(), PersonSight(form.app, current_standing()))
    except AppkeepError as error:
        return Trial(wrong=error.message)


def _shown(form: FieldForm, lost: Sequence[service.Lost] = ()) -> tuple[str, int]:
    app, sheet, written = current_app_row(), form.sheet, form.kind.name in service.WRITTEN
    fields = [d for d in sheet.body.get("fields", ()) if d["key"] != form.key and field_type(d["type"]).name not in _LAYOUT]
    page = render_template(
        "structure/field.html", sheet=sheet, form=form, says=_says(form.kind), written=written, lost=lost,
        option=service.WRITTEN[form.kind.name][0] if written else "", trial=_trial(form) if written else None,
        may_change_type=form.kind.name not in field_type_menu.HIDDEN and form.kind.name != "autonumber",
        insertable=expressions.insertable(fields, service.linked_fields(app)) if written else (),
        functions=_functions() if form.kind.name == "formula" else {},
        referring=_used_by(sheet, form.key) if not form.is_new else (), uses=uses_in(sheet, form.key) if not form.is_new else ())
    return page, 409 if lost else form.status


def _functions() -> dict[str, Sequence[Any]]:
    """Return all functions of formulas by heading, those of other plugins last."""
    return {**FUNCTIONS, **({"From plugins": more} if (more := all_brought()) else {})}


def _known(name: str) -> FieldType:
    """Return the type of field that an address or a form names; only those that are here can be chosen."""
    server().registry.check_field_type(name)
    return field_type(name)


def _says(kind: FieldType) -> str:
    if isinstance(kind, AbsentFieldType):
        return "No plugin on this server brings this type. The field's values are kept, and cannot be changed until one does."
    return field_type_menu.SAYS.get(kind.name, "")


def _used_by(sheet: Document, key: str) -> list[Document]:
    return placing.referring(current_app_row(), f"{sheet.address}/field/{key}")


_LAYOUT = frozenset({"section", "divider", "remark", "barcode", "embed"})
