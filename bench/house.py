"""A picture of the imports between rooms, for ARCHITECTURE.md: ``python -m bench.house`` writes it anew.

An arrow leads from a room to one that it imports. Arrows that others imply are left out, so that the way down shows.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- imports: made by `make picture` -->", "<!-- end of imports -->"
ROOTS = ("core", "tenants", "plugins")


def layers() -> list[str]:
    """Return the rooms of the core, top to bottom, as the contract in pyproject.toml has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rooms,) = (one["layers"] for one in contracts if one.get("containers") == ["core"])
    return [f"core.{name}" for name in rooms]


def graph() -> grimp.ImportGraph:
    """Return the graph of all imports that happen; what only the type checker reads is none."""
    return grimp.build_graph(*ROOTS, exclude_type_checking_imports=True, cache_dir=None)


def rooms(found: grimp.ImportGraph) -> dict[str, set[str]]:
    """Return which rooms each room imports itself: rooms of the core, tenants, and plugins as one."""
    def room(module: str) -> str:
        root, _, rest = module.partition(".")
        return f"core.{rest.partition('.')[0]}" if root == "core" and rest else root

    arrows: dict[str, set[str]] = {}
    for module in sorted(found.modules):
        for imported in found.find_modules_directly_imported_by(module):
            if room(imported) != room(module):
                arrows.setdefault(room(module), set()).add(room(imported))
    return arrows


def shown(arrows: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the arrows that no others imply, in order."""
    def reached(start: str) -> set[str]:
        below, waiting = set[str](), list(arrows.get(start, ()))
        while waiting:
            one = waiting.pop()
            if one not in below:
                below.add(one)
                waiting += arrows.get(one, ())
        return below

    return sorted((room, to) for room, found in arrows.items() for to in found
                  if not any(to in reached(other) for other in found - {to}))


def picture() -> str:
    """Return the picture as Mermaid, as GitHub and others draw it."""
    lines = [f"    {room.replace('core.', '')} --> {to.replace('core.', '')}" for room, to in shown(rooms(graph()))]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


def with_picture(page: str) -> str:
    """Return the page with the picture as it is now."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{picture()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(with_picture(PAGE.read_text()))
