"""What the demo did, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from core.api import count_text


def demo_lines(result: dict[str, Any], *, as_json: bool) -> Iterator[str]:
    """Yield the result as one JSON object, or as lines to read."""
    if as_json:
        yield json.dumps(result, ensure_ascii=False)
        return
    yield ""
    yield (f"{count_text(result['documents'], 'document')}, {count_text(result['records'], 'record')}, "
           f"{count_text(result['files'], 'file')}; {count_text(len(result['damages']), 'damage')}:")
    yield from (f"  - {name}" for name in result["damages"])
    yield ""
    yield from _table(result["report"]["components"])
    yield ""
    yield f"state before   {result['content_id']}"
    yield f"state damaged  {result['damaged_content_id']}"
    yield f"state restored {result['restored_content_id']}"
    yield "The restored app is, digest for digest, what it was." if result["equal"] else "The restored app is NOT what it was."
    yield "Its workflows run again." if result["workflow_ran"] else "Its workflows do NOT run."


def _table(components: dict[str, Any]) -> Iterator[str]:
    yield f"{'component':12} {'created again':>10} {'set back':>10} {'brought back':>13} {'to the bin':>11} {'unchanged':>10}"
    for name, said in components.items():
        d = said.get("documents", {})
        counts = [len(d.get(verb, ())) for verb in ("added", "changed", "brought_back", "hidden")]
        yield f"{name:12} {counts[0]:>10} {counts[1]:>10} {counts[2]:>13} {counts[3]:>11} {d.get('unchanged', 0):>10}"
    yield ""
    yield f"{'records of':22} {'brought back':>13} {'overwritten':>12} {'unchanged':>10} {'made since':>11}"
    for sheet in components.get("worksheets", {}).get("data", {}).get("worksheets", ()):
        yield (f"{sheet['name'][:22]:22} {sheet['brought_back']:>13} {sheet['overwritten']:>12} {sheet['unchanged']:>10} "
               f"{sheet['new_since']:>11}")
