"""What the things are called that a workflow speaks of: worksheets, fields, choices, people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import App, documents, org_choices, server

KINDS = {"worksheet": "a worksheet", "page": "a page", "workflow": "a workflow", "role": "a role", "field": "a field", "view": "a view",
         "button": "a button", "user": "somebody", "department": "a department", "org_role": "an org role"}
ORG_KINDS = ("user", "department", "org_role")
Pointer = Mapping[str, str]
MOST_SAID = 1000


class Names:
    """Looks names up in one app, each thing read once."""

    def __init__(self, app: App) -> None:
        self._organization = app.organization_id
        self._names: dict[str, str] = {}
        self._fields: dict[str, Mapping[str, Any]] = {}
        self._sets: dict[str, Mapping[str, Any]] = {}
        for document in documents.live(app):
            self._names[document.address] = str(document.body.get("name", document.key))
            for part, listed in server().registry.kind(document.kind)[1].parts.items():
                for item in document.body.get(listed, ()):
                    address = f"{document.address}/{part}/{item['key']}"
                    self._names[address] = str(item.get("name", item["key"]))
                    if part == "field":
                        self._fields[address] = item
            if "choices" in document.body:
                self._sets[document.address] = document.body
        for kind in ORG_KINDS:
            self._names |= dict(org_choices(app.organization_id, kind))

    def of(self, pointer: Pointer | None) -> str:
        """Return what a pointer's target is called; for one that is gone, what it was."""
        address = (pointer or {}).get("ref") or (pointer or {}).get("org") or ""
        parts = address.split("/")
        kind = parts[2] if len(parts) == 4 else parts[0]
        return self._names.get(address) or f"{KINDS.get(kind, 'something')} that was deleted"

    def choice(self, field: Pointer, key: str) -> str | None:
        """Return what a choice of a select field is called, None where the field has none of that key."""
        return dict(self.choices(field.get("ref", ""))).get(key)

    def brought_step(self, step: Mapping[str, Any]) -> str:
        """Return what a step of a type that another plugin brings does, in the plugin's words."""
        name, registry = str(step.get("plugin_type", "")), server().registry
        known = registry.step_types.get(name)
        if known is None:
            return f"{name}: a step of a plugin that is not installed on this server. It is kept as it is"
        says = known.says
        said = registry.call("register_step_type", name, lambda: says(step.get("settings", {}))) if says is not None else None
        return said[:MOST_SAID] if isinstance(said, str) and said else known.title

    def fields(self, worksheet: str) -> list[tuple[str, str]]:
        """Return (key, name) of the fields of the worksheet of an address."""
        start = f"{worksheet}/field/"
        return [(address.removeprefix(start), str(one.get("name", ""))) for address, one in self._fields.items()
                if address.startswith(start)]

    def choices(self, field: str) -> list[tuple[str, str]]:
        """Return (key, name) of what can be chosen in the field of an address: choices, people, departments; none for any other type."""
        kind = {"member": "user"}.get(str(self._fields.get(field, {}).get("type")), str(self._fields.get(field, {}).get("type")))
        if kind in ORG_KINDS:
            return list(org_choices(self._organization, kind))
        options = self._fields.get(field, {}).get("options", {})
        listed = options.get("choices") or self._sets.get((options.get("option_set") or {}).get("ref", ""), {}).get("choices", ())
        return [(str(one["key"]), str(one["name"])) for one in listed if "key" in one]
