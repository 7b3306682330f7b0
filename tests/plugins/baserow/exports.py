"""A small export that has one of nearly everything, written for these tests."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

CONTENT = b"a small file"
FILE_NAME = f"abcdefgh_{hashlib.sha256(CONTENT).hexdigest()}.txt"


def field(number: int, kind: str, **more: Any) -> dict[str, Any]:
    """Return a field called like its type."""
    return {"id": number, "type": kind, "name": more.pop("name", kind), "order": number, "primary": False, **more}


def full_export() -> dict[str, Any]:
    """Return an export: two linked tables, views, a page."""
    fields = [
        field(1, "text", name="Name", primary=True), field(2, "long_text"), field(3, "url"), field(4, "email"),
        field(5, "number", number_decimal_places=2), field(6, "rating", max_value=5), field(7, "boolean"),
        field(8, "date", date_include_time=False), field(9, "date", name="moment", date_include_time=True),
        field(10, "duration", duration_format="h:mm"), field(11, "file"),
        field(12, "single_select", select_options=[{"id": 91, "value": "Red", "color": "red", "order": 0}]),
        field(13, "multiple_select", select_options=[{"id": 92, "value": "Big", "color": "blue", "order": 0}]),
        field(14, "link_row", name="Others", link_row_table_id=200, link_row_related_field_id=32),
        field(15, "formula", name="Sum", formula="field('number') * 2", formula_type="number", number_decimal_places=2),
        field(16, "formula", name="Odd", formula="no_such_function(field('Name'))", formula_type="text"),
        field(17, "password"), field(18, "multiple_collaborators"), field(19, "created_on"), field(20, "last_modified"),
        field(21, "phone_number"), field(22, "count", through_field_id=14), field(23, "telepathy"),
        field(24, "lookup", through_field_id=14, target_field_id=31), field(25, "autonumber"),
    ]
    rows = [
        {"id": 7, "order": "2.0", "created_on": "2024-01-02T03:04:05+00:00", "field_1": "second", "field_14": [3]},
        {"id": 9, "order": "1.0", "created_on": "2024-01-02T03:04:05.5+00:00", "field_1": "first", "field_2": "long",
         "field_5": "1.50",
         "field_6": 3, "field_7": "true", "field_8": "2024-05-06", "field_9": "2024-05-06T07:08:00+00:00", "field_10": 90.0,
         "field_11": [{"name": FILE_NAME, "visible_name": "letter.txt", "original_name": "letter.txt"}], "field_12": 91,
         "field_13": [92], "field_14": [3, 99], "field_17": "secret-hash", "field_18": ["a@example.org"], "field_21": "+1 2"},
    ]
    view = {"id": 50, "type": "grid", "name": "All", "order": 1, "filter_type": "AND", "public": True, "filters": [
        {"id": 1, "field_id": 12, "type": "single_select_equal", "value": "91", "group": None},
        {"id": 2, "field_id": 1, "type": "smells_like", "value": "x", "group": None},
        {"id": 3, "field_id": 1, "type": "contains", "value": "x", "group": 5}],
        "filter_groups": [{"id": 5, "filter_type": "OR", "parent_group": None}],
        "sortings": [{"id": 1, "field_id": 1, "order": "DESC"}], "group_bys": [],
        "row_height_size": "large", "row_identifier_type": "count", "decorations": [
            {"id": 1, "type": "left_border_color", "value_provider_type": "single_select_color", "value_provider_conf": {"field_id": 12}},
            {"id": 2, "type": "background_color", "value_provider_type": "conditional_color", "value_provider_conf": {"colors": [
                {"color": "light-red", "operator": "OR", "filters": [
                    {"id": "a", "field": 8, "type": "date_is_before", "value": "Europe/London?5?nr_days_ago"},
                    {"id": "b", "field": 14, "type": "link_row_has", "value": "3"}]}]}}],
        "field_options": [{"id": 1, "field_id": 1, "width": 200, "hidden": False, "order": 1}]}
    form = {"id": 51, "type": "form", "name": "Ask", "order": 2, "submit_text": "Go", "field_options": [
        {"id": 2, "field_id": 1, "enabled": True, "required": True, "order": 1, "name": "Your name"}]}
    board = {"id": 52, "type": "kanban", "name": "Board", "order": 3, "single_select_field_id": 12, "field_options": []}
    page = {"id": 70, "name": "Home", "order": 1, "path": "/home/:id", "path_params": [{"name": "id", "type": "numeric"}],
            "shared": False, "visibility": "logged-in", "role_type": "allow_all_except", "roles": ["guest"],
            "data_sources": [{"id": 80, "name": "Rows", "order": "1", "service": {
                "type": "local_baserow_list_rows", "table_id": 100, "view_id": 50, "filters": [], "sortings": []}}],
            "elements": [
                {"id": 60, "type": "repeat", "order": "1", "data_source_id": 80, "parent_element_id": None},
                {"id": 61, "type": "heading", "order": "1", "parent_element_id": 60, "level": 2,
                 "value": "concat('Hello ', get('current_record.field_1'))"},
                {"id": 62, "type": "button", "order": "2", "parent_element_id": None, "value": "'Save'"},
                {"id": 63, "type": "hologram", "order": "3", "parent_element_id": None},
                {"id": 64, "type": "column", "order": "4", "parent_element_id": None, "column_amount": 2, "alignment": "center",
                 "style_border_top_size": 2, "visibility": "all"},
                {"id": 65, "type": "text", "order": "1", "parent_element_id": 64, "place_in_container": "1",
                 "value": "concat(get('data_source.80.0.field_1'), get('form_data.62'), get('page_parameter.id'))"}],
            "workflow_actions": [{"id": 90, "type": "create_row", "element_id": 62, "event": "click", "order": 1, "service": {
                "table_id": 100, "field_mappings": [{"field_id": 1, "value": "'New'", "enabled": True}]}}]}
    return {"baserow_template_version": 1, "name": "Small", "export": [
        {"id": 1, "type": "database", "name": "Base", "order": 1, "tables": [
            {"id": 100, "name": "Things", "order": 1, "fields": fields, "views": [view, form, board], "rows": rows},
            {"id": 200, "name": "Others", "order": 2, "views": [],
             "rows": [{"id": 3, "order": "1", "field_31": "other", "field_32": [7]}],
             "fields": [field(31, "text", name="Title", primary=True),
                        field(32, "link_row", name="Things", link_row_table_id=100, link_row_related_field_id=14)]}]},
        {"id": 2, "type": "builder", "name": "Site", "order": 2, "pages": [page], "theme": {}},
        {"id": 3, "type": "automation", "name": "Robot", "order": 3}]}


def write(folder: Path, value: Any, files: dict[str, bytes] | None = None) -> Path:
    """Write an export and its zip and return the path of the former."""
    path = folder / "small.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    with zipfile.ZipFile(folder / "small.zip", "w") as archive:
        for name, content in (files or {}).items():
            archive.writestr(name, content)
    return path
