"""What an entry of the organization's log tells beside its title, as a sentence that people read. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.api import backup_act_sentence
from tenants.audit import BACKUP_ACTS, BY_TOKEN

Detail = Mapping[str, Any]
_TITLES = {"name": "Name", "time_zone": "Time zone", "second_factor_required": "Second factor required"}
_UNREAD = {"department", "org_role", "parent", "moved_to", "name", "token"}
"""Details that are ids of things or stand elsewhere on the page."""
_ACTS = {title: act for act, title in BACKUP_ACTS.items()}


def entry_sentence(act: str, detail: Detail) -> str:
    """Return what an entry's detail tells, and the token of the program that did it; empty where its title says it all."""
    rest = {name: value for name, value in detail.items() if name != BY_TOKEN}
    by = f"By the token “{detail[BY_TOKEN]}”" if BY_TOKEN in detail else ""
    return " · ".join(piece for piece in (_told(act, rest), by) if piece)


def _told(act: str, detail: Detail) -> str:
    if act in _ACTS:
        return _on_backup(_ACTS[act], detail)
    known = SENTENCES.get(act)
    return (known(detail) if known is not None else "") or _listed(detail)


def _on_backup(act: str, detail: Detail) -> str:
    refused = str(detail.get("result") or "")
    result = {"": "", "asked": "Started", "cancelled": "Cancelled", "paused": "Paused"}.get(refused, "Refused or failed")
    named = f"backup “{detail['backup']}”" if detail.get("backup") else ""
    told = backup_act_sentence(act, {name: value for name, value in detail.items() if name not in ("result", "backup")})
    return " · ".join(piece[:1].upper() + piece[1:] for piece in (result, named, told) if piece)


def _settings(detail: Detail) -> str:
    return "; ".join(f"{_TITLES.get(name, name)}: {_word(value)}" for name, value in detail.items())


def _before_after(detail: Detail) -> str:
    return f"{str(detail['before']).capitalize()} → {str(detail['after']).capitalize()}" if detail.keys() >= {"before", "after"} else ""


def _renamed(detail: Detail) -> str:
    return f"Before: “{detail['before']}”" if detail.get("before") else ""


def _removed(detail: Detail) -> str:
    also = "also as an app admin" if detail.get("from_apps") else ""
    return ", ".join(str(piece) for piece in (detail.get("email"), detail.get("role"), also) if piece)


def _invited(detail: Detail) -> str:
    return f"{detail.get('email', '')} as {detail.get('role', 'member')}"


def _locked(detail: Detail) -> str:
    return "Locked after too many attempts" if detail.get("locked") else ""


def _ended(detail: Detail) -> str:
    return "All other browsers" if detail.get("all") else "One browser"


def _signed_in(detail: Detail) -> str:
    return "With a second factor" if detail.get("second_factor") else "With a password"


def _webhook(detail: Detail) -> str:
    return ("Turned on" if detail["enabled"] else "Turned off") if "enabled" in detail else ""


def _token_made(detail: Detail) -> str:
    return f"For {detail['days']} days; scopes: {', '.join(str(detail['scopes']).split())}" if detail.keys() >= {"days", "scopes"} else ""


def _deleted_department(detail: Detail) -> str:
    return f"{detail.get('people', 0)} {'person' if detail.get('people') == 1 else 'people'} in it"


SENTENCES: dict[str, Callable[[Detail], str]] = {
    "settings_changed": _settings, "plan_changed": _before_after, "role_changed": _before_after, "department_changed": _renamed,
    "org_role_changed": _renamed, "member_removed": _removed, "member_invited": _invited, "member_joined": _invited,
    "sign_in_failed": _locked, "sessions_ended": _ended, "signed_in": _signed_in, "webhook_changed": _webhook,
    "department_deleted": _deleted_department, "api_token_made": _token_made,
}


def _listed(detail: Detail) -> str:
    return "; ".join(f"{name.replace('_', ' ').capitalize()}: {_word(value)}" for name, value in detail.items()
                     if value not in (None, "") and name not in _UNREAD)


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
