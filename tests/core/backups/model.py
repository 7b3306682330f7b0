"""A reference model of an app: dicts, and the rules of docs/rules.md written down as plainly as they can be said."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

Vals = dict[str, Any]


@dataclass
class Sheet:
    """A worksheet: its fields in order (None where purged), which are in the bin, and its records."""

    fields: list[str]
    hidden: bool = False
    hidden_fields: set[str] = field(default_factory=set)
    records: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def live(self) -> list[str]:
        """The fields that are not in the bin."""
        return [f for f in self.fields if f not in self.hidden_fields]


@dataclass
class Model:
    """All of an app. A record is {"vals": values of fields in the bin too, "deleted": bool}. `links` names link fields."""

    sheets: dict[str, Sheet] = field(default_factory=dict)
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """Return what a backup with data holds: live things only."""
        return {
            "pages": {k: p["text"] for k, p in self.pages.items() if not p["hidden"]},
            "sheets": {k: {"fields": s.live, "records": {
                n: {f: v for f, v in r["vals"].items() if f in s.live} for n, r in s.records.items() if not r["deleted"]}}
                for k, s in self.sheets.items() if not s.hidden},
        }

    def forget_record(self, sheet: str, seq: int) -> None:
        """Purge a record, and take it out of the live link fields of live worksheets."""
        del self.sheets[sheet].records[seq]
        for other in self.sheets.values():
            for link in (f for f in other.live if self.links.get(f) == sheet and not other.hidden):
                for record in other.records.values():
                    left = [n for n in record["vals"].get(link, ()) if n != seq]
                    record["vals"].pop(link, None)
                    if left:
                        record["vals"][link] = left

    def restore(self, saved: dict[str, Any], *, config: bool, data: bool) -> None:
        """Do a restore of what `shown` gave at the time of a backup."""
        if config:
            self._restore_config(saved)
        if data:
            self._restore_data(saved)

    def _restore_config(self, saved: dict[str, Any]) -> None:
        for key, page in self.pages.items():
            page["hidden"] = key not in saved["pages"]
        for key, text in saved["pages"].items():
            self.pages[key] = {"text": text, "hidden": False}
        for key, sheet in self.sheets.items():
            sheet.hidden = key not in saved["sheets"]
        for key, was in saved["sheets"].items():
            sheet = self.sheets.setdefault(key, Sheet(fields=[]))
            kept = [f for f in sheet.fields if f not in was["fields"]]
            sheet.fields, sheet.hidden, sheet.hidden_fields = [*was["fields"], *kept], False, set(kept)

    def _restore_data(self, saved: dict[str, Any]) -> None:
        there = {key: set(sheet.records) for key, sheet in self.sheets.items()}
        for key, was in saved["sheets"].items():
            if key in self.sheets and not self.sheets[key].hidden:
                there[key] |= set(was["records"])
        for key, was in saved["sheets"].items():
            sheet = self.sheets.get(key)
            if sheet is None or sheet.hidden:
                continue
            for seq, vals in was["records"].items():
                now = sheet.records.setdefault(seq, {"vals": {}, "deleted": False})
                now["deleted"] = False
                for name in was["fields"]:
                    if name in sheet.fields:
                        self._restore_value(sheet, now["vals"], name, vals.get(name), there)

    def _restore_value(self, sheet: Sheet, vals: Vals, name: str, value: Any, there: dict[str, set[int]]) -> None:
        """The backup's value or nothing; of a link what can be reached, or, where nothing can, what is there now."""
        if value is not None and name in self.links and name not in sheet.hidden_fields:
            reachable = [n for n in value if n in there.get(self.links[name], ())]
            if not reachable:
                return
            value = reachable
        vals.pop(name, None)
        if value is not None:
            vals[name] = copy.deepcopy(value)
