"""A chart of the benchmark as SVG: for each engine and size how long Appkeep and the others take for the same thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

GROUPS = {
    "First backup": {"backup": "Appkeep", "reference": "", "reference_stream": "", "restic": "restic", "borg": "borg",
                     "django_dumpdata": "Django dumpdata"},
    "Backup, nothing changed": {"backup_again": "Appkeep", "restic_again": "restic", "borg_again": "borg"},
    "Backup, 100 changes": {"backup_changed": "Appkeep", "restic_changed": "restic", "borg_changed": "borg"},
    "Restore of all records": {"restore_emptied": "Appkeep", "reference_restore": "", "django_loaddata": "Django loaddata"},
    "Restore of 100 records": {"restore_changed": "Appkeep"},
    "CSV import": {"import_csv": "Appkeep", "sqlite_utils": "sqlite-utils"},
    "XLSX import": {"import_xlsx": "Appkeep", "calamine": "calamine (reads only)"},
}
NAMES = {"sqlite": {"reference": "VACUUM INTO", "reference_stream": "backup API", "reference_restore": "sqlite3 < dump"},
         "postgresql": {"reference": "pg_dump -Fc", "reference_stream": "pg_dump | zstd -3", "reference_restore": "pg_restore"}}
"""What the references are called on each engine."""
WIDTH, LABEL, LINE, BAR = 760, 190, 20, 13


def drawn(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the chart. Bars of one group have one scale, from 0 to its longest."""
    parts, top = list[str](), 10
    for result in results:
        title = f"{result['engine']}, {result['records']:,} records, {result['fields']} fields, median of {result['rounds']}"
        parts.append(f'<text x="10" y="{top + 16}" class="t">{escape(title)}</text>')
        top += 30
        for group, steps in GROUPS.items():
            bars = [(label or NAMES[result["engine"]][name], float(result[f"{name}_s"]))
                    for name, label in steps.items() if f"{name}_s" in result]
            if not bars:
                continue
            parts.append(f'<text x="10" y="{top + 13}" class="g">{escape(group)}</text>')
            top += LINE
            parts += _bars(bars, top)
            top += LINE * len(bars) + 8
        top += 14
    style = ("text{font:13px sans-serif;fill:#222}.t{font-weight:700;font-size:15px}.g{font-weight:600}.a{fill:#1d6fd6}.o{fill:#9aa4b2}"
             "@media(prefers-color-scheme:dark){text{fill:#eee}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" role="img" '
            f'aria-label="Times of the benchmark"><style>{style}</style>{"".join(parts)}</svg>\n')


def _bars(bars: Sequence[tuple[str, float]], top: int) -> list[str]:
    longest, found = max(seconds for _, seconds in bars) or 1.0, list[str]()
    for n, (label, seconds) in enumerate(bars):
        y, width = top + n * LINE, max((WIDTH - LABEL - 90) * seconds / longest, 1)
        kind = "a" if label == "Appkeep" else "o"
        found.append(f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>'
                     f'<rect class="{kind}" x="{LABEL}" y="{y + 1}" width="{width:.1f}" height="{BAR}" rx="2"/>'
                     f'<text x="{LABEL + width + 6:.1f}" y="{y + 12}">{seconds:.2f} s</text>')
    return found
