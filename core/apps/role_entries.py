"""What an entry of a role's matrix gives: {"worksheet": …, "read": "own", "comment": true, "fields": […], …}. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.apps.permissions import SCOPES, Rights

RECORD_ACTIONS = ("read", "update", "delete")


def rights_of_entry(entry: Mapping[str, Any]) -> Rights | None:
    """Return what a role gives on the worksheet that the entry names, None for nothing.

    Nobody changes or deletes what they may not read, however the role is written. Who reads may comment, unless the role says otherwise.
    """
    read = entry.get("read", "none")
    actions = {action: min(entry.get(action, "none"), read, key=SCOPES.index) for action in RECORD_ACTIONS}
    create = "all" if entry.get("create") else "none"
    if read == "none" and create == "none":
        return None
    export, comment = ("all" if given and read != "none" else "none" for given in (entry.get("export"), entry.get("comment", True)))
    write = max(actions["update"], create, key=SCOPES.index)
    actions |= {"see": "all", "create": create, "export": export, "comment": comment, "write": write}
    return Rights({a: scope for a, scope in actions.items() if scope != "none"}, _denied(entry))


def _denied(entry: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the fields and views that an entry shuts, as parts with actions; "write" stands for both ways of writing."""
    denied = {}
    for field in entry.get("fields", ()):
        read = field.get("read", True)
        shut = ({"read"} if not read else set()) | ({"write", "create", "update"} if not field.get("write", read) else set())
        denied[f"field/{_part(field['field'])}"] = frozenset(shut)
    denied |= {f"view/{_part(v['view'])}": frozenset({"see"}) for v in entry.get("views", ()) if not v["visible"]}
    return {part: shut for part, shut in denied.items() if shut}


def _part(pointer: Mapping[str, str]) -> str:
    return pointer["ref"].rpartition("/")[2]
