"""Tree: what an editor does to the blocks of a page: add, move, copy, remove. Pure: each gives new blocks.

The one danger: keys. A copy has keys of its own everywhere inside it, and its forms speak of their own fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from core.api import Conflict, InvalidInput, NotFound, new_key

COLUMNS, SPAN = 12, "span"
WIDTHS = {12: "Full width", 9: "Three quarters", 8: "Two thirds", 6: "Half", 4: "One third", 3: "One quarter"}
"""How wide a block can be: so many of the columns that a page has, with the words for it."""
HOLDERS = ("columns", "container", "form", "list", "record", "header", "footer")
MAX_DEPTH = 12
Block = dict[str, Any]


def done(blocks: Sequence[Mapping[str, Any]], act: str, key: str, made: Block | None = None) -> list[Block]:
    """Return the blocks after an act on the one of that key ("" for the page itself, when adding).

    Raises:
        NotFound: there is no such block any more.
        InvalidInput: there is no such act.
        Conflict: it cannot go there.
    """
    found: list[Block] = deepcopy(list(blocks))  # type: ignore[arg-type]  # bodies are plain JSON
    if act == "add" and made is not None:
        _add(found, key, made)
        return found
    path = path_to(found, key)
    if path is None:
        raise NotFound("This block was removed from the page.")
    if act not in _ACTS:
        raise InvalidInput("Unknown action. Reload the page and try again.")
    _ACTS[act](found, path)
    return found


def path_to(blocks: Sequence[Mapping[str, Any]], key: str) -> list[int] | None:
    """Return the places that lead to a block, None where there is none of that key."""
    waiting: list[tuple[list[int], Mapping[str, Any]]] = [([n], one) for n, one in enumerate(blocks)]
    while waiting:
        path, one = waiting.pop()
        if one["key"] == key:
            return path
        waiting += [([*path, n], inner) for n, inner in enumerate(one.get("blocks", ()))]
    return None


def at(blocks: Sequence[Any], path: Sequence[int]) -> Any:
    """Return the block at a path."""
    found = blocks[path[0]]
    for place in path[1:]:
        found = found["blocks"][place]
    return found


def siblings(blocks: list[Block], path: Sequence[int]) -> list[Block]:
    """Return the list that the block at a path stands in."""
    found: list[Block] = at(blocks, path[:-1])["blocks"] if len(path) > 1 else blocks
    return found


def _add(blocks: list[Block], key: str, made: Block) -> None:
    if not key:
        blocks.append(made)
        return
    path = path_to(blocks, key)
    if path is None:
        raise NotFound("The block to add to was removed from the page.")
    holder = at(blocks, path)
    if holder["type"] not in HOLDERS:
        raise Conflict("This block cannot contain other blocks.")
    _check_depth(len(path))
    holder.setdefault("blocks", []).append(made)


def _swap(blocks: list[Block], path: list[int], by: int) -> None:
    """Swap a block with the nearest one before or after it in the same column."""
    around, place = siblings(blocks, path), path[-1]
    column = around[place].get("column", 0)
    other = place + by
    while 0 <= other < len(around) and around[other].get("column", 0) != column:
        other += by
    if 0 <= other < len(around):
        around[place], around[other] = around[other], around[place]


def _in(blocks: list[Block], path: list[int]) -> None:
    """Put a block at the end of the one before it."""
    around, place = siblings(blocks, path), path[-1]
    if place == 0 or around[place - 1]["type"] not in HOLDERS:
        raise Conflict("The block above cannot contain other blocks.")
    _check_depth(len(path) + _height(around[place]))
    moved, holder = around.pop(place), around[place - 1]
    moved.pop("column", None)
    holder.setdefault("blocks", []).append(moved)


def _out(blocks: list[Block], path: list[int]) -> None:
    """Put a block behind the one that holds it."""
    if len(path) == 1:
        raise Conflict("This block is already at the top level.")
    holder = at(blocks, path[:-1])
    moved = holder["blocks"].pop(path[-1])
    if "column" in holder:
        moved["column"] = holder["column"]
    else:
        moved.pop("column", None)
    siblings(blocks, path[:-1]).insert(path[-2] + 1, moved)


def _copy(blocks: list[Block], path: list[int]) -> None:
    siblings(blocks, path).insert(path[-1] + 1, renewed(at(blocks, path)))


def _remove(blocks: list[Block], path: list[int]) -> None:
    siblings(blocks, path).pop(path[-1])


def _keep(blocks: list[Block], path: list[int]) -> None:
    """Leave all where it is."""


def _widen(width: int) -> Callable[[list[Block], list[int]], None]:
    """Return what gives a block so many of the twelve columns of a page; all of them is what it has without a word."""
    def act(blocks: list[Block], path: list[int]) -> None:
        block = at(blocks, path)
        style = {name: value for name, value in block.get("style", {}).items() if name != SPAN}
        block["style"] = style if width == COLUMNS else {**style, SPAN: width}
        if not block["style"]:
            del block["style"]

    return act


_ACTS = {"keep": _keep, "up": lambda blocks, path: _swap(blocks, path, -1), "down": lambda blocks, path: _swap(blocks, path, 1),
         "in": _in, "out": _out, "copy": _copy, "remove": _remove, **{f"width-{width}": _widen(width) for width in WIDTHS}}


def renewed(block: Block) -> Block:
    """Return a copy of a block with new keys, to which what is inside it points."""
    keys: dict[str, str] = {}
    waiting: list[Any] = [block]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("key"), str):
                keys[one["key"]] = new_key("b")
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    found: Block = _renamed(block, keys)
    return found


def _renamed(value: Any, keys: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: keys.get(one, one) if name in ("key", "input") and isinstance(one, str) else _renamed(one, keys)
                for name, one in value.items()}
    return [_renamed(one, keys) for one in value] if isinstance(value, list) else value


def _height(block: Mapping[str, Any]) -> int:
    return 1 + max((_height(inner) for inner in block.get("blocks", ())), default=0)


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise Conflict(f"Blocks can be nested {MAX_DEPTH} levels deep at most.")
