"""Files that come with a form: stored as they stream in, named safely, remembered while the form has mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import FileStorage

from core.api import InvalidValue, keep_upload, safe_name, upload_type
from plugins.worksheets.fields import Field
from plugins.worksheets.web.sheet_context import SheetContext

Item = dict[str, Any]


def take_files(sheet: SheetContext, fields: Iterable[Field]) -> tuple[dict[str, list[Item]], dict[str, str]]:
    """Store the files that the current request brings for *fields*; return them by field, and what is wrong by field."""
    fresh: dict[str, list[Item]] = {}
    errors: dict[str, str] = {}
    for field in fields:
        if not field.type.holds_files and field.type.name not in ("file", "signature"):
            continue
        items = [item for text in request.form.getlist(f"{field.key}-new") if (item := _trusted(sheet, text)) is not None]
        for upload in request.files.getlist(field.key):
            if upload.filename:
                try:
                    items.append(_store(upload, field, sheet.app.id))
                except InvalidValue as error:
                    errors[field.key] = error.message
        if items:
            fresh[field.key] = items
    return fresh, errors


def signed(sheet: SheetContext, item: Mapping[str, Any]) -> str:
    """Return a file as a form can carry it without being able to forge it: a digest alone gives nobody its content."""
    return _signer(sheet).dumps(dict(item))


def _trusted(sheet: SheetContext, text: str) -> Item | None:
    try:
        item: Item = _signer(sheet).loads(text)
    except BadSignature:
        return None
    return item


def _signer(sheet: SheetContext) -> URLSafeSerializer:
    key = str(current_app.secret_key)
    return URLSafeSerializer(key, salt=f"worksheet-file/{sheet.app.id}/{sheet.key}/{sheet.person}")


def _store(upload: FileStorage, field: Field, app_id: str) -> Item:
    check_type(field, safe_name(upload.filename or ""), upload_type(upload))
    return keep_upload(upload, app_id, most_bytes=field.definition.get("options", {}).get("max_size"))


def check_type(field: Field, name: str, kind: str) -> None:
    """Refuse a file of a type that the field does not take.

    Raises:
        InvalidValue: see above.
    """
    types = field.definition.get("options", {}).get("types", ())
    if not _allowed(name, kind, types):
        raise InvalidValue(f"“{name[:60]}” has the wrong file type. This field accepts: {', '.join(types)}.")


def _allowed(name: str, kind: str, types: Iterable[str]) -> bool:
    """Say whether a file fits one of "image/*", "image/png", ".pdf" or "pdf"; every file where none is named."""
    wanted = [one.strip().lower() for one in types if one.strip()]
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return not wanted or any(
        kind.startswith(one[:-1]) if one.endswith("/*") else kind == one if "/" in one else ending == one.lstrip(".")
        for one in wanted)
