"""What an act on backups tells beside its title, as a sentence that people read. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.base.text import size_text

Detail = Mapping[str, Any]
PARTS = {"config": "Configuration", "data": "Data", "both": "Configuration and data"}
RUNS = {"backup": "The backup", "restore": "The restore", "restore_as_new": "The restore as a new app", "check": "The check",
        "upload": "The upload"}
PERIODS = {"daily": "daily", "weekly": "weekly", "monthly": "monthly"}


def act_sentence(act: str, detail: Detail) -> str:
    """Return what an act's detail tells; empty where its title says it all.

    Args:
        act: One of `core.backups.log.ACTS`.
        detail: What `note` was given; a "reason" says all that is to be said.
    """
    if detail.get("reason"):
        return str(detail["reason"])
    known = SENTENCES.get(act)
    return (known(detail) if known is not None else "") or _listed(detail)


def _backup(detail: Detail) -> str:
    return _by(detail, "data", "With data", "Configuration only")


def _upload(detail: Detail) -> str:
    return _joined(detail.get("file"), _size(detail))


def _download(detail: Detail) -> str:
    part = PARTS.get(str(detail.get("part", "")), str(detail.get("part", "")))
    resumed = f"continued at {size_text(detail['from_byte'])}" if detail.get("from_byte") else ""
    return _joined(part, _size(detail), resumed)


def _rename(detail: Detail) -> str:
    return f"“{detail['before']}” became “{detail['after']}”" if detail.keys() >= {"before", "after"} else ""


def _check(detail: Detail) -> str:
    if detail.get("quick"):
        return "Names and sizes only"
    return _by(detail, "deep", "With a trial restore", "Stored content only")


def _restore(detail: Detail) -> str:
    parts = [words for name, words in (("config", "configuration"), ("data", "data")) if detail.get(name)]
    chosen = len(detail.get("only") or ())
    limited = f"{chosen} chosen {'part' if chosen == 1 else 'parts'}" if chosen else ""
    return _joined(" and ".join(parts).capitalize(), limited)


def _copy(detail: Detail) -> str:
    return f"As “{detail['name']}”" if detail.get("name") else ""


def _cancel(detail: Detail) -> str:
    return RUNS.get(str(detail.get("run", "")), "")


def _schedule(detail: Detail) -> str:
    when = str(detail.get("schedule", ""))
    if when in ("", "off"):
        return "Turned off" if when else ""
    return f"{when[:1].upper()}{when[1:]}, {'with data' if detail.get('data') else 'configuration only'}"


def _retention(detail: Detail) -> str:
    if detail.get("policy") == "none":
        return "All backups are kept"
    kept = [f"the last {detail['last']}"] if detail.get("last") else []
    kept += [f"{detail[name]} {words}" for name, words in PERIODS.items() if detail.get(name)]
    return f"Keeps {', '.join(kept)}" if kept else ""


SENTENCES: dict[str, Callable[[Detail], str]] = {
    "backup": _backup, "upload": _upload, "download": _download, "rename": _rename, "check": _check, "restore": _restore,
    "restore_as_new": _copy, "cancel": _cancel, "schedule": _schedule, "retention": _retention,
}
_SAID = {"name", "before", "after", "file", "size_bytes", "part", "from_byte", "to_byte", "deep", "quick", "config", "data", "only",
         "run", "schedule", "policy", "last", *PERIODS}
"""What the sentences say or what stands elsewhere on the page; anything else is listed."""


def _by(detail: Detail, name: str, yes: str, no: str) -> str:
    return (yes if detail[name] else no) if name in detail else ""


def _size(detail: Detail) -> str:
    return size_text(detail["size_bytes"]) if isinstance(detail.get("size_bytes"), int) else ""


def _joined(*pieces: Any) -> str:
    return ", ".join(str(piece) for piece in pieces if piece)


def _listed(detail: Detail) -> str:
    rest = {name: value for name, value in detail.items() if name not in _SAID and value not in (None, "", [])}
    return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in rest.items())
