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

    def restore(self, saved: dict[str, Any], *, config: bool, data: bool, only: frozenset[str] = frozenset(),
                bin_newer: bool = False) -> None:
        """Do a restore of what `shown` gave at the time of a backup; see `core.backups.selection.Selection` for *only*."""
        if config:
            self._restore_config(saved, only)
        if data:
            self._restore_data(saved, only, bin_newer=bin_newer)

    def _restore_config(self, saved: dict[str, Any], only: frozenset[str]) -> None:
        def has(kind: str, key: str) -> bool:
            return not only or f"{kind}s" in only or f"{kind}/{key}" in only

        for key, page in self.pages.items():
            page["hidden"] = key not in saved["pages"] if has("page", key) else page["hidden"]
        for key, text in saved["pages"].items():
            if has("page", key):
                self.pages[key] = {"text": text, "hidden": False}
        for key, sheet in self.sheets.items():
            sheet.hidden = key not in saved["sheets"] if has("worksheet", key) else sheet.hidden
        for key, was in saved["sheets"].items():
            if has("worksheet", key):
                sheet = self.sheets.setdefault(key, Sheet(fields=[]))
                kept = [f for f in sheet.fields if f not in was["fields"]]
                sheet.fields, sheet.hidden, sheet.hidden_fields = [*was["fields"], *kept], False, set(kept)
        for name in sorted(only):
            if "/field/" in name and not has("worksheet", name.split("/")[1]):
                self._restore_field(saved, *name.split("/")[1::2])

    def _restore_field(self, saved: dict[str, Any], key: str, field: str) -> None:
        """One field comes back behind the nearest that stood before it; where it is there already, nothing happens."""
        sheet, was = self.sheets[key], saved["sheets"][key]["fields"]
        if field in sheet.live:
            return
        sheet.fields = [f for f in sheet.fields if f != field]
        sheet.hidden_fields.discard(field)
        before = next((f for f in reversed(was[:was.index(field)]) if f in sheet.live), None)
        live = sheet.live
        live.insert(0 if before is None else live.index(before) + 1, field)
        sheet.fields = [*live, *(f for f in sheet.fields if f in sheet.hidden_fields)]

    def chosen(self, saved: dict[str, Any], key: str, only: frozenset[str]) -> set[int]:
        """Return the numbers of the backup's records of a worksheet that are restored."""
        if key not in self.sheets or self.sheets[key].hidden or key not in saved["sheets"]:
            return set()
        there = set(saved["sheets"][key]["records"])
        named = {int(name.rpartition("/")[2]) for name in only if name.startswith(f"worksheet/{key}/record/")}
        if not only or "worksheets" in only:
            return there
        return named if named else there if f"worksheet/{key}" in only else set()

    def newer(self, saved: dict[str, Any], key: str, only: frozenset[str]) -> set[int]:
        """Return the numbers of the live records of a worksheet that the backup does not have; none where only records are named."""
        whole = not only or "worksheets" in only or (
            f"worksheet/{key}" in only and not any(name.startswith(f"worksheet/{key}/record/") for name in only))
        if key not in self.sheets or self.sheets[key].hidden or key not in saved["sheets"] or not whole:
            return set()
        return {n for n, r in self.sheets[key].records.items() if not r["deleted"]} - set(saved["sheets"][key]["records"])

    def _restore_data(self, saved: dict[str, Any], only: frozenset[str], *, bin_newer: bool) -> None:
        there = {key: set(sheet.records) for key, sheet in self.sheets.items()}
        wanted = {key: self.chosen(saved, key, only) for key in saved["sheets"]}
        for key in saved["sheets"]:
            if bin_newer:
                for seq in self.newer(saved, key, only):
                    self.sheets[key].records[seq]["deleted"] = True
            if key in self.sheets:
                there[key] |= wanted[key]
        for key, was in saved["sheets"].items():
            sheet = self.sheets.get(key)
            if sheet is None or sheet.hidden:
                continue
            for seq, vals in was["records"].items():
                if seq not in wanted[key]:
                    continue
                now = sheet.records.setdefault(seq, {"vals": {}, "deleted": False})
                now["deleted"] = False
                for name in was["fields"]:
                    if name in sheet.fields:
                        self._restore_value(sheet, now["vals"], name, vals.get(name), there)

    def _restore_value(self, sheet: Sheet, vals: Vals, name: str, value: Any, there: dict[str, set[int]]) -> None:
        """The backup's value or nothing; of a link what can be reached, and what cannot but is there now; where that is nothing, what is there."""
        if value is not None and name in self.links and name not in sheet.hidden_fields:
            reachable = [n for n in value if n in there.get(self.links[name], ()) or n in vals.get(name, ())]
            if not reachable:
                return
            value = reachable
        vals.pop(name, None)
        if value is not None:
            vals[name] = copy.deepcopy(value)
