"""Editor: what stands in the editor of one field, for the macros of editors.html."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from core.api import canonical, is_passing, server
from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells import cell_of, show
from plugins.worksheets.web.choices import Option, candidates, options_of, values_of
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext
from plugins.worksheets.web.uploads import signed

log = logging.getLogger(__name__)
GROUPED = ("rating", "region", "location", "picker", "file", "signature")
WIDE = ("area", "file", "signature")


@dataclass
class Trouble:
    """What is wrong with what was entered, by field: sentences, and what others have put there meanwhile."""

    errors: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, Any] = field(default_factory=dict)
    general: str | None = None

    def __bool__(self) -> bool:
        return bool(self.errors or self.general)


@dataclass(kw_only=True)
class Editor:
    """One editor. *bare* has no label beside it, as in a cell of a grid."""

    field: Field
    kind: str
    id: str
    was: str
    text: str = ""
    label: str = ""
    help: str = ""
    error: str | None = None
    theirs: Markup | None = None
    required: bool = False
    bare: bool = False
    several: bool = True
    cut: bool = False
    search_url: str | None = None
    accept: str = ""
    most: int = 5
    chosen: Sequence[str] = ()
    picked: Sequence[Option] = ()
    options: Sequence[Option] = ()
    parts: Sequence[Mapping[str, str]] = ()
    kept: Sequence[Mapping[str, Any]] = ()
    fresh: Sequence[Mapping[str, Any]] = ()
    own: str = ""

    @property
    def below(self) -> bool:
        """Whether something stands below the control."""
        return bool(self.error or self.help or self.theirs is not None)

    @property
    def grouped(self) -> bool:
        """Whether the control is several, under one legend."""
        return self.kind in GROUPED

    @property
    def wide(self) -> bool:
        """Whether it wants the whole width of a form."""
        return self.kind in WIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A form that was sent and comes back: what was typed, what came with it, what is wrong."""

    form: MultiDict[str, str]
    fresh: Mapping[str, Sequence[Mapping[str, Any]]]
    trouble: Trouble


def digest(value: Any) -> str:
    """Return a short mark of a value by which a form knows it again; empty for an empty value."""
    return "" if value is None else hashlib.sha256(canonical(value)).hexdigest()[:20]


def editor_of(sheet: SheetContext, around: RelatedNames, one: Field, value: Any, *, seq: int | None = None, typed: Typed | None = None,
              bare: bool = False, label: str = "", help: str = "", required: bool | None = None) -> Editor:
    """Return the editor of a field with a value in it, or with what was typed."""
    options = one.definition.get("options", {})
    form = typed.form if typed is not None and f"was-{one.key}" in typed.form else None
    editor = Editor(
        field=one, kind=cell_of(one).editor, id=f"e-{seq or 'new'}-{one.key}", was=digest(value), bare=bare,
        label=label or one.name, help=help or ("" if bare else str(one.definition.get("description", ""))),
        required=bool(one.definition.get("required")) if required is None else required,
        several=options.get("multiple") is not False and one.type.name != "cascading_select", most=options.get("max", 5))
    if typed is not None:
        editor.error = typed.trouble.errors.get(one.key)
        if one.key in typed.trouble.theirs:
            theirs = typed.trouble.theirs[one.key]
            editor.theirs = show(theirs, one, around, True) or Markup("<em>empty</em>")
    _FILL.get(editor.kind, _fill_text)(editor, sheet, around, value, form)
    if editor.kind in ("file", "signature") and typed is not None:
        editor.fresh = [{**item, "signed": signed(sheet, item)} for item in typed.fresh.get(one.key, ())]
    return editor


Form = MultiDict[str, str] | None


def _fill_text(editor: Editor, sheet: SheetContext, around: RelatedNames, value: Any, form: Form) -> None:
    editor.text = cell_of(editor.field).text(value, sheet.zone) if form is None else form.get(editor.field.key, "")


def _fill_checkbox(editor: Editor, sheet: SheetContext, around: RelatedNames, value: Any, form: Form) -> None:
    editor.text = ("1" if value else "") if form is None else form.get(editor.field.key, "")


def _fill_select(editor: Editor, sheet: SheetContext, around: RelatedNames, value: Any, form: Form) -> None:
    editor.chosen = values_of(editor.field, value) if form is None else form.getlist(editor.field.key)
    known = options_of(editor.field, around)
    lost = [Option(key, key) for key in editor.chosen if key and key not in {one.value for one in known}]
    editor.options = [*lost, *known]


def _fill_picker(editor: Editor, sheet: SheetContext, around: RelatedNames, value: Any, form: Form) -> None:
    given = values_of(editor.field, value) if form is None else form.getlist(editor.field.key)
    editor.chosen = [text for text in given if text]
    found = candidates(sheet, around, editor.field, "", editor.chosen)
    editor.picked, editor.options, editor.cut = found.picked, found.options, found.cut
    if found.searchable:
        editor.search_url = sheet.url("choose", field=editor.field.key)


def _fill_region(editor: Editor, sheet: SheetContext, around: RelatedNames, value: Any, form: Form) -> None:
    given = list(value or ()) if form is None else form.getlist(editor.field.key)
    levels = max(editor.field.definition.get("options", {}).get("levels", 3), len(given))
    labels = ("Country", "State", "City", "District", "Street", "House")
    editor.parts = [{"label": labels[n] if n < 6 else "", "text": given[n] if n < len(given) else ""} for n in range(levels)]


def _fill_location(editor: Editor, sheet: SheetContext, around: RelatedNames, value: Any, form: Form) -> None:
    names = (("label", "Label"), ("lat", "Latitude"), ("lon", "Longitude"))
    editor.parts = [{"name": name, "label": label, "text": str((value or {}).get(name, "")) if form is None
                     else form.get(f"{editor.field.key}-{name}", "")} for name, label in names]


def _fill_file(editor: Editor, sheet: SheetContext, around: RelatedNames, value: Any, form: Form) -> None:
    kept = None if form is None else form.getlist(f"{editor.field.key}-keep")
    editor.kept = [{**item, "on": kept is None or item["file"] in kept} for item in value or ()]
    editor.several = editor.several and editor.kind == "file"
    types = editor.field.definition.get("options", {}).get("types", ())
    editor.accept = "image/png,image/jpeg,image/gif,image/webp" if editor.kind == "signature" else ",".join(types)


def _fill_own(editor: Editor, sheet: SheetContext, around: RelatedNames, value: Any, form: Form) -> None:
    """Have a plugin's control made; where it cannot be, the value is edited as JSON."""
    one, texts = editor.field, None if form is None else form.getlist(editor.field.key)
    try:
        own = server().registry.field_inputs[one.type.name]
        editor.own = Markup(own.control(value, texts, one.definition, one.key, editor.id))
    except Exception as error:
        # A stranger's code may raise anything.
        if is_passing(error):
            raise
        log.exception("The control of the type %s cannot be made", one.type.name)
        editor.kind, editor.text = "area", "" if value is None else canonical(value).decode()


_FILL = {"checkbox": _fill_checkbox, "select": _fill_select, "picker": _fill_picker, "region": _fill_region,
         "location": _fill_location, "file": _fill_file, "signature": _fill_file, "own": _fill_own}
