"""The component laws, for all six components that come with Appkeep."""

from __future__ import annotations

import io
from typing import Any

from core.api import SYSTEM, App, Document, db, documents
from core.objects.writer import put_file
from core.testing import ComponentLaws
from plugins.worksheets import service
from plugins.worksheets.fields import fields_of
from plugins.worksheets.fieldtypes import FIELD_TYPES
from tenants import service as tenants
from tests.covering import CONTENT, DIGEST, full_documents, key

FILE = {"file": DIGEST, "name": "a.txt", "size": len(CONTENT), "type": "text/plain"}
SHEET, TARGET = key("w", 1), key("w", 200)


class Laws(ComponentLaws):
    """The laws with documents made from the schemas, which name one file."""

    def full(self) -> list[Document]:
        return full_documents(self.component)

    def fill(self, app: App) -> None:
        put_file(io.BytesIO(CONTENT))
        super().fill(app)


class TestSettings(Laws):
    """Settings."""

    component = "settings"


class TestPages(Laws):
    """Pages."""

    component = "pages"


class TestWorkflows(Laws):
    """Workflows."""

    component = "workflows"


class TestRoles(Laws):
    """Roles."""

    component = "roles"


class TestPortal(Laws):
    """Portal."""

    component = "portal"


class TestWorksheets(Laws):
    """Worksheets, with records that have a value of every type of field."""

    component = "worksheets"

    def full(self) -> list[Document]:
        """Worksheets made from the schema, the first with a field of every type, and one that fields point to."""
        made = full_documents("worksheets")
        fields = [{**made[0].body["fields"][0], "key": key("f", n), "type": kind.name, "name": kind.title, "unique": False,
                   "options": options(kind.name)} for n, kind in enumerate(FIELD_TYPES, start=2)]
        plain = {**made[0].body["fields"][0], "type": "text", "options": {}, "unique": False, "required": False}
        bodies = [{**d.body, "title_field": {"ref": f"worksheet/{d.key}/field/{plain['key']}"},
                   "fields": [plain, *(({**f, "required": False} for f in fields) if d.key == SHEET else ())]} for d in made]
        sheets = [Document(kind="worksheet", key=d.key, body=b, position=d.position) for d, b in zip(made, bodies, strict=True)]
        target = {"name": "Target", "fields": [{**plain, "key": key("f", 201)}]}
        return [*sheets, Document(kind="worksheet", key=TARGET, body=target, position=9)]

    def fill(self, app: App) -> None:
        """Put the worksheets, and records with every value."""
        super().fill(app)
        service.put_records(app, TARGET, [{"seq": n, "values": {key("f", 201): f"T{n}"}} for n in (1, 2, 300)], SYSTEM)
        department, role = tenants.create_department("Sales").id, tenants.create_org_role("Boss").id
        body = documents.get(app, f"worksheet/{SHEET}").body
        given = values(department, role)
        full = {k: given[f.type.name] for k, f in fields_of(body).items() if f.type.name in given}
        assert {f.type.name for f in fields_of(body).values()} == set(given)
        service.put_records(app, SHEET, [{"seq": 1, "values": full}, {"seq": 2, "values": {}}, {"seq": 700, "values": full}], SYSTEM)
        list(service.edits_done(app))
        db.session.flush()

    def damage(self, app: App) -> None:
        """Delete, purge and empty records before the worksheets go."""
        service.delete_record(app, SHEET, 1, SYSTEM)
        service.purge_record(app, SHEET, 1, SYSTEM)
        service.delete_record(app, TARGET, 300, SYSTEM)
        service.put_record(app, SHEET, 700, {k: None for k, f in fields_of(
            documents.get(app, f"worksheet/{SHEET}").body).items() if f.type.writable}, SYSTEM)
        super().damage(app)


def options(kind: str) -> dict[str, Any]:
    """Return options that a type of field accepts."""
    target = {"ref": f"worksheet/{TARGET}"}
    field = {"ref": f"worksheet/{SHEET}/field/{key('f', 2)}"}
    choices = [{"key": key("o", 1), "name": "One"}, {"key": key("o", 2), "name": "Two"}]
    return {
        "single_select": {"choices": choices}, "multiple_select": {"choices": choices}, "number": {"decimals": 2},
        "currency": {"decimals": 2, "currency": "EUR"}, "relationship": {"target": target}, "subform": {"target": target},
        "cascading_select": {"target": target}, "formula": {"expression": "1 + 1"}, "text_combination": {"template": "x"},
        "lookup": {"through": field, "target": field}, "rollup": {"through": field, "target": field, "function": "sum"},
        "count": {"through": field},
    }.get(kind, {})


def values(department: str, role: str) -> dict[str, Any]:
    """Return a value for every type of field that holds one."""
    return {
        "text": "a", "long_text": "b\nc", "rich_text": "**d** äöü 😀", "email": "a@b.co", "phone": "+1 2", "url": "https://a.b/c",
        "identity_number": "X 1", "region": ["A", "B"], "imported": ["last", "values"], "number": "1.50", "currency": "-2.00",
        "percent": 7, "rating": 3, "autonumber": 5, "checkbox": True, "duration": "1.5", "date": "2026-11-23",
        "datetime": "2026-11-23T10:00:00.25Z", "time": "10:00:00", "single_select": key("o", 1), "multiple_select": [key("o", 2)],
        "location": {"lat": "1.5", "lon": "2"}, "relationship": [1, 300], "subform": [2], "cascading_select": [1, 2],
        "file": [FILE], "signature": [FILE], "free_link": [{"ref": f"worksheet/{TARGET}/record/1"}],
        "department": [{"org": f"department/{department}"}], "org_role": [{"org": f"org_role/{role}"}],
        "member": [{"org": "user/u_1111111111"}],
    }
