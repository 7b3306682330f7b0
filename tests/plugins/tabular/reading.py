"""Bringing a file in, and reading what came of it by the names that people see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.api import DocumentRow, apps, documents, import_file
from plugins.worksheets.service import all_rows, loads


@dataclass
class Sheet:
    """A worksheet: definitions by field name, records in order as values by field name, choices by their names."""

    key: str
    fields: dict[str, dict[str, Any]]
    records: list[dict[str, Any]]

    @property
    def types(self) -> dict[str, str]:
        """Field types by name."""
        return {name: field["type"] for name, field in self.fields.items()}

    def column(self, name: str) -> list[Any]:
        """The values of a field in record order, None where there is none."""
        return [record.get(name) for record in self.records]


def bring_in(path: Path, organization: str, **more: Any) -> tuple[dict[str, Any], dict[str, Sheet]]:
    """Import a file and return the result and the worksheets by name."""
    result = import_file(path, organization, "system", **more)
    app = apps.find_app(result["app"])
    assert app is not None
    return result, {document.body["name"]: _sheet(app, document) for document in documents.live(app, "worksheet")}


def _sheet(app: Any, document: Any) -> Sheet:
    fields = {field["name"]: field for field in document.body["fields"]}
    names = {field["key"]: name for name, field in fields.items()}
    choices = {c["key"]: c["name"] for f in fields.values() for c in f["options"].get("choices", ())}
    records = [{names[key]: choices.get(value, value) if isinstance(value, str) else value
                for key, value in loads(row.vals).items()} for row in all_rows(app, document.key)]
    return Sheet(document.key, fields, records)


def reasons(result: dict[str, Any]) -> str:
    """Return all notes as one text."""
    return "\n".join(f"{note['what']} {note['name']}: {note['reason']}" for note in result["unsupported"])


def nothing_left() -> bool:
    """Say whether no app and no document is there."""
    from core.api import db

    return not apps.all_apps() and db.session.query(DocumentRow).count() == 0
